// tests/core/shield_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core/shield.hpp>

#include <penstock/core/ok.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/with_group.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/core/yield.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <string>
#include <type_traits>

#include "probes.hpp"

using namespace penstock;
using namespace std::chrono_literals;
using probes::failure;

namespace {
task<int> value(duration d, int x) {
  co_await sleep_for(d);
  co_return x;
}
task<result<int>> maybe(int x) {
  co_await sleep_for(1ms);
  if (x < 0) co_return fail(errc::exhausted);
  co_return x;
}
static_assert(std::is_same_v<await_result_t<decltype(shield(value(1ms, 1)))>, int>);
static_assert(std::is_same_v<await_result_t<decltype(as_result(value(1ms, 1)))>, result<int>>);
static_assert(std::is_same_v<await_result_t<decltype(as_result(maybe(1)))>, result<int>>);
static_assert(std::is_same_v<await_result_t<decltype(as_result(yield()))>, result<>>);
static_assert(std::is_same_v<await_result_t<decltype(named("x", value(1ms, 1)))>, int>);
}  // namespace

PENSTOCK_TEST("a shield keeps the stop out until it ends; the next leaf is stopped") {
  bool after = false, beyond = false;
  auto work = [&]() -> task<> {
    const int got = co_await shield(value(5ms, 3));
    CHECK(got == 3);
    after = true;
    co_await yield();
    beyond = true;
  };
  auto r = co_await with_timeout(1ms, work());
  CHECK(r.error() == errc::timed_out);
  CHECK(after);
  CHECK_FALSE(beyond);
  CHECK(rt.now() == time_point(5ms));
}

PENSTOCK_TEST("a shield under a requested stop still works, and nests with timeouts inside") {
  auto work = [&]() -> task<int> {
    auto r = co_await as_result(sleep_for(1h));
    CHECK(r.error() == errc::canceled);
    co_await shield(sleep_for(2ms));
    auto inner = co_await shield(with_timeout(1ms, sleep_for(1h)));
    CHECK(inner.error() == errc::timed_out);
    co_return co_await shield(shield(value(1ms, 9)));
  };
  auto r = co_await with_timeout(1ms, work());
  CHECK(r.value() == 9);
  CHECK(rt.now() == time_point(5ms));
}

PENSTOCK_TEST("a shield passes errors and exceptions, and what runs in a group inside") {
  CHECK((co_await shield(maybe(-1))).error() == errc::exhausted);
  auto throws = []() -> task<> {
    co_await yield();
    throw failure("x");
  };
  std::string what;
  try {
    co_await shield(throws());
  } catch (const failure& e) {
    what = e.what();
  }
  CHECK(what == "x");
  int ended = 0;
  auto work = [&]() -> task<> {
    co_await shield(with_group([&](task_group& group) -> task<> {
      group.start([&]() -> task<> {
        co_await sleep_for(5ms);
        ++ended;
      });
      co_return;
    }));
  };
  auto r = co_await with_timeout(1ms, work());
  CHECK(r.has_value());
  CHECK(ended == 1);
}

PENSTOCK_TEST("as_result turns a stop into canceled; the stop stays requested") {
  bool resumed = false;
  auto work = [&]() -> task<int> {
    auto r = co_await as_result(value(1h, 1));
    CHECK(r.error() == errc::canceled);
    resumed = true;
    auto again = co_await as_result(yield());
    CHECK(again.error() == errc::canceled);
    const auto why = (co_await this_task::stop_token()).reason();
    CHECK(why == stop_reason::deadline);
    co_await yield();
    co_return 1;
  };
  auto r = co_await with_timeout(1ms, work());
  CHECK(r.error() == errc::timed_out);
  CHECK(resumed);
  CHECK((co_await as_result(value(1ms, 4))).value() == 4);
  CHECK((co_await as_result(maybe(-1))).error() == errc::exhausted);
  CHECK((co_await as_result(yield())).has_value());
}

PENSTOCK_TEST("ok(as_result(...)) ends the caller with canceled") {
  auto work = [&]() -> task<result<int>> { co_return co_await ok(as_result(value(1h, 1))); };
  auto r = co_await with_timeout(1ms, work());
  CHECK(r.error() == errc::canceled);
}

PENSTOCK_TEST("named gives a name to what runs inside, and only there") {
  auto ask = []() -> task<std::string> { co_return co_await this_task::name(); };
  auto nested = [&]() -> task<std::string> {
    const std::string mine = co_await this_task::name();
    const std::string inner = co_await named("inner", ask());
    co_return mine + "/" + inner;
  };
  CHECK(co_await ask() == "");
  CHECK(co_await named("outer", nested()) == "outer/inner");
  auto r = co_await with_timeout(1ms, named("late", value(1h, 1)));
  CHECK(r.error() == errc::timed_out);
}
