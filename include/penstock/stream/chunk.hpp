// penstock/stream/chunk.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Items by the dozen: inserts, requests and writes of many at once. Of bytes: chunk_bytes.hpp;
/// overlapping: window.hpp.

#include <penstock/base/lesser.hpp>
#include <penstock/stream/detail/recut_stream.hpp>

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace penstock {
namespace detail {
template <class T>
class item_cutter {
 public:
  using value_type = std::vector<T>;

  explicit item_cutter(std::size_t n) noexcept : size_(n) {}

  void put(T&& in) {
    // A size that says "all" does not ask for that much at once.
    if (items_.empty()) items_.reserve(lesser(size_, std::size_t{1024}));
    items_.push_back(std::move(in));
  }
  pulled get(flow& f, bool ended, std::optional<value_type>& out) {
    if (size_ == 0) return refuse_option(f, "chunk", "of 0 items");
    if (items_.size() == size_ || (ended && !items_.empty())) {
      out.emplace(std::exchange(items_, {}));
      return pulled::item;
    }
    return ended ? pulled::end : pulled::wait;
  }

 private:
  std::size_t size_;
  value_type items_;
};
struct cut_items {
  std::size_t size;
  template <class T>
  item_cutter<T> operator()(std::type_identity<T>) const noexcept {
    return item_cutter<T>(size);
  }
};
}  // namespace detail

/// The items in vectors of `n`, the last one shorter.
///
/// **Shape.** `-1-2-3-|` chunk(2) `---[12]---([3]|)`
/// **Parameters.** `n` - items of a chunk, count, at least 1.
/// **Errors.** `errc::invalid_option` for 0. An error of the stream drops what is collected.
/// **Ordering.** emits when n items are there, and what is left when the stream completes, never an
/// empty chunk; backpressures always; completes and fails with the stream; cancels the stream.
/// **Complexity.** fused with its neighbours; one allocation for each chunk, a few for one of more
/// than 1024.
/// **Example.** @snippet tests/stream/chunk_test.cpp chunk
[[nodiscard]] inline auto chunk(std::size_t n) noexcept {
  return detail::recut_stage<detail::cut_items>({n});
}

}  // namespace penstock
