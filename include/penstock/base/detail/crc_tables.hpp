// penstock/base/detail/crc_tables.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Arithmetic modulo a CRC's polynomial, and the portable computation from tables. A 32-bit word is
/// a polynomial with its x^0 in the highest bit, as in all reflected CRCs.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace penstock::detail {

inline constexpr std::uint32_t crc32_polynomial = 0xedb88320;   // IEEE 802.3
inline constexpr std::uint32_t crc32c_polynomial = 0x82f63b78;  // Castagnoli

// a * x
template <std::uint32_t Polynomial>
constexpr std::uint32_t crc_times_x(std::uint32_t a) noexcept {
  return (a >> 1) ^ ((a & 1) ? Polynomial : 0);
}
// a * b
template <std::uint32_t Polynomial>
constexpr std::uint32_t crc_multiply(std::uint32_t a, std::uint32_t b) noexcept {
  std::uint32_t product = 0;
  for (; a; a <<= 1) {
    if (a & 0x80000000) product ^= b;
    b = crc_times_x<Polynomial>(b);
  }
  return product;
}
// x^n
template <std::uint32_t Polynomial>
constexpr std::uint32_t crc_power(std::uint64_t n) noexcept {
  std::uint32_t result = 0x80000000, square = 0x40000000;
  for (; n; n >>= 1) {
    if (n & 1) result = crc_multiply<Polynomial>(result, square);
    square = crc_multiply<Polynomial>(square, square);
  }
  return result;
}
// a * x^(8 * bytes): what `bytes` zero bytes make of the register.
template <std::uint32_t Polynomial>
constexpr std::uint32_t crc_shift(std::uint32_t a, std::uint64_t bytes) noexcept {
  // 8 * bytes may not fit: x^(8 bytes) = (x^bytes)^8.
  std::uint32_t power = crc_power<Polynomial>(bytes);
  for (int i = 0; i < 3; ++i) power = crc_multiply<Polynomial>(power, power);
  return crc_multiply<Polynomial>(power, a);
}

// after[k][v]: the register after the byte v and k zero bytes. A plain array, filled with few
// steps, because every translation unit computes it.
struct crc_tables {
  std::uint32_t after[8][256];
};
template <std::uint32_t Polynomial>
constexpr crc_tables make_crc_tables() noexcept {
  crc_tables t{};
  std::uint32_t power = 1;
  for (std::uint32_t bit = 128; bit; bit >>= 1) {
    power = crc_times_x<Polynomial>(power);
    for (std::uint32_t v = 0; v < 256; v += 2 * bit) t.after[0][v + bit] = t.after[0][v] ^ power;
  }
  for (int k = 1; k < 8; ++k)
    for (int v = 0; v < 256; ++v)
      t.after[k][v] = (t.after[k - 1][v] >> 8) ^ t.after[0][t.after[k - 1][v] & 0xff];
  return t;
}
template <std::uint32_t Polynomial>
inline constexpr crc_tables crc_table = make_crc_tables<Polynomial>();

// Eight bytes a step (Kounavis, Berry: "Novel table lookup-based algorithms for high-performance
// CRC generation", 2008). `state` is the register, that is the complement of the public value.
template <std::uint32_t Polynomial>
std::uint32_t crc_by_table(std::uint32_t state, const std::byte* p, std::size_t n) noexcept {
  const auto& t = crc_table<Polynomial>.after;
  if constexpr (std::endian::native == std::endian::little) {
    for (; n >= 8; n -= 8, p += 8) {
      std::uint32_t low = 0, high = 0;
      std::memcpy(&low, p, 4);
      std::memcpy(&high, p + 4, 4);
      low ^= state;
      state = t[7][low & 0xff] ^ t[6][low >> 8 & 0xff] ^ t[5][low >> 16 & 0xff] ^ t[4][low >> 24] ^
              t[3][high & 0xff] ^ t[2][high >> 8 & 0xff] ^ t[1][high >> 16 & 0xff] ^
              t[0][high >> 24];
    }
  }
  for (; n; --n, ++p) state = (state >> 8) ^ t[0][(state ^ static_cast<std::uint32_t>(*p)) & 0xff];
  return state;
}

}  // namespace penstock::detail
