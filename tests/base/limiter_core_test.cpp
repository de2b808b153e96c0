// tests/base/limiter_core_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/base/limiter_core.hpp>

#include <penstock/base/random.hpp>

#include <doctest/doctest.h>

using namespace std::chrono_literals;

namespace {

using penstock::exact_window_core;
using penstock::fixed_window_core;
using penstock::gcra_core;
using penstock::rate;
using penstock::time_point;

static_assert(penstock::limiter_core<gcra_core> && penstock::limiter_core<exact_window_core> &&
              penstock::limiter_core<fixed_window_core>);
static_assert(!penstock::limiter_core<rate>);

// How many of a caller who asks at every millisecond are admitted in one minute, the first one
// spent idle, counted over the best minute: from one second before a window's end.
template <class Core>
int in_one_minute(Core core) {
  static_cast<void>(core.acquire(time_point{0s}));
  int n = 0;
  for (auto t = time_point{59s}; t < time_point{119s}; t += 1ms)
    n += core.acquire(t).admitted ? 1 : 0;
  return n;
}

TEST_CASE("the three meanings of 90 per minute") {
  // [limiters]
  const rate r{90, 60s};
  CHECK(in_one_minute(exact_window_core(r)) == 90);
  CHECK(in_one_minute(gcra_core(r, 1)) == 90);
  CHECK(in_one_minute(gcra_core(r, 90)) == 179);
  CHECK(in_one_minute(fixed_window_core(r)) == 179);  // one of the first window went to the caller
  // [/limiters]
}

// ready_at() says what acquire() would, and where more than the limit is asked for, what a caller
// gets who takes one after the other.
template <class Core>
void check_ready_at(Core core, bool far) {
  penstock::random_engine random(3);
  auto now = time_point{1s};
  for (int i = 0; i < 2000; ++i) {
    now += penstock::duration(random.uniform_int(0, 3'000'000'000));
    const auto cost = static_cast<std::uint32_t>(random.uniform_int(0, core.limit()));
    const auto ready = core.ready_at(now, cost);
    const auto decision = Core(core).acquire(now, cost);
    REQUIRE(ready == (decision.admitted ? now : decision.at));
    // One after the other, each as early as it can be.
    Core waits = core;
    const auto many = random.uniform_int(0, 3 * core.limit());
    auto then = now;
    for (std::uint64_t n = 0; n < static_cast<std::uint64_t>(many); ++n) {
      then = waits.ready_at(then, 1);
      REQUIRE(waits.acquire(then).admitted);
    }
    if (far || many <= core.limit())
      REQUIRE(core.ready_at(now, static_cast<std::uint64_t>(many)) == then);
    else
      REQUIRE(core.ready_at(now, static_cast<std::uint64_t>(many)) <= then);
    static_cast<void>(core.acquire(now, cost));
  }
  CHECK(core.ready_at(now, ~std::uint64_t{0} >> 1) > now + 100h);
}

TEST_CASE("all cores say when so many permits can have been taken") {
  const rate r{9, 6s};
  check_ready_at(gcra_core(r, 1), true);
  check_ready_at(gcra_core(r, 5), true);
  check_ready_at(exact_window_core(r), false);
  check_ready_at(fixed_window_core(r), true);
}

}  // namespace
