// tests/core/ok_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core/ok.hpp>

#include <penstock/core/shield.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/with_group.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/core/yield.hpp>
#include <penstock/test/lifetime_tracked.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#include "probes.hpp"

using namespace penstock;
using namespace std::chrono_literals;
using probes::failure;
using probes::noted;
using test::lifetime_log;
using test::lifetime_tracked;

namespace {
task<result<int>> maybe(int x, bool suspend = true) {
  if (suspend) co_await yield();
  if (x < 0) co_return fail(errc::exhausted, "maybe", "x");
  co_return x;
}
task<result<>> check(bool good) {
  co_await yield();
  if (!good) co_return fail(errc::closed);
  co_return result<>();
}
task<result<std::unique_ptr<int>>> owner(int x) { co_return std::make_unique<int>(x); }

// A leaf that yields a result, at once or in the next turn; may throw instead.
class leaf_result : public leaf<leaf_result> {
 public:
  leaf_result(bool ready, result<int> r, bool throws = false)
      : ready_(ready), throws_(throws), result_(std::move(r)) {}
  bool await_ready() const noexcept { return ready_; }
  suspension start(waiter& w) const noexcept {
    w.env->sched->post(w);
    return parked();
  }
  result<int> await_resume() {
    if (throws_) throw failure("leaf");
    return std::move(result_);
  }

 private:
  bool ready_, throws_;
  result<int> result_;
};
static_assert(std::is_same_v<decltype(ok(maybe(1)).await_resume()), int>);
static_assert(std::is_void_v<decltype(ok(check(true)).await_resume())>);
static_assert(std::is_same_v<decltype(ok(result<int>(1)).await_resume()), int>);
static_assert(std::is_same_v<await_result_t<decltype(must(maybe(1)))>, int>);
}  // namespace

PENSTOCK_TEST("ok gives the value: of a task, a leaf, a scope, a result") {
  auto sum = []() -> task<result<int>> {
    int total = co_await ok(maybe(1));
    total += co_await ok(leaf_result(true, 2));
    total += co_await ok(leaf_result(false, 4));
    total += co_await ok(with_timeout(1ms, maybe(8)));
    total += co_await ok(result<int>(16));
    co_await ok(check(true));
    co_await ok(result<>());
    total += *co_await ok(owner(32));
    result<int> named(64);
    total += co_await ok(named);
    total += co_await ok(std::move(named));
    co_return total;
  };
  CHECK((co_await sum()).value() == 191);
}

PENSTOCK_TEST("an error ends the caller where it stands, with the error's whole detail") {
  for (int which = 0; which < 6; ++which) {
    probes::log log;
    auto caller = [&](int w) -> task<result<std::string>> {
      noted outer(log, "outer");
      {
        noted inner(log, "inner");
        const error e = error(errc::exhausted).with("maybe", "x");
        if (w == 0) co_await ok(maybe(-1));
        if (w == 1) co_await ok(maybe(-1, false));
        if (w == 2) co_await ok(leaf_result(true, fail(e)));
        if (w == 3) co_await ok(leaf_result(false, fail(e)));
        if (w == 4) co_await ok(shield(maybe(-1)));
        if (w == 5) co_await ok(result<int>(fail(e)));
      }
      log.push_back("resumed");
      co_return "value";
    };
    auto r = co_await caller(which);
    CHECK(r.error() == errc::exhausted);
    CHECK(r.error().operation() == "maybe");
    CHECK(r.error().object() == "x");
    CHECK(log == probes::log{"~inner", "~outer"});
  }
}

PENSTOCK_TEST("the failed child is gone before the one that awaits it, level by level") {
  probes::log log;
  auto child = [&]() -> task<result<int>> {
    noted n(log, "child");
    co_await ok(maybe(-1));
    co_return 1;
  };
  auto parent = [&]() -> task<result<int>> {
    noted n(log, "parent");
    co_return co_await ok(child());
  };
  auto grandparent = [&]() -> task<result<>> {
    noted n(log, "grandparent");
    co_await ok(parent());
    co_return result<>();
  };
  auto r = co_await grandparent();
  log.push_back("resumed");
  CHECK(r.error() == errc::exhausted);
  CHECK(log == probes::log{"~child", "~parent", "~grandparent", "resumed"});
}

PENSTOCK_TEST("ok in scopes fails the task that it stands in, and no other") {
  bool group_resumed = false;
  auto work = [&]() -> task<result<int>> {
    auto r = co_await with_group([](task_group&) -> task<result<int>> {
      const int x = co_await ok(maybe(-1));
      co_return x;
    });
    group_resumed = true;
    CHECK(r.error() == errc::exhausted);
    co_return co_await ok(with_timeout(1ms, maybe(-1)));
  };
  CHECK((co_await work()).error() == errc::exhausted);
  CHECK(group_resumed);
}

PENSTOCK_TEST("exceptions go through ok, of tasks, leaves, and of those that are ready") {
  auto throws = [](bool suspend) -> task<result<int>> {
    if (suspend) co_await yield();
    throw failure("task");
  };
  auto caller = [&](int which) -> task<result<std::string>> {
    std::string what;
    try {
      if (which < 2) co_await ok(throws(which == 0));
      if (which == 2) co_await ok(leaf_result(true, 1, true));
      if (which == 3) co_await ok(leaf_result(false, 1, true));
    } catch (const failure& e) {
      what = e.what();
    }
    co_return what + std::to_string(co_await ok(maybe(which)));
  };
  CHECK((co_await caller(0)).value() == "task0");
  CHECK((co_await caller(1)).value() == "task1");
  CHECK((co_await caller(2)).value() == "leaf2");
  CHECK((co_await caller(3)).value() == "leaf3");
}

PENSTOCK_TEST("a stop goes through ok as through any await") {
  probes::log log;
  auto child = [&]() -> task<result<int>> {
    noted n(log, "child");
    co_await sleep_for(1h);
    co_return 1;
  };
  auto parent = [&]() -> task<result<int>> {
    noted n(log, "parent");
    co_return co_await ok(child());
  };
  CHECK((co_await with_timeout(1ms, parent())).error() == errc::timed_out);
  CHECK(log == probes::log{"~child", "~parent"});
}

PENSTOCK_TEST("values are moved through ok, never copied, and nothing is left") {
  lifetime_log log;
  auto make = [](lifetime_log& l, bool good) -> task<result<lifetime_tracked>> {
    co_await yield();
    if (!good) co_return fail(errc::closed);
    co_return lifetime_tracked(l, 1);
  };
  auto pass = [&](bool good) -> task<result<lifetime_tracked>> {
    lifetime_tracked local(log);
    auto a = co_await ok(make(log, true));
    auto b = co_await ok(with_timeout(1ms, make(log, good)));
    static_cast<void>(a);
    co_return b;
  };
  {
    auto r = co_await pass(true);
    CHECK(r.has_value());
    CHECK(log.copies() == 0);
  }
  { auto r = co_await pass(false); }
  CHECK(log.clean());
}

PENSTOCK_TEST("a loop of oks, and ok inside conditions and arguments") {
  auto work = [](int limit) -> task<result<int>> {
    int total = 0;
    while (int n = co_await ok(maybe(limit - total))) {
      total += n > 3 ? 3 : n;
      if (co_await ok(maybe(total)) > 100) co_return fail(errc::overloaded);
    }
    co_return std::max(co_await ok(maybe(1)), co_await ok(maybe(total)));
  };
  CHECK((co_await work(10)).value() == 10);
  CHECK((co_await work(-1)).error() == errc::exhausted);
  CHECK((co_await work(200)).error() == errc::overloaded);
}

PENSTOCK_TEST("must gives the value or throws system_error with the message") {
  CHECK(co_await must(maybe(3)) == 3);
  CHECK(must(result<int>(4)) == 4);
  must(result<>());
  co_await must(check(true));
  std::string what;
  std::error_code code;
  try {
    co_await must(maybe(-1));
  } catch (const std::system_error& e) {
    what = e.what();
    code = e.code();
  }
  CHECK(code == errc::exhausted);
  CHECK(what.find("maybe 'x'") != std::string::npos);
  CHECK_THROWS_AS(must(result<int>(fail(errc::closed))), std::system_error);
  CHECK_THROWS_AS(throw_error(errc::closed), std::system_error);
  CHECK((co_await with_timeout(1ms, must(maybe(5)))).value() == 5);
}
