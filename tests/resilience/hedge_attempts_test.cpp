// tests/resilience/hedge_attempts_test.cpp
// SPDX-License-Identifier: BSL-1.0
// When the attempts of a hedge begin and end, one by one.
#include <penstock/resilience/hedge.hpp>

#include <penstock/core.hpp>
#include <penstock/resilience/attempt_timeout.hpp>
#include <penstock/resilience/retry.hpp>
#include <penstock/sync/event.hpp>
#include <penstock/test.hpp>
#include <support/penstock_test.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;

static_assert(policy<hedge>);

namespace {
// Answers its n-th call by the n-th plan, with its number, or with the error.
struct plan {
  duration takes{};
  error with{};
  bool throws = false;
};
struct server {
  std::vector<plan> plans;
  std::vector<duration> began{};
  int running = 0;
  int cut = 0;  // stopped while they ran
  task<result<int>> call() {
    const plan p = began.size() < plans.size() ? plans[began.size()] : plan{};
    const auto now = co_await this_task::now();
    began.push_back(now.time_since_epoch());
    const int number = static_cast<int>(began.size());
    ++running;
    bool done = false;
    scope_exit over([&] {
      --running;
      if (!done) ++cut;
    });
    co_await sleep_for(p.takes);
    done = true;
    if (p.throws) throw std::runtime_error("attempt " + std::to_string(number));
    if (p.with.code()) co_return tl::unexpected<error>(p.with);
    co_return number;
  }
};
}  // namespace

// The classifier is a class of this coroutine: g++ 12 once did not survive that.
static task<result<int>> ask_for_even(server& s, const hedge& twice) {
  struct odd_is_bad {
    call_outcome operator()(const error& e) const { return outcome_of(e); }
    call_outcome operator()(const int& n) const {
      return n % 2 == 0 ? call_outcome::success : call_outcome::failure;
    }
  };
  auto call = [&] { return s.call(); };
  const auto judged = twice.judged_by(odd_is_bad{});
  co_return co_await judged(idempotent(call));
}

PENSTOCK_TEST("a loser is stopped because it lost the race, and may take its time") {
  const hedge h({.delay = 100ms});
  stop_reason why = stop_reason::none;
  int calls = 0;
  auto call = [&]() -> task<result<int>> {
    if (++calls == 2) co_return 2;
    auto forever = []() -> task<> { co_await sleep_for(1h); };
    const environment& mine = co_await this_task::env();
    auto look = [&]() -> task<> {
      why = mine.stop->reason();
      co_await sleep_for(1s);
    };
    co_await finally(forever(), look);
    co_return 1;
  };
  CHECK(co_await h(idempotent(call)) == 2);
  CHECK(rt.now() == time_point(1100ms));
  CHECK(why == stop_reason::race_lost);
}

PENSTOCK_TEST(
    "a failure begins the next attempt at once; when all have failed, the last one is it") {
  const hedge h({.attempts = 2, .delay = 100ms});
  server s{.plans = {{10ms, errc::overloaded}, {10s}, {10ms}}};
  auto call = [&] { return s.call(); };
  CHECK(co_await h(idempotent(call)) == 3);
  CHECK(s.began == std::vector<duration>{0ms, 10ms, 110ms});  // the delay begins anew
  CHECK(s.cut == 1);
  server down{
      .plans = {{10ms, errc::overloaded}, {10ms, errc::overloaded}, {5ms, errc::exhausted}}};
  auto other = [&] { return down.call(); };
  const auto failed = co_await h(idempotent(other));
  CHECK(failed.error() == errc::exhausted);
  CHECK(down.began.size() == 3);
  CHECK(down.cut == 0);
  // One that runs yet may succeed.
  server mixed{.plans = {{250ms}, {10ms, errc::overloaded}, {10ms, errc::overloaded}}};
  auto third = [&] { return mixed.call(); };
  CHECK(co_await h(idempotent(third)) == 1);
}

PENSTOCK_TEST("an operation that throws before it is a task is an attempt that threw") {
  const hedge h({.delay = 100ms});
  int calls = 0;
  auto call = [&]() -> task<result<int>> {
    if (++calls == 2) throw std::runtime_error("no task");
    return []() -> task<result<int>> {
      co_await sleep_for(1s);
      co_return 1;
    }();
  };
  bool thrown = false;
  try {
    const auto none = co_await h(idempotent(call));
    CHECK(!none);
  } catch (const std::runtime_error&) {
    thrown = true;
  }
  CHECK(thrown);
  auto never = []() -> task<result<int>> { throw std::runtime_error("at once"); };
  thrown = false;
  try {
    const auto none = co_await h(idempotent(never));
    CHECK(!none);
  } catch (const std::runtime_error&) {
    thrown = true;
  }
  CHECK(thrown);
}

PENSTOCK_TEST("values are judged, too") {
  const hedge h({.delay = 100ms});
  server s;
  CHECK(co_await ask_for_even(s, h) == 2);
  CHECK(s.began.size() == 2);
  CHECK(co_await ask_for_even(s, h) == 4);
}

PENSTOCK_TEST("an answer at the instant at which the delay is over wins") {
  for (auto seed : test::seeds(20)) {
    test::test_runtime other({.seed = seed});
    const hedge h({.delay = 100ms});
    server s{.plans = {{100ms}, {0ms}}};
    auto call = [&] { return s.call(); };
    const auto answer = other.run(h(idempotent(call)));
    CHECK(answer);
    CHECK(s.running == 0);
  }
  co_return;
}

PENSTOCK_TEST("a budget shared with retries counts a request once, and every attempt more") {
  const retry_budget budget{{.ratio = 0, .min_per_second = 0.3}};
  const hedge h({.delay = 100ms}, budget);
  const auto guarded = retry({.attempts = 5}, budget) | h;
  server s{.plans = std::vector<plan>(20, plan{10ms, errc::overloaded})};
  auto call = [&] { return s.call(); };
  const auto failed = co_await guarded(idempotent(call));
  CHECK(failed.error().why() == retry_stop::budget);
  CHECK(s.began.size() == 4);
  CHECK(budget.stats().deposits == 1);
  CHECK(budget.stats().withdrawn == 3);
  static_cast<void>(co_await h(idempotent(call)));
  CHECK(budget.stats().deposits == 2);
}

PENSTOCK_TEST(
    "an observer is told the attempts besides the first; it may throw and use the hedge") {
  std::string told;
  const hedge* again = nullptr;
  const hedge h(
      {.attempts = 2, .delay = 100ms, .budget_capacity = 2}, "reads", [&](const hedge_event& e) {
        told += std::string(e.name) + " " + std::string(to_string(e.step)) + " " +
                std::to_string(e.attempt) + (e.after_failure ? " after a failure" : "") + ", ";
        CHECK(again->stats().calls >= 1);
        throw std::runtime_error("no");
      });
  again = &h;
  server s{.plans = {{1s}, {10ms, errc::overloaded}, {10ms}, {10ms, errc::overloaded}}};
  auto call = [&] { return s.call(); };
  const log_level before = set_log_level(log_level::off);
  CHECK(co_await h(idempotent(call)) == 3);
  static_cast<void>(co_await h(idempotent(call)));
  set_log_level(before);
  CHECK(told ==
        "reads began 2, reads began 3 after a failure, reads won 3, "
        "reads refused 2 after a failure, ");
}

PENSTOCK_TEST("with timeouts inside and outside, and inside of a retry") {
  const hedge h({.delay = 100ms});
  server s{.plans = {{10s}, {10s}, {10s}, {20ms}}};
  auto call = [&] { return s.call(); };
  const auto guarded = retry({.attempts = 2, .backoff = constant(0s)}) | h | attempt_timeout(200ms);
  CHECK(co_await guarded(idempotent(call)) == 4);
  CHECK(s.cut == 3);
  CHECK(s.running == 0);
  s = {.plans = {{10s}, {10s}}};
  const auto late = co_await with_timeout(150ms, h(idempotent(call)));
  CHECK(late.error() == errc::timed_out);
  CHECK(s.cut == 2);
  CHECK(s.running == 0);
}

TEST_CASE("stopped at any moment of an attempt, a hedge ends, or gives its result") {
  struct fixture {
    std::unique_ptr<event> up = std::make_unique<event>();
    std::unique_ptr<int> running = std::make_unique<int>(0);
    std::unique_ptr<hedge> h = std::make_unique<hedge>(hedge_options{.attempts = 2, .delay = 0s});
  };
  const auto attempt = [](fixture& f) {
    return [up = f.up.get(), running = f.running.get()]() -> task<result<int>> {
      ++*running;
      scope_exit over([running] { --*running; });
      co_await up->wait();
      co_return 42;
    };
  };
  test::cancel_matrix([] { return fixture{}; },
                      [&](fixture& f) {
                        auto call = attempt(f);
                        return (*f.h)(idempotent(call));
                      },
                      [](fixture& f) { f.up->set(); },
                      [](fixture& f, const auto& outcome, test::cancel_stage) -> std::string {
                        if (outcome && (!outcome->has_value() || **outcome != 42))
                          return "no result";
                        return *f.running == 0 ? "" : "an attempt runs yet";
                      });
}
