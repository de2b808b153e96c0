// tests/support/penstock_test.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A doctest case whose body is a coroutine, run on a fresh test runtime `rt` for each of a few
/// seeds; a failure names the seed:
///
///     PENSTOCK_TEST("a sleeper wakes in time") {
///       co_await sleep_for(5ms);
///       CHECK(rt.now() == time_point(5ms));
///     }
///
/// An idle runtime with unfinished tasks fails as a deadlock. REQUIRE ends the body; no SUBCASE.

#include <penstock/core/task.hpp>
#include <penstock/test/seeds.hpp>
#include <penstock/test/test_runtime.hpp>

#include <doctest/doctest.h>

namespace support {

inline void run_for_each_seed(penstock::task<> (*body)(penstock::test::test_runtime&)) {
  for (auto seed : penstock::test::seeds()) {
    CAPTURE(seed);
    penstock::test::test_runtime rt({.seed = seed});
    rt.run(body(rt));
  }
}

}  // namespace support

#define PENSTOCK_TEST_AS(function, name)                                                   \
  static ::penstock::task<> function([[maybe_unused]] ::penstock::test::test_runtime& rt); \
  TEST_CASE(name) { ::support::run_for_each_seed(&function); }                             \
  static ::penstock::task<> function([[maybe_unused]] ::penstock::test::test_runtime& rt)
#define PENSTOCK_TEST(name) PENSTOCK_TEST_AS(DOCTEST_ANONYMOUS(penstock_test_), name)
