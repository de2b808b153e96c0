// tests/resilience/time_slices_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/resilience/detail/time_slices.hpp>

#include <penstock/base/random.hpp>

#include <utility>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;

TEST_CASE("what was added is forgotten when its slice is as old as the span") {
  detail::time_slices<int> window(10s, 10);
  window.add(time_point(0s), 3);
  window.add(time_point(999ms), 1);
  window.add(time_point(1s), 5);
  CHECK(window.total(time_point(9999ms)) == 9);
  CHECK(window.total(time_point(10s)) == 5);
  CHECK(window.total(time_point(11s)) == 0);
  window.add(time_point(100s), 2);
  CHECK(window.total(time_point(50s)) == 2);  // time does not go back
  CHECK(window.total(time_point(1h)) == 0);
}

TEST_CASE("times before 0 have slices too") {
  detail::time_slices<int> window(4s, 4);
  window.add(time_point(-1ns), 1);
  window.add(time_point(0s), 1);
  CHECK(window.total(time_point(2999ms)) == 2);
  CHECK(window.total(time_point(3s)) == 1);
  CHECK(window.total(time_point(4s)) == 0);
}

TEST_CASE("the total is that of a list of all that was added") {
  random_engine random(3);
  detail::time_slices<int> window(1s, 20);
  std::vector<std::pair<std::int64_t, int>> all;  // slice, count
  std::int64_t now = -5'000;                      // milliseconds
  for (int i = 0; i < 5000; ++i) {
    now += static_cast<std::int64_t>(random() % 120);
    const int n = static_cast<int>(random() % 10);
    const std::int64_t slice = now >= 0 ? now / 50 : (now - 49) / 50;
    window.add(time_point(std::chrono::milliseconds(now)), n);
    all.emplace_back(slice, n);
    int expected = 0;
    for (const auto& [at, count] : all) {
      if (at > slice - 20) expected += count;
    }
    REQUIRE(window.total(time_point(std::chrono::milliseconds(now))) == expected);
    if (all.size() > 200) all.erase(all.begin(), all.begin() + 100);
  }
}

TEST_CASE("an earlier slice can be amended until it is forgotten") {
  detail::time_slices<int> window(10s, 10);
  window.amend(time_point(0s), 1);  // nothing was added yet
  CHECK(window.total(time_point(0s)) == 0);
  window.add(time_point(500ms), 3);
  window.add(time_point(5s), 4);
  window.amend(time_point(700ms), -2);
  CHECK(window.total(time_point(5s)) == 5);
  CHECK(window.total(time_point(10s)) == 4);
  window.amend(time_point(999ms), -1);  // forgotten
  window.amend(time_point(5s), -4);
  window.amend(time_point(1h), 7);  // as if it were now
  CHECK(window.total(time_point(10s)) == 7);
  CHECK(window.total(time_point(20s)) == 0);
}
