// tests/core/awaitable_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core/awaitable.hpp>

#include <penstock/core/scheduler.hpp>
#include <penstock/core/shield.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/with_group.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/core/yield.hpp>
#include <penstock/test/cancel_matrix.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <type_traits>

#include "probes.hpp"

using namespace penstock;
using namespace std::chrono_literals;

namespace {
// The smallest leaf: completes without waiting, in `start`.
class at_once : public leaf<at_once> {
 public:
  suspension start(waiter& w) const noexcept { return resume_now(w); }
  int await_resume() const noexcept { return 7; }
};
// Looks at the stop, then completes in `start`.
class stoppable_at_once : public leaf<stoppable_at_once> {
 public:
  suspension start(waiter& w) const noexcept {
    return w.env->stop->stop_requested() ? stopped_now(w) : resume_now(w);
  }
  void await_resume() const noexcept {}
};
struct not_awaitable {};

static_assert(awaitable<at_once> && awaitable<task<int>> && awaitable<detail::sleep_awaiter>);
static_assert(awaitable<decltype(with_timeout(1ms, at_once()))>);
static_assert(!awaitable<task<int>&> && !awaitable<const task<int>&> && !awaitable<at_once&>);
static_assert(!awaitable<int> && !awaitable<not_awaitable>);
static_assert(std::is_same_v<await_result_t<task<int&>>, int&>);
static_assert(std::is_same_v<await_result_t<at_once>, int>);
static_assert(!std::is_copy_constructible_v<at_once> && std::is_move_constructible_v<at_once>);
}  // namespace

PENSTOCK_TEST("a leaf may complete in start, awaited alone, in a scope, and many times in a row") {
  CHECK(co_await at_once() == 7);
  CHECK((co_await with_timeout(1ms, at_once())).value() == 7);
  auto [a, b] = co_await when_all(at_once(), at_once());
  CHECK(a + b == 14);
  int sum = 0;
  for (int i = 0; i < 100'000; ++i) sum += co_await at_once();
  CHECK(sum == 700'000);
}

PENSTOCK_TEST("a leaf that finds the stop unwinds its task from within start") {
  probes::log log;
  auto child = [&]() -> task<> {
    probes::noted n(log, "child");
    co_await stoppable_at_once();
    log.push_back("resumed");
  };
  auto parent = [&]() -> task<> {
    probes::noted n(log, "parent");
    co_await child();
  };
  CHECK((co_await with_timeout(1ms, parent())).has_value());
  CHECK(log == probes::log{"resumed", "~child", "~parent"});
  log.clear();
  CHECK((co_await with_timeout(0ms, parent())).error() == errc::timed_out);
  CHECK(log == probes::log{"~child", "~parent"});
  CHECK((co_await with_timeout(0ms, stoppable_at_once())).error() == errc::timed_out);
  CHECK((co_await with_timeout(0ms, when_all(stoppable_at_once(), child()))).error() ==
        errc::timed_out);
}

PENSTOCK_TEST("a parked leaf is told of a stop once, and forgotten when it is destroyed") {
  probes::gate g;
  auto waits = [&]() -> task<> { co_await g.wait(); };
  co_await with_group([&](task_group& group) -> task<> {
    group.start(waits);
    group.start(waits);
    co_await sleep_for(1ms);
    CHECK(g.waiters() == 2);
    group.request_stop();
    CHECK(g.waiters() == 0);
    group.request_stop();
    co_return;
  });
  CHECK(g.waiters() == 0);
}

TEST_CASE("the model leaf of these tests passes the cancel matrix") {
  struct fixture {
    probes::gate gate;
  };
  test::cancel_matrix(
      [] { return fixture(); }, [](fixture& f) { return f.gate.wait(); },
      [](fixture& f) { f.gate.set(); },
      [](fixture& f, const auto&, test::cancel_stage) { return f.gate.waiters() == 0; });
}
