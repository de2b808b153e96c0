// tests/adapters/best_of_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/best_of.hpp>

#include <penstock/adapters/brotli.hpp>
#include <penstock/adapters/zlib.hpp>
#include <penstock/adapters/zstd.hpp>

#include <adapters/codec_checks.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace penstock;

// [best_of]
static result<best_of_result> for_a_browser(buffer page, std::string_view media_type) {
  if (!is_compressible(media_type)) return best_of_result{"identity", std::move(page)};
  // Real sizes of the first 64 KiB are compared; what gains less than 2 % stays as it is.
  return best_of(std::move(page), {}, brotli::codec{{.level = 9}}, zstd::codec{{.level = 9}},
                 gzip::codec{});
}
// [/best_of]

namespace {
struct never {  // smaller than anything, and wrong
  static constexpr std::string_view name = "never";
  result<buffer> operator()(std::span<const std::byte>) const {
    return fail(errc::corrupt, "never");
  }
};
struct half {
  static constexpr std::string_view name = "half";
  result<buffer> operator()(std::span<const std::byte> b) const {
    return buffer::copy_of(b.first(b.size() / 2));
  }
};
struct third {
  static constexpr std::string_view name = "third";
  result<buffer> operator()(std::span<const std::byte> b) const {
    return buffer::copy_of(b.first(b.size() / 3));
  }
};
}  // namespace

TEST_CASE("best_of() takes the codec with the smallest real size") {
  const auto all = codec_checks::inputs(3);
  const std::string& text = all[3];
  auto best = for_a_browser(buffer::copy_of(text), "text/html; charset=utf-8");
  REQUIRE(best);
  CHECK(best->encoding == "br");
  CHECK(brotli::decompress(best->bytes).value().text() == text);
  const auto bytes = buffer::copy_of(std::string(5000, 'x'));
  CHECK(best_of(bytes.first(bytes.size()), {}, half{}, third{}, never{}).value().encoding ==
        "third");
  CHECK(best_of(bytes.first(bytes.size()), {}, never{}, third{}, half{}).value().encoding ==
        "third");
  CHECK(best_of(bytes.first(bytes.size()), {}, never{}).value().encoding == "identity");
}
TEST_CASE("best_of() keeps what gains nothing, what is small, and what is compressed") {
  const auto all = codec_checks::inputs(3);
  const std::string& noise = all[4];
  auto kept = for_a_browser(buffer::copy_of(noise), "application/octet-stream");
  CHECK(kept->encoding == "identity");
  CHECK(kept->bytes.text() == noise);
  CHECK(for_a_browser(buffer::copy_of(std::string(1000, 'a')), "text/plain")->encoding ==
        "identity");
  CHECK(for_a_browser(buffer::copy_of(std::string(5000, 'a')), "image/png")->encoding ==
        "identity");
  // Text in front and noise behind: the sample has lied, and the whole is looked at again.
  const best_of_options o{.sample = 200};
  const auto mixed = buffer::copy_of(std::string(200, 'a') + noise);
  CHECK(best_of(mixed.first(mixed.size()), o, gzip::codec{})->encoding == "identity");
}
TEST_CASE("best_of(): the first codec is tried in any case, the others while there is time") {
  const best_of_options no_time{.budget = std::chrono::nanoseconds(0)};
  const auto bytes = buffer::copy_of(std::string(5000, 'x'));
  CHECK(best_of(bytes.first(bytes.size()), no_time, half{}, third{})->encoding == "half");
  CHECK(best_of(bytes.first(bytes.size()), {.sample = 0}, half{}).error() == errc::invalid_option);
}
TEST_CASE("is_compressible(): what is compressed is not, whatever its parameters") {
  CHECK(is_compressible("text/html; charset=utf-8"));
  CHECK(is_compressible("application/json"));
  CHECK(is_compressible("image/svg+xml"));
  CHECK(is_compressible("audio/wav"));
  CHECK_FALSE(is_compressible("image/png"));
  CHECK_FALSE(is_compressible("video/mp4"));
  CHECK_FALSE(is_compressible("application/zip"));
  CHECK_FALSE(is_compressible("font/woff2"));
}
