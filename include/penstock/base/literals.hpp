// penstock/base/literals.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Byte counts that can be read: `using namespace penstock::literals; 64_KiB`. A count that no
/// std::size_t can hold does not compile.

#include <cstddef>
#include <limits>

namespace penstock {
namespace detail {
void more_bytes_than_a_size_t_can_count();  // never defined: calling it is the compiler's error

consteval std::size_t byte_count(unsigned long long n, unsigned long long unit) {
  if (n > (std::numeric_limits<std::size_t>::max)() / unit) more_bytes_than_a_size_t_can_count();
  return static_cast<std::size_t>(n * unit);
}
}  // namespace detail

namespace literals {

// Powers of 1024.
consteval std::size_t operator""_KiB(unsigned long long n) {
  return detail::byte_count(n, 1 << 10);
}
consteval std::size_t operator""_MiB(unsigned long long n) {
  return detail::byte_count(n, 1 << 20);
}
consteval std::size_t operator""_GiB(unsigned long long n) {
  return detail::byte_count(n, 1 << 30);
}
consteval std::size_t operator""_TiB(unsigned long long n) {
  return detail::byte_count(n, 1ULL << 40);
}

// Powers of 1000.
consteval std::size_t operator""_KB(unsigned long long n) { return detail::byte_count(n, 1'000); }
consteval std::size_t operator""_MB(unsigned long long n) {
  return detail::byte_count(n, 1'000'000);
}
consteval std::size_t operator""_GB(unsigned long long n) {
  return detail::byte_count(n, 1'000'000'000);
}
consteval std::size_t operator""_TB(unsigned long long n) {
  return detail::byte_count(n, 1'000'000'000'000);
}

}  // namespace literals
}  // namespace penstock
