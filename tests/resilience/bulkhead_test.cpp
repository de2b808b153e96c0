// tests/resilience/bulkhead_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/resilience/bulkhead.hpp>

#include <penstock/core.hpp>
#include <penstock/test.hpp>
#include <support/penstock_test.hpp>
#include <support/seeds.hpp>
#include <support/stopped.hpp>
#include <sync/two_loops.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;

static_assert(policy<bulkhead>);

namespace {
task<result<int>> work(duration d) {
  co_await sleep_for(d);
  co_return 1;
}
}  // namespace

// [bulkhead]
// At most two reports at once, ten that wait for a second; the others are told to come later.
static task<result<int>> report(const bulkhead& reports) {
  auto call = [] { return work(10ms); };
  co_return co_await reports(call);
}
static bulkhead for_reports() {
  return bulkhead({.max_calls = 2, .max_waiting = 10, .max_wait = 1s}, "reports");
}
// [/bulkhead]

PENSTOCK_TEST(
    "SM1: of a thousand calls so many run at once, all complete, in the order they came") {
  const bulkhead places({.max_calls = 3, .max_waiting = 1000});
  int running = 0;
  int most = 0;
  std::vector<int> started;
  auto one = [&](int i) -> task<> {
    auto call = [&]() -> task<result<int>> {
      started.push_back(i);
      most = (std::max)(most, ++running);
      co_await sleep_for(1ms);
      --running;
      co_return i;
    };
    const auto answer = co_await places(call);
    CHECK(answer == result<int>(i));
  };
  auto all = [&](task_group& group) -> task<> {
    for (int i = 0; i < 1000; ++i) {
      group.start(one, i);
      co_await sleep_for(1ns);
    }
  };
  co_await with_group(all);
  CHECK(most == 3);
  CHECK(started.size() == 1000);
  CHECK(std::is_sorted(started.begin(), started.end()));
  CHECK(rt.now() >= time_point(334ms));
  CHECK(rt.now() <= time_point(334ms + 3ns));
  const auto s = places.stats();
  CHECK(s.admitted == 1000);
  CHECK(s.waited == 997);
  CHECK(s.running == 0);
  CHECK(s.waiting == 0);
}

PENSTOCK_TEST(
    "who finds no room to wait, or waits too long, is refused, and the observer is told") {
  std::vector<std::string> told;
  const bulkhead places({.max_calls = 1, .max_waiting = 1, .max_wait = 5ms}, "db",
                        [&](const bulkhead_event& e) {
                          told.push_back(std::string(e.name) + (e.waited ? " late" : " full"));
                          throw 1;
                        });
  const auto level = set_log_level(log_level::off);
  auto call = [] { return work(10ms); };
  auto later = [&](duration d) -> task<result<int>> {
    co_await sleep_for(d);
    co_return co_await places(call);
  };
  auto [first, second, third] = co_await when_all_settled(later(0ms), later(1ms), later(2ms));
  set_log_level(level);
  CHECK(first.has_value());
  CHECK(second.error() == errc::overloaded);
  CHECK(second.error().message().find("db 'waited too long'") != std::string::npos);
  CHECK(third.error() == errc::overloaded);
  CHECK(third.error().message().find("db 'no room to wait'") != std::string::npos);
  CHECK(told == std::vector<std::string>{"db full", "db late"});
  CHECK(places.stats().refused_full == 1);
  CHECK(places.stats().refused_late == 1);
  CHECK(rt.now() == time_point(10ms));
}

PENSTOCK_TEST("close() ends the waits and refuses later calls; what runs goes on") {
  const bulkhead places = for_reports();
  auto all = [&](task_group& group) -> task<> {
    auto runs = [&]() -> task<> { CHECK(co_await report(places)); };
    auto waits = [&]() -> task<> {
      const auto refused = co_await report(places);
      CHECK(refused.error() == errc::closed);
    };
    group.start(runs);
    group.start(runs);
    co_await sleep_for(1us);
    group.start(waits);
    co_await sleep_for(1ms);
    CHECK(places.stats().running == 2);
    CHECK(places.stats().waiting == 1);
    places.close();
    const auto later = co_await report(places);
    CHECK(later.error() == errc::closed);
    CHECK(later.error().operation() == "reports");
  };
  co_await with_group(all);
  CHECK(places.stats().running == 0);
}

PENSTOCK_TEST("resize() lets in more at once, or fewer from then on") {
  const bulkhead places({.max_calls = 1, .max_waiting = 100});
  int running = 0;
  auto one = [&]() -> task<> {
    auto call = [&]() -> task<result<int>> {
      ++running;
      co_await sleep_for(10ms);
      --running;
      co_return 1;
    };
    static_cast<void>(co_await places(call));
  };
  auto all = [&](task_group& group) -> task<> {
    for (int i = 0; i < 8; ++i) group.start(one);
    co_await sleep_for(5ms);
    CHECK(running == 1);
    places.resize(4);
    co_await sleep_for(1ms);
    CHECK(running == 4);
    places.resize(2);
    co_await sleep_for(10ms);  // all four have ended
    CHECK(running == 2);
    CHECK(places.stats().max_calls == 2);
  };
  co_await with_group(all);
}

TEST_CASE("a stop at any time leaves all places free") {
  for (const auto seed : support::seeds(40)) {
    CAPTURE(seed);
    test::test_runtime rt{{.seed = seed}};
    const bulkhead places({.max_calls = 2, .max_waiting = 3, .max_wait = 6ms});
    auto one = [&]() -> task<> {
      auto& random = co_await this_task::random();
      const auto patience = std::chrono::microseconds(random.uniform_int(1, 9000));
      auto call = [&] { return work(3ms); };
      static_cast<void>(co_await with_timeout(patience, places(call)));
    };
    auto all = [&](task_group& group) -> task<> {
      auto& random = co_await this_task::random();
      for (int i = 0; i < 60; ++i) {
        group.start(one);
        co_await sleep_for(std::chrono::microseconds(random.uniform_int(0, 1500)));
      }
    };
    rt.run(with_group(all));
    const auto s = places.stats();
    REQUIRE(s.running == 0);
    REQUIRE(s.waiting == 0);
  }
}

TEST_CASE("two loops share a bulkhead") {
  const bulkhead places({.max_calls = 2, .max_waiting = 8});
  detail::atomic<int> running{0};
  support::on_two_loops([&](int) -> task<> {
    auto one = [&]() -> task<> {
      for (int i = 0; i < 200; ++i) {
        auto call = [&]() -> task<result<int>> {
          CHECK(running.fetch_add(1) < 2);
          co_await support::turns(2);
          running.fetch_sub(1);
          co_return 1;
        };
        const auto answer = co_await places(call);
        CHECK(answer.has_value());
      }
    };
    auto all = [&](task_group& group) -> task<> {
      for (int i = 0; i < 4; ++i) group.start(one);
      co_return;
    };
    co_await with_group(all);
  });
  CHECK(places.stats().running == 0);
  CHECK(places.stats().admitted == 1600);
}

TEST_CASE("what is admitted at once allocates nothing") {
  test::test_runtime rt;
  auto body = []() -> task<> {
    const bulkhead places;
    auto ready = []() -> task<result<int>> { co_return 1; };
    static_cast<void>(co_await places(ready));
    const test::allocation_counter counter;
    for (int i = 0; i < 100; ++i) static_cast<void>(co_await places(ready));
    CHECK(counter.allocations() == 0);
  };
  rt.run(body());
}

TEST_CASE("invalid options are refused by name") {
  CHECK(validate(bulkhead_options{}));
  CHECK(validate(bulkhead_options{.max_calls = 0}).error().object() == "max_calls is 0");
  CHECK(validate(bulkhead_options{.max_wait = 0s}).error().object() == "max_wait is zero or less");
}
