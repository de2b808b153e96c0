// tests/adapters/gzip_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/adapters/zlib.hpp>

#include <adapters/codec_laws.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>

using namespace penstock;

namespace {

struct family {
  using compressor = gzip::compressor;
  using decompressor = gzip::decompressor;
  using compress_options = gzip::compress_options;
  using decompress_options = gzip::decompress_options;
  static constexpr std::array levels{1, 6, 9};
  static constexpr bool many_ends = true;
  static constexpr bool has_checksum = true;
  static compress_options options(int level) { return {.level = level}; }
  static result<buffer> compress(std::span<const std::byte> b, compress_options o) {
    return gzip::compress(b, o);
  }
  static result<buffer> decompress(std::span<const std::byte> b, decompress_options o) {
    return gzip::decompress(b, o);
  }
};
static_assert(codec<gzip::compressor> && codec<gzip::decompressor>);
static_assert(!std::copy_constructible<gzip::compressor>);

}  // namespace

TEST_CASE("gzip: what was compressed comes back, whatever it is and at every level") {
  codec_laws::round_trips<family>();
}
TEST_CASE("gzip: piece by piece it is the same, for pieces of all sizes") {
  codec_laws::streams<family>();
}
TEST_CASE("gzip: input that ends early is corrupt, wherever it ends") {
  codec_laws::truncated_anywhere<family>();
}
TEST_CASE("gzip: what is behind the end is corrupt, or another frame where there can be one") {
  codec_laws::behind_the_end<family>();
}
TEST_CASE("gzip: a flipped bit is an error or harmless") { codec_laws::flipped_bits<family>(); }
TEST_CASE("gzip: not a byte more than max_size comes out") { codec_laws::limits<family>(); }
TEST_CASE("gzip: what expands to a lot comes one piece at a time") { codec_laws::bombs<family>(); }
TEST_CASE("gzip: leases, moves, errors that stay, options that cannot work") {
  codec_laws::small_print<family>();
}
TEST_CASE("gzip: random inputs, pieces and damage") { codec_laws::random_inputs<family>(); }
TEST_CASE("gzip: the command line tool agrees") { codec_laws::the_tool<family>("gzip"); }

TEST_CASE("gzip: a buffer or other bytes, there and back") {
  // [round-trip]
  const buffer text = buffer::copy_of(std::string(10'000, 'x'));
  result<buffer> small = gzip::compress(text, {.level = 9});
  result<buffer> large = gzip::decompress(*small, {.max_size = 1 << 20});
  // [/round-trip]
  REQUIRE(large.has_value());
  CHECK(large->text() == text.text());
  CHECK(small->size() < 100);
  const std::array<std::byte, 3> bytes{};
  CHECK(gzip::decompress(gzip::compress(bytes).value()).value().size() == 3);
}

TEST_CASE("gzip: mem_level is a range, and changes nothing for who reads it") {
  const std::string text = codec_laws::some_text(50'000, 1);
  for (int m = 0; m <= 10; ++m) {
    CAPTURE(m);
    const auto small = gzip::compress(codec_laws::bytes_of(text), {.mem_level = m});
    CHECK(small.has_value() == (m >= 1 && m <= 9));
    if (small)
      CHECK(gzip::decompress(*small).value().text() == text);
    else
      CHECK(small.error().object().starts_with("mem_level"));
  }
  CHECK(gzip::compress({}, {.level = 0}).error() == errc::invalid_option);
}

TEST_CASE("gzip: the same bytes give the same member") {
  const std::string text = codec_laws::some_text(5'000, 1);
  const auto once = codec_laws::packed<family>(text);
  CHECK(once == codec_laws::packed<family>(text));
  CHECK(codec_laws::run_pieces(gzip::compressor(), text, 100).text == once);
}
