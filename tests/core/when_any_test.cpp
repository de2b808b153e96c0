// tests/core/when_any_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core/when_any.hpp>

#include <penstock/base/scope_exit.hpp>
#include <penstock/core/finally.hpp>
#include <penstock/core/ok.hpp>
#include <penstock/core/shield.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/test/lifetime_tracked.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
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
task<std::string> text(duration d, std::string s) {
  co_await sleep_for(d);
  co_return s;
}
task<> nothing(duration d) { co_await sleep_for(d); }
task<result<int>> fails(duration d, errc e) {
  co_await sleep_for(d);
  co_return fail(e);
}
task<int> throws(duration d, const char* what) {
  co_await sleep_for(d);
  throw failure(what);
}
// Completes after d, whatever is stopped.
task<int> stubborn(duration d, int x) {
  co_await shield(sleep_for(d));
  co_return x;
}
template <class... A>
using any_t = decltype(await_result_t<decltype(when_any(std::declval<A>()...))>::value);
static_assert(std::is_same_v<any_t<task<int>, task<int>>, int>);
static_assert(std::is_same_v<any_t<task<int>, task<>>, std::variant<int, std::monostate>>);
static_assert(std::is_same_v<any_t<task<>, task<>>, std::monostate>);
static_assert(std::is_same_v<any_t<task<result<int>>>, result<int>>);
static_assert(std::is_same_v<any_t<std::vector<task<int>>>, int>);
}  // namespace

PENSTOCK_TEST("the first to complete wins, the others are stopped") {
  stop_reason why = stop_reason::none;
  auto loser = [&]() -> task<int> {
    auto token = co_await this_task::stop_token();
    scope_exit note([&] { why = token.reason(); });
    co_await sleep_for(1h);
    co_return 0;
  };
  auto r = co_await when_any(loser(), value(2ms, 5), value(3ms, 6));
  CHECK(r.index == 1);
  CHECK(r.value == 5);
  CHECK_FALSE(std::get<0>(r.losers));
  CHECK_FALSE(std::get<1>(r.losers));
  CHECK_FALSE(std::get<2>(r.losers));
  CHECK(why == stop_reason::race_lost);
  CHECK(rt.now() == time_point(2ms));
}

PENSTOCK_TEST("different types give a variant; leaves and scopes take part") {
  auto a = co_await when_any(text(1ms, "x"), value(2ms, 1));
  CHECK(std::get<0>(a.value) == "x");
  auto b = co_await when_any(text(2ms, "x"), sleep_for(1ms));
  CHECK(b.index == 1);
  CHECK(std::holds_alternative<std::monostate>(b.value));
  auto c = co_await when_any(with_timeout(1ms, sleep_for(1h)), value(5ms, 1));
  CHECK(std::get<0>(c.value).error() == errc::timed_out);
}

PENSTOCK_TEST("an error wins as any other completion") {
  auto r = co_await when_any(fails(1ms, errc::closed), fails(2ms, errc::exhausted));
  CHECK(r.index == 0);
  CHECK(r.value.error() == errc::closed);
}

PENSTOCK_TEST("losers are waited for, and what they completed with is kept") {
  auto r = co_await when_any(value(1ms, 1), stubborn(5ms, 2), value(1h, 3));
  CHECK(r.value == 1);
  CHECK(std::get<1>(r.losers) == 2);
  CHECK_FALSE(std::get<2>(r.losers));
  CHECK(rt.now() == time_point(5ms));
}

PENSTOCK_TEST("a winner at once keeps those after it from starting; those before it lose") {
  bool before = false, after = false;
  auto first = [&]() -> task<> {
    before = true;
    co_await sleep_for(1h);
  };
  auto last = [&]() -> task<> {
    after = true;
    co_return;
  };
  auto r = co_await when_any(first(), with_timeout(0ms, sleep_for(1h)), last());
  CHECK(r.index == 1);
  CHECK(before);
  CHECK_FALSE(after);
  CHECK(rt.now() == time_point());
}

PENSTOCK_TEST("two that complete in one turn: one wins, the other's result is in losers") {
  test::lifetime_log log;
  {
    auto both = [&](int x) -> task<test::lifetime_tracked> {
      co_await sleep_for(1ms);
      co_return test::lifetime_tracked(log, x);
    };
    auto r = co_await when_any(both(0), both(1));
    CHECK(r.value.value() == static_cast<int>(r.index));
    auto& other = r.index == 0 ? std::get<1>(r.losers) : std::get<0>(r.losers);
    REQUIRE(other);
    CHECK(other->value() == 1 - static_cast<int>(r.index));
    CHECK(log.values() == 2);
  }
  CHECK(log.clean());
}

PENSTOCK_TEST("the first exception of any that completed is thrown, when all have ended") {
  auto late = []() -> task<int> {
    co_await shield(sleep_for(4ms));
    throw failure("loser");
  };
  std::string what;
  try {
    static_cast<void>(co_await when_any(late(), throws(1ms, "winner"), value(1h, 1)));
  } catch (const failure& e) {
    what = e.what();
  }
  CHECK(what == "winner");
  CHECK(rt.now() == time_point(4ms));
  try {
    static_cast<void>(co_await when_any(late(), value(1ms, 1)));
  } catch (const failure& e) {
    what = e.what();
  }
  CHECK(what == "loser");
}

PENSTOCK_TEST("the range form gives losers by place") {
  std::vector<task<int>> some;
  some.push_back(value(5ms, 0));
  some.push_back(stubborn(3ms, 1));
  some.push_back(value(2ms, 2));
  auto r = co_await when_any(std::move(some));
  CHECK(r.index == 2);
  CHECK(r.value == 2);
  REQUIRE(r.losers.size() == 3);
  CHECK_FALSE(r.losers[0]);
  CHECK(r.losers[1] == 1);
  CHECK_FALSE(r.losers[2]);
  std::vector<task<std::unique_ptr<int>>> owners;
  owners.push_back([]() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(4); }());
  auto o = co_await when_any(std::move(owners));
  CHECK(*o.value == 4);
}

PENSTOCK_TEST("a stop from outside ends all; a completed one still wins") {
  auto r = co_await with_timeout(1ms, when_any(value(1h, 1), value(1h, 2)));
  CHECK(r.error() == errc::timed_out);
  auto kept = co_await with_timeout(1ms, when_any(value(1h, 1), stubborn(5ms, 2)));
  CHECK(kept.value().value == 2);
}

// The winner failed by ok(): what it held is what the losers' clean-up may wait for.
PENSTOCK_TEST("what the winner held is free for the losers") {
  probes::gate released;
  auto winner = [&]() -> task<result<int>> {
    scope_exit release([&] { released.set(); });
    co_await ok(fails(1ms, errc::closed));
    co_return 1;
  };
  auto cleanup = [&]() -> task<> { co_await released.wait(); };
  auto loser = [&]() -> task<result<int>> {
    co_await finally(nothing(1h), cleanup);
    co_return 2;
  };
  auto r = co_await when_any(winner(), loser());
  CHECK(r.value.error() == errc::closed);
  std::vector<task<result<int>>> both;
  both.push_back(loser());
  both.push_back(winner());
  auto s = co_await when_any(std::move(both));
  CHECK(s.index == 1);
}
