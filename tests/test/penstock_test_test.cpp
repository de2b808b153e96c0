// tests/test/penstock_test_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <support/penstock_test.hpp>

#include <penstock/core/sleep.hpp>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;

PENSTOCK_TEST("PENSTOCK_TEST runs its body on a fresh runtime for each seed") {
  CHECK(rt.now() == time_point());
  co_await sleep_for(5ms);
  CHECK(rt.now() == time_point(5ms));
}

PENSTOCK_TEST("a failed REQUIRE ends the body and fails the case" * doctest::should_fail()) {
  co_await sleep_for(1ns);
  REQUIRE(rt.now() == time_point());
}

PENSTOCK_TEST("a failed CHECK fails the case" * doctest::should_fail()) {
  co_await sleep_for(1ns);
  CHECK(rt.now() == time_point());
}

PENSTOCK_TEST("an exception fails the case" * doctest::should_fail()) {
  co_await sleep_for(1ns);
  throw 1;
}

PENSTOCK_TEST("a deadlock fails the case" * doctest::should_fail()) {
  co_await sleep_until(time_point::max());
}
