// tests/adapters/brotli_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/adapters/brotli.hpp>

#include <adapters/codec_checks.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace penstock;

namespace {
struct library {
  using codec = brotli::codec;
  using compressor = brotli::compressor;
  using decompressor = brotli::decompressor;
  using decompress_options = brotli::decompress_options;
  static result<buffer> decompress(const buffer& b, decompress_options o = {}) {
    return brotli::decompress(b, o);
  }
};
}  // namespace

// [round-trip]
static result<std::string> there_and_back(const buffer& text) {
  auto packed = brotli::compress(text, {.level = 4});
  if (!packed) return fail(std::move(packed.error()));
  auto back = brotli::decompress(*packed, {.max_size = 1 << 20});  // more is an error
  if (!back) return fail(std::move(back.error()));
  return std::string(back->text());
}
// [/round-trip]

TEST_CASE("brotli: what was compressed comes back, at once and piece by piece") {
  CHECK(there_and_back(buffer::copy_of("some text")).value() == "some text");
  codec_checks::round_trips<library>();
}
TEST_CASE("brotli: what is cut, followed by something, or damaged is refused") {
  codec_checks::bad_input_is_refused<library>(false);
}
TEST_CASE("brotli: what becomes too large is refused, in bounded memory") {
  codec_checks::bombs_are_bounded<library>();
}
TEST_CASE("brotli: as stages of a pipeline") { codec_checks::stages_work<library>(); }
TEST_CASE("brotli: options that cannot work are refused") {
  const auto text = buffer::copy_of("text");
  CHECK(brotli::compress(text, {.level = 100}).error() == errc::invalid_option);
  CHECK(brotli::compress(text, {.piece_size = 0}).error() == errc::invalid_option);
  CHECK(brotli::decompress(text, {.piece_size = 0}).error() == errc::invalid_option);
  brotli::compressor core({.level = 100});
  CHECK(core.next().error() == errc::invalid_option);
}
