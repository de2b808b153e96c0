// tests/adapters/gzip_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/adapters/zlib.hpp>

#include <adapters/codec_checks.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace penstock;

namespace {
struct library {
  using codec = gzip::codec;
  using compressor = gzip::compressor;
  using decompressor = gzip::decompressor;
  using decompress_options = gzip::decompress_options;
  static result<buffer> decompress(const buffer& b, decompress_options o = {}) {
    return gzip::decompress(b, o);
  }
};
}  // namespace

// [round-trip]
static result<std::string> there_and_back(const buffer& text) {
  auto packed = gzip::compress(text, {.level = 4});
  if (!packed) return fail(std::move(packed.error()));
  auto back = gzip::decompress(*packed, {.max_size = 1 << 20});  // more is an error
  if (!back) return fail(std::move(back.error()));
  return std::string(back->text());
}
// [/round-trip]

TEST_CASE("gzip: what was compressed comes back, at once and piece by piece") {
  CHECK(there_and_back(buffer::copy_of("some text")).value() == "some text");
  codec_checks::round_trips<library>();
}
TEST_CASE("gzip: what is cut, followed by something, or damaged is refused") {
  codec_checks::bad_input_is_refused<library>(true);
}
TEST_CASE("gzip: what becomes too large is refused, in bounded memory") {
  codec_checks::bombs_are_bounded<library>();
}
TEST_CASE("gzip: as stages of a pipeline") { codec_checks::stages_work<library>(); }
TEST_CASE("gzip: options that cannot work are refused") {
  const auto text = buffer::copy_of("text");
  CHECK(gzip::compress(text, {.level = 100}).error() == errc::invalid_option);
  CHECK(gzip::compress(text, {.piece_size = 0}).error() == errc::invalid_option);
  CHECK(gzip::decompress(text, {.piece_size = 0}).error() == errc::invalid_option);
  gzip::compressor core({.level = 100});
  CHECK(core.next().error() == errc::invalid_option);
}
