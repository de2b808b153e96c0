// penstock/io/detail/bytes_of.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The bytes of an item of a stream: a buffer, a string, a vector of bytes or characters.

#include <cstddef>
#include <span>
#include <type_traits>

namespace penstock::detail {

template <class T>
concept has_bytes = requires(const T& t) {
  { *t.data() } -> std::convertible_to<std::byte>;
  t.size();
}
|| requires(const T& t) {
  { *t.data() } -> std::convertible_to<char>;
  requires sizeof(*t.data()) == 1;
  t.size();
};

template <has_bytes T>
std::span<const std::byte> bytes_of(const T& item) noexcept {
  return {reinterpret_cast<const std::byte*>(item.data()), item.size()};
}

}  // namespace penstock::detail
