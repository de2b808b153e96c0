// tests/adapters/zstd_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/adapters/zstd.hpp>

#include <adapters/codec_laws.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>

using namespace penstock;

namespace {

struct family {
  using compressor = zstd::compressor;
  using decompressor = zstd::decompressor;
  using compress_options = zstd::compress_options;
  using decompress_options = zstd::decompress_options;
  static constexpr std::array levels{-7, 3, 1, 19};
  static constexpr bool many_ends = true;
  static constexpr bool has_checksum = true;
  static compress_options options(int level) { return {.level = level, .checksum = true}; }
  static result<buffer> compress(std::span<const std::byte> b, compress_options o) {
    return zstd::compress(b, o);
  }
  static result<buffer> decompress(std::span<const std::byte> b, decompress_options o) {
    return zstd::decompress(b, o);
  }
};
static_assert(codec<zstd::compressor> && codec<zstd::decompressor>);
static_assert(!std::copy_constructible<zstd::compressor>);

}  // namespace

TEST_CASE("zstd: what was compressed comes back, whatever it is and at every level") {
  codec_laws::round_trips<family>();
}
TEST_CASE("zstd: piece by piece it is the same, for pieces of all sizes") {
  codec_laws::streams<family>();
}
TEST_CASE("zstd: input that ends early is corrupt, wherever it ends") {
  codec_laws::truncated_anywhere<family>();
}
TEST_CASE("zstd: what is behind the end is corrupt, or another frame where there can be one") {
  codec_laws::behind_the_end<family>();
}
TEST_CASE("zstd: a flipped bit is an error or harmless") { codec_laws::flipped_bits<family>(); }
TEST_CASE("zstd: not a byte more than max_size comes out") { codec_laws::limits<family>(); }
TEST_CASE("zstd: what expands to a lot comes one piece at a time") { codec_laws::bombs<family>(); }
TEST_CASE("zstd: leases, moves, errors that stay, options that cannot work") {
  codec_laws::small_print<family>();
}
TEST_CASE("zstd: random inputs, pieces and damage") { codec_laws::random_inputs<family>(); }
TEST_CASE("zstd: the command line tool agrees") { codec_laws::the_tool<family>("zstd"); }

TEST_CASE("zstd: a buffer or other bytes, there and back") {
  // [round-trip]
  const buffer text = buffer::copy_of(std::string(10'000, 'x'));
  result<buffer> small = zstd::compress(text, {.level = 9, .checksum = true});
  result<buffer> large = zstd::decompress(*small, {.max_size = 1 << 20});
  // [/round-trip]
  REQUIRE(large.has_value());
  CHECK(large->text() == text.text());
  CHECK(small->size() < 100);
  const std::array<std::byte, 3> bytes{};
  CHECK(zstd::decompress(zstd::compress(bytes).value()).value().size() == 3);
}

TEST_CASE("zstd: the checksum finds what the format does not") {
  const std::string text = codec_laws::noise(1000, 1);  // is stored as it is
  for (const bool checksum : {false, true}) {
    std::string small(
        zstd::compress(codec_laws::bytes_of(text), {.checksum = checksum}).value().text());
    small[500] = static_cast<char>(small[500] ^ 1);
    CHECK(zstd::decompress(codec_laws::bytes_of(small)).has_value() == !checksum);
  }
}

TEST_CASE("zstd: a frame that asks for a larger window than it may have is refused") {
  const std::string text = codec_laws::some_text(3 << 20, 1);
  const auto small = codec_laws::run_pieces(zstd::compressor(), text, 1 << 20);
  const auto at_most = [&](int log) {
    return zstd::decompress(codec_laws::bytes_of(small.text), {.window_log = log});
  };
  CHECK(at_most(10).error() == std::errc::file_too_large);
  CHECK(at_most(23).value().text() == text);
  CHECK(at_most(9).error() == errc::invalid_option);
  CHECK(at_most(32).error() == errc::invalid_option);
}

TEST_CASE("zstd: a size that a frame only claims is not allocated") {
  // A frame of 2^40 bytes, it says, that ends behind its header.
  std::string claims("\x28\xb5\x2f\xfd\xe0", 5);
  claims += std::string("\0\0\0\0\0\1\0\0", 8);
  auto r = zstd::decompress(codec_laws::bytes_of(claims), {.max_size = any_size, .window_log = 31});
  CHECK(!r);
}
