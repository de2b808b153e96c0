// tests/stream/collect_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/collect.hpp>

#include <penstock/stream.hpp>
#include <penstock/test/lifetime_tracked.hpp>
#include <penstock/test/test_runtime.hpp>

#include <doctest/doctest.h>

using namespace penstock;

TEST_CASE("collect() drops what it has when the stream fails") {
  test::test_runtime rt;
  test::lifetime_log log;
  rt.run([](test::lifetime_log& life) -> task<> {
    std::vector<int> numbers{1, 2, 3};
    auto make = [&](int x) -> result<test::lifetime_tracked> {
      if (x == 3) return fail(errc::corrupt);
      return test::lifetime_tracked(life, x);
    };
    auto outcome = co_await (from(numbers) | map(make) | collect());
    CHECK(outcome.error() == errc::corrupt);
  }(log));
  CHECK(log.clean());
}
