// penstock/base/taken.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Takes a pointer out of where it was.

namespace penstock::detail {

// detail::taken(from) for pointers alone: what a move takes from the other. The traits in
// the signature of std::exchange, and of std::swap, cost more than a millisecond for each type.
template <class T>
[[nodiscard]] constexpr T* taken(T*& from) noexcept {
  T* const p = from;
  from = nullptr;
  return p;
}

}  // namespace penstock::detail
