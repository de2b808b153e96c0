// tests/stream/codec_core_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/codec_core.hpp>

#include <penstock/test/allocation_counter.hpp>

#include <stream/toy_codec.hpp>
#include <support/stopped.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace penstock;

namespace {

std::string drained(codec auto& c) {
  std::string s;
  for (auto piece = c.next(); !piece.value().empty(); piece = c.next()) s += piece->text();
  return s;
}
// Makes a step that does nothing.
struct idle {
  result<codec_step> step(std::span<const std::byte>&, std::span<std::byte>&, bool) {
    return codec_step::more;
  }
};
// Uses up all and gives nothing: `whole` when it is the last.
struct swallow {
  result<codec_step> step(std::span<const std::byte>& in, std::span<std::byte>&, bool last) {
    in = {};
    return last ? codec_step::whole : codec_step::more;
  }
};

}  // namespace

static_assert(!codec<int>);
static_assert(!codec_engine<toy::compressor>);
static_assert(std::movable<toy::compressor> && !std::copy_constructible<toy::compressor>);

TEST_CASE("a codec gives pieces until it wants input, and is over after the last one") {
  toy::compressor c(toy::tripler(), 4);
  CHECK(c.next().value().empty());
  CHECK(!c.over());
  c.feed(buffer::copy_of("ab"));
  CHECK(c.next().value().text() == "aaab");
  CHECK(c.next().value().text() == "bb");
  CHECK(c.next().value().empty());
  c.feed({});  // nothing is nothing
  CHECK(c.next().value().empty());
  c.feed(buffer::copy_of("c"));
  c.finish();
  CHECK(drained(c) == "ccc.");
  CHECK(c.over());
  CHECK(c.next().value().empty());
}

TEST_CASE("the end is found when it fills a piece exactly") {
  for (std::size_t piece = 1; piece < 20; ++piece) {
    CAPTURE(piece);
    toy::compressor c(toy::tripler(), piece);
    c.feed(buffer::copy_of("abc"));
    std::string small = drained(c);
    c.finish();
    CHECK(!c.over());
    small += drained(c);
    CHECK(small == "aaabbbccc.");
    CHECK(c.over());
    toy::decompressor d(toy::third(), piece);
    d.feed(buffer::copy_of(small + small));
    d.finish();
    CHECK(drained(d) == "abcabc");
    CHECK(d.over());
  }
}

TEST_CASE("small pieces share a block, and the lease of the input ends as it is used up") {
  std::string in = "xyz";
  bool back = false;
  toy::compressor c(toy::tripler(), 1000);
  c.feed(buffer::adopt(std::as_writable_bytes(std::span(in)), [&] { back = true; }));
  CHECK(!back);
  auto first = c.next();
  CHECK(back);
  if (test::allocation_counter::available()) {
    const buffer input = buffer::copy_of("a");
    test::allocation_counter count;
    for (int i = 0; i < 100; ++i) {
      c.feed(input.first(1));
      CHECK(c.next().value().text() == "aaa");
      CHECK(c.next().value().empty());
    }
    CHECK(count.allocations() == 0);
  }
  CHECK(first->text() == "xxxyyyzzz");
}

TEST_CASE("input that ends early is corrupt; an error of the engine stays") {
  for (const char* text : {"", "a", "aa", "aaa", "aaa.b", "aaa.bbb"}) {
    CAPTURE(std::string(text));
    toy::decompressor d(toy::third(), 10);
    d.feed(buffer::copy_of(text));
    d.finish();
    auto piece = d.next();
    while (piece && !piece->empty()) piece = d.next();
    CHECK(piece.error() == errc::corrupt);
    CHECK(d.next().error() == errc::corrupt);
    CHECK(!d.over());
    toy::third engine;
    CHECK(run_codec(engine, buffer::copy_of(text), 0).error() == errc::corrupt);
  }
  toy::decompressor d(toy::third(), 10);
  d.feed(buffer::copy_of("!"));
  CHECK(d.next().error().message() == "decompress toy 'a '!'': corrupt data");
  CHECK(d.next().error() == errc::corrupt);
}

TEST_CASE("max_size is what may come out, to the byte, by pieces and at once") {
  const std::string small = toy::tripled("abcdef");
  for (std::uint64_t most = 0; most < 9; ++most) {
    CAPTURE(most);
    for (std::size_t piece = 1; piece < 9; ++piece) {
      CAPTURE(piece);
      toy::decompressor d(toy::third(), piece, most);
      d.feed(buffer::copy_of(small));
      d.finish();
      std::string all;
      auto next = d.next();
      for (; next && !next->empty(); next = d.next()) all += next->text();
      CHECK(all.size() <= most);
      CHECK(next.has_value() == (most >= 6));
      if (!next) CHECK(next.error() == std::errc::file_too_large);
    }
    toy::third engine;
    const auto at_once = run_codec(engine, buffer::copy_of(small), 100, most);
    CHECK(at_once.has_value() == (most >= 6));
    if (at_once) CHECK(at_once->text() == "abcdef");
  }
}

TEST_CASE("at once: any guess will do, and the result has no more memory than twice its size") {
  std::string text(10'000, 'q');
  for (const std::size_t guess : {0u, 1u, 10'000u, 30'000u, 30'001u, 1'000'000u}) {
    toy::tripler engine;
    const auto r = run_codec(engine, buffer::copy_of(text), guess);
    CHECK(r.value().text() == toy::tripled(text));
  }
  swallow engine;
  CHECK(run_codec(engine, buffer::copy_of(text), 500).value().empty());
}

TEST_CASE("an engine that makes nothing of its input is no endless loop") {
  codec_core<swallow> c(swallow(), 10);
  c.feed(buffer::copy_of("abc"));
  CHECK(c.next().value().empty());
  c.feed(buffer::copy_of("def"));
  c.finish();
  CHECK(c.next().value().empty());
  CHECK(c.over());
  codec_core<idle> i(idle(), 10);
  i.feed(buffer::copy_of("abc"));
  i.finish();
  CHECK(i.next().error() == errc::corrupt);
  idle engine;
  CHECK(run_codec(engine, buffer::copy_of("abc"), 10).error() == errc::corrupt);
}

TEST_CASE("an option that cannot work is what next() fails with") {
  toy::compressor c(toy::tripler(), 0, any_size, fail(errc::invalid_option, "toy", "piece_size"));
  c.feed(buffer::copy_of("abc"));
  c.finish();
  CHECK(c.next().error() == errc::invalid_option);
  CHECK(!c.over());
}

TEST_CASE("feeding a codec that does not want input breaks the contract") {
  CHECK(support::stopped_with([] {
          toy::compressor c(toy::tripler(), 10);
          c.feed(buffer::copy_of("a"));
          c.feed(buffer::copy_of("b"));
        }) == "a codec was fed that does not want input");
  CHECK(support::stopped_with([] {
          toy::compressor c(toy::tripler(), 10);
          c.finish();
          c.feed(buffer::copy_of("b"));
        }) == "a codec was fed after finish()");
}
