// tests/core/deep_chain_test.cpp
// SPDX-License-Identifier: BSL-1.0
// timeout: 300
//
// Chains of a hundred thousand tasks, each awaiting the next: however they end, the stack does not
// grow with them.
#include <penstock/core/waiter.hpp>

#include <penstock/core/finally.hpp>
#include <penstock/core/ok.hpp>
#include <penstock/core/shield.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/with_group.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/core/yield.hpp>
#include <penstock/test/test_runtime.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <stdexcept>

#include "probes.hpp"

using namespace penstock;
using namespace std::chrono_literals;
using probes::failure;

namespace {
constexpr int depth = 100'000;

// How far down the stack the coroutines of a chain run.
struct stack_gauge {
  std::uintptr_t lowest = UINTPTR_MAX, highest = 0;
  int frames = 0;  // that are alive
  void look() {
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    lowest = here < lowest ? here : lowest;
    highest = here > highest ? here : highest;
  }
  std::uintptr_t range() const { return highest - lowest; }
};
// Alive as long as its frame.
struct counted {
  explicit counted(stack_gauge& g) : gauge(g) {
    ++gauge.frames;
    gauge.look();
  }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  ~counted() {
    --gauge.frames;
    gauge.look();
  }
  stack_gauge& gauge;
};

enum class end { at_once, later, error, exception, never };

task<result<int>> bottom(stack_gauge& gauge, end how) {
  counted c(gauge);
  if (how == end::later) co_await yield();
  if (how == end::error) co_return fail(errc::exhausted);
  if (how == end::exception) throw failure("deep");
  if (how == end::never) co_await sleep_for(1h);
  co_return 0;
}
task<result<int>> by_await(stack_gauge& gauge, end how, int n) {
  counted c(gauge);
  if (n == 0) co_return co_await bottom(gauge, how);
  auto r = co_await by_await(gauge, how, n - 1);
  gauge.look();
  if (r) ++*r;
  co_return r;
}
task<result<int>> by_ok(stack_gauge& gauge, end how, int n) {
  counted c(gauge);
  if (n == 0) co_return co_await ok(bottom(gauge, how));
  const int below = co_await ok(by_ok(gauge, how, n - 1));
  gauge.look();
  co_return below + 1;
}
task<result<int>> by_must(stack_gauge& gauge, end how, int n) {
  counted c(gauge);
  if (n == 0) co_return co_await must(bottom(gauge, how));
  const int below = co_await must(by_must(gauge, how, n - 1));
  co_return below + 1;
}

using chain = task<result<int>> (*)(stack_gauge&, end, int);
constexpr chain chains[] = {by_await, by_ok, by_must};
// A coroutine's own frame on the stack, and the loop's: measured up to a few KiB without
// optimisation and with sanitizers.
constexpr std::uintptr_t most_stack = 64 * 1024;
}  // namespace

TEST_CASE("chains 100,000 tasks deep that complete") {
  for (auto run : chains) {
    for (auto how : {end::at_once, end::later}) {
      stack_gauge gauge;
      CHECK(test::test_runtime().run(run(gauge, how, depth)).value() == depth);
      CHECK(gauge.frames == 0);
      CHECK(gauge.range() < most_stack);
    }
  }
}

TEST_CASE("chains 100,000 tasks deep that fail") {
  for (auto run : {by_await, by_ok}) {
    stack_gauge gauge;
    CHECK(test::test_runtime().run(run(gauge, end::error, depth)).error() == errc::exhausted);
    CHECK(gauge.frames == 0);
    CHECK(gauge.range() < most_stack);
  }
}

TEST_CASE("chains 100,000 tasks deep that throw") {
  for (auto run : chains) {
    stack_gauge gauge;
    CHECK_THROWS_AS(static_cast<void>(test::test_runtime().run(run(gauge, end::exception, depth))),
                    failure);
    CHECK(gauge.frames == 0);
    CHECK(gauge.range() < most_stack);
  }
}

TEST_CASE("chains 100,000 tasks deep that are stopped") {
  for (auto run : chains) {
    stack_gauge gauge;
    test::test_runtime rt;
    CHECK(rt.run(with_timeout(1ms, run(gauge, end::never, depth))).error() == errc::timed_out);
    CHECK(gauge.frames == 0);
    CHECK(gauge.range() < most_stack);
  }
}

TEST_CASE("a deep chain that is stopped at once, and several of them in one group") {
  stack_gauge gauge;
  test::test_runtime rt;
  CHECK(rt.run(with_timeout(0ms, by_ok(gauge, end::never, depth))).error() == errc::timed_out);
  CHECK(gauge.frames == 0);
  auto body = [&](task_group& group) -> task<result<>> {
    for (int i = 0; i < 3; ++i) group.start(by_ok(gauge, end::never, depth / 3));
    co_await sleep_for(1ms);
    group.start(by_ok(gauge, end::error, depth));
    co_await sleep_for(1h);
    co_return result<>();
  };
  CHECK(rt.run(with_group(body)).error() == errc::exhausted);
  CHECK(gauge.frames == 0);
  CHECK(gauge.range() < most_stack);
}

namespace {
// Each level is a scope of its own.
task<result<int>> by_scopes(stack_gauge& gauge, end how, int n) {
  counted c(gauge);
  if (n == 0) co_return co_await ok(bottom(gauge, how));
  co_return co_await ok(with_timeout(1h, by_scopes(gauge, how, n - 1)));
}
}  // namespace

TEST_CASE("100,000 nested scopes that complete, fail, throw and are stopped") {
  constexpr int scopes = depth;
  stack_gauge gauge;
  test::test_runtime rt;
  CHECK(rt.run(by_scopes(gauge, end::later, scopes)).value() == 0);
  CHECK(rt.run(by_scopes(gauge, end::error, scopes)).error() == errc::exhausted);
  CHECK_THROWS_AS(static_cast<void>(rt.run(by_scopes(gauge, end::exception, scopes))), failure);
  CHECK(rt.run(with_timeout(1ms, by_scopes(gauge, end::never, scopes))).error() == errc::timed_out);
  CHECK(gauge.frames == 0);
  CHECK(gauge.range() < most_stack);
}

namespace {
struct nothing_to_do : leaf<nothing_to_do> {
  bool await_ready() const noexcept { return ready; }
  suspension start(waiter& w) const noexcept { return resume_now(w); }
  void await_resume() const noexcept {}
  bool ready = true;
};
// Each level has a clean-up that ends at once.
task<result<int>> by_finally(stack_gauge& gauge, end how, int n) {
  counted c(gauge);
  if (n == 0) co_return co_await ok(bottom(gauge, how));
  auto clean = [n] {
    nothing_to_do leaf;
    leaf.ready = n % 2 == 0;
    return leaf;
  };
  co_return co_await ok(finally(by_finally(gauge, how, n - 1), clean));
}
}  // namespace

TEST_CASE("100,000 clean-ups that end at once, of tasks that complete, fail and are stopped") {
  stack_gauge gauge;
  test::test_runtime rt;
  CHECK(rt.run(by_finally(gauge, end::later, depth)).value() == 0);
  CHECK(rt.run(by_finally(gauge, end::error, depth)).error() == errc::exhausted);
  CHECK(rt.run(with_timeout(1ms, by_finally(gauge, end::never, depth))).error() == errc::timed_out);
  CHECK(gauge.frames == 0);
  CHECK(gauge.range() < most_stack);
}
