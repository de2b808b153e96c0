// tests/core/task_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core/task.hpp>

#include <penstock/base/result.hpp>
#include <penstock/core/sync_wait.hpp>
#include <penstock/core/with_group.hpp>
#include <penstock/core/yield.hpp>
#include <penstock/test/lifetime_tracked.hpp>
#include <support/penstock_test.hpp>
#include <support/stopped.hpp>

#include <doctest/doctest.h>

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "probes.hpp"

using namespace penstock;
using probes::failure;
using test::lifetime_log;
using test::lifetime_tracked;

static_assert(std::movable<task<int>> && !std::copyable<task<int>>);
static_assert(!std::is_default_constructible_v<task<>>);
static_assert(std::is_nothrow_move_constructible_v<task<>>);
static_assert(sizeof(task<std::string>) == sizeof(void*));
static_assert(is_task_v<task<>> && !is_task_v<int>);
static_assert(std::is_same_v<task<>, task<void>>);
static_assert(std::is_same_v<task<int&>::value_type, int&>);

namespace {
task<int> answer() { co_return 42; }
task<> nothing() { co_return; }
task<int&> same(int& x) { co_return x; }
task<std::unique_ptr<int>> owner(int x) { co_return std::make_unique<int>(x); }
task<result<int>> checked(int x) {
  if (x < 0) co_return fail(std::errc::invalid_argument);
  co_return x;
}
task<int> thrower(bool suspend) {
  [[maybe_unused]] int local = 0;
  if (suspend) co_await yield();
  throw failure("thrown");
}
task<std::pair<int, std::string>> from_braces() { co_return {3, "x"}; }
task<int> add(task<int> a, task<int> b) {
  const int x = co_await std::move(a);
  const int y = co_await std::move(b);
  co_return x + y;
}
}  // namespace

PENSTOCK_TEST("a task yields a value, a reference, a move-only value, a result, nothing") {
  CHECK(co_await answer() == 42);
  co_await nothing();
  int x = 1;
  int& r = co_await same(x);
  CHECK(&r == &x);
  auto p = co_await owner(7);
  CHECK(*p == 7);
  auto good = co_await checked(3);
  CHECK(good.value() == 3);
  auto bad = co_await checked(-1);
  CHECK(bad.error() == std::errc::invalid_argument);
  CHECK(co_await from_braces() == std::pair(3, std::string("x")));
  CHECK(co_await add(answer(), answer()) == 84);
}

PENSTOCK_TEST("an exception of a task reaches the one that awaits it") {
  for (const bool suspend : {false, true}) {
    std::string what;
    try {
      co_await thrower(suspend);
    } catch (const failure& e) {
      what = e.what();
    }
    CHECK(what == "thrown");
  }
}

PENSTOCK_TEST("a task starts when it is awaited, not before") {
  bool ran = false;
  auto body = [&]() -> task<> {
    ran = true;
    co_return;
  };
  auto t = body();
  CHECK_FALSE(ran);
  co_await std::move(t);
  CHECK(ran);
}

TEST_CASE("a task that is never awaited destroys its parameters and runs nothing") {
  lifetime_log log;
  bool ran = false;
  const auto body = [](bool& r, lifetime_tracked) -> task<> {
    r = true;
    co_return;
  };
  { auto t = body(ran, lifetime_tracked(log)); }
  CHECK_FALSE(ran);
  CHECK(log.clean());
}

PENSTOCK_TEST("moving a task moves the coroutine; assignment destroys the one before") {
  lifetime_log log;
  const auto body = [](lifetime_tracked t) -> task<int> { co_return t.value(); };
  auto a = body(lifetime_tracked(log, 1));
  auto b = body(lifetime_tracked(log, 2));
  CHECK(log.values() == 2);
  a = std::move(b);
  CHECK(log.values() == 1);
  auto& self = a;
  a = std::move(self);
  CHECK(log.values() == 1);
  auto c = std::move(a);
  CHECK(co_await std::move(c) == 2);
  CHECK(log.clean());
}

PENSTOCK_TEST("the frame of an awaited task is gone before the awaiting one continues") {
  lifetime_log log;
  const auto body = [](lifetime_tracked t) -> task<int> {
    co_await yield();
    co_return t.value();
  };
  auto t = body(lifetime_tracked(log, 5));
  const int got = co_await std::move(t);
  CHECK(log.live() == 0);
  CHECK(got == 5);
}

PENSTOCK_TEST("a value is moved out of the task, never copied") {
  lifetime_log log;
  const auto body = [](lifetime_log& l) -> task<lifetime_tracked> {
    co_return lifetime_tracked(l, 3);
  };
  {
    auto v = co_await body(log);
    CHECK(v.value() == 3);
    CHECK(log.copies() == 0);
    CHECK(log.live() == 1);
  }
  CHECK(log.clean());
}

PENSTOCK_TEST("a throwing copy of the returned value is the task's exception, and nothing leaks") {
  struct bad {
    bad() = default;
    bad(const bad&) { throw failure("copy"); }
  };
  const auto body = [](const bad& b) -> task<bad> { co_return b; };
  bad b;
  std::string what;
  try {
    co_await body(b);
  } catch (const failure& e) {
    what = e.what();
  }
  CHECK(what == "copy");
}

PENSTOCK_TEST("tasks can be kept in containers and awaited in any order") {
  std::vector<task<int>> all;
  const auto body = [](int i) -> task<int> {
    co_await yield();
    co_return i;
  };
  for (int i = 0; i < 10; ++i) all.push_back(body(i));
  int sum = 0;
  while (!all.empty()) {
    auto t = std::move(all.back());
    all.pop_back();
    sum += co_await std::move(t);
  }
  CHECK(sum == 45);
}

namespace {
struct worker {
  int base = 10;
  task<int> plus(int x) const { co_return base + x; }
  virtual task<int> twice(int x) {
    const int y = co_await plus(x);
    co_return 2 * y;
  }
  virtual ~worker() = default;
};
template <class T>
requires std::integral<T> task<T> generic(T x) { co_return x; }
}  // namespace

namespace {
// g++ takes it without a word.
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wreturn-type"
#endif
task<result<>> forgets() { co_await yield(); }
#if defined(__clang__)
#pragma clang diagnostic pop
#endif
task<result<>> forwards() {
  co_await ok(forgets());
  co_return {};
}
task<> starts() {
  auto body = [](task_group& group) -> task<> {
    group.start(forgets());
    co_return;
  };
  co_await with_group(body);
}
}  // namespace

TEST_CASE("a task of a value that ends without co_return stops the program, whoever awaits it") {
  const std::string message =
      "a task that yields a value ended without co_return: a task<result<>> ends with co_return {}";
  CHECK(support::stopped_with([] { static_cast<void>(test::test_runtime().run(forgets())); }) ==
        message);
  CHECK(support::stopped_with([] { static_cast<void>(test::test_runtime().run(forwards())); }) ==
        message);
  CHECK(support::stopped_with([] { test::test_runtime().run(starts()); }) == message);
}

PENSTOCK_TEST("members, virtual functions, templates, and every kind of parameter are coroutines") {
  worker w;
  CHECK(co_await w.plus(1) == 11);
  CHECK(co_await w.twice(1) == 22);
  CHECK(co_await generic(5L) == 5);
  const auto parameters = [](std::string by_value, const std::string& by_reference,
                             std::unique_ptr<int> owner, auto&&... more) -> task<std::size_t> {
    co_await yield();
    co_return by_value.size() + by_reference.size() + static_cast<std::size_t>(*owner) +
        sizeof...(more);
  };
  const std::string s = "abc";
  CHECK(co_await parameters("ab", s, std::make_unique<int>(1), 1, 2) == 8);
  std::function<task<int>(int)> erased = generic<int>;
  CHECK(co_await erased(3) == 3);
}

namespace {
struct moved_only {
  explicit moved_only(int v) noexcept : value(v) {}
  moved_only(const moved_only&) = delete;
  moved_only(moved_only&&) = default;
  int value;
};
static_assert(std::is_trivially_copyable_v<moved_only>);
struct greedy {
  const void* to;
  template <class U>
  greedy(U&& u) : to(&u) {}
};
static_assert(std::is_trivially_copyable_v<greedy>);
int target = 0;

task<moved_only> make_moved_only() { co_return moved_only(7); }
task<greedy> make_greedy() { co_return greedy(target); }

struct session_state {
  std::optional<task<int>> work;
};
task<int> keeps_itself(std::unique_ptr<session_state> self) {
  static_cast<void>(self);
  co_return 7;
}
}  // namespace

TEST_CASE("small values are moved to the one that awaits, whatever their constructors") {
  auto all = []() -> task<> {
    const moved_only seven = co_await make_moved_only();
    CHECK(seven.value == 7);
    const greedy g = co_await make_greedy();
    CHECK(g.to == &target);
  };
  sync_wait(all());
}

TEST_CASE("a task may own, by its parameter, the object that it was awaited from") {
  auto outer = []() -> task<int> {
    auto owner = std::make_unique<session_state>();
    session_state& state = *owner;
    state.work.emplace(keeps_itself(std::move(owner)));
    const int value = co_await std::move(*state.work);
    co_return value;
  };
  CHECK(sync_wait(outer()) == 7);
}
