// tests/adapters/best_of_adapters_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/best_of.hpp>

#include <penstock/adapters/brotli.hpp>
#include <penstock/adapters/zlib.hpp>
#include <penstock/adapters/zstd.hpp>

#include <adapters/codec_laws.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace penstock;
using namespace std::chrono_literals;

static_assert(one_shot_codec<zstd::codec> && one_shot_codec<gzip::codec>);
static_assert(one_shot_codec<brotli::codec>);

namespace {

constexpr best_of_options patient{.budget = 1h};

result<buffer> decoded(const encoded_buffer& e) {
  if (e.codec == zstd::codec::name) return zstd::decompress(e.bytes);
  if (e.codec == gzip::codec::name) return gzip::decompress(e.bytes);
  if (e.codec == brotli::codec::name) return brotli::decompress(e.bytes);
  return e.bytes.first(e.bytes.size());
}

}  // namespace

TEST_CASE("best_of: the smallest of all, and its name says how to read it") {
  for (const std::string& text : codec_laws::samples()) {
    CAPTURE(text.size());
    const buffer in = buffer::copy_of(text);
    // [best_of]
    auto best = best_of(in, {.budget = std::chrono::seconds(10)}, zstd::codec{}, gzip::codec{},
                        brotli::codec{{.level = 9}});
    // [/best_of]
    REQUIRE(best.has_value());
    CHECK(decoded(*best).value().text() == text);
    CHECK(best->bytes.size() <= text.size());
  }
}

TEST_CASE("best_of: real sizes decide") {
  const buffer in = buffer::copy_of(codec_laws::some_text(40'000, 1));
  const auto best = best_of(in, patient, zstd::codec{}, gzip::codec{}, brotli::codec{}).value();
  std::size_t least = in.size();
  for (const auto& one : {zstd::codec{}(in).value().size(), gzip::codec{}(in).value().size(),
                          brotli::codec{}(in).value().size()})
    least = (std::min)(least, one);
  CHECK(best.bytes.size() == least);

  const auto strong = best_of(in, patient, zstd::codec{{.level = 1}}, zstd::codec{{.level = 19}});
  CHECK(strong.value().bytes.size() < zstd::codec{{.level = 1}}(in).value().size());
}

TEST_CASE("best_of: noise and short texts stay as they are") {
  const buffer in = buffer::copy_of(codec_laws::noise(200'000, 1));
  const auto kept = best_of(in, patient, zstd::codec{}, gzip::codec{}, brotli::codec{}).value();
  CHECK(kept.codec == "identity");
  CHECK(kept.bytes.data() == in.data());
  const buffer few = buffer::copy_of(std::string(1023, 'x'));
  CHECK(best_of(few, patient, zstd::codec{}).value().codec == "identity");
  const buffer more = buffer::copy_of(std::string(1024, 'x'));
  CHECK(best_of(more, patient, zstd::codec{}).value().codec == "zstd");
}

TEST_CASE("best_of: an option that cannot work is an error") {
  const buffer in = buffer::copy_of(std::string(5000, 'x'));
  const auto bad = best_of(in, patient, zstd::codec{}, gzip::codec{{.level = 10}});
  CHECK(bad.error() == errc::invalid_option);
}
