// tests/core/deep_completion_test.cpp
// SPDX-License-Identifier: BSL-1.0
// timeout: 300
//
// Millions of completions that need no waiting, in one loop: the stack does not grow with them.
#include <penstock/core/task.hpp>

#include <penstock/base/config.hpp>
#include <penstock/core/ok.hpp>
#include <penstock/core/shield.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/when_any.hpp>
#include <penstock/core/with_group.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/core/yield.hpp>
#include <penstock/test/test_runtime.hpp>

#include <doctest/doctest.h>

#include <cstdint>

using namespace penstock;
using namespace std::chrono_literals;

namespace {
constexpr std::int64_t many = 10'000'000;  // in every build
// The least growth that was ever seen is 32 bytes a completion: a hundred thousand are 3 MB, and a
// million do not fit any stack.
#if PENSTOCK_ASAN || PENSTOCK_TSAN || !defined(__OPTIMIZE__)
constexpr std::int64_t some = 100'000;
#else
constexpr std::int64_t some = 1'000'000;
#endif
constexpr std::uintptr_t most_stack = 64 * 1024;

std::uintptr_t stack_here() { return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)); }
std::uintptr_t distance(std::uintptr_t a, std::uintptr_t b) { return a > b ? a - b : b - a; }

std::uintptr_t child_stack;
task<int> one() {
  child_stack = stack_here();
  co_return 1;
}
task<result<int>> one_checked() {
  child_stack = stack_here();
  co_return 1;
}
template <class Round>
task<> repeat(std::int64_t times, Round round) {
  const auto start = stack_here();
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < times; ++i) sum += co_await round();
  CHECK(sum == times);
  CHECK(distance(start, stack_here()) < most_stack);
  CHECK(distance(start, child_stack) < most_stack);
}
task<int> in_ok() { co_return (co_await one_checked()).value(); }
task<result<int>> with_ok() { co_return co_await ok(one_checked()); }
}  // namespace

TEST_CASE("ten million awaits of tasks that complete at once") {
  test::test_runtime().run(repeat(many, [] { return one(); }));
}

TEST_CASE("awaits through every scope that complete at once") {
  test::test_runtime rt;
  rt.run(repeat(some, []() -> task<int> { co_return (co_await with_ok()).value(); }));
  rt.run(repeat(some, []() -> task<int> { co_return co_await must(one_checked()); }));
  rt.run(repeat(some, []() -> task<int> { co_return co_await shield(one()); }));
  rt.run(repeat(some, []() -> task<int> { co_return co_await must(with_timeout(1h, one())); }));
  rt.run(repeat(some, []() -> task<int> { co_return (co_await as_result(one())).value(); }));
  rt.run(repeat(some, []() -> task<int> {
    static_cast<void>(co_await this_task::now());
    co_return 1;
  }));
  rt.run(repeat(some, [] { return in_ok(); }));
}

TEST_CASE("awaits by way of the ready queue") {
  test::test_runtime rt;
  rt.run(repeat(some, []() -> task<int> {
    co_await yield();
    co_return co_await one();
  }));
  rt.run(repeat(some, []() -> task<int> {
    auto [a, b] = co_await when_all(one(), one());
    co_return a + b - 1;
  }));
  rt.run(repeat(some, []() -> task<int> { co_return (co_await when_any(one())).value; }));
  rt.run(repeat(some, []() -> task<int> {
    auto r = co_await with_group([](task_group& group) -> task<int> {
      group.start(one());
      co_return 1;
    });
    co_return r.value();
  }));
}

// The child ends the group's join before the parent has suspended, over and over.
TEST_CASE("a million children that end at once") {
  test::test_runtime rt;
  std::int64_t ended = 0;
  auto child = [&]() -> task<> {
    ++ended;
    co_return;
  };
  rt.run(with_group([&](task_group& group) -> task<> {
    for (std::int64_t i = 0; i < some; ++i) {
      group.start(child);
      if (i % 64 == 0) co_await yield();
    }
  }));
  CHECK(ended == some);
}
