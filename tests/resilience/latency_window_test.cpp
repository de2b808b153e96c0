// tests/resilience/latency_window_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/resilience/detail/latency_window.hpp>

#include <penstock/base/random.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;

TEST_CASE("a percentile is that of a sorted list, at most a sixteenth above") {
  random_engine random(7);
  for (int round = 0; round < 50; ++round) {
    detail::latency_window window(1s);
    std::vector<std::int64_t> all;
    const auto most = std::int64_t{1} << random.uniform_int(1, 42);
    for (auto n = random.uniform_int(1, 300); n > 0; --n) {
      all.push_back(random.uniform_int(0, most));
      window.add(time_point(0s), duration(all.back()));
    }
    std::sort(all.begin(), all.end());
    for (const double share : {0.01, 0.5, 0.9, 0.95, 0.99}) {
      const auto rank =
          static_cast<std::size_t>(std::ceil(share * static_cast<double>(all.size()) - 1e-9));
      const std::int64_t exact = all[rank == 0 ? 0 : rank - 1];
      const std::int64_t told = window.percentile(share).count();
      CAPTURE(exact);
      CHECK(told >= exact);
      CHECK(told <= exact + exact / 16 + 1);
    }
  }
}

TEST_CASE("what is older than the window before the present one is forgotten") {
  detail::latency_window window(1s);
  window.add(time_point(0s), 1ms);
  window.add(time_point(1500ms), 5ms);
  CHECK(window.total() == 2);
  CHECK(window.advance(time_point(2s)));
  CHECK(window.total() == 1);
  CHECK_FALSE(window.advance(time_point(2500ms)));
  CHECK(window.advance(time_point(10s)));
  CHECK(window.total() == 0);
  window.add(time_point(5s), 1ms);  // time does not go back
  CHECK(window.total() == 1);
}
