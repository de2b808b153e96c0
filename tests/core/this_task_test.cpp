// tests/core/this_task_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core/this_task.hpp>

#include <penstock/core/shield.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/with_group.hpp>
#include <penstock/core/with_timeout.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>

using namespace penstock;
using namespace std::chrono_literals;

PENSTOCK_TEST("a task sees the loop's clocks and its randomness") {
  co_await sleep_for(3ms);
  CHECK(co_await this_task::now() == time_point(3ms));
  CHECK(co_await this_task::wall_now() ==
        wall_time(std::chrono::seconds(1767225600)) + duration(3ms));
  auto& dice = co_await this_task::random();
  CHECK(&dice == &rt.random());
  auto& loop = co_await this_task::scheduler();
  CHECK(&loop == &rt);
  CHECK(scheduler::current() == &rt);
}

PENSTOCK_TEST("nothing in this_task suspends") {
  const auto before = rt.steps();
  static_cast<void>(co_await this_task::now());
  static_cast<void>(co_await this_task::stop_token());
  static_cast<void>(co_await this_task::deadline());
  static_cast<void>(co_await this_task::name());
  static_cast<void>(co_await this_task::services());
  CHECK(rt.steps() == before);
}

// The environment comes from the one that awaits, never from where the task was made.
PENSTOCK_TEST("a task inherits from the one that awaits it") {
  auto report = []() -> task<std::pair<std::string, time_point>> {
    const std::string name = co_await this_task::name();
    const auto deadline = co_await this_task::deadline();
    co_return std::pair(name, deadline);
  };
  std::optional<task<std::pair<std::string, time_point>>> made_inside;
  auto maker = [&]() -> task<> {
    made_inside = report();
    co_return;
  };
  static_cast<void>(co_await with_timeout(5ms, named("maker", maker())));
  auto mover = [&]() -> task<std::pair<std::string, time_point>> {
    co_return co_await std::move(*made_inside);
  };
  auto [name, deadline] = co_await named("mover", mover());
  CHECK(name == "mover");
  CHECK(deadline == time_point::max());
}

PENSTOCK_TEST("the stop token is that of the innermost scope, with its reason") {
  inplace_stop_token outer = co_await this_task::stop_token();
  CHECK(outer.stop_possible());
  CHECK_FALSE(outer.stop_requested());
  bool called = false;
  auto work = [&]() -> task<> {
    auto inner = co_await this_task::stop_token();
    CHECK(inner != outer);
    inplace_stop_callback on_stop(inner, [&] { called = true; });
    static_cast<void>(co_await as_result(sleep_for(1h)));
    CHECK(inner.reason() == stop_reason::deadline);
    CHECK(called);
  };
  auto r = co_await with_timeout(1ms, work());
  CHECK(r.has_value());
  CHECK_FALSE(outer.stop_requested());
}

PENSTOCK_TEST("queries can be awaited inside scopes as well") {
  auto [now, deadline] = co_await when_all(this_task::now(), this_task::deadline());
  CHECK(now == time_point());
  CHECK(deadline == time_point::max());
  auto limited = co_await with_timeout(4ms, this_task::deadline());
  CHECK(limited.value() == time_point(4ms));
}
