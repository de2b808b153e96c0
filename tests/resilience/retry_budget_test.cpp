// tests/resilience/retry_budget_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/resilience/retry_budget.hpp>

#include <penstock/core.hpp>
#include <penstock/resilience/retry.hpp>
#include <penstock/test.hpp>
#include <support/penstock_test.hpp>
#include <support/seeds.hpp>
#include <support/stopped.hpp>
#include <sync/two_loops.hpp>

#include <atomic>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;

static_assert(std::is_copy_constructible_v<retry_budget>);
static_assert(policy<decltype(retry({}, retry_budget{}))>);

namespace {
constexpr backoff steps = exponential(100ms, {.jitter = jitter::none});

struct server {
  bool down = true;
  int calls = 0;
  task<result<int>> call() {
    ++calls;
    if (down) co_return fail(errc::overloaded);
    co_return 42;
  }
};
}  // namespace

// [retry_budget]
// All clients of one server share its budget: in an outage a fifth of the requests is repeated.
static task<result<int>> ask(server& s, const retry_budget& budget) {
  auto call = [&] { return s.call(); };
  auto patient = retry({.attempts = 3, .backoff = exponential(100ms)}, budget);
  co_return co_await patient(idempotent(call));
}
// [/retry_budget]

// [by_hand]
// Whoever repeats in a way of its own asks the budget, too.
static task<int> redeliver(std::vector<int> jobs, retry_budget budget) {
  int repeated = 0;
  for (int failures : jobs) {
    budget.deposit();  // a job came
    if (failures > 0 && budget.try_withdraw()) ++repeated;
    co_await sleep_for(1ms);
  }
  co_return repeated;
}
// [/by_hand]

PENSTOCK_TEST("a retry that the budget refuses ends with the last error, and says why") {
  retry_budget budget{{.ratio = 0, .min_per_second = 0.1}};
  server s;
  const auto first = co_await ask(s, budget);
  CHECK(first.error() == errc::overloaded);
  CHECK(first.error().why() == retry_stop::budget);
  CHECK(s.calls == 2);
  const auto second = co_await ask(s, budget);
  CHECK(second.error().why() == retry_stop::budget);
  CHECK(s.calls == 3);
  s.down = false;
  CHECK(co_await ask(s, budget));
  const auto numbers = budget.stats();
  CHECK(numbers.deposits == 3);
  CHECK(numbers.withdrawn == 1);
  CHECK(numbers.refused == 2);
}

PENSTOCK_TEST("what would end anyway withdraws nothing") {
  const retry_budget budget{{.ratio = 0, .min_per_second = 1}};
  server s;
  auto call = [&] { return s.call(); };
  const auto once = retry({.attempts = 1}, budget);
  static_cast<void>(co_await once(idempotent(call)));
  const auto picky = retry({}, budget, [](const error&) { return false; });
  static_cast<void>(co_await picky(idempotent(call)));
  const auto late =
      retry({.attempts = 3, .backoff = constant(1s, {.jitter = jitter::none})}, budget);
  static_cast<void>(co_await with_timeout(500ms, late(idempotent(call))));
  CHECK(budget.stats().deposits == 3);
  CHECK(budget.stats().withdrawn == 0);
  CHECK(budget.stats().refused == 0);
}

PENSTOCK_TEST("a budget by hand") {
  std::vector<int> jobs(100, 1);
  CHECK(co_await redeliver(jobs, retry_budget{{.ratio = 0.2, .min_per_second = 0}}) == 20);
}

// R2: 1000 requests a second for 60 s, all fail, 3 attempts 0.1 s and 0.2 s apart.
template <class Policy>
static double amplification(const Policy& policy) {
  test::test_runtime rt;
  server s;
  auto call = [&] { return s.call(); };
  auto request = [&]() -> task<> { static_cast<void>(co_await policy(idempotent(call))); };
  rt.run(with_group([&](task_group& group) -> task<> {
    for (int i = 0; i < 60'000; ++i) {
      group.start(request());
      co_await sleep_for(1ms);
    }
  }));
  return s.calls / 60'000.0;
}
TEST_CASE(
    "R2: in an outage a budget bounds the load at 1.21 of the requests, without one it is 3") {
  const retry_options o{.attempts = 3, .backoff = steps};
  CHECK(amplification(retry(o)) == 3.0);
  const double with_budget = amplification(retry(o, retry_budget()));
  CHECK(std::abs(with_budget - 1.210) < 0.0121);
  // Two layers multiply without a budget; with one between them, they do not.
  auto nested = [](const auto& policy) {
    test::test_runtime rt;
    server s;
    auto call = [&] { return s.call(); };
    static_cast<void>(rt.run((policy | policy)(idempotent(call))));
    return s.calls;
  };
  CHECK(nested(retry(o)) == 9);
}

PENSTOCK_TEST("retries in retries with one budget count a request once") {
  const retry_budget budget;
  const retry_budget other;
  server s;
  auto call = [&] { return s.call(); };
  const auto both = retry({.attempts = 2, .backoff = steps}, budget) |
                    retry({.attempts = 2, .backoff = steps}, budget);
  static_cast<void>(co_await both(idempotent(call)));
  CHECK(s.calls == 4);
  CHECK(budget.stats().deposits == 1);
  CHECK(budget.stats().withdrawn == 3);
  const auto mixed = retry({.attempts = 2, .backoff = steps}, budget) |
                     retry({.attempts = 2, .backoff = steps}, other);
  static_cast<void>(co_await mixed(idempotent(call)));
  CHECK(budget.stats().deposits == 2);
  CHECK(other.stats().deposits == 2);  // each attempt is a request to what is inside
}

PENSTOCK_TEST("an observer is told when it is used up and when it is not any more") {
  std::string told;
  retry_budget budget{
      {.ratio = 0, .min_per_second = 0.2}, "backend", [&](const retry_budget_event& e) {
        told += std::string(e.name) + (e.exhausted ? " out, " : " in, ");
      }};
  CHECK(budget.try_withdraw());
  CHECK(budget.try_withdraw());
  CHECK(told.empty());
  CHECK_FALSE(budget.try_withdraw());
  CHECK_FALSE(budget.try_withdraw());
  co_await sleep_for(10s);
  CHECK(budget.try_withdraw());
  CHECK(told == "backend out, backend in, ");
}

TEST_CASE("an observer may throw, and may use the budget") {
  const retry_budget* again = nullptr;
  int told = 0;
  const retry_budget budget{{.ratio = 0, .min_per_second = 0}, "b", [&](const retry_budget_event&) {
                              ++told;
                              CHECK_FALSE(again->try_withdraw(time_point()));
                              throw std::runtime_error("no");
                            }};
  again = &budget;
  const log_level before = set_log_level(log_level::off);
  CHECK_FALSE(budget.try_withdraw(time_point()));
  set_log_level(before);
  CHECK(told == 1);
}

TEST_CASE("options of a budget are checked by name") {
  CHECK(validate(retry_budget_options{}));
  CHECK(validate(retry_budget_options{.ratio = 0, .min_per_second = 0}));
  CHECK(!validate(retry_budget_options{.ratio = -0.1}));
  CHECK(!validate(retry_budget_options{.ratio = std::numeric_limits<double>::quiet_NaN()}));
  CHECK(!validate(retry_budget_options{.min_per_second = -1}));
  CHECK(!validate(retry_budget_options{.min_per_second = std::numeric_limits<double>::infinity()}));
  CHECK(!validate(retry_budget_options{.window = 0s}));
  CHECK(support::stopped_with([] { retry_budget refused({.window = -1s}); }) ==
        "retry_budget_options 'window is below a microsecond': invalid option");
}

PENSTOCK_TEST("a delay that is cut off gives its retry back") {
  const retry_budget budget{{.ratio = 0, .min_per_second = 0.1}};
  server s;
  auto call = [&] { return s.call(); };
  const auto policy =
      retry({.attempts = 3, .backoff = constant(1s, {.jitter = jitter::none})}, budget);
  auto guarded = [&]() -> task<> { static_cast<void>(co_await policy(idempotent(call))); };
  auto soon = []() -> task<> { co_await sleep_for(10ms); };
  static_cast<void>(co_await when_any(guarded(), soon()));
  CHECK(s.calls == 1);
  CHECK(budget.stats().withdrawn == 1);
  CHECK(budget.stats().given_back == 1);
  CHECK(budget.stats().balance == doctest::Approx(1));
}

TEST_CASE("schedules: what a budget has given is attempts that began, or was given back") {
  for (auto seed : test::seeds(500)) {
    CAPTURE(seed);
    test::test_runtime rt({.seed = seed, .stop_at_step = seed % 3 == 0 ? seed % 97 + 1 : 0});
    const retry_budget budget{{.ratio = 0.3, .min_per_second = 20, .window = 1s}};
    const auto policy = retry({.attempts = 4, .backoff = exponential(5ms)}, budget);
    std::uint64_t attempts = 0, requests = 0;
    auto actor = [&](std::uint64_t id) -> task<> {
      random_engine random(seed * 8 + id);
      for (int i = 0; i < 10; ++i) {
        const auto takes = duration(random.uniform_int(0, 3'000'000));
        const auto patience = duration(random.uniform_int(0, 20'000'000));
        const bool fails = random.uniform_int(0, 2) != 0;
        auto call = [&attempts, takes, fails]() -> task<result<int>> {
          ++attempts;
          co_await sleep_for(takes);
          if (fails) co_return fail(errc::overloaded);
          co_return 1;
        };
        ++requests;
        if (random.uniform_int(0, 1) == 0) {
          static_cast<void>(co_await with_timeout(patience, policy(idempotent(call))));
        } else {
          auto idle = [patience]() -> task<> { co_await sleep_for(patience); };
          static_cast<void>(co_await when_any(policy(idempotent(call)), idle()));
        }
      }
    };
    auto all = [&]() -> task<result<>> {
      co_await when_all(actor(0), actor(1), actor(2));
      co_return {};
    };
    static_cast<void>(rt.run(all()));
    const auto s = budget.stats();
    CHECK(s.deposits + s.withdrawn - s.given_back == attempts);
    CHECK(s.deposits <= requests);
    CHECK(s.balance >= -1e-6 - 0.3 * static_cast<double>(s.deposits));
  }
}

TEST_CASE("two loops share a budget: it gives no more than it has") {
  const retry_budget budget{{.ratio = 0.1, .min_per_second = 5, .window = 1h}};
  std::atomic<int> granted{0};
  support::on_two_loops([&](std::uint64_t loop) -> task<> {
    random_engine random(loop);
    for (int i = 0; i < 20'000; ++i) {
      budget.deposit();
      if (budget.try_withdraw()) {
        ++granted;
        if (random.uniform_int(0, 9) == 0) {
          budget.give_back((co_await this_task::now()));
          --granted;
        }
      }
      if (random.uniform_int(0, 99) == 0) co_await yield();
    }
  });
  const auto s = budget.stats();
  CHECK(s.deposits == 40'000);
  CHECK(s.withdrawn - s.given_back == static_cast<std::uint64_t>(granted.load()));
  CHECK(granted.load() <= 18'000 + 4'000);
  CHECK(granted.load() > 21'900);  // what is given back at the very end nobody takes any more
}

PENSTOCK_TEST("a call with a budget allocates nothing") {
  const retry_budget budget;
  server s{.down = false};
  auto call = [&] { return s.call(); };
  const auto policy = retry({}, budget);
  for (int warm = 0; warm < 2; ++warm) {
    const test::allocation_counter count;
    for (int i = 0; i < 200; ++i) static_cast<void>(co_await policy(idempotent(call)));
    if (warm == 1) CHECK(count.allocations() == 0);
  }
}
