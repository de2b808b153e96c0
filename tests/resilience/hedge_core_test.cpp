// tests/resilience/hedge_core_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/resilience/detail/hedge_core.hpp>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;
using detail::hedge_core;

TEST_CASE("the delay is fixed, or what the share of the calls took once enough are known") {
  hedge_core fixed({.delay = 300ms});
  CHECK_FALSE(fixed.is_adaptive());
  CHECK(fixed.begin(time_point()) == 300ms);
  hedge_core core({.delay = 300ms, .percentile = 0.9, .min_data_points = 10, .window = 1s});
  CHECK(core.is_adaptive());
  for (int i = 1; i <= 9; ++i) {
    core.took(time_point(10ms), i * 16us);
    CHECK(core.begin(time_point(10ms)) == 300ms);
  }
  core.took(time_point(10ms), 10s);
  const duration ninth = core.begin(time_point(10ms));
  CHECK(ninth >= 144us);
  CHECK(ninth <= 153us);
  CHECK(core.delay() == ninth);
  CHECK(core.begin(time_point(1999ms)) == ninth);
  CHECK(core.begin(time_point(2s)) == 300ms);  // forgotten
}

TEST_CASE("the budget: full at first, so much for each success, one for each hedge") {
  struct row {
    const char* what;
    double capacity;
    double per_success;
    int successes;
    int at_first;
    int afterwards;
  };
  const row rows[] = {
      {"the defaults", 10, 0.05, 20, 10, 1},
      {"the defaults, one less", 10, 0.05, 19, 10, 0},
      {"never more than its capacity", 3, 1, 100, 3, 3},
      {"nothing at all", 0, 1, 100, 0, 0},
      {"less than one", 0.5, 1, 100, 0, 0},
      {"no more than at first", 2, 0, 100, 2, 0},
  };
  for (const row& r : rows) {
    CAPTURE(r.what);
    hedge_core core({.budget_capacity = r.capacity, .budget_per_success = r.per_success});
    int n = 0;
    while (core.try_hedge()) ++n;
    CHECK(n == r.at_first);
    for (int i = 0; i < r.successes; ++i) core.succeeded();
    n = 0;
    while (core.try_hedge()) ++n;
    CHECK(n == r.afterwards);
  }
}
