// tests/adapters/codec_checks.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What holds for every codec: `Library` has codec, compressor, decompressor and decompress().

#include <penstock/base.hpp>
#include <penstock/core.hpp>
#include <penstock/stream.hpp>
#include <penstock/test.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace codec_checks {

using namespace penstock;

inline buffer bytes_of(std::string_view text) { return buffer::copy_of(text); }

// As compressible as text, as noise, and as nothing.
inline std::vector<std::string> inputs(std::uint64_t seed) {
  random_engine random(seed);
  std::string words, noise;
  while (words.size() < 150'000) {
    words += "word" + std::to_string(random.uniform_int(0, 300));
    words += ' ';
    noise += static_cast<char>(random.uniform_int(0, 255));
  }
  return {"", "x", "some text", words, noise, std::string(1'000'000, 'a')};
}

// `input` through a codec, in pieces of `piece` bytes.
template <class Core>
result<std::string> piecewise(Core core, std::string_view input, std::size_t piece) {
  std::string out;
  for (;;) {
    auto next = core.next();
    if (!next) return fail(std::move(next.error()));
    out += next->text();
    if (!next->empty()) continue;
    if (core.over()) return out;
    if (input.empty()) {
      core.finish();
      continue;
    }
    core.feed(bytes_of(input.substr(0, piece)));
    input.remove_prefix(piece < input.size() ? piece : input.size());
  }
}

template <class Library>
void round_trips() {
  for (const auto seed : test::seeds(2)) {
    for (const std::string& input : inputs(seed)) {
      const auto once = typename Library::codec()(std::as_bytes(std::span(input)));
      REQUIRE(once);
      const auto back = Library::decompress(*once);
      REQUIRE_MESSAGE(back, back.error().message());
      CHECK(back->text() == input);
      for (const std::size_t piece :
           {std::size_t{1000}, std::size_t{65536}, std::size_t{1} << 30}) {
        const auto packed = piecewise(typename Library::compressor(), input, piece);
        REQUIRE(packed);
        const auto whole = Library::decompress(bytes_of(*packed));
        REQUIRE_MESSAGE(whole, whole.error().message());
        CHECK(whole->text() == input);
        const auto pieces = piecewise(typename Library::decompressor(), once->text(), piece);
        REQUIRE_MESSAGE(pieces, pieces.error().message());
        CHECK(*pieces == input);
      }
    }
  }
  const std::string text = "a byte at a time, and a byte at a time";
  const auto packed = piecewise(typename Library::compressor(), text, 1);
  REQUIRE(packed);
  CHECK(piecewise(typename Library::decompressor(), *packed, 1).value() == text);
}

// What ends early, has something behind it, or is damaged is an error, and never more than allowed.
template <class Library>
void bad_input_is_refused(bool has_checksum) {
  const std::string text = "some text, and some text again; some text, and some text again";
  const auto packed = typename Library::codec()(std::as_bytes(std::span(text)));
  REQUIRE(packed);
  const std::string good(packed->text());
  for (std::size_t n = 0; n < good.size(); ++n) {
    const auto cut = Library::decompress(bytes_of(good.substr(0, n)));
    CHECK(!cut);
    CHECK(!piecewise(typename Library::decompressor(), good.substr(0, n), 7));
  }
  CHECK(!Library::decompress(bytes_of(good + "garbage")));
  CHECK(!piecewise(typename Library::decompressor(), good + "garbage", 5));
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string damaged = good;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    const auto whole = Library::decompress(bytes_of(damaged));
    const auto pieces = piecewise(typename Library::decompressor(), damaged, 11);
    if (has_checksum) {
      CHECK((!whole || whole->text() == text));
      CHECK((!pieces || *pieces == text));
    }
  }
  CHECK(!Library::decompress(bytes_of("this was never compressed at all")));
}

template <class Library>
void bombs_are_bounded() {
  const std::string zeros(8'000'000, '\0');
  const auto packed = typename Library::codec()(std::as_bytes(std::span(zeros)));
  REQUIRE(packed);
  CHECK(packed->size() < 20'000);
  typename Library::decompress_options limited;
  limited.max_size = 1'000'000;
  CHECK(Library::decompress(*packed, limited).error() == std::errc::file_too_large);
  // Piece by piece: no more than a piece at a time.
  typename Library::decompressor core(limited);
  core.feed(packed->first(packed->size()));
  core.finish();
  std::size_t out = 0;
  for (;;) {
    auto next = core.next();
    if (!next) {
      CHECK(next.error() == std::errc::file_too_large);
      break;
    }
    CHECK(next->size() <= limited.piece_size);
    REQUIRE(!next->empty());
    out += next->size();
  }
  CHECK(out <= limited.max_size);
  limited.max_size = zeros.size();
  CHECK(Library::decompress(*packed, limited).value().size() == zeros.size());
}

// As stages of a pipeline, on the cpu pool and on the loop.
template <class Library>
void stages_work() {
  test::test_runtime rt;
  const auto body = []() -> task<> {
    const auto all = inputs(7);
    for (const bool offloaded : {false, true}) {
      const transcode_options o{.offload = offloaded};
      const auto make = [](const std::string& s) { return bytes_of(s); };
      const auto append = [](std::string text, const buffer& b) {
        return text + std::string(b.text());
      };
      typename Library::compressor packer;
      auto packed = co_await (from(all) | map(make) | compress(std::move(packer), o) |
                              fold(std::string(), append));
      std::string expected;
      for (const auto& s : all) expected += s;
      REQUIRE(packed);
      const std::vector<std::string> one{*packed};
      typename Library::decompressor unpacker;
      auto back = co_await (from(one) | map(make) | chunk_bytes(1000) |
                            decompress(std::move(unpacker), o) | fold(std::string(), append));
      REQUIRE(back);
      CHECK(*back == expected);
      const std::vector<std::string> cut{packed->substr(0, packed->size() / 2)};
      typename Library::decompressor other;
      auto half = co_await (from(cut) | map(make) | decompress(std::move(other), o) | drain());
      CHECK(half.error() == errc::corrupt);
    }
  };
  rt.run(body());
}

}  // namespace codec_checks
