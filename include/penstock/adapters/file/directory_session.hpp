// penstock/adapters/file/directory_session.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// One upload into a folder: a partial file with the parts at their places, a manifest of those
/// that are whole, and the rename that makes the object appear.

#include <penstock/adapters/file/detail/copy_part.hpp>
#include <penstock/adapters/file/detail/manifest.hpp>
#include <penstock/io/file_system.hpp>
#include <penstock/stream/collect.hpp>
#include <penstock/stream/from.hpp>
#include <penstock/stream/map_concurrent.hpp>

namespace penstock {

/// What `directory_target::begin` and `resume` give.
///
/// **Shape.** STORE/.NAME.partial (the bytes) and STORE/.NAME.parts (the manifest, locked while
/// this lives), until `complete` has renamed the first to STORE/NAME and `forget` removed the
/// second, or `abort` removed both.
/// **Errors.** as values, naming operation and path.
/// **Suspends.** until what it does to files is done.
/// **Cancellation.** ends with the operation in flight; what was done stays, and may be done again.
/// **Thread-safety.** one loop at a time.
/// **Lifetime.** holds the name's lock; ended without `complete` and `abort` it is suspended.
class directory_session {
 public:
  struct paths {
    std::string store, object, partial, manifest;
  };
  directory_session(paths p, std::string id, const part_plan& plan, detail::manifest_lock lock)
      : lock_(std::move(lock)),
        paths_(std::move(p)),
        id_(std::move(id)),
        plan_(plan),
        parts_(plan.count) {}

  [[nodiscard]] const std::string& id() const noexcept { return id_; }

  /// Copies one part to its place.
  ///
  /// **Errors.** `errc::source_changed` when the source ends before the part does;
  /// `errc::invalid_option` when direct I/O cannot write parts of that size.
  /// **Suspends.** with a plain file as source the copy and its checksum run on the cpu pool, in
  /// blocks; with direct I/O or another source the blocks go through `buffers`, several at a time.
  /// **Cancellation.** ends within a block; the part is not listed and is sent again.
  template <upload_source Source>
  task<result<part_receipt>> put_part(Source& source, const upload_part& part,
                                      buffer_pool& buffers) {
    co_await ok(fits());
    file* const to = renamed_ ? nullptr : &partial_;  // the object is whole: only compared
    const std::uint32_t crc = co_await ok(detail::copy_part(source, to, part, buffers));
    const part_receipt receipt{part.index, part.size, crc};
    if (renamed_) {
      if (parts_[part.index] == receipt) co_return receipt;
      co_return fail(errc::checksum_mismatch, "compare", paths_.object);
    }
    const std::string line = detail::encode_part(receipt);
    const std::uint64_t at = std::exchange(manifest_end_, manifest_end_ + line.size());
    co_await ok(manifest_.write_at(at, std::as_bytes(std::span<const char>(line))));
    parts_[part.index] = receipt;
    co_return receipt;
  }

  /// The parts that are there: listed in the manifest, and read again to compare their checksum.
  ///
  /// **Errors.** `errc::not_found` when the manifest is of another upload; `errc::invalid_option`
  /// as `put_part`: an upload that was begun through the page cache cannot go on with direct I/O.
  /// **Suspends.** while it reads; 4 parts at a time, in blocks of 64 KiB.
  /// **Cancellation.** changes nothing.
  task<result<std::vector<part_receipt>>> list() {
    co_await ok(fits());
    std::vector<part_receipt> whole;
    for (const auto& r : co_await ok(read_manifest())) {
      if (r) whole.push_back(*r);
    }
    auto verify = [this](const part_receipt& r) { return verified(r); };
    const auto good = co_await ok(from(whole) | map_concurrent(4, verify) | collect());
    parts_.assign(plan_.count, std::nullopt);
    std::vector<part_receipt> there;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      if (!good[i]) continue;
      parts_[whole[i].index] = whole[i];
      there.push_back(whole[i]);
    }
    co_return there;
  }

  /// Makes the bytes durable and the object appear under its name, whole.
  ///
  /// **Errors.** `errc::corrupt` when a part is missing. When the name cannot be made durable the
  /// object is there all the same; a later call, of this session or after `resume`, tries again.
  /// **Suspends.** until all is durable.
  /// **Cancellation.** may come after the rename; a later `resume` finds that.
  task<result<>> complete() {
    for (std::uint32_t i = 0; i < plan_.count; ++i) {
      if (!parts_[i]) co_return fail(errc::corrupt, "complete", "part " + std::to_string(i));
    }
    if (!renamed_) {
      const std::uint64_t size = co_await ok(partial_.size());
      if (size != plan_.length) co_await ok(partial_.truncate(plan_.length));
      co_await ok(partial_.fsync());
      co_await ok(rename_file(paths_.partial, paths_.object));
      renamed_ = true;
    }
    // Also when an earlier run has renamed it: that one may have ended before the name was durable.
    co_await ok(sync_directory(paths_.store));
    co_return co_await partial_.close();
  }

  /// Removes the manifest, when nobody will want to resume the upload any more.
  ///
  /// **Suspends.** until it is done.
  /// **Cancellation.** may leave some of it.
  task<result<>> forget() {
    auto removed = co_await remove_file(paths_.manifest);
    static_cast<void>(co_await manifest_.close());
    co_return removed;
  }

  /// Removes all traces of this upload.
  ///
  /// **Suspends.** until they are gone.
  /// **Cancellation.** may leave some of them.
  task<result<>> abort() {
    auto removed = co_await remove_file(paths_.partial);
    if (!removed && removed.error() == std::errc::no_such_file_or_directory) removed = {};
    static_cast<void>(co_await partial_.close());
    auto forgotten = co_await forget();
    if (!removed) co_return removed;
    co_return forgotten;
  }

 private:
  friend class directory_target;

  task<result<std::vector<std::optional<part_receipt>>>> read_manifest() {
    std::string text;
    const std::uint64_t size = co_await ok(manifest_.size());
    text.resize(static_cast<std::size_t>(size));
    text.resize(co_await ok(manifest_.read_at(0, std::as_writable_bytes(std::span<char>(text)))));
    std::vector<std::optional<part_receipt>> parts;
    manifest_end_ = detail::parse_manifest(text, id_, plan_, parts);
    if (manifest_end_ == 0) co_return fail(errc::not_found, "resume", paths_.manifest);
    co_return parts;
  }
  task<result<bool>> verified(part_receipt r) {
    auto crc = co_await detail::checksum_part(partial_, plan_.part(r.index));
    if (crc) co_return *crc == r.crc32c;
    if (crc.error() == errc::source_changed) co_return false;  // the file is shorter than that
    co_return fail(crc.error());
  }
  // Direct I/O begins parts at multiples of what the file system asks, and writes whole ones.
  [[nodiscard]] result<> fits() const {
    const std::size_t unit = partial_.alignment().offset;
    if (plan_.count <= 1 || plan_.part_size % unit == 0) return {};
    return fail(errc::invalid_option, "direct I/O",
                "part_size " + std::to_string(plan_.part_size) + " is not a multiple of " +
                    std::to_string(unit));
  }
  static open_mode mode_for(bool direct) noexcept {
    if (direct) return open_mode::read_write | open_mode::direct;
    return open_mode::read_write;
  }
  // Begins: from here on what an earlier upload left is gone.
  task<result<>> start(bool direct) {
    manifest_ = co_await ok(file::open(paths_.manifest, open_mode::read_write));
    const std::string header = detail::manifest_header(id_, plan_);
    co_await ok(manifest_.truncate(0));
    co_await ok(manifest_.write_at(0, std::as_bytes(std::span<const char>(header))));
    manifest_end_ = header.size();
    partial_ = co_await ok(
        file::open(paths_.partial, mode_for(direct) | open_mode::create | open_mode::truncate));
    co_await ok(fits());
    if (plan_.length == 0) co_return {};
    // So that a full disk is found out now, and direct writes need not take turns to extend the
    // file.
    bool reserves = direct;
    if (!reserves) {
      const auto ask = [fd = partial_.native_handle()] { return detail::reserves_space(fd); };
      reserves = co_await offload(ask);
    }
    if (reserves) {
      auto reserved = co_await partial_.preallocate(0, plan_.length);
      if (reserved || reserved.error() != std::errc::operation_not_supported) co_return reserved;
    }
    co_return co_await partial_.truncate(plan_.length);
  }
  // Goes on with what `start` of an earlier run began.
  task<result<>> reopen(bool direct) {
    manifest_ = co_await ok(file::open(paths_.manifest, open_mode::read_write));
    auto partial = co_await file::open(paths_.partial, mode_for(direct));
    const bool gone = !partial && partial.error() == std::errc::no_such_file_or_directory;
    if (gone) partial = co_await file::open(paths_.object, open_mode::read);
    partial_ = co_await ok(std::move(partial));
    if (gone) co_return co_await adopt_object();
    co_await ok(read_manifest());
    co_return {};
  }
  // The partial file is gone: `errc::not_found` unless the object is what it would be, that is, an
  // earlier run ended right behind the rename.
  task<result<>> adopt_object() {
    renamed_ = true;
    const auto there = co_await ok(list());
    const std::uint64_t size = co_await ok(partial_.size());
    if (there.size() == plan_.count && size == plan_.length) co_return {};
    co_return fail(errc::not_found, "resume", paths_.partial);
  }

  detail::manifest_lock lock_;
  paths paths_;
  std::string id_;
  part_plan plan_;
  file partial_;
  file manifest_;
  std::vector<std::optional<part_receipt>> parts_;  // written or verified by this session
  std::uint64_t manifest_end_ = 0;
  bool renamed_ = false;
};
static_assert(upload_session<directory_session>);

}  // namespace penstock
