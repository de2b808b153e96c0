// penstock/io/read_chunks.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A file as a stream of buffers.

#include <penstock/base/lesser.hpp>
#include <penstock/base/taken.hpp>
#include <penstock/io/detail/chunk_store.hpp>
#include <penstock/io/file.hpp>
#include <penstock/stream/stream.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

namespace penstock {
namespace detail {
// A template, as those that io_leaf.hpp speaks of: `File` is file.
template <class File>
class chunk_stream : public stream_interface<chunk_stream<File>> {
 public:
  using value_type = buffer;
  static constexpr bool is_eager = false;
  static constexpr bool is_sync = true;

  chunk_stream(File& f, std::size_t size) noexcept : file_(&f), size_(size) {}
  chunk_stream(chunk_stream&& o) noexcept
      : stream_interface<chunk_stream>(),
        file_(o.file_),
        size_(o.size_),
        store_(detail::taken(o.store_)),
        ended_(o.ended_) {}
  ~chunk_stream() {
    reading_.reset();
    chunk_.reset();
    if (store_) store_->leave();
  }

  void open(flow& f) {
    if (store_ || ended_) return;
    const auto grid = file_->alignment();
    if (size_ == 0 || size_ % grid.offset != 0) {
      ended_ = true;
      f.fail(error(errc::invalid_option)
                 .with(size_ == 0 ? "read in chunks of 0 bytes"
                                  : "read in chunks off the grid of direct I/O",
                       file_->path()));
      return;
    }
    store_ = chunk_store::create(size_, detail::larger(grid.memory, alignof(std::max_align_t)));
  }
  template <class Item>  // a buffer
  pulled pull(pump& p, std::optional<Item>& out) {
    if (ended_) return p.of().is_cut() ? pulled::cut : pulled::end;
    if (!reading_.busy()) {
      chunk_ = store_->lend();
      reading_.set(file_->read_at(file_->position(), chunk_.mutable_bytes()));
    }
    if (const pulled s = reading_.advance(p); s != pulled::item) return s;
    const auto read = reading_.take();
    if (!read) {
      p.of().fail(read.error());
      return pulled::cut;
    }
    // Behind a short chunk there is nothing, and direct I/O could not read from there.
    if (*read < size_) ended_ = true;
    if (*read == 0) {
      chunk_.reset();
      return pulled::end;
    }
    file_->seek(file_->position() + *read);
    chunk_.truncate(*read);
    out.emplace(std::move(chunk_));
    return pulled::item;
  }
  template <class Push>
  pulled drive(pump& p, std::size_t& left, Push push) {
    return drive_pulled(*this, p, left, push);
  }

 private:
  File* file_;
  std::size_t size_;
  chunk_store* store_ = nullptr;
  bool ended_ = false;
  buffer chunk_;  // being read
  await_slot<
      awaiter_t<decltype(std::declval<File&>().read_at(0, std::declval<std::span<std::byte>>()))>>
      reading_;
};
}  // namespace detail

/// The bytes of `source` from its position on, in chunks of `size` bytes, the last one shorter.
///
/// **Shape.** of "abcdefghij" in chunks of 4, 1 ms a read: `-[abcd][efgh]([ij]|)`; a second read
/// that fails: `-[abcd]#`; with a consumer that is busy for 2 ms: `-[abcd]--[efgh]--[ij]-|`
/// **Parameters.** `size` - bytes of a chunk, at least 1; for a file opened for direct I/O a
/// multiple of `alignment().offset`.
/// **Result.** a stream of `buffer`; nothing for an empty file.
/// **Errors.** those of reading; `errc::invalid_option` for a size that cannot work.
/// **Suspends.** as `file::read_at`.
/// **Cancellation.** ends with the read that is in flight; the position is behind the last chunk
/// that was delivered.
/// **Ordering.** emits when a chunk is full or the file ends; backpressures always: it reads only
/// when pulled; completes at the end of the file; fails when a read does; cancels the read in
/// flight.
/// **Complexity.** allocates as many chunks as are alive at once; none per chunk in steady state.
/// **Lifetime.** the file must outlive the stream; chunks may outlive both.
/// **Example.** @snippet tests/io/read_chunks_test.cpp chunks
template <class File = file>
[[nodiscard]] detail::chunk_stream<File> read_chunks(std::type_identity_t<File>& source,
                                                     std::size_t size) noexcept {
  return {source, size};
}

}  // namespace penstock
