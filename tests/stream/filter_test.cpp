// tests/stream/filter_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/filter.hpp>

#include <penstock/core/sleep.hpp>
#include <penstock/core/with_group.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/core/yield.hpp>
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
const std::vector<int> numbers{1, 2, 3, 4};
const std::vector<int> evens{2, 4};
bool even(int x) { return x % 2 == 0; }
result<bool> even_below_three(int x) {
  if (x == 3) return fail(errc::corrupt, "judge", "3");
  return even(x);
}
task<bool> even_later(int x) {
  co_await sleep_for(1ms);
  co_return even(x);
}
task<result<bool>> even_below_three_later(int x) {
  co_await sleep_for(1ms);
  co_return even_below_three(x);
}
}  // namespace

PENSTOCK_TEST("filter() passes on what the function says yes to, driven or pulled") {
  // [filter]
  auto is_even = [](int x) { return x % 2 == 0; };
  auto driven = co_await (from(numbers) | filter(is_even) | collect());
  // [/filter]
  CHECK(driven.value() == evens);
  auto pulled = co_await (from(numbers) | support::slowly() | filter(is_even) | collect());
  CHECK(pulled.value() == evens);
  auto waiting = co_await (from(numbers) | filter(even_later) | collect());
  CHECK(waiting.value() == evens);
  auto none = co_await (from(std::vector<int>()) | filter(is_even) | collect());
  CHECK(none.value().empty());
}

PENSTOCK_TEST("the error of filter()'s function is the stream's, at once or after it waited") {
  auto a = co_await (from(numbers) | filter(even_below_three) | collect());
  CHECK(a.error().message() == "judge '3': corrupt data");
  auto b = co_await (from(numbers) | support::slowly() | filter(even_below_three) | collect());
  CHECK(b.error() == errc::corrupt);
  auto c = co_await (from(numbers) | filter(even_below_three_later) | collect());
  CHECK(c.error() == errc::corrupt);
}

PENSTOCK_TEST("an exception of filter()'s function passes through, and the stream can be read on") {
  auto thrower = [](int x) -> bool {
    if (x == 2) throw std::string("two");
    return true;
  };
  auto odd_ones = from(numbers) | filter(thrower);
  auto first = co_await odd_ones.next();
  CHECK(first.value() == 1);
  std::string caught;
  try {
    auto second = co_await odd_ones.next();
    CHECK(!second);
  } catch (const std::string& s) {
    caught = s;
  }
  CHECK(caught == "two");
  auto rest = co_await (odd_ones | collect());
  CHECK(rest.value() == std::vector<int>{3, 4});
  caught.clear();
  try {
    auto all = co_await (from(numbers) | filter(thrower) | collect());
    CHECK(!all);
  } catch (const std::string& s) {
    caught = s;
  }
  CHECK(caught == "two");
}

PENSTOCK_TEST("filter() hands move-only items on, and is read by next()") {
  auto box = [](int x) { return std::make_unique<int>(x); };
  auto even_box = [](const std::unique_ptr<int>& p) { return even(*p); };
  auto even_box_later = [](const std::unique_ptr<int>& p) -> task<bool> {
    co_await sleep_for(1ms);
    co_return even(*p);
  };
  auto unbox = [](std::unique_ptr<int> p) { return *p; };
  auto driven = co_await (from(numbers) | map(box) | filter(even_box) | map(unbox) | collect());
  CHECK(driven.value() == evens);
  auto pulled = from(numbers) | map(box) | filter(even_box_later);
  auto two = co_await pulled.next();
  CHECK(**two.value() == 2);
  auto four = co_await pulled.next();
  CHECK(**four.value() == 4);
  auto end = co_await pulled.next();
  CHECK(!end.value());
}

PENSTOCK_TEST("a filter() that drops everything lets others run and can be stopped") {
  int asked = 0;
  auto none = [&](int) {
    ++asked;
    return false;
  };
  auto watched = [&](auto pipeline) -> task<> {
    const int before = asked;
    auto run = [&](task_group& g) -> task<> {
      auto watch = [&]() -> task<> {
        while (asked < before + 5000) co_await yield();
        g.request_stop();
      };
      g.start(watch);
      static_cast<void>(co_await with_timeout(24h, std::move(pipeline)));
      CHECK(false);  // it has no end
    };
    co_await with_group(run);
    CHECK(asked >= before + 5000);
    CHECK(asked <= before + 9000);
  };
  co_await watched(from(std::views::iota(0)) | filter(none) | collect());
  auto endless = from(std::views::iota(0)) | filter(none);
  co_await watched(endless.next());
  co_await watched(from(std::views::iota(0)) | filter(none) | support::slowly() | collect());
}

PENSTOCK_TEST("distinct_until_changed() leaves out what equals the item before") {
  const std::vector<int> values{1, 1, 2, 2, 2, 1};
  // [distinct]
  auto changes = co_await (from(values) | distinct_until_changed() | collect());
  // [/distinct]
  const std::vector<int> expected{1, 2, 1};
  CHECK(changes.value() == expected);
  auto pulled = co_await (from(values) | support::slowly() | distinct_until_changed() | collect());
  CHECK(pulled.value() == expected);
  auto read = from(values) | distinct_until_changed();
  auto one = co_await read.next();
  auto two = co_await read.next();
  CHECK(one.value() == 1);
  CHECK(two.value() == 2);
}

PENSTOCK_TEST("distinct_until_changed() compares what the key gives, of move-only items too") {
  const std::vector<std::string> words{"ab", "cd", "e", "f", "gh"};
  auto by_size = co_await (from(words) | distinct_until_changed(&std::string::size) | collect());
  CHECK(by_size.value() == std::vector<std::string>{"ab", "e", "gh"});
  auto box = [](int x) { return std::make_unique<int>(x); };
  auto half = [](const std::unique_ptr<int>& p) { return *p / 2; };
  auto unbox = [](std::unique_ptr<int> p) { return *p; };
  auto halves =
      co_await (from(numbers) | map(box) | distinct_until_changed(half) | map(unbox) | collect());
  CHECK(halves.value() == std::vector<int>{1, 2, 4});
}

TEST_CASE("filter() emits in their frames what its function says yes to") {
  const auto kept = [](std::string_view what_comes, duration busy = 0ms) {
    const auto even = [](char c) { return (c - '0') % 2 == 0; };
    return played(marbles::source(what_comes) | filter(even), busy);
  };
  CHECK(kept("-1-2-3-4-|") == "---2---4-|");
  CHECK(kept("1-3-|") == "----|");
  CHECK(kept("-2-1-#") == "-2---#");
  CHECK(kept("(1234)|", 2ms) == "2-4-|");
  const auto even_or_fails = [](char c) -> task<result<bool>> {
    co_await sleep_for(1ms);
    co_return even_below_three(c - '0');
  };
  CHECK(played(marbles::source("2234|") | filter(even_or_fails)) == "-22#");
}
TEST_CASE("distinct_until_changed() emits an item in its frame when its key is another one") {
  const auto changes = [](std::string_view what_comes, duration busy = 0ms) {
    return played(marbles::source(what_comes) | distinct_until_changed(), busy);
  };
  CHECK(changes("-1-1-2-2-1-|") == "-1---2---1-|");
  CHECK(changes("11-#") == "1--#");
  CHECK(changes("(1122)|", 2ms) == "1-2-|");
  const auto unkeyed = [](char c) -> int {
    if (c == '!') throw std::string("key");
    return c;
  };
  bool thrown = false;
  try {
    (void)played(marbles::source("1!|") | distinct_until_changed(unkeyed));
  } catch (const std::string&) {
    thrown = true;
  }
  CHECK(thrown);
}
