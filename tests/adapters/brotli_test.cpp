// tests/adapters/brotli_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/adapters/brotli.hpp>

#include <adapters/codec_laws.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>

using namespace penstock;

namespace {

struct family {
  using compressor = brotli::compressor;
  using decompressor = brotli::decompressor;
  using compress_options = brotli::compress_options;
  using decompress_options = brotli::decompress_options;
  static constexpr std::array levels{0, 5, 11};
  static constexpr bool many_ends = false;
  static constexpr bool has_checksum = false;
  static compress_options options(int level) { return {.level = level}; }
  static result<buffer> compress(std::span<const std::byte> b, compress_options o) {
    return brotli::compress(b, o);
  }
  static result<buffer> decompress(std::span<const std::byte> b, decompress_options o) {
    return brotli::decompress(b, o);
  }
};
static_assert(codec<brotli::compressor> && codec<brotli::decompressor>);
static_assert(!std::copy_constructible<brotli::compressor>);

}  // namespace

TEST_CASE("brotli: what was compressed comes back, whatever it is and at every level") {
  codec_laws::round_trips<family>();
}
TEST_CASE("brotli: piece by piece it is the same, for pieces of all sizes") {
  codec_laws::streams<family>();
}
TEST_CASE("brotli: input that ends early is corrupt, wherever it ends") {
  codec_laws::truncated_anywhere<family>();
}
TEST_CASE("brotli: what is behind the end is corrupt, or another frame where there can be one") {
  codec_laws::behind_the_end<family>();
}
TEST_CASE("brotli: a flipped bit is an error or harmless") { codec_laws::flipped_bits<family>(); }
TEST_CASE("brotli: not a byte more than max_size comes out") { codec_laws::limits<family>(); }
TEST_CASE("brotli: what expands to a lot comes one piece at a time") {
  codec_laws::bombs<family>();
}
TEST_CASE("brotli: leases, moves, errors that stay, options that cannot work") {
  codec_laws::small_print<family>();
}
TEST_CASE("brotli: random inputs, pieces and damage") { codec_laws::random_inputs<family>(); }
TEST_CASE("brotli: the command line tool agrees") { codec_laws::the_tool<family>("brotli"); }

TEST_CASE("brotli: a buffer or other bytes, there and back") {
  // [round-trip]
  const buffer text = buffer::copy_of(std::string(10'000, 'x'));
  result<buffer> small = brotli::compress(text, {.level = 9});
  result<buffer> large = brotli::decompress(*small, {.max_size = 1 << 20});
  // [/round-trip]
  REQUIRE(large.has_value());
  CHECK(large->text() == text.text());
  CHECK(small->size() < 100);
  const std::array<std::byte, 3> bytes{};
  CHECK(brotli::decompress(brotli::compress(bytes).value()).value().size() == 3);
}

TEST_CASE("brotli: window_log is a range, and changes nothing for who reads it") {
  const std::string text = codec_laws::some_text(50'000, 1);
  for (int w = 9; w <= 25; ++w) {
    CAPTURE(w);
    const auto small = brotli::compress(codec_laws::bytes_of(text), {.window_log = w});
    CHECK(small.has_value() == (w >= 10 && w <= 24));
    if (small)
      CHECK(brotli::decompress(*small).value().text() == text);
    else
      CHECK(small.error().object().starts_with("window_log"));
  }
}
