// penstock/stream/window.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Neighbours together: moving averages, differences. Without overlap: chunk.hpp.

#include <penstock/base/lesser.hpp>
#include <penstock/stream/detail/recut_stream.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace penstock {
namespace detail {
template <class T>
class window_cutter {
 public:
  using value_type = std::vector<T>;

  window_cutter(std::size_t n, std::size_t step) noexcept : size_(n), step_(step) {}

  void put(T&& in) {
    if (skipped_ != 0)
      --skipped_;
    else
      items_.push_back(std::move(in));
  }
  pulled get(flow& f, bool ended, std::optional<value_type>& out) {
    if (size_ == 0) return refuse_option(f, "window", "of 0 items");
    if (step_ == 0) return refuse_option(f, "window", "a step of 0 items");
    if (items_.size() < size_) return ended ? pulled::end : pulled::wait;
    if (step_ < size_) {
      const auto next = items_.begin() + static_cast<std::ptrdiff_t>(step_);
      value_type rest;
      rest.reserve(size_);
      rest.insert(rest.end(), next, items_.end());
      out.emplace(std::exchange(items_, std::move(rest)));
    } else {
      out.emplace(std::exchange(items_, {}));
      skipped_ = step_ - size_;
    }
    return pulled::item;
  }

 private:
  std::size_t size_;
  std::size_t step_;
  std::size_t skipped_ = 0;  // still to be left out
  value_type items_;
};
struct cut_windows {
  std::size_t size;
  std::size_t step;
  template <std::copy_constructible T>
  window_cutter<T> operator()(std::type_identity<T>) const noexcept {
    return window_cutter<T>(size, step);
  }
};
}  // namespace detail

/// Each `n` neighbours as a vector; the next one begins `step` items later.
///
/// **Shape.** `-1-2-3-4-|` window(3) `-----[123]-[234]-|`
/// **Parameters.** `n` - items of a window, count, at least 1. `step` - items from the begin of one
/// to that of the next, count, at least 1; with more than `n`, those in between are left out. Items
/// are copied into each window but their last.
/// **Errors.** `errc::invalid_option` for 0.
/// **Ordering.** emits when a window is full, and no shorter one: a stream of fewer than `n` items
/// has none; backpressures always; completes and fails with the stream; cancels the stream.
/// **Complexity.** fused with its neighbours; one allocation and O(n) for each window.
/// **Example.** @snippet tests/stream/chunk_test.cpp window
[[nodiscard]] inline auto window(std::size_t n, std::size_t step = 1) noexcept {
  return detail::recut_stage<detail::cut_windows>({n, step});
}

}  // namespace penstock
