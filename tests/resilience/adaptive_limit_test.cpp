// tests/resilience/adaptive_limit_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/resilience/adaptive_limit.hpp>

#include <penstock/core.hpp>
#include <penstock/resilience/attempt_timeout.hpp>
#include <penstock/test.hpp>
#include <support/penstock_test.hpp>
#include <support/seeds.hpp>
#include <support/stopped.hpp>
#include <sync/two_loops.hpp>

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;

static_assert(policy<adaptive_limit>);

namespace {
// Does K calls at once in 20 ms each; with more all take longer.
struct server {
  int capacity = 20;
  int running = 0;
  int served = 0;
  task<result<int>> call() {
    ++running;
    const scope_exit end([&]() noexcept { --running; });
    const int share = (std::max)(1000, 1000 * running / capacity);
    co_await sleep_for(20us * share);
    ++served;
    co_return 1;
  }
};
task<> callers(server& s, const adaptive_limit& limit, int n, duration d) {
  auto one = [&]() -> task<> {
    const time_point begin = co_await this_task::now();
    for (;;) {
      const time_point now = co_await this_task::now();
      if (now - begin >= d) break;
      auto call = [&] { return s.call(); };
      static_cast<void>(co_await limit(call));
    }
  };
  auto all = [&](task_group& group) -> task<> {
    for (int i = 0; i < n; ++i) group.start(one);
    co_return;
  };
  co_await with_group(all);
}
}  // namespace

// [adaptive_limit]
// As many queries at once as the database does without making them wait, whatever that is today.
static adaptive_limit for_queries() {
  return adaptive_limit({.initial = 10, .most = 200, .max_waiting = 1000}, "database");
}
// [/adaptive_limit]

TEST_CASE("the limit finds what the server can do, and follows it") {
  for (const auto algorithm : {limit_algorithm::vegas, limit_algorithm::gradient}) {
    test::test_runtime rt{{.seed = 3}};
    auto body = [&]() -> task<> {
      server s;
      const adaptive_limit limit(
          {.algorithm = algorithm, .initial = 5, .most = 200, .max_waiting = 1000});
      co_await callers(s, limit, 150, 20s);
      CHECK(limit.stats().limit >= 20);
      CHECK(limit.stats().limit <= 30);
      CHECK(s.served >= 18'000);  // of 20,000
      s.capacity = 60;
      co_await callers(s, limit, 150, 20s);
      CHECK(limit.stats().limit >= 55);
      CHECK(limit.stats().limit <= 90);
      s.capacity = 30;
      co_await callers(s, limit, 150, 20s);
      CHECK(limit.stats().limit >= 30);
      CHECK(limit.stats().limit <= 45);
      CHECK(limit.stats().running == 0);
      CHECK(limit.stats().waiting == 0);
    };
    rt.run(body());
  }
}

PENSTOCK_TEST(
    "who finds no place is refused, failures shrink the limit, and the observer is told") {
  std::string told;
  const adaptive_limit limit({.initial = 10, .window = 10ms}, "db",
                             [&](const adaptive_limit_event& e) {
                               CHECK(e.name == "db");
                               CHECK(e.failed);
                               told += std::to_string(e.from) + ">" + std::to_string(e.to) + " ";
                             });
  int refused = 0;
  auto one = [&]() -> task<> {
    auto call = []() -> task<result<int>> {
      co_await sleep_for(20ms);
      co_return fail(std::errc::connection_refused);
    };
    const auto answer = co_await limit(call);
    if (answer.error() == errc::overloaded) ++refused;
  };
  auto all = [&](task_group& group) -> task<> {
    for (int i = 0; i < 15; ++i) group.start(one);
    co_return;
  };
  co_await with_group(all);
  CHECK(refused == 5);
  CHECK(told == "10>9 ");
  CHECK(limit.stats().refused_full == 5);
}

PENSTOCK_TEST("what is canceled or says nothing of the server is not counted") {
  const adaptive_limit limit({.initial = 10, .window = 1ms, .min_calls = 1});
  auto wrong = []() -> task<result<int>> {
    co_await sleep_for(5ms);
    co_return fail(errc::not_found);
  };
  for (int i = 0; i < 5; ++i) static_cast<void>(co_await limit(wrong));
  CHECK(limit.stats().windows == 0);
  auto quick = []() -> task<result<int>> { co_return 1; };  // shorter than anything is
  for (int i = 0; i < 5; ++i) static_cast<void>(co_await limit(quick));
  CHECK(limit.stats().windows == 0);
  const auto strict = limit.judged_by([](const error&) { return call_outcome::failure; });
  static_cast<void>(co_await strict(wrong));
  CHECK(limit.stats().windows == 1);
}

TEST_CASE("a stop at any time leaves no place taken") {
  for (const auto seed : support::seeds(40)) {
    CAPTURE(seed);
    test::test_runtime rt{{.seed = seed}};
    const adaptive_limit limit(
        {.initial = 3, .max_waiting = 4, .max_wait = 4ms, .window = 3ms, .min_calls = 2});
    server s{.capacity = 2};
    auto one = [&]() -> task<> {
      random_engine& random = co_await this_task::random();
      const auto patience = std::chrono::microseconds(random.uniform_int(1, 60'000));
      auto call = [&] { return s.call(); };
      static_cast<void>(co_await with_timeout(patience, limit(call)));
    };
    auto all = [&](task_group& group) -> task<> {
      random_engine& random = co_await this_task::random();
      for (int i = 0; i < 80; ++i) {
        group.start(one);
        co_await sleep_for(std::chrono::microseconds(random.uniform_int(0, 9000)));
      }
    };
    rt.run(with_group(all));
    REQUIRE(limit.stats().running == 0);
    REQUIRE(limit.stats().waiting == 0);
    REQUIRE(limit.stats().limit >= 1);
  }
}

TEST_CASE("two loops share a limit") {
  const adaptive_limit limit(
      {.initial = 4, .max_waiting = 100, .window = 1us, .min_calls = 1, .shortest = 0s});
  support::on_two_loops([&](int) -> task<> {
    auto one = [&]() -> task<> {
      for (int i = 0; i < 200; ++i) {
        auto call = [&]() -> task<result<int>> {
          co_await support::turns(2);
          co_return 1;
        };
        const auto answer = co_await limit(call);
        CHECK(answer.has_value());
      }
    };
    auto all = [&](task_group& group) -> task<> {
      for (int i = 0; i < 4; ++i) group.start(one);
      co_return;
    };
    co_await with_group(all);
  });
  CHECK(limit.stats().running == 0);
  CHECK(limit.stats().admitted == 1600);
}

TEST_CASE("what is admitted at once allocates nothing; options are checked by name") {
  CHECK(validate(adaptive_limit_options{}));
  CHECK(validate(adaptive_limit_options{.least = 0}).error().object() == "least is 0");
  CHECK(validate(adaptive_limit_options{.initial = 2000}).error().object() ==
        "initial is not in [least, most]");
  if (!test::allocation_counter::available()) return;
  test::test_runtime rt;
  auto body = []() -> task<> {
    const adaptive_limit limit = for_queries();
    auto ready = []() -> task<result<int>> { co_return 1; };
    static_cast<void>(co_await limit(ready));
    const test::allocation_counter counted;
    for (int i = 0; i < 100; ++i) static_cast<void>(co_await limit(ready));
    CHECK(counted.allocations() == 0);
  };
  rt.run(body());
}
