// tests/core/deep_chains_test.cpp
// SPDX-License-Identifier: BSL-1.0
// timeout: 300

// Long loops and deep chains need constant stack, however the compiler was called: scripts/test
// --matrix builds the files named deep_* at every optimisation level and under the sanitizers.
#include <penstock/core/task.hpp>

#include <penstock/core/ok.hpp>
#include <penstock/core/shield.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/core/yield.hpp>
#include <penstock/test/test_runtime.hpp>

#include <doctest/doctest.h>

#include <stdexcept>

using namespace penstock;
using namespace std::chrono_literals;

namespace {
constexpr int deep = 100'000;
constexpr long many = 10'000'000;

int alive = 0;
struct counted {
  counted() { ++alive; }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  ~counted() { --alive; }
};

enum class ending { at_once, after_a_turn, error, exception, never };

task<int> leaf(ending how) {
  if (how != ending::at_once) co_await yield();
  if (how == ending::exception) throw std::runtime_error("deep below");
  if (how == ending::never) co_await sleep_for(1h);
  co_return 1;
}
task<int> chain(int levels, ending how) {
  counted here;
  int below = 0;
  if (levels > 1)
    below = co_await chain(levels - 1, how);
  else
    below = co_await leaf(how);
  co_return below + 1;
}

task<result<int>> failing_leaf() {
  co_await yield();
  co_return fail(errc::exhausted, "dig", "the mine");
}
task<result<int>> failing_chain(int levels) {
  counted here;
  int below = 0;
  if (levels > 1)
    below = co_await ok(failing_chain(levels - 1));
  else
    below = co_await ok(failing_leaf());
  co_return below + 1;
}

task<int> one() { co_return 1; }
task<result<int>> one_or_error() { co_return 1; }
}  // namespace

TEST_CASE("ten million tasks that complete at once run in one loop") {
  auto loop = []() -> task<long> {
    long sum = 0;
    for (long i = 0; i < many; ++i) sum += co_await one();
    co_return sum;
  };
  test::test_runtime rt;
  CHECK(rt.run(loop()) == many);
}

TEST_CASE("ten million ok() of tasks that complete at once run in one loop") {
  auto loop = []() -> task<result<long>> {
    long sum = 0;
    for (long i = 0; i < many; ++i) sum += co_await ok(one_or_error());
    co_return sum;
  };
  test::test_runtime rt;
  CHECK(rt.run(loop()).value() == many);
}

TEST_CASE("a deep chain completes at once") {
  test::test_runtime rt;
  CHECK(rt.run(chain(deep, ending::at_once)) == deep + 1);
  CHECK(alive == 0);
}

TEST_CASE("a deep chain completes after its leaf waited") {
  test::test_runtime rt;
  CHECK(rt.run(chain(deep, ending::after_a_turn)) == deep + 1);
  CHECK(alive == 0);
}

TEST_CASE("a deep chain fails through ok") {
  test::test_runtime rt;
  auto outcome = rt.run(failing_chain(deep));
  REQUIRE_FALSE(outcome.has_value());
  CHECK(outcome.error() == errc::exhausted);
  CHECK(alive == 0);
}

TEST_CASE("a deep chain throws") {
  test::test_runtime rt;
  CHECK_THROWS_WITH_AS(rt.run(chain(deep, ending::exception)), "deep below", std::runtime_error);
  CHECK(alive == 0);
}

TEST_CASE("a deep chain is stopped") {
  auto bounded = []() -> task<result<int>> {
    auto outcome = co_await with_timeout(1ms, chain(deep, ending::never));
    CHECK(alive == 0);
    co_return outcome;
  };
  test::test_runtime rt;
  auto outcome = rt.run(bounded());
  REQUIRE_FALSE(outcome.has_value());
  CHECK(outcome.error() == errc::timed_out);
  CHECK(rt.now().time_since_epoch() == 1ms);
}

TEST_CASE("a deep chain is stopped from outside, before and after it waits") {
  for (std::uint64_t step : {1u, 2u}) {
    test::test_runtime rt({.stop_at_step = step});
    auto outcome = rt.run(as_result(chain(deep, ending::never)));
    REQUIRE_FALSE(outcome.has_value());
    CHECK(outcome.error() == errc::canceled);
    CHECK(alive == 0);
  }
}
