// penstock/base/detail/take.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What `std::exchange(p, nullptr)` does to a pointer. That costs each unit that includes core.hpp
/// 20 ms, for what it asks about the type.

namespace penstock::detail {

template <class T>
constexpr T* take(T*& p) noexcept {
  T* const taken = p;
  p = nullptr;
  return taken;
}

}  // namespace penstock::detail
