// penstock/stream/chunk_bytes.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A stream of bytes in buffers of one size: the parts of an upload, the blocks of a format. Of
/// items: chunk.hpp.

#include <penstock/base/buffer.hpp>
#include <penstock/base/lesser.hpp>
#include <penstock/stream/detail/recut_stream.hpp>

#include <cstddef>
#include <cstring>
#include <optional>
#include <utility>

namespace penstock {
namespace detail {
class byte_cutter {
 public:
  using value_type = buffer;

  explicit byte_cutter(std::size_t n) noexcept : size_(n) {}

  void put(buffer&& in) {
    if (in.empty()) return;
    if (filled_ == 0 && !in_.empty()) {  // less than a chunk is left, and is not the last one
      part_ = buffer::allocate(size_);
      copy(in_.size());
    }
    in_ = std::move(in);
  }
  pulled get(flow& f, bool ended, std::optional<buffer>& out) {
    if (size_ == 0) return refuse_option(f, "chunk_bytes", "of 0 bytes");
    if (filled_ != 0) {
      copy(lesser(size_ - filled_, in_.size()));
      if (filled_ < size_ && !ended) return pulled::wait;
      part_.truncate(std::exchange(filled_, 0));
      out.emplace(std::move(part_));
      return pulled::item;
    }
    if (in_.size() > size_) {
      out.emplace(in_.split(size_));
      return pulled::item;
    }
    if (in_.size() == size_ || (ended && !in_.empty())) {
      out.emplace(std::move(in_));
      return pulled::item;
    }
    return ended ? pulled::end : pulled::wait;
  }

 private:
  void copy(std::size_t count) noexcept {
    if (count != 0) std::memcpy(part_.data() + filled_, in_.data(), count);
    filled_ += count;
    in_.remove_prefix(count);
    if (in_.empty()) in_.reset();
  }

  std::size_t size_;
  buffer in_;               // what is left of the input
  buffer part_;             // a chunk of several inputs,
  std::size_t filled_ = 0;  // and how much of it is there
};
struct cut_bytes {
  std::size_t size;
  byte_cutter operator()(std::type_identity<buffer>) const noexcept { return byte_cutter(size); }
};
}  // namespace detail

/// The bytes of a stream of buffers, in buffers of `n` bytes, the last one shorter.
///
/// **Shape.** of buffers: `-[abcde]-[fghij]-|` chunk_bytes(4) `-[abcd]-[efgh]-([ij]|)`
/// **Parameters.** `n` - bytes of a chunk, at least 1.
/// **Errors.** `errc::invalid_option` for 0; std::bad_alloc.
/// **Ordering.** emits when n bytes are there, and what is left when the stream completes, never an
/// empty buffer; backpressures always; completes and fails with the stream; cancels the stream.
/// **Complexity.** a chunk that lies in one buffer of the stream is a slice of it: no copy, no
/// allocation. One of several buffers is copied, into one allocation.
/// **Lifetime.** a slice keeps the whole buffer that it lies in.
/// **Example.** @snippet tests/stream/chunk_bytes_test.cpp chunk_bytes
[[nodiscard]] inline auto chunk_bytes(std::size_t n) noexcept {
  return detail::recut_stage<detail::cut_bytes>({n});
}

}  // namespace penstock
