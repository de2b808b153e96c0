// tests/base/limiter_core_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/base/limiter_core.hpp>

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

}  // namespace
