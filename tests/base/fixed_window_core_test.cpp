// tests/base/fixed_window_core_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/base/fixed_window_core.hpp>

#include <doctest/doctest.h>

#include "support/stopped.hpp"

using namespace std::chrono_literals;

namespace {

using penstock::duration;
using penstock::fixed_window_core;
using penstock::rate;
using penstock::time_point;

time_point at(duration d) { return time_point{d}; }

TEST_CASE("90 at once, the next when the window that they opened ends") {
  fixed_window_core core(rate{90, 60s});
  for (int i = 0; i < 90; ++i) CHECK(core.acquire(at(5s)).admitted);
  const auto d = core.acquire(at(64s));
  CHECK_FALSE(d.admitted);
  CHECK(d.at == at(65s));
  CHECK(core.available(at(64s)) == 0);
  CHECK(core.available(at(65s)) == 90);
  CHECK(core.fresh_at() == at(65s));
  for (int i = 0; i < 90; ++i) CHECK(core.acquire(at(65s)).admitted);
  CHECK(core.acquire(at(65s)).at == at(125s));
}

TEST_CASE("around the end of a window come twice the count: that is what fixed means") {
  fixed_window_core core(rate{90, 60s});
  CHECK(core.acquire(at(0s)).admitted);
  CHECK(core.acquire(at(59s), 89).admitted);
  CHECK(core.acquire(at(60s), 90).admitted);
}

TEST_CASE("costs, refunds and their limits") {
  fixed_window_core core(rate{10, 1s});
  CHECK(core.acquire(at(0s), 11).at == time_point::max());
  CHECK(core.acquire(at(0s), 0).admitted);
  CHECK(core.fresh_at() == time_point::min());
  const auto first = core.acquire(at(0s), 8);
  CHECK(first.admitted);
  CHECK_FALSE(core.acquire(at(0s), 3).admitted);
  core.refund(first.at, 4);
  CHECK(core.available(at(0s)) == 6);
  core.refund(first.at, 100);
  CHECK(core.available(at(0s)) == 10);
  CHECK(core.acquire(at(1500ms), 10).admitted);
  core.refund(at(0s), 8);  // of the window before
  CHECK(core.available(at(1500ms)) == 0);
}

TEST_CASE("an invalid rate stops the program") {
  CHECK(support::stopped_with([] {
          fixed_window_core core(rate{1, 0s});
        }) == "fixed_window_core: rate has a count or period of zero or less");
}

}  // namespace
