// penstock/base/lesser.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The lesser and the larger of two numbers, without <algorithm>: half of that header is ranges,
/// which cost a fortieth of what runtime and io parse.

namespace penstock::detail {

template <class T>
[[nodiscard]] constexpr T lesser(T a, T b) noexcept {
  return b < a ? b : a;
}
template <class T>
[[nodiscard]] constexpr T larger(T a, T b) noexcept {
  return a < b ? b : a;
}

}  // namespace penstock::detail
