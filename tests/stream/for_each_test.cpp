// tests/stream/for_each_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/for_each.hpp>

#include <penstock/core/sleep.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/stream.hpp>
#include <penstock/test/test_runtime.hpp>
#include <stream/marbles.hpp>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::played;

TEST_CASE("for_each() calls one after the other and waits for each") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    std::vector<int> numbers{1, 2, 3};
    int running = 0, peak = 0, sum = 0;
    auto body = [&](int x) -> task<> {
      peak = std::max(peak, ++running);
      co_await sleep_for(10ms);
      --running;
      sum += x;
    };
    auto done = co_await (from(numbers) | for_each(body));
    auto at = co_await this_task::now();
    CHECK(done);
    CHECK(peak == 1);
    CHECK(sum == 6);
    CHECK(at.time_since_epoch() == 30ms);
  }());
}

TEST_CASE("an error of for_each()'s function stops the reader at once") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    std::vector<int> numbers(100);
    int read = 0, written = 0;
    auto count = [&](int) { ++read; };
    auto write = [&](int) -> task<result<>> {
      co_await sleep_for(1ms);
      if (++written == 50) co_return fail(std::errc::no_space_on_device, "write", "half");
      co_return {};
    };
    auto outcome = co_await (from(numbers) | tap(count) | for_each(write));
    CHECK(outcome.error() == std::errc::no_space_on_device);
    CHECK(written == 50);
    CHECK(read == 50);
  }());
}

TEST_CASE("a stop while for_each()'s function waits unwinds it and the pipeline") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    std::vector<int> numbers{1, 2, 3};
    bool unwound = false;
    auto body = [&](int) -> task<> {
      scope_exit note{[&] { unwound = true; }};
      co_await sleep_for(1h);
    };
    auto outcome = co_await with_timeout(5ms, from(numbers) | for_each(body));
    CHECK(outcome.error() == errc::timed_out);
    CHECK(unwound);
  }());
}

// [for_each]
static task<result<int>> total(std::vector<int> prices) {
  int sum = 0;
  const auto add = [&](int price) { sum += price; };
  co_await ok(from(std::move(prices)) | for_each(add));
  co_return sum;
}
// [/for_each]
TEST_CASE(
    "for_each() calls its function in the frame of each item, or when the last call is over") {
  test::test_runtime rt;
  CHECK(rt.run(total({1, 2, 3})).value() == 6);
  // played() shows the calls of for_each(), and then its outcome.
  CHECK(played(marbles::source("-a-b-|")) == "-a-b-|");
  CHECK(played(marbles::source("-a-#")) == "-a-#");
  CHECK(played(marbles::source("abc|"), 2ms) == "a-b-c-|");
  const auto fails = [](char c) -> task<result<>> {
    co_await sleep_for(2ms);
    if (c == 'b') co_return fail(errc::corrupt, "use");
    co_return {};
  };
  CHECK(marbles::ended([&] { return marbles::source("abc|") | for_each(fails); }) == "----#");
}
