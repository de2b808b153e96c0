// penstock/upload/upload_concepts.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What `upload` needs of the outside: where bytes come from, where parts go, where the journal is.

#include <penstock/core/awaitable.hpp>
#include <penstock/upload/part_planner.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock {

/// What tells whether a source is still the same.
struct source_identity {
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;
  std::uint64_t inode = 0;
  friend bool operator==(const source_identity&, const source_identity&) = default;
};

/// What a target says of a part that it has.
struct part_receipt {
  std::uint32_t index = 0;
  std::uint64_t size = 0;
  std::uint32_t crc32c = 0;  ///< of the part's bytes
  friend bool operator==(const part_receipt&, const part_receipt&) = default;
};

/// An awaitable of exactly a `T`.
template <class A, class T>
concept yields = awaitable<A> && std::same_as<await_result_t<A>, T>;

/// Random access to bytes that do not change: `file` is one.
///
/// `stat()` awaits a result of something with `size, mtime_ns, ctime_ns, inode`; `read_at(offset,
/// span)` fills the span and awaits a result of the bytes read, fewer only at the end.
template <class S>
concept upload_source = requires(S& s, std::uint64_t offset, std::span<std::byte> to) {
  { s.read_at(offset, to) } -> yields<result<std::size_t>>;
  { s.stat() } -> awaitable;
};

/// One upload at a target, as `begin` and `resume` give it.
///
/// `put_part(source, part, buffers)` is a template over sources: it sends one part and awaits
/// `result<part_receipt>`; it gets on with one of `buffers` and never waits for a ninth, may run
/// for several parts at once and be repeated for one. `list()` awaits the parts that the target
/// durably has, verified, or `errc::not_found` when it does not know the upload any more.
/// `complete()` makes the object appear, whole; no stop reaches it; it may be repeated. `abort()`
/// removes all traces. `forget()`, if there is one, is called when the object is complete and the
/// journal gone.
template <class S>
concept upload_session = requires(S& s) {
  { s.id() } -> std::convertible_to<std::string_view>;
  { s.list() } -> yields<result<std::vector<part_receipt>>>;
  { s.complete() } -> yields<result<>>;
  { s.abort() } -> yields<result<>>;
};

/// Where objects go: `directory_target` is one.
///
/// `resume` awaits `errc::not_found` when the target does not know the id (any more). A
/// `part_alignment()`, if there is one, says what a part size is a multiple of when the planner
/// chooses it.
template <class T>
concept upload_target = upload_session<typename T::session> &&
    requires(T& t, std::string name, part_plan plan, std::string id) {
  { t.begin(name, plan) } -> yields<result<typename T::session>>;
  { t.resume(name, plan, id) } -> yields<result<typename T::session>>;
};

/// Where the record of an upload is kept: `resume_from(path)` is one.
///
/// `load()` awaits the whole text, "" when there is none; `restart(text)` replaces it and makes it
/// durable; `append(valid, text)` adds behind the first `valid` bytes; `sync()` makes it durable;
/// a `path()`, if there is one, is named by errors; `remove()` ends it, also when a `restart` has
/// failed or somebody else has removed it.
template <class J>
concept upload_journal = requires(J& j, std::string text, std::uint64_t valid) {
  { j.load() } -> yields<result<std::string>>;
  { j.restart(text) } -> yields<result<>>;
  { j.append(valid, text) } -> yields<result<>>;
  { j.sync() } -> yields<result<>>;
  { j.remove() } -> yields<result<>>;
};

}  // namespace penstock
