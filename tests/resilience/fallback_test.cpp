// tests/resilience/fallback_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/resilience/fallback.hpp>

#include <penstock/core.hpp>
#include <penstock/resilience/attempt_timeout.hpp>
#include <penstock/resilience/retry.hpp>
#include <penstock/test.hpp>
#include <support/penstock_test.hpp>
#include <support/stopped.hpp>

#include <memory>
#include <stdexcept>
#include <string>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;

namespace {
task<result<int>> failing(error e) {
  co_await sleep_for(1ms);
  co_return fail(std::move(e));
}
struct prices {
  int calls = 0;
  bool down = false;
  task<result<int>> current() {
    ++calls;
    co_await sleep_for(1ms);
    if (down) co_return fail(std::errc::connection_refused);
    co_return 42;
  }
};
}  // namespace

// [fallback]
// The price of today, or that of yesterday when the service is away, but not when there is none.
static task<result<int>> price(prices& service, int yesterday) {
  auto ask = [&] { return service.current(); };
  auto older = [&](const error&) { return yesterday; };
  auto away = [](const error& e) { return e != errc::not_found; };
  const auto guarded = fallback(older, away) | retry({.attempts = 3, .backoff = constant(10ms)}) |
                       attempt_timeout(1s);
  co_return co_await guarded(idempotent(ask));
}
// [/fallback]

PENSTOCK_TEST("an error is answered, a value passes") {
  prices up;
  CHECK(co_await price(up, 7) == result<int>(42));
  prices away{.down = true};
  CHECK(co_await price(away, 7) == result<int>(7));
  CHECK(away.calls == 3);
}

PENSTOCK_TEST("the answer may be a value, a result, a task, and an error of its own") {
  auto call = [] { return failing(errc::overloaded); };
  auto value = [](const error&) { return 1; };
  auto outcome = [](const error&) -> result<int> { return 2; };
  auto later = [](error) -> task<int> {
    co_await sleep_for(5ms);
    co_return 3;
  };
  auto later_result = [](error e) -> task<result<int>> {
    co_await sleep_for(5ms);
    co_return fail(errc::not_found, "cache", e.message());
  };
  CHECK(co_await fallback(value)(call) == result<int>(1));
  CHECK(co_await fallback(outcome)(call) == result<int>(2));
  CHECK(co_await fallback(later)(call) == result<int>(3));
  const auto failed = co_await fallback(later_result)(call);
  CHECK(failed.error() == errc::not_found);
  CHECK(failed.error().message() == "cache 'overloaded': not found");
}

PENSTOCK_TEST("what is canceled, and what the predicate does not want, is not answered") {
  int answered = 0;
  auto instead = [&](const error&) {
    ++answered;
    return 1;
  };
  auto canceled = [] { return failing(errc::canceled); };
  const auto one = co_await fallback(instead)(canceled);
  CHECK(one.error() == errc::canceled);
  auto missing = [] { return failing(errc::not_found); };
  auto only_overload = [](const error& e) { return e == errc::overloaded; };
  const auto two = co_await fallback(instead, only_overload)(missing);
  CHECK(two.error() == errc::not_found);
  auto throws = [](const error&) -> bool { throw std::runtime_error("no"); };
  const auto three = co_await fallback(instead, throws)(missing);
  CHECK(three.error() == errc::not_found);
  CHECK(answered == 0);
}

PENSTOCK_TEST("exceptions pass through, of the operation and of the answer") {
  auto call = [] { return failing(errc::overloaded); };
  auto throws = [](const error&) -> int { throw std::runtime_error("answer"); };
  std::string what;
  try {
    static_cast<void>(co_await fallback(throws)(call));
  } catch (const std::runtime_error& e) {
    what = e.what();
  }
  CHECK(what == "answer");
  auto broken = []() -> task<result<int>> {
    co_await sleep_for(1ms);
    throw std::runtime_error("operation");
  };
  auto value = [](const error&) { return 1; };
  try {
    static_cast<void>(co_await fallback(value)(broken));
  } catch (const std::runtime_error& e) {
    what = e.what();
  }
  CHECK(what == "operation");
}

PENSTOCK_TEST("a deadline around is not answered, one inside is") {
  auto slow = []() -> task<result<int>> {
    co_await sleep_for(1h);
    co_return 1;
  };
  auto value = [](const error&) { return 2; };
  const auto policy = fallback(value);
  const auto late = co_await with_timeout(1ms, policy(slow));
  CHECK(late.error() == errc::timed_out);
  const auto in_time = fallback(value) | attempt_timeout(1ms);
  const auto answered = co_await in_time(slow);
  CHECK(answered == result<int>(2));
  auto later = [](error) -> task<int> {
    co_await sleep_for(1h);
    co_return 3;
  };
  auto call = [] { return failing(errc::overloaded); };
  const auto stuck = fallback(later);
  const auto too_late = co_await with_timeout(5ms, stuck(call));
  CHECK(too_late.error() == errc::timed_out);
}

PENSTOCK_TEST("a policy with a fallback owns its functions, and can be copied") {
  const auto shared = std::make_shared<int>(5);
  auto value = [shared](const error&) { return *shared; };
  auto call = [] { return failing(errc::overloaded); };
  const auto policy = fallback(value) | attempt_timeout(1s);
  CHECK(shared.use_count() == 3);
  const auto copy = policy;
  CHECK(co_await copy(call) == result<int>(5));
  CHECK(co_await policy(call) == result<int>(5));
}
