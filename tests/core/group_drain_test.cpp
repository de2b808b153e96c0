// tests/core/group_drain_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core/with_group.hpp>

#include <penstock/core/shield.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/core/yield.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <string>
#include <system_error>

#include "probes.hpp"

using namespace penstock;
using namespace std::chrono_literals;
using probes::noted;

namespace {
// A service: its body accepts for ever, its children work for `work`, the group drains for 10 ms.
task<> serve(probes::log& log, duration work) {
  auto child = [&log](duration d) -> task<> {
    noted n(log, "child");
    co_await sleep_for(d);
    log.push_back("done");
  };
  auto body = [&log, child, work](task_group& group) -> task<> {
    noted n(log, "body");
    group.start(child, work);
    co_await sleep_for(1h);
  };
  co_await with_group({.grace = 10ms}, body);
  log.push_back("drained");
}
// Runs `t` and stops it after one millisecond.
void run_and_stop(test::test_runtime& rt, task<> t) {
  auto all = [&]() -> task<> {
    co_await with_group([&](task_group& group) -> task<> {
      group.start(std::move(t));
      co_await sleep_for(1ms);
      rt.request_stop();
    });
  };
  try {
    rt.run(all());
  } catch (const std::system_error& e) {
    CHECK(e.code() == errc::canceled);
  }
}
}  // namespace

TEST_CASE("an outside stop ends the body at once and lets the children finish") {
  test::test_runtime rt;
  probes::log log;
  run_and_stop(rt, serve(log, 6ms));
  CHECK(log == probes::log{"~body", "done", "~child", "drained"});
  CHECK(rt.now() == time_point(6ms));
}

TEST_CASE("children that take longer than the grace are stopped, and that is still success") {
  test::test_runtime rt;
  probes::log log;
  run_and_stop(rt, serve(log, 60ms));
  CHECK(log == probes::log{"~body", "~child", "drained"});
  CHECK(rt.now() == time_point(11ms));
}

TEST_CASE("children that have ended by then make the drain end at once") {
  test::test_runtime rt;
  probes::log log;
  run_and_stop(rt, serve(log, 500us));
  CHECK(log == probes::log{"done", "~child", "~body", "drained"});
  CHECK(rt.now() == time_point(1ms));
}

PENSTOCK_TEST("a drained group completes with success for its caller") {
  auto work = [&]() -> task<result<>> {
    co_return co_await with_group({.grace = 10ms}, [](task_group& group) -> task<result<>> {
      group.start([]() -> task<> { co_await sleep_for(5ms); });
      co_await sleep_for(1h);
      co_return fail(errc::corrupt);
    });
  };
  auto outcome = co_await with_timeout(1ms, work());
  CHECK(outcome.has_value());
  CHECK(rt.now() == time_point(5ms));
}

PENSTOCK_TEST("an error of a child during the grace still wins, and stops the others") {
  auto work = [&]() -> task<result<>> {
    co_return co_await with_group({.grace = 10ms}, [](task_group& group) -> task<result<>> {
      group.start([]() -> task<> { co_await sleep_for(9ms); });
      group.start([]() -> task<result<>> {
        co_await sleep_for(3ms);
        co_return fail(errc::closed);
      });
      co_await sleep_for(1h);
      co_return result<>();
    });
  };
  auto outcome = co_await with_timeout(1ms, work());
  CHECK(outcome.error() == errc::closed);
  CHECK(rt.now() == time_point(3ms));
}

PENSTOCK_TEST("the body sees the stop, the children do not before the grace is over") {
  stop_reason late = stop_reason::none;
  time_point when{};
  auto child = [&]() -> task<> {
    auto token = co_await this_task::stop_token();
    for (;;) {
      co_await sleep_for(1ms);
      CHECK_FALSE(token.stop_requested());
      when = co_await this_task::now();
      late = token.reason();
    }
  };
  auto body = [&](task_group& group) -> task<> {
    group.start(child);
    co_await sleep_for(1h);
  };
  auto outcome = co_await with_timeout(2ms, with_group({.grace = 4500us}, body));
  CHECK(outcome.has_value());
  CHECK(rt.now() == time_point(6500us));
  CHECK(when == time_point(6ms));
  CHECK(late == stop_reason::none);
}

PENSTOCK_TEST("children may start others while the group drains") {
  int ended = 0;
  auto body = [&](task_group& group) -> task<> {
    group.start([&group, &ended]() -> task<> {
      co_await sleep_for(3ms);
      group.start([&ended]() -> task<> {
        co_await sleep_for(2ms);
        ++ended;
      });
      ++ended;
    });
    co_await sleep_for(1h);
  };
  auto outcome = co_await with_timeout(1ms, with_group({.grace = 10ms}, body));
  CHECK(outcome.has_value());
  CHECK(ended == 2);
  CHECK(rt.now() == time_point(5ms));
}

PENSTOCK_TEST("without an outside stop grace changes nothing") {
  co_await with_group({.grace = 10ms}, [](task_group& group) -> task<> {
    group.start([]() -> task<> { co_await sleep_for(50ms); });
    co_await sleep_for(1ms);
  });
  CHECK(rt.now() == time_point(50ms));
  co_await with_group({.grace = 10ms}, [](task_group& group) -> task<> {
    group.start([]() -> task<> { co_await sleep_for(1h); });
    group.request_stop();
    co_await sleep_for(1h);
  });
  CHECK(rt.now() == time_point(50ms));
}

PENSTOCK_TEST("a group that begins under a stop drains at once") {
  probes::log log;
  auto work = [&]() -> task<> {
    static_cast<void>(co_await as_result(sleep_for(1h)));
    co_await serve(log, 3ms);
  };
  auto outcome = co_await with_timeout(1ms, work());
  CHECK(outcome.has_value());
  CHECK(log == probes::log{"~body", "done", "~child", "drained"});
  CHECK(rt.now() == time_point(4ms));
}

PENSTOCK_TEST("drain points nest: the inner one drains within the outer one's grace") {
  probes::log log;
  auto outer = [&](task_group& group) -> task<> {
    auto inner = [&]() -> task<> { co_await serve(log, 60ms); };
    group.start(inner);
    co_await sleep_for(1h);
  };
  auto outcome = co_await with_timeout(1ms, with_group({.grace = 20ms}, outer));
  CHECK(outcome.has_value());
  // The inner one hears of the stop when the outer grace is over, and has its own then.
  CHECK(rt.now() == time_point(31ms));
  CHECK(log == probes::log{"~body", "~child", "drained"});
}
