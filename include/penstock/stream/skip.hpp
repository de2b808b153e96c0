// penstock/stream/skip.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Leaves out the first items of a stream.

#include <penstock/stream/detail/judged_stream.hpp>

#include <cstddef>

namespace penstock {
namespace detail {
struct skip_first {
  std::size_t left;
  template <class T>
  bool operator()(const T&) noexcept {
    return left == 0 || (--left, false);
  }
};
}  // namespace detail

/// All items but the first `n`.
///
/// **Shape.** `-1-2-3-4-|` skip(2) `-----3-4-|`
/// **Parameters.** `n` - items, count; 0: all are passed on.
/// **Errors.** none of its own.
/// **Ordering.** emits from the item `n + 1` on; backpressures always; completes and fails with the
/// stream; cancels the stream.
/// **Complexity.** fused with its neighbours; no allocation.
/// **Example.** @snippet tests/stream/take_test.cpp skip
[[nodiscard]] inline auto skip(std::size_t n) {
  return detail::judged<detail::pass_if>(detail::skip_first{n});
}

}  // namespace penstock
