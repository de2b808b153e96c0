// tests/core/with_timeout_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core/with_timeout.hpp>

#include <penstock/base/scope_exit.hpp>
#include <penstock/core/ok.hpp>
#include <penstock/core/shield.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/with_group.hpp>
#include <penstock/core/yield.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
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
task<result<int>> maybe(duration d, int x) {
  co_await sleep_for(d);
  if (x < 0) co_return fail(errc::exhausted);
  co_return x;
}
template <class A>
using timeout_t = await_result_t<decltype(with_timeout(1ms, std::declval<A>()))>;
static_assert(std::is_same_v<timeout_t<task<int>>, result<int>>);
static_assert(std::is_same_v<timeout_t<task<>>, result<>>);
static_assert(std::is_same_v<timeout_t<task<result<int>>>, result<int>>);
static_assert(!std::is_copy_constructible_v<decltype(with_timeout(1ms, value(1ms, 1)))>);
}  // namespace

PENSTOCK_TEST("in time: the value, the error, nothing, a move-only value") {
  CHECK((co_await with_timeout(2ms, value(1ms, 5))).value() == 5);
  CHECK((co_await with_timeout(2ms, maybe(1ms, 5))).value() == 5);
  CHECK((co_await with_timeout(2ms, maybe(1ms, -1))).error() == errc::exhausted);
  CHECK((co_await with_timeout(2ms, sleep_for(1ms))).has_value());
  auto owner = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(1); };
  CHECK(*(co_await with_timeout(2ms, owner())).value() == 1);
  CHECK(rt.now() == time_point(4ms));
}

PENSTOCK_TEST("too late: timed_out, at that very nanosecond, and the work is unwound first") {
  probes::log log;
  stop_reason why = stop_reason::none;
  auto work = [&]() -> task<> {
    auto token = co_await this_task::stop_token();
    scope_exit note([&] { why = token.reason(); });
    probes::noted n(log, "work");
    co_await sleep_for(1h);
    log.push_back("resumed");
  };
  auto r = co_await with_timeout(1500us + 1ns, work());
  CHECK(r.error() == errc::timed_out);
  CHECK(log == probes::log{"~work"});
  CHECK(why == stop_reason::deadline);
  CHECK(rt.now() == time_point(1500us + 1ns));
}

PENSTOCK_TEST("the error says which limit has passed") {
  const auto says = [](duration d) -> task<std::string> {
    co_return (co_await with_timeout(d, sleep_for(duration::max()))).error().message();
  };
  CHECK(co_await says(50ms) == "with_timeout '50 ms': timed out");
  CHECK(co_await says(90s) == "with_timeout '90 s': timed out");
  CHECK(co_await says(1500us) == "with_timeout '1500 us': timed out");
  CHECK(co_await says(1s + 1ns) == "with_timeout '1000000001 ns': timed out");
  CHECK(co_await says(0s) == "with_timeout '0 ns': timed out");
  CHECK(co_await says(-1s) == "with_timeout '0 ns': timed out");
  CHECK(co_await says(duration(1'000'000'000'000'000'001)) ==
        "with_timeout '1000000000000000001 ns': timed out");
  const auto late = co_await with_deadline(time_point{}, sleep_for(1h));
  CHECK(late.error() == errc::timed_out);
  CHECK(late.error().message() == "with_deadline: timed out");
}

PENSTOCK_TEST("a result at the same instant wins") {
  CHECK((co_await with_timeout(5ms, value(5ms, 1))).value() == 1);
  auto two = []() -> task<int> {
    co_await sleep_for(2ms);
    co_await sleep_for(3ms);
    co_return 2;
  };
  CHECK((co_await with_timeout(5ms, two())).value() == 2);
}

PENSTOCK_TEST("zero and less: only what completes at once succeeds") {
  auto at_once = []() -> task<int> { co_return 1; };
  CHECK((co_await with_timeout(0ms, at_once())).value() == 1);
  CHECK((co_await with_timeout(-1s, at_once())).value() == 1);
  CHECK((co_await with_timeout(0ms, yield())).error() == errc::timed_out);
  CHECK((co_await with_timeout(-1h, sleep_for(0ms))).error() == errc::timed_out);
  CHECK((co_await with_deadline(time_point(-1h), sleep_for(1ms))).error() == errc::timed_out);
  CHECK(rt.now() == time_point());
}

PENSTOCK_TEST("the longest duration and time_point::max() are no limit") {
  CHECK((co_await with_timeout(std::chrono::hours::max(), value(1h, 1))).value() == 1);
  CHECK((co_await with_timeout(duration::max(), value(1h, 1))).value() == 1);
  CHECK((co_await with_deadline(time_point::max(), value(1h, 1))).value() == 1);
  CHECK(co_await this_task::deadline() == time_point::max());
  CHECK((co_await with_timeout(std::chrono::duration<double>(0.5), value(1h, 1))).error() ==
        errc::timed_out);
  CHECK(rt.now() == time_point(3h + 500ms));
}

PENSTOCK_TEST("an exception passes through") {
  auto throws = []() -> task<int> {
    co_await sleep_for(1ms);
    throw failure("work");
  };
  std::string what;
  try {
    static_cast<void>(co_await with_timeout(5ms, throws()));
  } catch (const failure& e) {
    what = e.what();
  }
  CHECK(what == "work");
}

PENSTOCK_TEST("nested: only the scope whose own deadline expires reports it") {
  bool inner_reported = false;
  auto inner = [&](duration d) -> task<result<int>> {
    auto r = co_await with_timeout(d, value(1h, 1));
    inner_reported = true;
    co_return r;
  };
  auto r = co_await with_timeout(10ms, inner(5ms));
  CHECK(r.error() == errc::timed_out);
  CHECK(inner_reported);
  CHECK(rt.now() == time_point(5ms));
  inner_reported = false;
  auto s = co_await with_timeout(5ms, inner(10ms));
  CHECK(s.error() == errc::timed_out);
  CHECK_FALSE(inner_reported);
  auto t = co_await with_timeout(5ms, inner(5ms));  // the same instant: the outer one
  CHECK(t.error() == errc::timed_out);
  CHECK_FALSE(inner_reported);
}

PENSTOCK_TEST("an inner expiry whose work takes long to end loses to the outer one meanwhile") {
  bool inner_reported = false;
  auto work = [&]() -> task<> {
    auto slow = []() -> task<> {
      co_await shield(sleep_for(8ms));
      co_await sleep_for(1h);
    };
    static_cast<void>(co_await with_timeout(2ms, slow()));
    inner_reported = true;
  };
  auto r = co_await with_timeout(5ms, work());
  CHECK(r.error() == errc::timed_out);
  CHECK_FALSE(inner_reported);
  CHECK(rt.now() == time_point(8ms));
}

PENSTOCK_TEST("the environment's deadline is the minimum") {
  auto ask = []() -> task<time_point> { co_return co_await this_task::deadline(); };
  CHECK((co_await with_timeout(5ms, ask())).value() == time_point(5ms));
  auto nested = [&](duration d) -> task<time_point> {
    co_return (co_await with_timeout(d, ask())).value();
  };
  CHECK((co_await with_timeout(5ms, nested(9ms))).value() == time_point(5ms));
  CHECK((co_await with_timeout(9ms, nested(5ms))).value() == time_point(5ms));
  auto shielded = [&]() -> task<time_point> { co_return co_await shield(ask()); };
  CHECK((co_await with_timeout(5ms, shielded())).value() == time_point::max());
}

PENSTOCK_TEST("a stop from outside is not a timeout") {
  bool resumed = false;
  auto work = [&]() -> task<> {
    static_cast<void>(co_await with_timeout(5ms, sleep_for(1h)));
    resumed = true;
  };
  co_await with_group([&](task_group& group) -> task<> {
    group.start(work);
    co_await sleep_for(1ms);
    group.request_stop();
  });
  CHECK_FALSE(resumed);
  CHECK(rt.now() == time_point(1ms));
}

PENSTOCK_TEST("ok of a timeout ends the caller with timed_out; the awaiter may move before") {
  auto work = []() -> task<result<int>> {
    auto limited = with_timeout(1ms, value(1h, 1));
    co_return co_await ok(std::move(limited));
  };
  CHECK((co_await work()).error() == errc::timed_out);
}
