// penstock/base/detail/crc_x86.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// CRCs by carry-less multiplication, for x86 processors that have it; checksum.hpp asks at run
/// time. The compilers' built-ins are used, because <immintrin.h> costs more than all of base.

#include <penstock/base/detail/crc_tables.hpp>

#if defined(__x86_64__)
#define PENSTOCK_CRC_X86 1

namespace penstock::detail {

#define PENSTOCK_CRC_TARGET __attribute__((target("pclmul,sse4.2")))

using crc_lane = long long __attribute__((vector_size(16), may_alias));

inline bool cpu_has_clmul() noexcept {
  return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.2");
}

// The two factors that move 128 bits of message on by `bits` bits.
template <std::uint32_t Polynomial>
constexpr std::uint64_t fold_low(std::uint64_t bits) noexcept {
  return static_cast<std::uint64_t>(crc_power<Polynomial>(bits + 32)) << 1;
}
template <std::uint32_t Polynomial>
constexpr std::uint64_t fold_high(std::uint64_t bits) noexcept {
  return static_cast<std::uint64_t>(crc_power<Polynomial>(bits - 32)) << 1;
}
static_assert(fold_low<crc32_polynomial>(512) == 0x154442bd4, "as published");
static_assert(fold_high<crc32_polynomial>(512) == 0x1c6e41596, "as published");

PENSTOCK_CRC_TARGET inline crc_lane crc_load(const std::byte* p) noexcept {
  crc_lane v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
PENSTOCK_CRC_TARGET inline crc_lane crc_fold(crc_lane v, crc_lane factors) noexcept {
  return __builtin_ia32_pclmulqdq128(v, factors, 0x00) ^
         __builtin_ia32_pclmulqdq128(v, factors, 0x11);
}

// The rest, which is short.
template <std::uint32_t Polynomial>
PENSTOCK_CRC_TARGET inline std::uint32_t crc_rest(std::uint32_t state, const std::byte* p,
                                                  std::size_t n) noexcept {
  if constexpr (Polynomial == crc32c_polynomial) {
    unsigned long long wide = state;
    for (; n >= 8; n -= 8, p += 8) {
      unsigned long long word = 0;
      std::memcpy(&word, p, 8);
      wide = __builtin_ia32_crc32di(wide, word);
    }
    state = static_cast<std::uint32_t>(wide);
    for (; n; --n, ++p) state = __builtin_ia32_crc32qi(state, static_cast<unsigned char>(*p));
    return state;
  } else {
    return crc_by_table<Polynomial>(state, p, n);
  }
}

// Gopal et al.: "Fast CRC computation for generic polynomials using PCLMULQDQ", Intel 2009. Four
// lanes of 128 bits are folded on over the message, then into one; what is left of it, 16 bytes
// with the same remainder, ends as any short message does.
template <std::uint32_t Polynomial>
PENSTOCK_CRC_TARGET inline std::uint32_t crc_by_clmul(std::uint32_t state, const std::byte* p,
                                                      std::size_t n) noexcept {
  if (n >= 64) {
    constexpr auto low_64 = static_cast<long long>(fold_low<Polynomial>(512));
    constexpr auto high_64 = static_cast<long long>(fold_high<Polynomial>(512));
    constexpr auto low_16 = static_cast<long long>(fold_low<Polynomial>(128));
    constexpr auto high_16 = static_cast<long long>(fold_high<Polynomial>(128));
    const crc_lane by_64{low_64, high_64}, by_16{low_16, high_16};
    const crc_lane before{state, 0};
    crc_lane a = crc_load(p) ^ before;
    crc_lane b = crc_load(p + 16), c = crc_load(p + 32), d = crc_load(p + 48);
    for (p += 64, n -= 64; n >= 64; p += 64, n -= 64) {
      a = crc_fold(a, by_64) ^ crc_load(p);
      b = crc_fold(b, by_64) ^ crc_load(p + 16);
      c = crc_fold(c, by_64) ^ crc_load(p + 32);
      d = crc_fold(d, by_64) ^ crc_load(p + 48);
    }
    a = crc_fold(a, by_16) ^ b;
    a = crc_fold(a, by_16) ^ c;
    a = crc_fold(a, by_16) ^ d;
    for (; n >= 16; p += 16, n -= 16) a = crc_fold(a, by_16) ^ crc_load(p);
    std::byte last[16];
    std::memcpy(last, &a, sizeof last);
    state = crc_rest<Polynomial>(0, last, sizeof last);
  }
  return crc_rest<Polynomial>(state, p, n);
}

#undef PENSTOCK_CRC_TARGET

}  // namespace penstock::detail
#else
#define PENSTOCK_CRC_X86 0
#endif
