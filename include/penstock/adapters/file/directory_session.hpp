// penstock/adapters/file/directory_session.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// One upload into a folder: a partial file with the parts at their places, a manifest of those
/// that are whole, and the rename that makes the object appear.

#include <penstock/adapters/file/detail/copy_part.hpp>
#include <penstock/io/file_system.hpp>
#include <penstock/upload/journal_core.hpp>

namespace penstock {

/// What `directory_target::begin` and `resume` give.
///
/// **Shape.** STORE/.NAME.ID.partial (the bytes) and STORE/.NAME.ID.parts (a line for each whole
/// part), until `complete` has renamed the first to STORE/NAME, or `abort` removed both.
/// **Errors.** as values, naming operation and path.
/// **Thread-safety.** one loop at a time.
/// **Lifetime.** the source and the buffers of a put_part outlive it.
class directory_session {
 public:
  struct paths {
    std::string store, object, partial, manifest;
  };
  directory_session(paths p, std::string id, const part_plan& plan, bool direct, file partial,
                    file manifest) noexcept
      : paths_(std::move(p)),
        id_(std::move(id)),
        plan_(plan),
        direct_(direct),
        partial_(std::move(partial)),
        manifest_(std::move(manifest)) {}

  [[nodiscard]] const std::string& id() const noexcept { return id_; }

  /// Copies one part to its place.
  ///
  /// **Errors.** `errc::source_changed` when the source ends before the part does.
  /// **Suspends.** with a plain file as source the copy and its checksum run on the cpu pool, in
  /// blocks; with direct I/O or another source the blocks go through `buffers`, several at a time.
  /// **Cancellation.** ends within a block; the part is not listed and is sent again.
  template <upload_source Source>
  task<result<part_receipt>> put_part(Source& source, const upload_part& part,
                                      buffer_pool& buffers) {
    const std::uint32_t crc = co_await ok(detail::copy_part(source, partial_, part, buffers));
    const part_receipt receipt{part.index, part.size, crc};
    const std::string line = detail::encode_part(receipt);
    const std::uint64_t at = std::exchange(manifest_end_, manifest_end_ + line.size());
    co_await ok(manifest_.write_at(at, std::as_bytes(std::span<const char>(line))));
    co_return receipt;
  }

  /// The parts that are there: listed in the manifest, and read again to compare their checksum.
  ///
  /// **Suspends.** while it reads.
  /// **Cancellation.** changes nothing.
  task<result<std::vector<part_receipt>>> list() {
    std::vector<part_receipt> whole;
    std::string text;
    const std::uint64_t size = co_await ok(manifest_.size());
    text.resize(static_cast<std::size_t>(size));
    text.resize(co_await ok(manifest_.read_at(0, std::as_writable_bytes(std::span<char>(text)))));
    manifest_end_ = detail::valid_parts(text, plan_, whole);
    std::vector<part_receipt> verified;
    for (const part_receipt& r : whole) {
      const upload_part part = plan_.part(r.index);
      const std::uint32_t crc = co_await ok(detail::checksum_part(partial_, part));
      if (crc == r.crc32c) verified.push_back(r);
    }
    co_return verified;
  }

  /// Makes the bytes durable and the object appear under its name, whole.
  ///
  /// **Suspends.** until all is durable.
  /// **Cancellation.** may come after the rename; repeat it by a later `resume`.
  task<result<>> complete() {
    if (renamed_) {
      co_await ok(manifest_.close());
      co_return co_await remove_file(paths_.manifest);
    }
    if (direct_) co_await ok(partial_.truncate(plan_.length));
    co_await ok(partial_.fsync());
    co_await ok(rename_file(paths_.partial, paths_.object));
    co_await ok(sync_directory(paths_.store));
    co_await ok(partial_.close());
    co_await ok(manifest_.close());
    co_await ok(remove_file(paths_.manifest));
    co_return {};
  }

  /// For a session whose partial file is gone: `errc::not_found` unless the object is what it would
  /// be.
  ///
  /// **Suspends.** while it reads.
  /// **Cancellation.** changes nothing.
  task<result<>> confirm_renamed() {
    renamed_ = true;
    const auto there = co_await ok(list());
    const std::uint64_t size = co_await ok(partial_.size());
    if (there.size() == plan_.count && size == plan_.length) co_return {};
    co_return fail(errc::not_found, "resume", paths_.partial);
  }

  /// Removes all traces of this upload.
  ///
  /// **Suspends.** until they are gone.
  /// **Cancellation.** may leave some of them.
  task<result<>> abort() {
    static_cast<void>(co_await partial_.close());
    static_cast<void>(co_await manifest_.close());
    auto removed = co_await remove_file(paths_.partial);
    auto also = co_await remove_file(paths_.manifest);
    if (!removed) co_return fail(removed.error());
    if (!also) co_return fail(also.error());
    co_return {};
  }

 private:
  paths paths_;
  std::string id_;
  part_plan plan_;
  bool direct_;
  file partial_;
  file manifest_;
  std::uint64_t manifest_end_ = 0;
  bool renamed_ = false;  // by an earlier run: `partial_` is the object, to be read only
};
static_assert(upload_session<directory_session>);

}  // namespace penstock
