// penstock/base/checksum.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// CRC-32 (zip, gzip, Ethernet) and CRC-32C (iSCSI, storage formats, S3). They find accidents, not
/// forgeries.

#include <penstock/base/detail/crc_tables.hpp>
#include <penstock/base/detail/crc_x86.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace penstock {
namespace detail {
template <std::uint32_t Polynomial>
std::uint32_t crc(std::span<const std::byte> bytes, std::uint32_t before) noexcept {
  const std::uint32_t state = ~before;
#if PENSTOCK_CRC_X86
  if (cpu_has_clmul()) return ~crc_by_clmul<Polynomial>(state, bytes.data(), bytes.size());
#endif
  return ~crc_by_table<Polynomial>(state, bytes.data(), bytes.size());
}
template <std::uint32_t Polynomial>
constexpr std::uint32_t crc_combine(std::uint32_t a, std::uint32_t b, std::uint64_t n) noexcept {
  return crc_shift<Polynomial>(a, n) ^ b;
}
}  // namespace detail

/// The CRC-32 of `bytes`, or of what `crc` is the CRC-32 of followed by `bytes`.
///
/// **Complexity.** O(size); about 20 GB/s where the processor multiplies without carry, else 2
/// GB/s.
/// **Example.** @snippet tests/base/checksum_test.cpp checksum
[[nodiscard]] inline std::uint32_t crc32(std::span<const std::byte> bytes,
                                         std::uint32_t crc = 0) noexcept {
  return detail::crc<detail::crc32_polynomial>(bytes, crc);
}
[[nodiscard]] inline std::uint32_t crc32(std::string_view text, std::uint32_t crc = 0) noexcept {
  return crc32(std::as_bytes(std::span(text)), crc);
}

/// The CRC-32C of `bytes`, or of what `crc` is the CRC-32C of followed by `bytes`.
///
/// **Complexity.** as crc32().
[[nodiscard]] inline std::uint32_t crc32c(std::span<const std::byte> bytes,
                                          std::uint32_t crc = 0) noexcept {
  return detail::crc<detail::crc32c_polynomial>(bytes, crc);
}
[[nodiscard]] inline std::uint32_t crc32c(std::string_view text, std::uint32_t crc = 0) noexcept {
  return crc32c(std::as_bytes(std::span(text)), crc);
}

/// The CRC of a message from those of its halves: `a` of the first, `b` of the second, which is
/// `b_size` bytes long. So parts can be checked in any order.
///
/// **Complexity.** O(log b_size), below a microsecond.
[[nodiscard]] constexpr std::uint32_t crc32_combine(std::uint32_t a, std::uint32_t b,
                                                    std::uint64_t b_size) noexcept {
  return detail::crc_combine<detail::crc32_polynomial>(a, b, b_size);
}
[[nodiscard]] constexpr std::uint32_t crc32c_combine(std::uint32_t a, std::uint32_t b,
                                                     std::uint64_t b_size) noexcept {
  return detail::crc_combine<detail::crc32c_polynomial>(a, b, b_size);
}

/// crc32c_combine() for many halves of one length: its factor is computed once.
///
/// **Complexity.** construction as crc32c_combine(); a call some tens of nanoseconds.
class crc32c_combiner {
 public:
  /// `b_size` - the length of each second half, in bytes.
  explicit constexpr crc32c_combiner(std::uint64_t b_size) noexcept
      : factor_(detail::crc_shift<detail::crc32c_polynomial>(0x80000000, b_size)) {}

  /// The CRC-32C of the whole: `a` is that of the first half, `b` that of the second.
  [[nodiscard]] constexpr std::uint32_t operator()(std::uint32_t a,
                                                   std::uint32_t b) const noexcept {
    return detail::crc_multiply<detail::crc32c_polynomial>(factor_, a) ^ b;
  }

 private:
  std::uint32_t factor_;
};

}  // namespace penstock
