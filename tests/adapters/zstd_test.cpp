// tests/adapters/zstd_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/adapters/zstd.hpp>

#include <adapters/codec_checks.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace penstock;

namespace {
struct library {
  using codec = zstd::codec;
  using compressor = zstd::compressor;
  using decompressor = zstd::decompressor;
  using decompress_options = zstd::decompress_options;
  static result<buffer> decompress(const buffer& b, decompress_options o = {}) {
    return zstd::decompress(b, o);
  }
};
}  // namespace

// [round-trip]
static result<std::string> there_and_back(const buffer& text) {
  auto packed = zstd::compress(text, {.level = 4});
  if (!packed) return fail(std::move(packed.error()));
  auto back = zstd::decompress(*packed, {.max_size = 1 << 20});  // more is an error
  if (!back) return fail(std::move(back.error()));
  return std::string(back->text());
}
// [/round-trip]

// [stages]
static task<result<std::size_t>> through_stages(std::vector<std::string> texts) {
  const auto bytes = [](const std::string& s) { return buffer::copy_of(s); };
  std::size_t size = 0;
  const auto add = [&](const buffer& b) { size += b.size(); };
  co_await ok(from(std::move(texts)) | map(bytes) | compress(zstd::compressor()) |
              decompress(zstd::decompressor()) | for_each(add));
  co_return size;
}
// [/stages]
TEST_CASE("zstd: stages on the cpu pool") {
  test::test_runtime rt;
  CHECK(rt.run(through_stages({"some", "text"})).value() == 8);
}

TEST_CASE("zstd: what was compressed comes back, at once and piece by piece") {
  CHECK(there_and_back(buffer::copy_of("some text")).value() == "some text");
  codec_checks::round_trips<library>();
}
TEST_CASE("zstd: what is cut, followed by something, or damaged is refused") {
  codec_checks::bad_input_is_refused<library>(false);
}
TEST_CASE("zstd: what becomes too large is refused, in bounded memory") {
  codec_checks::bombs_are_bounded<library>();
}
TEST_CASE("zstd: as stages of a pipeline") { codec_checks::stages_work<library>(); }
TEST_CASE("zstd: options that cannot work are refused") {
  const auto text = buffer::copy_of("text");
  CHECK(zstd::compress(text, {.level = 100}).error() == errc::invalid_option);
  CHECK(zstd::compress(text, {.piece_size = 0}).error() == errc::invalid_option);
  CHECK(zstd::decompress(text, {.piece_size = 0}).error() == errc::invalid_option);
  zstd::compressor core({.level = 100});
  CHECK(core.next().error() == errc::invalid_option);
}
