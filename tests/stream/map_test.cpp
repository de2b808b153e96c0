// tests/stream/map_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/map.hpp>

#include <penstock/core/offload.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/stream.hpp>
#include <penstock/test/lifetime_tracked.hpp>
#include <penstock/test/test_runtime.hpp>
#include <stream/marbles.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::played;

namespace {
const std::vector<int> numbers{1, 2, 3};
}

TEST_CASE("map() takes a function that returns T, result<T>, or an awaitable of either") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    const std::vector<int> expected{10, 20, 30};

    // [map]
    auto times_ten = [](int x) { return x * 10; };
    auto tens = co_await (from(numbers) | map(times_ten) | collect());
    // [/map]
    CHECK(tens.value() == expected);

    auto fallible = [](int x) -> result<int> { return x * 10; };
    auto b = co_await (from(numbers) | map(fallible) | collect());
    CHECK(b.value() == expected);

    auto waits = [](int x) -> task<int> {
      co_await sleep_for(1ms);
      co_return x * 10;
    };
    auto c = co_await (from(numbers) | map(waits) | collect());
    CHECK(c.value() == expected);

    auto waits_fallible = [](int x) -> task<result<int>> {
      co_await sleep_for(1ms);
      co_return x * 10;
    };
    auto d = co_await (from(numbers) | map(waits_fallible) | collect());
    CHECK(d.value() == expected);

    auto elsewhere = [](int x) { return offload([x] { return x * 10; }); };
    auto e = co_await (from(numbers) | map(elsewhere) | collect());
    CHECK(e.value() == expected);

    auto in_time = [&](int x) { return with_timeout(1s, waits(x)); };
    auto f = co_await (from(numbers) | map(in_time) | collect());
    CHECK(f.value() == expected);

    auto at_once = [](int x) -> task<int> { co_return x * 10; };
    auto g = co_await (from(numbers) | map(at_once) | collect());
    CHECK(g.value() == expected);
  }());
}

TEST_CASE("map() changes the type, and hands move-only items on") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    auto box = [](int x) { return std::make_unique<int>(x); };
    auto open = [](std::unique_ptr<int> p) -> task<std::string> {
      co_await sleep_for(1ms);
      co_return std::to_string(*p);
    };
    auto texts = co_await (from(numbers) | map(box) | map(open) | collect());
    CHECK(texts.value() == std::vector<std::string>{"1", "2", "3"});
  }());
}

TEST_CASE("the item of a waiting map() lives until its call has ended, by reference too") {
  test::test_runtime rt;
  test::lifetime_log log;
  rt.run([](test::lifetime_log& life) -> task<> {
    std::vector<test::lifetime_tracked> items;
    for (int i = 0; i < 3; ++i) items.emplace_back(life, i);
    auto by_reference = [](const test::lifetime_tracked& t) -> task<int> {
      co_await sleep_for(1ms);
      co_return t.value();
    };
    auto values = co_await (from(std::move(items)) | map(by_reference) | collect());
    CHECK(values.value() == std::vector<int>{0, 1, 2});
  }(log));
  CHECK(log.clean());
}

TEST_CASE("the first error of map() ends the pipeline: nothing is called afterwards") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    int calls = 0;
    auto picky = [&](int x) -> task<result<int>> {
      ++calls;
      co_await sleep_for(1ms);
      if (x == 2) co_return fail(errc::corrupt, "check", "2");
      co_return x;
    };
    int seen = 0;
    auto count = [&](int) { ++seen; };
    auto outcome = co_await (from(numbers) | map(picky) | for_each(count));
    CHECK(outcome.error().message() == "check '2': corrupt data");
    CHECK(calls == 2);
    CHECK(seen == 1);
  }());
}

static std::string shouted(std::string_view what_comes, duration busy = 0ms) {
  const auto upper = [](char c) { return static_cast<char>(c - 'a' + 'A'); };
  return played(marbles::source(what_comes) | map(upper), busy);
}
TEST_CASE("map() emits each result when its function has ended, one item at a time") {
  CHECK(shouted("-a-b-c-|") == "-A-B-C-|");
  CHECK(shouted("(ab)-|") == "(AB)-|");
  CHECK(shouted("-a-#") == "-A-#");
  CHECK(shouted("--|") == "--|");
  // The stream is asked when the consumer asks.
  CHECK(shouted("abc|", 3ms) == "A--B--C--|");
  const auto later = [](char c) -> task<result<char>> {
    co_await sleep_for(2ms);
    if (c == '!') co_return fail(errc::corrupt, "later");
    co_return c;
  };
  CHECK(played(marbles::source("abc|") | map(later)) == "--a-b-(c|)");
  CHECK(played(marbles::source("ab!d|") | map(later)) == "--a-b-#");
}
