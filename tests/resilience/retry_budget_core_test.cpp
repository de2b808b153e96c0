// tests/resilience/retry_budget_core_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/resilience/detail/retry_budget_core.hpp>

#include <penstock/base/random.hpp>

#include <cmath>
#include <deque>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;
using detail::retry_budget_core;

namespace {
int withdraw_all(retry_budget_core& budget, time_point now) {
  int n = 0;
  while (budget.try_withdraw(now)) ++n;
  return n;
}
}  // namespace

TEST_CASE("what a budget allows at once") {
  struct row {
    const char* what;
    double ratio;
    double min_per_second;
    duration window;
    int deposits;
    int allowed;
  };
  const row rows[] = {
      {"nothing", 0, 0, 10s, 100, 0},
      {"the reserve only", 0, 10, 10s, 100, 100},
      {"a share only", 0.2, 0, 10s, 100, 20},
      {"a share, not whole", 0.2, 0, 10s, 4, 0},
      {"a share, just whole", 0.2, 0, 10s, 5, 1},
      {"ten tenths are one", 0.1, 0, 10s, 10, 1},
      {"both", 0.2, 10, 10s, 100, 120},
      {"more than one for each", 2.5, 0, 1s, 2, 5},
      {"a slow reserve", 0, 0.05, 10s, 0, 0},
      {"a short window", 0.5, 3, 1s, 4, 5},
  };
  for (const row& r : rows) {
    CAPTURE(r.what);
    retry_budget_core budget(r.ratio, r.min_per_second, r.window);
    for (int i = 0; i < r.deposits; ++i) budget.deposit(time_point(1s));
    CHECK(withdraw_all(budget, time_point(1s)) == r.allowed);
  }
}

TEST_CASE("requests and retries are forgotten after the window") {
  retry_budget_core budget(0.5, 1, 10s);
  CHECK(withdraw_all(budget, time_point(0s)) == 10);
  CHECK(withdraw_all(budget, time_point(9999ms)) == 0);
  CHECK(withdraw_all(budget, time_point(10s)) == 10);  // the reserve is there again
  for (int i = 0; i < 8; ++i) budget.deposit(time_point(15s));
  CHECK(withdraw_all(budget, time_point(16s)) == 4);
  CHECK(budget.balance(time_point(24'900ms)) == doctest::Approx(10));
  CHECK(budget.balance(time_point(25s)) == doctest::Approx(6));  // the deposits are, those are not
  CHECK(budget.balance(time_point(26s)) == doctest::Approx(10));
}

TEST_CASE("what is given back is as if it had not been withdrawn, whenever that was") {
  retry_budget_core budget(0, 1, 10s);
  CHECK(withdraw_all(budget, time_point(0s)) == 10);
  budget.give_back(time_point(0s));
  CHECK(withdraw_all(budget, time_point(5s)) == 1);
  budget.give_back(time_point(0s));
  budget.give_back(time_point(5s));
  CHECK(budget.balance(time_point(5s)) == doctest::Approx(2));
  CHECK(budget.balance(time_point(10s)) == doctest::Approx(10));
  budget.give_back(time_point(0s));  // forgotten already
  CHECK(budget.balance(time_point(10s)) == doctest::Approx(10));
  budget.give_back(time_point(1h));  // a time that is not yet: the newest
  CHECK(budget.balance(time_point(10s)) == doctest::Approx(11));
}

TEST_CASE("a clock that stands or goes back makes no retries") {
  retry_budget_core budget(0, 10, 10s);
  CHECK(withdraw_all(budget, time_point(1h)) == 100);
  CHECK(withdraw_all(budget, time_point(1h)) == 0);
  CHECK(withdraw_all(budget, time_point(0s)) == 0);
  CHECK(withdraw_all(budget, time_point(-1h)) == 0);
}

TEST_CASE("the rule, against a list of all that happened") {
  random_engine random(11);
  retry_budget_core budget(0.25, 2, 1s);
  struct entry {
    std::int64_t slice;
    double amount;
  };
  std::deque<entry> all;
  std::int64_t now = 0;
  for (int i = 0; i < 20'000; ++i) {
    now += random.uniform_int(0, 12'000'000);
    const std::int64_t slice = now / 10'000'000;
    while (!all.empty() && all.front().slice <= slice - 100) all.pop_front();
    double balance = 2;
    for (const entry& e : all) balance += e.amount;
    CHECK(std::abs(budget.balance(time_point(duration(now))) - balance) < 1e-6);
    if (random.uniform_int(0, 2) != 0) {
      budget.deposit(time_point(duration(now)));
      all.push_back({slice, 0.25});
    } else {
      const bool granted = budget.try_withdraw(time_point(duration(now)));
      CHECK(granted == (balance > 1 - 1e-6));
      if (granted) all.push_back({slice, -1});
    }
  }
}
