// tests/stream/take_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/take.hpp>

#include <penstock/core/sleep.hpp>
#include <penstock/stream.hpp>
#include <stream/marbles.hpp>

#include <support/penstock_test.hpp>
#include <support/slowly.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <ranges>
#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::played;

namespace {
const std::vector<int> numbers{1, 2, 3, 1};
}

PENSTOCK_TEST("take() ends the stream after so many items, driven or pulled") {
  const std::vector<int> two{1, 2};
  // [take]
  auto driven = co_await (from(numbers) | take(2) | collect());
  // [/take]
  CHECK(driven.value() == two);
  auto pulled = co_await (from(numbers) | support::slowly() | take(2) | collect());
  CHECK(pulled.value() == two);
  auto behind = co_await (from(numbers) | take(2) | support::slowly() | collect());
  CHECK(behind.value() == two);
  auto all = co_await (from(numbers) | take(9) | collect());
  CHECK(all.value() == numbers);
  auto none = co_await (from(numbers) | take(0) | collect());
  CHECK(none.value().empty());
  auto least = co_await (from(numbers) | take(3) | take(2) | take(3) | collect());
  CHECK(least.value() == two);
}

PENSTOCK_TEST("take(n) asks its source for no more than n items") {
  int asked = 0;
  auto count = [&](int) { ++asked; };
  auto driven = co_await (from(std::views::iota(0)) | tap(count) | take(3) | collect());
  CHECK(driven.value().size() == 3);
  CHECK(asked == 3);
  auto pulled =
      co_await (from(std::views::iota(0)) | tap(count) | support::slowly() | take(3) | collect());
  CHECK(pulled.value().size() == 3);
  CHECK(asked == 6);
  auto none = co_await (from(std::views::iota(0)) | tap(count) | take(0) | collect());
  CHECK(none.value().empty());
  CHECK(asked == 6);

  auto source = from(std::views::iota(0));
  auto head = co_await (source | take(2) | collect());
  CHECK(head.value() == std::vector<int>{0, 1});
  auto third = co_await source.next();
  CHECK(third.value() == 2);
}

PENSTOCK_TEST("take() stops the eager stages before it when it has all") {
  int begun = 0;
  int ended = 0;
  auto slow = [&](int x) -> task<int> {
    ++begun;
    co_await sleep_for(x == 0 ? 1ms : 1h);
    ++ended;
    co_return x;
  };
  auto first = co_await (from(std::views::iota(0)) | map_concurrent(3, slow) | take(1) | collect());
  CHECK(first.value() == std::vector<int>{0});
  CHECK(ended == 1);
  CHECK(rt.now() == time_point(1ms));
}

PENSTOCK_TEST("take() hands move-only items on, is read by next(), and stays at its end") {
  auto box = [](int x) { return std::make_unique<int>(x); };
  auto boxes = from(numbers) | map(box) | take(1);
  auto one = co_await boxes.next();
  CHECK(**one.value() == 1);
  auto end = co_await boxes.next();
  CHECK(!end.value());
  auto still = co_await (boxes | count());
  CHECK(still.value() == 0);
}

PENSTOCK_TEST("an error before take() is the stream's, one behind its end is never met") {
  auto picky = [](int x) -> result<int> {
    if (x == 2) return fail(errc::corrupt);
    return x;
  };
  auto met = co_await (from(numbers) | map(picky) | take(2) | collect());
  CHECK(met.error() == errc::corrupt);
  auto pulled = co_await (from(numbers) | support::slowly() | map(picky) | take(2) | collect());
  CHECK(pulled.error() == errc::corrupt);
  auto not_met = co_await (from(numbers) | map(picky) | take(1) | collect());
  CHECK(not_met.value() == std::vector<int>{1});
  // The last item that fits makes the sink fail: that is no end.
  auto fails = [](int x) -> result<> {
    if (x == 2) return fail(errc::corrupt);
    return {};
  };
  auto in_the_sink = co_await (from(numbers) | take(2) | for_each(fails));
  CHECK(in_the_sink.error() == errc::corrupt);
}

PENSTOCK_TEST("take_while() ends with the first no, and does not ask again") {
  const std::vector<int> expected{1, 2};
  int asked = 0;
  auto tally = [&](int) { ++asked; };
  // [take_while]
  auto below_three = [](int x) { return x < 3; };
  auto driven = co_await (from(numbers) | take_while(below_three) | collect());
  // [/take_while]
  CHECK(driven.value() == expected);
  auto pulled = co_await (from(numbers) | tap(tally) | support::slowly() | take_while(below_three) |
                          collect());
  CHECK(pulled.value() == expected);
  CHECK(asked == 3);
  auto later = [](int x) -> task<result<bool>> {
    co_await sleep_for(1ms);
    co_return x < 3;
  };
  auto waiting = co_await (from(numbers) | take_while(later) | collect());
  CHECK(waiting.value() == expected);
  auto fallible = [](int x) -> result<bool> {
    if (x == 2) return fail(errc::corrupt);
    return true;
  };
  auto failed = co_await (from(numbers) | take_while(fallible) | collect());
  CHECK(failed.error() == errc::corrupt);

  auto read = from(numbers) | take_while(below_three);
  for (int x : {1, 2}) {
    auto next = co_await read.next();
    CHECK(next.value() == x);
  }
  for (int i = 0; i < 2; ++i) {
    auto end = co_await read.next();
    CHECK(!end.value());
  }
}

PENSTOCK_TEST("an exception of take_while()'s function passes through") {
  auto thrower = [](int x) -> bool {
    if (x == 2) throw std::string("two");
    return true;
  };
  std::string caught;
  try {
    auto all = co_await (from(numbers) | take_while(thrower) | collect());
    CHECK(!all);
  } catch (const std::string& s) {
    caught = s;
  }
  CHECK(caught == "two");
}

PENSTOCK_TEST("skip() leaves out the first items, driven or pulled") {
  const std::vector<int> expected{3, 1};
  // [skip]
  auto driven = co_await (from(numbers) | skip(2) | collect());
  // [/skip]
  CHECK(driven.value() == expected);
  auto pulled = co_await (from(numbers) | support::slowly() | skip(2) | collect());
  CHECK(pulled.value() == expected);
  auto all = co_await (from(numbers) | skip(0) | collect());
  CHECK(all.value() == numbers);
  auto none = co_await (from(numbers) | skip(9) | collect());
  CHECK(none.value().empty());
  auto box = [](int x) { return std::make_unique<int>(x); };
  auto boxes = from(numbers) | map(box) | skip(2);
  auto three = co_await boxes.next();
  CHECK(**three.value() == 3);
}

TEST_CASE("take() ends with its last item, in the same frame, and hears of nothing behind it") {
  const auto first = [](std::string_view what_comes, std::size_t n, duration busy = 0ms) {
    return played(marbles::source(what_comes) | take(n), busy);
  };
  CHECK(first("-1-2-3-4-|", 2) == "-1-(2|)");
  CHECK(first("-1-2-#", 2) == "-1-(2|)");
  CHECK(first("-1-#", 2) == "-1-#");
  CHECK(first("-1-|", 2) == "-1-|");
  CHECK(first("--#", 0) == "|");
  CHECK(first("123|", 2, 2ms) == "1-2-|");
}
TEST_CASE("take_while() ends in the frame of the first no, and hears of nothing behind it") {
  const auto below_three = [](std::string_view what_comes, duration busy = 0ms) {
    const auto below = [](char c) { return c < '3'; };
    return played(marbles::source(what_comes) | take_while(below), busy);
  };
  CHECK(below_three("-1-2-3-1-|") == "-1-2-|");
  CHECK(below_three("-1-3#") == "-1-|");
  CHECK(below_three("-1-#") == "-1-#");
  CHECK(below_three("-1-|") == "-1-|");
  CHECK(below_three("1231|", 2ms) == "1-2-|");
  const auto fails = [](char c) -> result<bool> {
    if (c == '!') return fail(errc::corrupt, "judge");
    return true;
  };
  CHECK(played(marbles::source("1-!2|") | take_while(fails)) == "1-#");
}
TEST_CASE("skip() emits in their frames the items behind the first ones") {
  const auto rest = [](std::string_view what_comes, std::size_t n, duration busy = 0ms) {
    return played(marbles::source(what_comes) | skip(n), busy);
  };
  CHECK(rest("-1-2-3-4-|", 2) == "-----3-4-|");
  CHECK(rest("-1-#", 2) == "---#");
  CHECK(rest("-1-|", 2) == "---|");
  CHECK(rest("12|", 0) == "12|");
  CHECK(rest("(1234)|", 2, 2ms) == "3-4-|");
}
