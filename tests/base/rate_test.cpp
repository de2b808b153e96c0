// tests/base/rate_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/base/rate.hpp>

#include <doctest/doctest.h>

using namespace std::chrono_literals;

namespace {

using penstock::errc;
using penstock::limiter_decision;
using penstock::rate;

static_assert(std::is_aggregate_v<rate> && std::is_trivially_copyable_v<limiter_decision>);
static_assert(penstock::per_minute(90) == rate{90, 60s});
static_assert(penstock::per_second(5) == rate{.count = 5});
static_assert(penstock::per_hour(1).period == 3600s);

TEST_CASE("a rate that lets nothing through is an invalid option, by name") {
  CHECK(validate(rate{90, 60s}));
  CHECK(validate(rate{}));
  CHECK(validate(rate{0, 60s}).error() == errc::invalid_option);
  CHECK(validate(rate{0, 60s}).error().message() == "rate 'count': invalid option");
  CHECK(validate(rate{1, 0s}).error().message() == "rate 'period': invalid option");
  CHECK(validate(rate{1, -1s}).error() == errc::invalid_option);
}

TEST_CASE("a decision that nobody filled refuses for ever") {
  const limiter_decision d;
  CHECK_FALSE(d.admitted);
  CHECK(d.at == penstock::time_point::max());
}

}  // namespace
