// tests/core/finally_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core/finally.hpp>

#include <penstock/base/scope_exit.hpp>
#include <penstock/core/ok.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/with_timeout.hpp>
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

namespace {
task<int> value(duration d, int x) {
  co_await sleep_for(d);
  co_return x;
}
task<result<int>> maybe(int x) {
  co_await sleep_for(1ms);
  if (x < 0) co_return fail(errc::exhausted);
  co_return x;
}
task<> throws(const char* what) {
  co_await sleep_for(1ms);
  throw failure(what);
}
using plain = task<> (&)();
using fallible = task<result<>> (&)();
template <class A, class C>
using finally_t = await_result_t<decltype(finally(std::declval<A>(), std::declval<C>()))>;
static_assert(std::is_same_v<finally_t<task<int>, plain>, int>);
static_assert(std::is_same_v<finally_t<task<int>, fallible>, result<int>>);
static_assert(std::is_same_v<finally_t<task<>, fallible>, result<>>);
static_assert(std::is_same_v<finally_t<task<result<int>>, fallible>, result<int>>);
}  // namespace

PENSTOCK_TEST("the clean-up runs after a value, an error, an exception") {
  int cleaned = 0;
  auto cleanup = [&]() -> task<> {
    co_await sleep_for(2ms);
    ++cleaned;
  };
  CHECK(co_await finally(value(1ms, 5), cleanup) == 5);
  CHECK(cleaned == 1);
  CHECK(rt.now() == time_point(3ms));
  CHECK((co_await finally(maybe(-1), cleanup)).error() == errc::exhausted);
  CHECK(cleaned == 2);
  std::string what;
  try {
    co_await finally(throws("body"), cleanup);
  } catch (const failure& e) {
    what = e.what();
  }
  CHECK(what == "body");
  CHECK(cleaned == 3);
  co_await finally(sleep_for(1ms), cleanup);
  CHECK(cleaned == 4);
}

PENSTOCK_TEST("after a stop the body is unwound, the clean-up runs in full, the stop goes on") {
  probes::log log;
  auto body = [&]() -> task<> {
    noted n(log, "body");
    co_await sleep_for(1h);
  };
  auto cleanup = [&]() -> task<> {
    const bool stopped = (co_await this_task::stop_token()).stop_requested();
    CHECK_FALSE(stopped);
    CHECK(co_await this_task::deadline() == time_point::max());
    co_await sleep_for(5ms);
    log.push_back("cleaned");
  };
  auto all = [&]() -> task<> {
    co_await finally(body(), cleanup);
    log.push_back("resumed");
  };
  auto r = co_await with_timeout(1ms, all());
  CHECK(r.error() == errc::timed_out);
  CHECK(log == probes::log{"~body", "cleaned"});
  CHECK(rt.now() == time_point(6ms));
}

PENSTOCK_TEST("a stop during the clean-up does not reach it, and the body's value is kept") {
  int cleaned = 0;
  auto cleanup = [&]() -> task<> {
    co_await sleep_for(5ms);
    ++cleaned;
  };
  auto all = [&]() -> task<int> { co_return co_await finally(value(1ms, 3), cleanup); };
  auto r = co_await with_timeout(2ms, all());
  CHECK(r.value() == 3);
  CHECK(cleaned == 1);
}

PENSTOCK_TEST("a clean-up that yields a result adds its error, but not to an error of the body") {
  auto fails = []() -> task<result<>> {
    co_await sleep_for(1ms);
    co_return fail(errc::closed);
  };
  auto good = []() -> task<result<>> { co_return result<>(); };
  CHECK((co_await finally(value(1ms, 1), fails)).error() == errc::closed);
  CHECK((co_await finally(value(1ms, 1), good)).value() == 1);
  CHECK((co_await finally(maybe(-1), fails)).error() == errc::exhausted);
  CHECK((co_await finally(maybe(1), fails)).error() == errc::closed);
  CHECK((co_await finally(sleep_for(1ms), fails)).error() == errc::closed);
}

PENSTOCK_TEST("an exception of the clean-up passes through, also when the body was stopped") {
  auto cleanup = []() -> task<> { co_await throws("cleanup"); };
  auto refuses = []() -> task<> { throw failure("call"); };
  static_assert(std::is_same_v<decltype(refuses()), task<>>);
  std::string what;
  try {
    co_await finally(value(1ms, 1), cleanup);
  } catch (const failure& e) {
    what = e.what();
  }
  CHECK(what == "cleanup");
  try {
    co_await finally(throws("body"), cleanup);
  } catch (const failure& e) {
    what = e.what();
  }
  CHECK(what == "body");
  try {
    co_await finally(value(1ms, 1), refuses);
  } catch (const failure& e) {
    what = e.what();
  }
  CHECK(what == "call");
  auto all = [&]() -> task<> { co_await finally(sleep_for(1h), cleanup); };
  try {
    static_cast<void>(co_await with_timeout(1ms, all()));
  } catch (const failure& e) {
    what = e.what();
  }
  CHECK(what == "cleanup");
}

// The body failed by ok(): the clean-up may wait for what it held.
PENSTOCK_TEST("what a failed body held is free for the clean-up") {
  probes::gate released;
  auto body = [&]() -> task<result<int>> {
    scope_exit release([&] { released.set(); });
    co_await ok(maybe(-1));
    co_return 1;
  };
  auto cleanup = [&]() -> task<> { co_await released.wait(); };
  auto r = co_await finally(body(), cleanup);
  CHECK(r.error() == errc::exhausted);
}

PENSTOCK_TEST("a stopped body is unwound before the clean-up, also inside must()") {
  probes::gate released;
  auto body = [&]() -> task<result<int>> {
    scope_exit release([&] { released.set(); });
    co_await sleep_for(1h);
    co_return 1;
  };
  auto cleanup = [&]() -> task<> { co_await released.wait(); };
  auto all = [&]() -> task<int> { co_return co_await finally(must(body()), cleanup); };
  auto r = co_await with_timeout(1ms, all());
  CHECK(r.error() == errc::timed_out);
}

PENSTOCK_TEST("the clean-up may be a temporary, a leaf, not copyable; the value may be move-only") {
  auto owner = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(2); };
  auto v = co_await finally(owner(), [] { return sleep_for(1ms); });
  CHECK(*v == 2);
  CHECK(rt.now() == time_point(1ms));
  bool ran = false;
  auto cleanup = [&ran, p = std::make_unique<int>(1)]() -> task<> {
    ran = *p == 1;
    co_return;
  };
  co_await finally(sleep_for(1ms), cleanup);
  CHECK(ran);
}

PENSTOCK_TEST("finally nests: the inner clean-up first") {
  probes::log log;
  auto note = [&](const char* what) -> task<> {
    co_await sleep_for(1ms);
    log.push_back(what);
  };
  auto inner = [&] { return note("inner"); };
  auto outer = [&] { return note("outer"); };
  auto r = co_await with_timeout(1ms, finally(finally(sleep_for(1h), inner), outer));
  CHECK(r.error() == errc::timed_out);
  CHECK(log == probes::log{"inner", "outer"});
}
