// tests/base/gcra_core_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/base/gcra_core.hpp>

#include <doctest/doctest.h>

#include <deque>

#include <penstock/base/random.hpp>

#include "support/seeds.hpp"
#include "support/stopped.hpp"

using namespace std::chrono_literals;

namespace {

using penstock::duration;
using penstock::gcra_core;
using penstock::rate;
using penstock::time_point;

static_assert(sizeof(gcra_core) == 32);

time_point at(duration d) { return time_point{d}; }

// The time at which permit number `n`, counted from 1, is given to one who always waits.
time_point nth(gcra_core core, int n, time_point start = {}) {
  time_point now = start;
  for (int i = 0; i < n; ++i) {
    auto d = core.acquire(now);
    if (!d.admitted) {
      REQUIRE(d.at > now);
      now = d.at;
      d = core.acquire(now);
    }
    REQUIRE(d.admitted);
  }
  return now;
}
int within(const gcra_core& core, duration span) {
  int n = 0;
  while (nth(core, n + 1) < at(span)) ++n;
  return n;
}

TEST_CASE("90 in 60 seconds, evenly and in bursts") {
  const rate r{90, 60s};
  // A time that is no whole nanosecond is rounded up.
  CHECK(nth(gcra_core(r, 1), 90) == at(59'333'333'334ns));
  CHECK(nth(gcra_core(r, 1), 91) == at(60s));
  CHECK(nth(gcra_core(r, 10), 90) == at(53'333'333'334ns));
  CHECK(nth(gcra_core(r, 10), 91) == at(54s));
  CHECK(nth(gcra_core(r, 90), 90) == at(0s));
  CHECK(nth(gcra_core(r, 90), 91) == at(666'666'667ns));
  CHECK(within(gcra_core(r, 1), 60s) == 90);
  CHECK(within(gcra_core(r, 90), 60s) == 179);
  CHECK(nth(gcra_core(r, 10), 100) == at(60s));
}

TEST_CASE("no drift: a permit many periods later comes on the nanosecond") {
  CHECK(nth(gcra_core(rate{3, 1s}), 300'001) == at(100'000s));
  CHECK(nth(gcra_core(rate{7, 1s}), 7'001) == at(1000s));
  CHECK(nth(gcra_core(rate{999'983, 1s}), 999'984) == at(1s));
}

TEST_CASE("one message a second") {
  gcra_core core(rate{1, 1s});
  CHECK(core.acquire(at(0s)).admitted);
  const auto d = core.acquire(at(999ms));
  CHECK_FALSE(d.admitted);
  CHECK(d.at == at(1s));
  CHECK(core.acquire(at(1s)).admitted);
}

TEST_CASE("a cost takes that many, and more than the burst never comes") {
  gcra_core core(rate{10, 1s}, 5);
  CHECK(core.acquire(at(0s), 6).at == time_point::max());
  CHECK_FALSE(core.acquire(at(0s), 6).admitted);
  CHECK(core.available(at(0s)) == 5);
  CHECK(core.acquire(at(0s), 3).admitted);
  CHECK(core.available(at(0s)) == 2);
  const auto d = core.acquire(at(0s), 5);
  CHECK_FALSE(d.admitted);
  CHECK(d.at == at(300ms));
  CHECK(core.acquire(at(300ms), 5).admitted);
  CHECK(core.available(at(300ms)) == 0);
  CHECK(core.available(at(399ms)) == 0);
  CHECK(core.available(at(400ms)) == 1);
  CHECK(core.fresh_at() == at(800ms));
  CHECK(core.acquire(at(300ms), 0).admitted);
}

TEST_CASE("a refund restores, and never more than there was") {
  gcra_core core(rate{10, 1s}, 5);
  CHECK(core.acquire(at(0s), 5).admitted);
  core.refund(at(0s), 2);
  CHECK(core.available(at(0s)) == 2);
  CHECK(core.acquire(at(0s), 2).admitted);
  core.refund(at(0s), 5);
  core.refund(at(0s), 5);
  CHECK(core.available(at(0s)) == 5);
  CHECK(core.available(at(100s)) == 5);
}

TEST_CASE("any burst plus period holds at most burst + count") {
  for (const auto seed : support::seeds(10)) {
    CAPTURE(seed);
    penstock::random_engine random(seed);
    const auto count = static_cast<std::uint32_t>(random.uniform_int(1, 100));
    const auto burst = static_cast<std::uint32_t>(random.uniform_int(1, 20));
    gcra_core core(rate{count, 60s}, burst);
    std::deque<time_point> recent;
    time_point now{};
    for (int i = 0; i < 10'000; ++i) {
      now += duration(random.uniform_int(0, 2 * 60'000'000'000 / count));
      const auto d = core.acquire(now);
      if (!d.admitted) {
        REQUIRE(d.at > now);
        if (random.uniform_int(0, 1)) continue;
        now = d.at;
        REQUIRE(core.acquire(now).admitted);
      }
      recent.push_back(now);
      while (recent.front() < now - 60s) recent.pop_front();
      REQUIRE(recent.size() <= burst + count);
    }
  }
}

TEST_CASE("times before the start, and at the end of time, are times") {
  gcra_core core(rate{4'000'000'000u, 1s}, 4'000'000'000u);
  CHECK(core.acquire(time_point::min(), 4'000'000'000u).admitted);
  CHECK(core.acquire(at(0s), 4'000'000'000u).admitted);
  CHECK(core.acquire(time_point::max() - 1ns, 4'000'000'000u).admitted);
  CHECK(core.acquire(time_point::max() - 1ns, 4'000'000'000u).at == time_point::max());
  gcra_core slow(rate{1, duration::max()});
  CHECK(slow.acquire(at(0s)).admitted);
  CHECK(slow.acquire(at(1h)).at == time_point::max());
}

TEST_CASE("invalid options stop the program") {
  CHECK(support::stopped_with([] {
          gcra_core core(rate{0, 1s});
        }) == "gcra_core: rate has a count or period of zero or less");
  CHECK(support::stopped_with([] { gcra_core core(rate{1, 1s}, 0); }) == "gcra_core: burst is 0");
}

}  // namespace
