// tests/base/deadline_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/base/deadline.hpp>

#include <doctest/doctest.h>

using namespace std::chrono_literals;

namespace {

using penstock::deadline;
using penstock::duration;
using penstock::time_point;

static_assert(std::is_aggregate_v<deadline> && std::is_trivially_copyable_v<deadline>);

TEST_CASE("never does not expire and leaves all the time") {
  const deadline d;
  CHECK(d == deadline::never());
  CHECK(d.is_never());
  CHECK_FALSE(d.expired(time_point::max()));
  CHECK(d.remaining(time_point{5s}) == duration::max());
  CHECK(deadline::after(time_point{5s}, duration::max()).is_never());
}

TEST_CASE("a deadline expires at its time, and nothing is left then") {
  const auto d = deadline::after(time_point{5s}, 2s);
  CHECK(d.at == time_point{7s});
  CHECK(d.remaining(time_point{6s}) == 1s);
  CHECK_FALSE(d.expired(time_point{7s} - 1ns));
  CHECK(d.expired(time_point{7s}));
  CHECK(d.remaining(time_point{7s}) == 0s);
  CHECK(d.remaining(time_point{9s}) == 0s);
  CHECK(d.remaining(time_point::min()) == duration::max());
}

TEST_CASE("the earlier one rules") {
  const deadline a{time_point{1s}}, b{time_point{2s}};
  CHECK(min(a, b) == a);
  CHECK(min(b, a) == a);
  CHECK(min(a, deadline::never()) == a);
  CHECK(a < b);
}

}  // namespace
