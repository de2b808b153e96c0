// tests/stream/collect_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/collect.hpp>

#include <penstock/stream.hpp>
#include <penstock/test/lifetime_tracked.hpp>
#include <penstock/test/test_runtime.hpp>
#include <stream/marbles.hpp>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::played;

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

// [collect]
static task<result<std::vector<int>>> doubled(std::vector<int> numbers) {
  const auto twice = [](int x) { return 2 * x; };
  co_return co_await (from(std::move(numbers)) | map(twice) | collect());
}
// [/collect]
TEST_CASE("collect() has all items in the frame in which the stream ends") {
  test::test_runtime rt;
  CHECK(rt.run(doubled({1, 2})).value() == std::vector{2, 4});
  const auto all = [](std::string_view what_comes) {
    return marbles::ended([=] { return marbles::source(what_comes) | collect(); });
  };
  CHECK(all("-a-b-c-|") == "-------[abc]");
  CHECK(all("-a-#") == "---#");
  CHECK(all("--|") == "--[]");
}
