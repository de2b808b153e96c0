// tests/core/when_all_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core/when_all.hpp>

#include <penstock/base/scope_exit.hpp>
#include <penstock/core/ok.hpp>
#include <penstock/core/shield.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/core/yield.hpp>
#include <penstock/test/lifetime_tracked.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

#include "probes.hpp"

using namespace penstock;
using namespace std::chrono_literals;
using probes::failure;

namespace {
task<int> value(duration d, int x) {
  co_await sleep_for(d);
  co_return x;
}
task<> nothing(duration d) { co_await sleep_for(d); }
task<result<>> fails(duration d, errc e) {
  co_await sleep_for(d);
  co_return fail(e);
}
task<std::unique_ptr<int>> owner(int x) { co_return std::make_unique<int>(x); }
task<> throws(duration d, const char* what) {
  co_await sleep_for(d);
  throw failure(what);
}
task<int&> refers(int& x) { co_return x; }

template <class... A>
using all_t = await_result_t<decltype(when_all(std::declval<A>()...))>;
template <class... A>
using settled_t = await_result_t<decltype(when_all_settled(std::declval<A>()...))>;
using ints = task<int>;
static_assert(std::is_same_v<all_t<ints, task<>>, std::tuple<int, std::monostate>>);
static_assert(
    std::is_same_v<all_t<ints, task<result<std::string>>>, result<std::tuple<int, std::string>>>);
static_assert(std::is_same_v<all_t<>, std::tuple<>>);
static_assert(std::is_same_v<all_t<task<result<>>>, result<std::tuple<std::monostate>>>);
static_assert(std::is_same_v<all_t<std::vector<ints>>, std::vector<int>>);
static_assert(std::is_same_v<all_t<std::vector<task<result<int>>>>, result<std::vector<int>>>);
static_assert(std::is_same_v<settled_t<ints, task<result<int>>>, std::tuple<int, result<int>>>);
static_assert(std::is_same_v<settled_t<std::vector<task<result<int>>>>, std::vector<result<int>>>);
}  // namespace

PENSTOCK_TEST("when_all runs its children at once and gives all values") {
  auto [a, b, c] = co_await when_all(value(5ms, 1), nothing(3ms), owner(7));
  CHECK(a == 1);
  CHECK(*c == 7);
  static_assert(std::is_same_v<decltype(b), std::monostate>);
  CHECK(rt.now() == time_point(5ms));
  int x = 0;
  auto r = co_await when_all(refers(x));
  CHECK(&std::get<0>(r).get() == &x);
  co_await when_all();
}

PENSTOCK_TEST("leaves and scopes are children as well") {
  auto r = co_await when_all(sleep_for(2ms), with_timeout(1ms, nothing(5ms)), yield(),
                             this_task::now(), as_result(value(3ms, 4)));
  CHECK(r.error() == errc::timed_out);
  CHECK(rt.now() == time_point(1ms));
  auto s = co_await when_all_settled(sleep_for(2ms), with_timeout(1ms, nothing(5ms)),
                                     this_task::now(), shield(value(3ms, 4)));
  CHECK(std::get<1>(s).error() == errc::timed_out);
  CHECK(std::get<2>(s) == time_point(1ms));
  CHECK(std::get<3>(s) == 4);
  CHECK(rt.now() == time_point(4ms));
}

PENSTOCK_TEST("the first error by time is the outcome, the siblings are stopped and waited for") {
  stop_reason why = stop_reason::none;
  auto sibling = [&]() -> task<int> {
    auto token = co_await this_task::stop_token();
    scope_exit note([&] { why = token.reason(); });
    co_await shield(nothing(8ms));
    co_await sleep_for(1h);
    co_return 1;
  };
  auto r = co_await when_all(sibling(), fails(3ms, errc::closed), fails(2ms, errc::exhausted));
  CHECK(r.error() == errc::exhausted);
  CHECK(why == stop_reason::sibling_failed);
  CHECK(rt.now() == time_point(8ms));
}

PENSTOCK_TEST(
    "the first exception by time is thrown when all have ended; an error may be before it") {
  std::string what;
  try {
    co_await when_all(nothing(1h), throws(2ms, "second"), throws(1ms, "first"));
  } catch (const failure& e) {
    what = e.what();
  }
  CHECK(what == "first");
  CHECK(rt.now() == time_point(1ms));
  auto late = []() -> task<> {
    co_await shield(nothing(2ms));
    throw failure("late");
  };
  auto r = co_await when_all(late(), fails(1ms, errc::closed));
  CHECK(r.error() == errc::closed);
}

PENSTOCK_TEST("a child that fails at once keeps the ones after it from starting") {
  bool started = false;
  auto later = [&]() -> task<> {
    started = true;
    co_return;
  };
  auto r = co_await when_all(with_timeout(0ms, sleep_for(1ms)), later());
  CHECK(r.error() == errc::timed_out);
  CHECK_FALSE(started);
}

PENSTOCK_TEST("what a child failed by ok() held is free for its siblings") {
  probes::gate released;
  auto holder = [&]() -> task<result<>> {
    scope_exit release([&] { released.set(); });
    co_await ok(fails(1ms, errc::closed));
    co_return result<>();
  };
  auto needs = [&]() -> task<> { co_await shield(released.wait()); };
  auto r = co_await when_all(holder(), needs());
  CHECK(r.error() == errc::closed);
}

PENSTOCK_TEST("a stop from outside ends all and goes on, but not past results that are complete") {
  test::lifetime_log log;
  auto done = [&]() -> task<test::lifetime_tracked> { co_return test::lifetime_tracked(log); };
  auto r = co_await with_timeout(1ms, when_all(done(), nothing(1h)));
  CHECK(r.error() == errc::timed_out);
  CHECK(log.clean());
  auto shielded = []() -> task<int> { co_return co_await shield(value(3ms, 5)); };
  auto kept = co_await with_timeout(1ms, when_all(shielded(), shielded()));
  CHECK(kept.value() == std::tuple(5, 5));
  auto settled = co_await with_timeout(1ms, when_all_settled(shielded(), nothing(1h)));
  CHECK(settled.error() == errc::timed_out);
}

PENSTOCK_TEST("under a stop children still complete that need not wait") {
  auto work = [&]() -> task<int> {
    static_cast<void>(co_await as_result(sleep_for(1h)));
    auto [a, b] = co_await when_all(owner(1), owner(2));
    co_return *a + *b;
  };
  auto r = co_await with_timeout(1ms, work());
  CHECK(r.value() == 3);
}
