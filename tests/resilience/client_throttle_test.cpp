// tests/resilience/client_throttle_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/resilience/client_throttle.hpp>

#include <penstock/core.hpp>
#include <penstock/resilience/circuit_breaker.hpp>
#include <penstock/test.hpp>
#include <support/penstock_test.hpp>
#include <support/stopped.hpp>
#include <sync/two_loops.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;

namespace {
struct server {
  int calls = 0;
  int every = 1;  // accepts each so many'th; 0: none
  task<result<int>> call() {
    ++calls;
    co_await yield();
    if (every == 0 || calls % every != 0) co_return fail(errc::overloaded);
    co_return 1;
  }
};
}  // namespace

// [client_throttle]
static task<result<int>> ask(server& s, const client_throttle& throttle) {
  auto call = [&] { return s.call(); };
  co_return co_await throttle(call);
}
// [/client_throttle]

TEST_CASE("the share that is refused is that of the formula") {
  detail::throttle_core core(2, 1, 2min);
  random_engine random(1);
  const time_point now(1s);
  CHECK(core.rejection(now) == 0);
  int sent = 0;
  for (int i = 0; i < 100; ++i) sent += core.admit(now, random);
  CHECK(core.rejection(now) == 100.0 / 101);
  CHECK(sent < 20);
  for (int i = 0; i < 10; ++i) core.accepted(now);
  CHECK(core.rejection(now) == 80.0 / 101);
  for (int i = 0; i < 40; ++i) core.accepted(now);
  CHECK(core.rejection(now) == 0);  // half of them are accepted: K is 2
  core.accepted(now);
  CHECK(core.rejection(now) == 0);
  core.forget(now);
  CHECK(core.counts(now).requests == 99);
}

TEST_CASE("requests count for two minutes") {
  detail::throttle_core core(2, 1, 2min);
  random_engine random(1);
  for (int i = 0; i < 100; ++i) core.admit(time_point(0s), random);
  CHECK(core.rejection(time_point(119s)) > 0.9);
  CHECK(core.rejection(time_point(120s)) == 0);
}

TEST_CASE("max_rejection leaves some through") {
  detail::throttle_core core(2, 0.9, 2min);
  random_engine random(1);
  for (int i = 0; i < 1000; ++i) core.admit(time_point(0s), random);
  CHECK(core.rejection(time_point(0s)) == 0.9);
}

PENSTOCK_TEST(
    "a server that accepts a third gets about half again as much as it accepts, in time") {
  server s{.every = 3};
  std::vector<bool> told;
  auto note = [&](const client_throttle_event& e) { told.push_back(e.throttling); };
  const client_throttle throttle({}, "catalogue", note);
  int refused = 0;
  for (int i = 0; i < 6000; ++i) {
    const auto answer = co_await ask(s, throttle);
    if (!answer && answer.error().operation() == "catalogue") ++refused;
    co_await sleep_for(10ms);
  }
  // It settles where requests = 2 * accepted + rejections: more than a quarter is not sent.
  CHECK(refused > 1500);
  CHECK(refused + s.calls == 6000);
  CHECK(told.front());
  const auto numbers = throttle.stats();
  CHECK(numbers.refused == static_cast<std::uint64_t>(refused));
  CHECK(numbers.rejection > 0.2);
  s.every = 1;
  for (int i = 0; i < 30'000; ++i) {
    static_cast<void>(co_await ask(s, throttle));
    co_await sleep_for(10ms);
  }
  CHECK(throttle.stats().rejection == 0);
  CHECK_FALSE(told.back());
}

PENSTOCK_TEST("a server that was down for long is found again within a few windows") {
  server s{.every = 0};
  const client_throttle throttle;
  for (int i = 0; i < 30'000; ++i) {  // five minutes
    static_cast<void>(co_await ask(s, throttle));
    co_await sleep_for(10ms);
  }
  CHECK(s.calls < 3400);
  s.every = 1;
  int needed = 0;
  while (throttle.stats().rejection > 0 && ++needed < 100'000) {
    static_cast<void>(co_await ask(s, throttle));
    co_await sleep_for(10ms);
  }
  CHECK(needed * 10ms < 6min);
}

PENSTOCK_TEST("what was given up, or refused by a policy inside, says nothing of the server") {
  const client_throttle throttle;
  const circuit_breaker open;
  open.force_open();
  const auto guarded = throttle | open;
  auto call = []() -> task<result<int>> { co_return 1; };
  for (int i = 0; i < 10; ++i) CHECK(!co_await guarded(call));
  CHECK(throttle.stats().window_requests == 0);
  auto slow = []() -> task<result<int>> {
    co_await sleep_for(1h);
    co_return 1;
  };
  auto race = co_await when_any(throttle(slow), sleep_for(1ms));
  CHECK(race.index == 1);
  CHECK(throttle.stats().window_requests == 0);
  const auto late = co_await with_timeout(1ms, throttle(slow));
  CHECK(late.error() == errc::timed_out);
  CHECK(throttle.stats().window_requests == 1);
  CHECK(throttle.stats().window_accepted == 0);
}

PENSTOCK_TEST("a classifier of one's own says what was not accepted") {
  const client_throttle throttle;
  auto only_overload = [](const error& e) {
    return e == errc::overloaded ? call_outcome::failure : call_outcome::ignored;
  };
  const auto judged = throttle.judged_by(only_overload);
  auto broken = []() -> task<result<int>> { co_return fail(std::errc::io_error); };
  for (int i = 0; i < 50; ++i) static_cast<void>(co_await judged(broken));
  CHECK(throttle.stats().window_accepted == 50);
  CHECK(throttle.stats().rejection == 0);
}

PENSTOCK_TEST("a call that is let through a throttle allocates nothing") {
  const client_throttle throttle;
  auto call = []() -> task<result<int>> { co_return 1; };
  for (int warm = 0; warm < 2; ++warm) {
    const test::allocation_counter count;
    for (int i = 0; i < 100; ++i) static_cast<void>(co_await throttle(call));
    if (warm == 1) CHECK(count.allocations() == 0);
  }
}

TEST_CASE("two loops share a throttle: no request is lost") {
  const client_throttle throttle;
  support::on_two_loops([&](std::uint64_t loop) -> task<> {
    server s{.every = loop == 0 ? 0 : 1};
    for (int i = 0; i < 1000; ++i) static_cast<void>(co_await ask(s, throttle));
  });
  const auto s = throttle.stats();
  CHECK(s.admitted + s.refused == 2000);
  CHECK(s.window_requests == 2000);
}

TEST_CASE("a throttle with invalid options stops the program, naming the option") {
  const auto why = [](const client_throttle_options& o) {
    return support::stopped_with([&] { client_throttle t(o); });
  };
  CHECK(why({.ratio = 0.5}).find("ratio") != std::string::npos);
  CHECK(why({.window = 0s}).find("window") != std::string::npos);
  CHECK(why({.max_rejection = 2}).find("max_rejection") != std::string::npos);
}
