// tests/core/with_group_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core/with_group.hpp>

#include <penstock/base/scope_exit.hpp>
#include <penstock/core/shield.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/core/yield.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <type_traits>

#include "probes.hpp"

using namespace penstock;
using namespace std::chrono_literals;
using probes::failure;
using probes::noted;

static_assert(std::is_trivially_copyable_v<group_options>);
static_assert(
    std::is_void_v<await_result_t<decltype(with_group(std::declval<task<> (&)(task_group&)>()))>>);
static_assert(std::is_same_v<result<int>, await_result_t<decltype(with_group(
                                              std::declval<task<int> (&)(task_group&)>()))>>);
static_assert(
    std::is_same_v<result<int>, await_result_t<decltype(with_group(
                                    std::declval<task<result<int>> (&)(task_group&)>()))>>);

namespace {
task<> sleeper(duration d) { co_await sleep_for(d); }
task<result<>> fails_after(duration d, error e) {
  co_await sleep_for(d);
  co_return fail(std::move(e));
}
task<> throws_after(duration d, const char* what) {
  co_await sleep_for(d);
  throw failure(what);
}
// Sleeps for long and notes why it was stopped.
task<> long_one(stop_reason& why) {
  inplace_stop_token token = co_await this_task::stop_token();
  scope_exit note([&why, token] { why = token.reason(); });
  co_await sleep_for(1h);
}
}  // namespace

PENSTOCK_TEST("a group ends when the last task in it has ended") {
  co_await with_group([](task_group& group) -> task<> {
    group.start(sleeper(3ms));
    group.start(sleeper(7ms));
    co_await sleep_for(5ms);
  });
  CHECK(rt.now() == time_point(7ms));
  co_await with_group([](task_group&) -> task<> { co_return; });
  CHECK(rt.now() == time_point(7ms));
}

PENSTOCK_TEST("the body's value is the outcome: void, a value, a result") {
  co_await with_group([](task_group&) -> task<> { co_return; });
  auto value = co_await with_group([](task_group& group) -> task<int> {
    group.start(sleeper(1ms));
    co_return 5;
  });
  CHECK(value.value() == 5);
  auto inner = co_await with_group([](task_group&) -> task<result<std::string>> { co_return "x"; });
  CHECK(inner.value() == "x");
  auto nothing = co_await with_group([](task_group&) -> task<result<>> { co_return result<>(); });
  CHECK(nothing.has_value());
  auto owner = co_await with_group(
      [](task_group&) -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(3); });
  CHECK(*owner.value() == 3);
}

PENSTOCK_TEST("the first error stops the siblings and is the outcome") {
  stop_reason why = stop_reason::none;
  auto outcome = co_await with_group([&](task_group& group) -> task<result<>> {
    group.start(long_one(why));
    group.start(fails_after(2ms, errc::rate_limited));
    group.start(fails_after(3ms, errc::closed));
    co_await sleep_for(1h);
    co_return result<>();
  });
  CHECK(outcome.error() == errc::rate_limited);
  CHECK(why == stop_reason::sibling_failed);
  CHECK(rt.now() == time_point(2ms));
}

PENSTOCK_TEST("the body's own error stops the children, and its locals are gone at once") {
  stop_reason why = stop_reason::none;
  probes::log log;
  auto child = [&]() -> task<> {
    noted n(log, "child");
    co_await long_one(why);
  };
  auto outcome = co_await with_group([&](task_group& group) -> task<result<int>> {
    noted local(log, "body");
    group.start(child);
    co_await sleep_for(1ms);
    co_await ok(result<int>(fail(errc::closed)));
    co_return 1;
  });
  CHECK(outcome.error() == errc::closed);
  CHECK(why == stop_reason::sibling_failed);
  CHECK(log == probes::log{"~body", "~child"});
}

// By ok() the body ended where it stood: what it held is what the children may wait for.
PENSTOCK_TEST("children go on with what a failed body held") {
  probes::gate released;
  auto child = [&]() -> task<> { co_await released.wait(); };
  auto outcome = co_await with_group({.on_error = on_error::keep_going},
                                     [&](task_group& group) -> task<result<>> {
                                       scope_exit release([&] { released.set(); });
                                       group.start(child);
                                       co_await ok(fails_after(1ms, errc::closed));
                                       co_return result<>();
                                     });
  CHECK(outcome.error() == errc::closed);
}

PENSTOCK_TEST("the first exception stops the siblings and is thrown when all have ended") {
  stop_reason why = stop_reason::none;
  std::string what;
  try {
    co_await with_group([&](task_group& group) -> task<> {
      group.start(long_one(why));
      group.start(throws_after(2ms, "first"));
      group.start(throws_after(3ms, "second"));
      co_await sleep_for(1h);
    });
  } catch (const failure& e) {
    what = e.what();
  }
  CHECK(what == "first");
  CHECK(why == stop_reason::sibling_failed);
}

PENSTOCK_TEST(
    "an exception is thrown whatever the body yields, an error only for a body of task<>") {
  std::string what;
  try {
    auto r = co_await with_group([&](task_group& group) -> task<int> {
      group.start(throws_after(1ms, "child"));
      co_return 1;
    });
    CHECK_FALSE(r.has_value());
  } catch (const failure& e) {
    what = e.what();
  }
  CHECK(what == "child");
  std::error_code code;
  try {
    co_await with_group([&](task_group& group) -> task<> {
      group.start(fails_after(1ms, errc::closed));
      co_return;
    });
  } catch (const std::system_error& e) {
    code = e.code();
  }
  CHECK(code == errc::closed);
}

PENSTOCK_TEST("keep_going lets the others end, then reports the first") {
  bool ended = false;
  auto child = [&]() -> task<> {
    co_await sleep_for(9ms);
    ended = true;
  };
  auto outcome =
      co_await with_group({.on_error = on_error::keep_going}, [&](task_group& group) -> task<int> {
        group.start(child);
        group.start(fails_after(2ms, errc::exhausted));
        group.start(throws_after(3ms, "later"));
        co_await sleep_for(5ms);
        co_return 1;
      });
  CHECK(outcome.error() == errc::exhausted);
  CHECK(ended);
  CHECK(rt.now() == time_point(9ms));
}

PENSTOCK_TEST("a body that throws before its first await counts as a child that threw") {
  std::string what;
  // Not a coroutine itself.
  auto body = [](task_group& group) -> task<> {
    group.start(sleeper(1h));
    throw failure("body");
  };
  try {
    co_await with_group(body);
  } catch (const failure& e) {
    what = e.what();
  }
  CHECK(what == "body");
  CHECK(rt.now() == time_point());
}

PENSTOCK_TEST("request_stop ends body and children: void, or canceled where there is no value") {
  stop_reason why = stop_reason::none;
  co_await with_group([&](task_group& group) -> task<> {
    group.start(long_one(why));
    co_await sleep_for(1ms);
    group.request_stop();
    CHECK(group.stop_requested());
    co_await sleep_for(1h);
    FAIL_CHECK("the body was resumed");
  });
  CHECK(why == stop_reason::requested);
  auto none = co_await with_group([&](task_group& group) -> task<int> {
    group.request_stop();
    co_await yield();
    co_return 1;
  });
  CHECK(none.error() == errc::canceled);
  auto value = co_await with_group([&](task_group& group) -> task<int> {
    group.start(long_one(why));
    group.request_stop();
    co_return 1;
  });
  CHECK(value.value() == 1);
}

PENSTOCK_TEST("a stop from outside ends body and children, and goes on outwards") {
  probes::log log;
  auto child = [&](const char* name) -> task<> {
    noted n(log, name);
    co_await sleep_for(1h);
  };
  auto body = [&](task_group& group) -> task<int> {
    noted n(log, "body");
    group.start(child, "child");
    co_await sleep_for(1h);
    co_return 1;
  };
  auto all = [&]() -> task<int> {
    auto r = co_await with_group(body);
    log.push_back("resumed");
    co_return r.value();
  };
  auto outcome = co_await with_timeout(1ms, all());
  CHECK(outcome.error() == errc::timed_out);
  CHECK(log.size() == 2);
  CHECK(rt.now() == time_point(1ms));
}

PENSTOCK_TEST("after a stop from outside all completed values still count") {
  auto slow = [&]() -> task<int> {
    auto r = co_await with_group([](task_group& group) -> task<int> {
      group.start([]() -> task<> { co_await shield(sleeper(5ms)); });
      co_await shield(sleeper(3ms));
      co_return 7;
    });
    co_return r.value();
  };
  auto outcome = co_await with_timeout(1ms, slow());
  CHECK(outcome.value() == 7);
  CHECK(rt.now() == time_point(5ms));
}

PENSTOCK_TEST("an error wins over a stop from outside") {
  auto failing = [&]() -> task<result<>> {
    co_return co_await with_group([](task_group& group) -> task<result<>> {
      group.start([]() -> task<result<>> {
        co_await shield(sleeper(5ms));
        co_return fail(errc::corrupt);
      });
      co_await sleep_for(1h);
      co_return result<>();
    });
  };
  auto outcome = co_await with_timeout(1ms, failing());
  CHECK(outcome.error() == errc::corrupt);
}

PENSTOCK_TEST("a named body is used where it is; a temporary one is kept") {
  int calls = 0;
  auto body = [&calls, owner = std::make_unique<int>(4)](task_group&) -> task<int> {
    ++calls;
    co_await yield();
    co_return *owner;
  };
  CHECK((co_await with_group(body)).value() == 4);
  CHECK((co_await with_group(body)).value() == 4);
  CHECK(calls == 2);
}

TEST_CASE("options that cannot work stop the program") {
  CHECK(validate(group_options{}).has_value());
  CHECK(validate({.grace = -1ns}).error() == errc::invalid_option);
}
