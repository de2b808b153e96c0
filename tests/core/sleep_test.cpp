// tests/core/sleep_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core/sleep.hpp>

#include <penstock/base/gcra_core.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/when_any.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/core/yield.hpp>
#include <penstock/test/cancel_matrix.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <chrono>

#include "probes.hpp"

using namespace penstock;
using namespace std::chrono_literals;

PENSTOCK_TEST("sleep_for and sleep_until are exact to the nanosecond") {
  co_await sleep_for(1ns);
  CHECK(rt.now() == time_point(1ns));
  co_await sleep_for(std::chrono::duration<double, std::milli>(1.5));
  CHECK(rt.now() == time_point(1500001ns));
  co_await sleep_until(time_point(2ms));
  CHECK(rt.now() == time_point(2ms));
}

// [paced]
// Waits until `cost` more may go; at most the limit's burst.
static task<> paced(gcra_core& limit, std::uint32_t cost) {
  for (;;) {
    const auto now = co_await this_task::now();
    const auto decision = limit.acquire(now, cost);
    if (decision.admitted) co_return;
    co_await sleep_until(decision.at);
  }
}
// [/paced]

PENSTOCK_TEST("tasks that sleep until a limiter core admits them keep its rate together") {
  gcra_core bytes(rate{1000, 1s}, 1000);
  auto sender = [&]() -> task<> {
    for (int i = 0; i < 5; ++i) co_await paced(bytes, 200);
  };
  co_await when_all(sender(), sender(), sender());
  CHECK(rt.now() == time_point(2s));  // 1000 at once, then 2000 in two seconds
}

PENSTOCK_TEST("zero, negative and past: one turn, as yield") {
  bool other = false;
  auto sleeper = [&]() -> task<> {
    co_await sleep_for(0ns);
    co_await sleep_for(-1h);
    co_await sleep_until(time_point(-1ns));
    co_await sleep_for(1ns);
    CHECK(other);
  };
  auto second = [&]() -> task<> {
    co_await yield();
    other = true;
  };
  co_await when_all(sleeper(), second());
  CHECK(rt.now() == time_point(1ns));
}

PENSTOCK_TEST("sleepers of one instant wake in the order they went to sleep, on a plain loop") {
  if (rt.seed() != 0) co_return;
  probes::log log;
  auto sleeper = [&](const char* name, duration d) -> task<> {
    co_await sleep_for(d);
    log.push_back(name);
  };
  co_await when_all(sleeper("a", 3ms), sleeper("b", 2ms), sleeper("c", 3ms), sleeper("d", 2ms));
  CHECK(log == probes::log{"b", "d", "a", "c"});
}

PENSTOCK_TEST("the end of time never comes: only a stop ends it") {
  auto r = co_await with_timeout(1h, sleep_until(time_point::max()));
  CHECK(r.error() == errc::timed_out);
  auto s = co_await when_any(sleep_for(std::chrono::hours::max()), sleep_for(1ms));
  CHECK(s.index == 1);
  CHECK(rt.now() == time_point(1h + 1ms));
}

TEST_CASE("sleep passes the cancel matrix") {
  test::cancel_matrix([] { return 0; }, [](int&) { return sleep_for(1ms); },
                      [](int&) { return sleep_until(time_point(1ms)); },
                      [](int&, const auto&, test::cancel_stage) {});
}
