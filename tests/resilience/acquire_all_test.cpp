// tests/resilience/acquire_all_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/resilience/acquire_all.hpp>

#include <penstock/core.hpp>
#include <penstock/resilience/keyed_rate_limiter.hpp>
#include <penstock/test.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>

using namespace penstock;
using namespace std::chrono_literals;

static_assert(combinable_limiter<gcra> && combinable_limiter<exact_window>);

namespace {

time_point at(duration d) { return time_point(d); }

}  // namespace

TEST_CASE("RL7: when the second limiter refuses, the first has its permits back") {
  const auto check = [](const auto& first) {
    const gcra second(per_minute(1), 1);
    CHECK(second.try_acquire(at(0s)));
    for (int i = 0; i < 1000; ++i) CHECK(!try_acquire_all(at(1s), 3, first, second));
    CHECK(first.decide(at(1s)).remaining == 9);
  };
  check(gcra(per_minute(10), 10));
  check(exact_window(per_minute(10)));
  check(fixed_window(per_minute(10)));
}

// [acquire_all]
using user_limits = keyed_rate_limiter<std::string>;

static task<result<>> admit(const user_limits& tenants, const user_limits& users, const gcra& all,
                            std::string tenant, std::string user) {
  co_return co_await acquire_all(users.of(user), tenants.of(tenant), all);
}
// [/acquire_all]

PENSTOCK_TEST("RL7: it waits for the one that refuses, and takes all at once") {
  const user_limits users(gcra_core(per_second(1), 1)), tenants(gcra_core(per_second(2), 2));
  const gcra all(per_second(1000), 1000);
  CHECK(co_await admit(tenants, users, all, "acme", "ann"));
  CHECK(co_await admit(tenants, users, all, "acme", "bob"));
  CHECK(rt.now() == at(0s));
  CHECK(co_await admit(tenants, users, all, "acme", "carl"));
  CHECK(rt.now() == at(500ms));
  CHECK(co_await admit(tenants, users, all, "acme", "carl"));
  CHECK(rt.now() == at(1500ms));
  CHECK(all.decide(rt.now()).remaining == 998);  // what was taken at 1.5 s, and this
}

PENSTOCK_TEST("RL7: one that gives up has taken nothing of any") {
  const exact_window first(per_minute(10));
  const gcra second(per_minute(1), 1);
  CHECK(second.try_acquire());
  const auto late = co_await with_timeout(30s, acquire_all(first, second));
  CHECK(late.error() == errc::rate_limited);
  CHECK(rt.now() == at(0s));
  co_await when_any(acquire_all(2, first, second), acquire_all(first, second), sleep_for(30s));
  CHECK(first.decide(rt.now()).remaining == 9);
  CHECK(first.stats().waiting == 0);
  CHECK(second.stats().waiting == 0);
}

PENSTOCK_TEST("a tenant that waits does not hold up the others in everybody's line") {
  const user_limits tenants(gcra_core(per_minute(1), 1));
  const gcra all(per_second(10), 1);
  auto call = [&](std::string tenant) -> task<> {
    CHECK(co_await acquire_all(tenants.of(tenant), all));
  };
  auto slow = [&]() -> task<> {
    CHECK(co_await acquire_all(tenants.of("slow"), all));
    CHECK(co_await acquire_all(tenants.of("slow"), all));
    CHECK(rt.now() >= at(1min));
  };
  auto others = [&]() -> task<> {
    co_await sleep_for(1s);
    co_await when_all(call("a"), call("b"), call("c"));
    CHECK(rt.now() <= at(1300ms));
  };
  co_await when_all(slow(), others());
}

PENSTOCK_TEST("two that ask in opposite orders do not wait for one another") {
  const gcra a(per_second(10), 1), b(per_second(7), 1);
  int passed = 0;
  auto forth = [&]() -> task<> {
    for (int i = 0; i < 20; ++i) passed += (co_await acquire_all(a, b)).has_value();
  };
  auto back = [&]() -> task<> {
    for (int i = 0; i < 20; ++i) passed += (co_await acquire_all(b, a)).has_value();
  };
  co_await when_all(forth(), back(), forth(), back());
  CHECK(passed == 80);
  CHECK(rt.now() < at(80s / 7 + 5s));
}

PENSTOCK_TEST("a cost above one's burst, and one that is closed, are told by its name") {
  const gcra a(per_second(10), 5, {}, "a"), b(per_second(10), 2, {}, "b");
  const auto never = co_await acquire_all(3, a, b);
  CHECK(never.error() == errc::never_satisfiable);
  CHECK(never.error().message().find("b:") != std::string::npos);
  b.close();
  const auto closed = co_await acquire_all(a, b);
  CHECK(closed.error() == errc::closed);
  CHECK(a.decide(rt.now()).remaining == 4);
}

TEST_CASE("acquire_all in the cancel matrix") {
  struct fixture {
    std::unique_ptr<gcra> first, second;
  };
  test::cancel_matrix(
      [] {
        fixture f;
        f.first = std::make_unique<gcra>(per_hour(1), 1);
        f.second = std::make_unique<gcra>(per_hour(1), 1);
        static_cast<void>(f.second->try_acquire(at(0s)));
        return f;
      },
      [](fixture& f) { return acquire_all(*f.first, *f.second); },
      [](fixture& f) { f.second->asked().door().refund(at(0s), 1); },
      [](fixture& f, const auto& outcome, test::cancel_stage) -> std::string {
        if (outcome && !outcome->has_value()) return "refused";
        const std::uint32_t left = outcome ? 0 : 1;
        if (f.first->decide(at(0s), 0).remaining != left) return "a permit of the first is lost";
        if (f.second->decide(at(0s), 0).remaining != left) return "one of the second is lost";
        return f.second->stats().waiting == 0 ? "" : "somebody still waits";
      });
}
