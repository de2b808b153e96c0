// penstock/base/taken.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Takes a value out of where it was.

#include <type_traits>

namespace penstock::detail {

// detail::taken(from) for pointers alone: what a move takes from the other. The traits in
// the signature of std::exchange, and of std::swap, cost more than a millisecond for each type.
template <class T>
[[nodiscard]] constexpr T* taken(T*& from) noexcept {
  T* const p = from;
  from = nullptr;
  return p;
}

// std::exchange for what is as cheap to copy as a number.
template <class T>
requires std::is_trivially_copyable_v<T>
[[nodiscard]] constexpr T exchanged(T& x, std::type_identity_t<T> with) noexcept {
  const T before = x;
  x = with;
  return before;
}

}  // namespace penstock::detail
