// tests/base/checksum_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/base/checksum.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <penstock/base/buffer.hpp>
#include <penstock/base/random.hpp>

#include "support/seeds.hpp"

namespace {

using penstock::buffer;
using penstock::crc32;
using penstock::crc32_combine;
using penstock::crc32c;
using penstock::crc32c_combine;
namespace detail = penstock::detail;

std::vector<std::byte> random_bytes(penstock::random_engine& random, std::size_t n) {
  std::vector<std::byte> bytes(n);
  for (auto& b : bytes) b = static_cast<std::byte>(random() & 0xff);
  return bytes;
}
// The definition, bit by bit.
std::uint32_t plain_crc(std::uint32_t polynomial, std::span<const std::byte> bytes) {
  std::uint32_t state = ~0u;
  for (const std::byte b : bytes) {
    state ^= static_cast<std::uint32_t>(b);
    for (int bit = 0; bit < 8; ++bit) state = (state >> 1) ^ ((state & 1) ? polynomial : 0);
  }
  return ~state;
}

TEST_CASE("known answers") {
  CHECK(crc32("123456789") == 0xcbf43926);
  CHECK(crc32c("123456789") == 0xe3069283);
  CHECK(crc32("") == 0);
  CHECK(crc32c("") == 0);
  CHECK(crc32("a") == 0xe8b7be43);
  CHECK(crc32("The quick brown fox jumps over the lazy dog") == 0x414fa339);
  CHECK(crc32c("The quick brown fox jumps over the lazy dog") == 0x22620404);
}

TEST_CASE("the examples of RFC 3720, B.4") {
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
  std::string up, down;
  for (int i = 0; i < 32; ++i) up += static_cast<char>(i);
  for (int i = 31; i >= 0; --i) down += static_cast<char>(i);
  CHECK(crc32c(up) == 0x46dd794e);
  CHECK(crc32c(down) == 0x113fdb5c);
  const unsigned char read_command[48] = {
      0x01, 0xc0, 0, 0,    0, 0, 0, 0,    0,    0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0,
      0,    0,    0, 0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0,    0};
  CHECK(crc32c(std::as_bytes(std::span(read_command))) == 0xd9963a56);
}

TEST_CASE("every length and alignment agrees with the definition, by every way of computing") {
  penstock::random_engine random(1);
  const auto bytes = random_bytes(random, 700);
  for (std::size_t offset = 0; offset < 17; ++offset) {
    for (std::size_t n = 0; n + offset <= bytes.size(); n += n < 300 ? 1 : 13) {
      const auto part = std::span(bytes).subspan(offset, n);
      const auto wanted = plain_crc(detail::crc32_polynomial, part);
      const auto wanted_c = plain_crc(detail::crc32c_polynomial, part);
      REQUIRE(crc32(part) == wanted);
      REQUIRE(crc32c(part) == wanted_c);
      REQUIRE(~detail::crc_by_table<detail::crc32_polynomial>(~0u, part.data(), n) == wanted);
      REQUIRE(~detail::crc_by_table<detail::crc32c_polynomial>(~0u, part.data(), n) == wanted_c);
    }
  }
}

TEST_CASE("a message may be checked piece by piece, and its parts in any order") {
  // [checksum]
  const buffer message = buffer::copy_of("the first part|the second part");
  const buffer first = message.first(14), second = message.slice(14, message.size() - 14);
  CHECK(crc32c(second, crc32c(first)) == crc32c(message));
  CHECK(crc32c_combine(crc32c(first), crc32c(second), second.size()) == crc32c(message));
  // [/checksum]
  for (const auto seed : support::seeds(200)) {
    CAPTURE(seed);
    penstock::random_engine random(seed);
    const auto bytes = random_bytes(random, static_cast<std::size_t>(random.uniform_int(0, 5000)));
    const auto cut = static_cast<std::size_t>(random.uniform_int(0, std::ssize(bytes)));
    const auto a = std::span(bytes).first(cut), b = std::span(bytes).subspan(cut);
    REQUIRE(crc32(b, crc32(a)) == crc32(bytes));
    REQUIRE(crc32c(b, crc32c(a)) == crc32c(bytes));
    REQUIRE(crc32_combine(crc32(a), crc32(b), b.size()) == crc32(bytes));
    REQUIRE(crc32c_combine(crc32c(a), crc32c(b), b.size()) == crc32c(bytes));
  }
}

TEST_CASE("combining works over lengths that no memory holds") {
  // Appending n zero bytes twice is appending 2n.
  for (const std::uint64_t n : {1ULL, 1000ULL, 1ULL << 40, (1ULL << 62) + 12345}) {
    const auto zeros = [](std::uint32_t crc, std::uint64_t k) { return crc32_combine(crc, 0, k); };
    CHECK(zeros(zeros(0x12345678, n), n) == zeros(0x12345678, 2 * n));
    const auto zeros_c = [](std::uint32_t crc, std::uint64_t k) {
      return crc32c_combine(crc, 0, k);
    };
    CHECK(zeros_c(zeros_c(0x12345678, n), n) == zeros_c(0x12345678, 2 * n));
  }
  CHECK(crc32_combine(5, 7, 0) == (5 ^ 7));
}

}  // namespace

TEST_CASE("a combiner for one length gives what combine gives") {
  penstock::random_engine random(11);
  for (std::uint64_t size : {0u, 1u, 63u, 4096u, 65536u, 1u << 30}) {
    CAPTURE(size);
    const penstock::crc32c_combiner append(size);
    for (int i = 0; i < 20; ++i) {
      const auto a = static_cast<std::uint32_t>(random());
      const auto b = static_cast<std::uint32_t>(random());
      CHECK(append(a, b) == crc32c_combine(a, b, size));
    }
  }
}
