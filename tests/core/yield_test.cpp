// tests/core/yield_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core/yield.hpp>

#include <penstock/core/sleep.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/with_timeout.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include "probes.hpp"

using namespace penstock;
using namespace std::chrono_literals;

PENSTOCK_TEST("yield lets the others run, in turn on a plain loop") {
  probes::log log;
  auto talker = [&](const char* name) -> task<> {
    for (int i = 0; i < 3; ++i) {
      log.push_back(name);
      co_await yield();
    }
  };
  co_await when_all(talker("a"), talker("b"));
  CHECK(log.size() == 6);
  if (rt.seed() == 0) CHECK(log == probes::log{"a", "b", "a", "b", "a", "b"});
  CHECK(rt.now() == time_point());
}

PENSTOCK_TEST("yield makes a loop over ready operations stoppable") {
  std::uint64_t turns = 0;
  auto busy = [&]() -> task<> {
    for (;;) {
      ++turns;
      co_await yield();
      if (turns == 1000) co_await sleep_for(5ms);
    }
  };
  auto r = co_await with_timeout(1ms, busy());
  CHECK(r.error() == errc::timed_out);
  CHECK(turns == 1000);
}

PENSTOCK_TEST("yield looks at the stop first") {
  bool after = false;
  auto work = [&]() -> task<> {
    co_await yield();
    after = true;
  };
  auto r = co_await with_timeout(0ms, work());
  CHECK(r.error() == errc::timed_out);
  CHECK_FALSE(after);
}
