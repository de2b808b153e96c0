// tests/stream/generate_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/generate.hpp>

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
#include <optional>
#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::played;

PENSTOCK_TEST("generate() gives what the function gives until there is none, driven or pulled") {
  // [generate]
  auto countdown = [left = 3]() mutable -> std::optional<int> {
    if (left == 0) return std::nullopt;
    return left--;
  };
  auto all = co_await (generate(countdown) | collect());
  // [/generate]
  const std::vector<int> expected{3, 2, 1};
  CHECK(all.value() == expected);
  auto pulled = co_await (generate(countdown) | support::slowly() | collect());
  CHECK(pulled.value() == expected);
  auto fallible = [left = 3]() mutable -> result<std::optional<int>> {
    if (left == 0) return std::nullopt;
    return left--;
  };
  auto by_result = co_await (generate(fallible) | collect());
  CHECK(by_result.value() == expected);
  int left = 3;
  auto waits = [&]() -> task<std::optional<int>> {
    co_await sleep_for(1ms);
    if (left == 0) co_return std::nullopt;
    co_return left--;
  };
  auto waiting = co_await (generate(waits) | collect());
  CHECK(waiting.value() == expected);
  left = 3;
  auto waits_fallible = [&]() -> task<result<std::optional<int>>> {
    co_await sleep_for(1ms);
    if (left == 0) co_return std::nullopt;
    co_return left--;
  };
  auto waiting_result = co_await (generate(waits_fallible) | collect());
  CHECK(waiting_result.value() == expected);
}

PENSTOCK_TEST("generate() does not call its function again after its end, or beyond take()") {
  int calls = 0;
  auto two = [&]() -> std::optional<int> {
    if (++calls > 2) return std::nullopt;
    return calls;
  };
  auto numbers = generate(two);
  auto all = co_await (numbers | collect());
  CHECK(all.value() == std::vector<int>{1, 2});
  auto end = co_await numbers.next();
  CHECK(!end.value());
  CHECK(calls == 3);
  calls = 0;
  auto one = co_await (generate(two) | take(1) | collect());
  CHECK(one.value() == std::vector<int>{1});
  CHECK(calls == 1);
}

PENSTOCK_TEST("an error of generate()'s function is the stream's, and it can be read on") {
  int calls = 0;
  auto second_fails = [&]() -> result<std::optional<int>> {
    if (++calls == 2) return fail(errc::corrupt, "page", "2");
    if (calls == 4) return std::nullopt;
    return calls;
  };
  auto pages = generate(second_fails);
  auto driven = co_await (pages | collect());
  CHECK(driven.error().message() == "page '2': corrupt data");
  auto rest = co_await (pages | collect());
  CHECK(rest.value() == std::vector<int>{3});
  auto fails_later = []() -> task<result<std::optional<int>>> {
    co_await sleep_for(1ms);
    co_return fail(errc::corrupt);
  };
  auto waiting = co_await (generate(fails_later) | collect());
  CHECK(waiting.error() == errc::corrupt);
  auto throws = []() -> std::optional<int> { throw std::string("one"); };
  std::string caught;
  try {
    auto none = co_await (generate(throws) | collect());
    CHECK(!none);
  } catch (const std::string& s) {
    caught = s;
  }
  CHECK(caught == "one");
}

PENSTOCK_TEST("generate() gives move-only items") {
  auto boxes = [left = 2]() mutable -> std::optional<std::unique_ptr<int>> {
    if (left == 0) return std::nullopt;
    return std::make_unique<int>(left--);
  };
  auto all = co_await (generate(boxes) | collect());
  CHECK(*all.value().at(0) == 2);
  CHECK(*all.value().at(1) == 1);
}

PENSTOCK_TEST("a generate() without an end lets others run and can be stopped") {
  int calls = 0;
  auto endless = [&]() -> std::optional<int> { return ++calls; };
  auto run = [&](task_group& g) -> task<> {
    auto watch = [&]() -> task<> {
      while (calls < 5000) co_await yield();
      g.request_stop();
    };
    g.start(watch);
    static_cast<void>(co_await (generate(endless) | drain()));
    CHECK(false);
  };
  co_await with_group(run);
  CHECK(calls < 9000);

  auto slow = []() -> task<std::optional<int>> {
    co_await sleep_for(1h);
    co_return 1;
  };
  auto late = co_await with_timeout(1ms, generate(slow) | drain());
  CHECK(late.error() == errc::timed_out);
}

namespace {
// 1, 2, ... each after 2 ms, up to `last`; then the end, or an error.
auto counted_to(int last, bool fails = false) {
  return generate([n = 0, last, fails]() mutable -> task<result<std::optional<int>>> {
    return [](int now, int most, bool bad) -> task<result<std::optional<int>>> {
      co_await sleep_for(2ms);
      if (now <= most) co_return now;
      if (bad) co_return fail(errc::corrupt, "number");
      co_return std::nullopt;
    }(++n, last, fails);
  });
}
}  // namespace
TEST_CASE("generate() calls its function when it is pulled, and not before") {
  CHECK(played(counted_to(2)) == "--1-2-|");
  CHECK(played(counted_to(0)) == "--|");
  CHECK(played(counted_to(1, true)) == "--1-#");
  CHECK(played(counted_to(2), 3ms) == "--1----2----|");
}
