// tests/test/test_runtime_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/test/test_runtime.hpp>

#include <penstock/core/offload.hpp>
#include <penstock/core/shield.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/core/yield.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <set>
#include <stdexcept>
#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using test::test_runtime;

namespace {
bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
// Parks for ever; a stop ends it unless it is `deaf`.
class forever : public leaf<forever>, detail::stop_node {
 public:
  forever(const char* what, bool deaf = false) noexcept : what_(what), deaf_(deaf) {}
  forever(forever&& o) noexcept : leaf(), stop_node(), what_(o.what_), deaf_(o.deaf_) {}
  ~forever() { detail::scope_stop::remove(*this); }
  suspension start(waiter& w) noexcept {
    if (!w.env->stop->try_add(*this)) return stopped_now(w);
    who_ = &w;
    return parked();
  }
  void await_resume() const noexcept {}

 private:
  void on_stop() noexcept override {
    if (!deaf_) who_->env->sched->post_stopped(*who_);
  }
  detail::wait_info info() const noexcept override { return {what_, nullptr, who_}; }
  const char* what_;
  bool deaf_;
  waiter* who_ = nullptr;
};

// The order in which `count` tasks take their turns.
std::vector<int> order_of(std::uint64_t seed, int count = 6) {
  std::vector<int> order;
  test_runtime rt({.seed = seed});
  auto one = [&](int i) -> task<> {
    for (int k = 0; k < 3; ++k) {
      order.push_back(i);
      co_await yield();
    }
  };
  auto all = [&]() -> task<> {
    std::vector<task<>> tasks;
    for (int i = 0; i < count; ++i) tasks.push_back(one(i));
    co_await when_all(std::move(tasks));
  };
  rt.run(all());
  return order;
}
}  // namespace

TEST_CASE("virtual time starts at zero, is exact to the nanosecond, and goes on in a later run") {
  test_runtime rt;
  CHECK(rt.now() == time_point());
  auto naps = []() -> task<> {
    co_await sleep_for(1ns);
    co_await sleep_for(100h + 3ns);
  };
  rt.run(naps());
  CHECK(rt.now() == time_point(100h + 4ns));
  rt.run(sleep_for(1ns));
  CHECK(rt.now() == time_point(100h + 5ns));
  CHECK(rt.wall_now() == wall_time(std::chrono::seconds(1767225600)) + (100h + 5ns));
  test_runtime later({.wall_start = wall_time(5s)});
  CHECK(later.wall_now() == wall_time(5s));
}

TEST_CASE("time stands still while anything is ready") {
  test_runtime rt;
  bool slept = false;
  auto busy = [&]() -> task<> {
    for (int i = 0; i < 1000; ++i) co_await yield();
    CHECK(rt.now() == time_point());
    CHECK_FALSE(slept);
  };
  auto sleeper = [&]() -> task<> {
    co_await sleep_for(1ns);
    slept = true;
  };
  auto both = [&]() -> task<> { co_await when_all(busy(), sleeper()); };
  rt.run(both());
  CHECK(slept);
}

TEST_CASE("seed 0 is first in, first out; a seed repeats its order; seeds differ") {
  const auto fifo = order_of(0);
  for (std::size_t i = 0; i < fifo.size(); ++i) CHECK(fifo[i] == static_cast<int>(i % 6));
  std::set<std::vector<int>> orders;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto order = order_of(seed);
    CHECK(order == order_of(seed));
    CHECK(order.size() == 18);
    orders.insert(order);
  }
  CHECK(orders.size() > 15);
}

TEST_CASE("the seed decides the environment's randomness too") {
  auto draw = [](std::uint64_t seed) {
    test_runtime rt({.seed = seed});
    auto dice = []() -> task<std::uint64_t> { co_return (co_await this_task::random())(); };
    return rt.run(dice());
  };
  CHECK(draw(1) == draw(1));
  CHECK(draw(1) != draw(2));
}

TEST_CASE("a long queue of ready tasks is served in order and forgotten") {
  test_runtime rt;
  std::uint64_t turns = 0;
  auto one = [&]() -> task<> {
    for (int k = 0; k < 1000; ++k) {
      ++turns;
      co_await yield();
    }
  };
  auto both = [&]() -> task<> { co_await when_all(one(), one(), one()); };
  rt.run(both());
  CHECK(turns == 3000);
  CHECK(rt.steps() >= 3000);
}

TEST_CASE("a deadlock is an exception that lists what each task awaits") {
  test_runtime rt;
  bool unwound = false;
  auto stuck = [&]() -> task<> {
    scope_exit note([&] { unwound = true; });
    co_await named("reader", forever("socket::read"));
  };
  auto other = []() -> task<> {
    static_cast<void>(
        co_await with_timeout(time_point::max() - time_point(), forever("queue::pop")));
  };
  std::string report;
  try {
    static_cast<void>(rt.run(when_all(stuck(), other())));
    FAIL("no deadlock");
  } catch (const test::deadlock& e) {
    report = e.what();
  }
  CHECK(unwound);
  CAPTURE(report);
  CHECK(contains(report, "deadlock: idle with unfinished tasks:"));
  CHECK(contains(report, "when_all"));
  CHECK(contains(report, "socket::read in 'reader'"));
  CHECK(contains(report, "queue::pop"));
  CHECK(contains(report, "with_timeout"));
  // The runtime can be used again.
  rt.run(sleep_for(1ms));
}

TEST_CASE("a deadlock of a service is reported as well") {
  test_runtime rt;
  auto run = []() -> task<> {
    auto& services = co_await this_task::services();
    services.start([]() -> task<> { co_await forever("refresh"); });
    co_await forever("main");
  };
  std::string report;
  try {
    rt.run(run());
  } catch (const test::deadlock& e) {
    report = e.what();
  }
  CHECK(contains(report, "refresh"));
  CHECK(contains(report, "main"));
}

TEST_CASE("an exception of a service is not lost when the run is stopped") {
  test_runtime rt;
  auto service = []() -> task<> {
    co_await yield();
    throw std::runtime_error("background");
  };
  auto run = [&]() -> task<> {
    auto& services = co_await this_task::services();
    services.start(service);
    co_await sleep_for(1s);
    rt.request_stop();
    co_await yield();
  };
  CHECK_THROWS_WITH(rt.run(run()), "background");
}

TEST_CASE("stop_at_step stops at every point where anything waits, step by step") {
  auto program = []() -> task<int> {
    co_await yield();
    co_await sleep_for(1ms);
    co_await when_all(sleep_for(1ms), yield());
    co_return 7;
  };
  std::set<long long> ended_at;
  int stopped = 0;
  for (std::uint64_t step = 1;; ++step) {
    test_runtime rt({.stop_at_step = step});
    auto r = rt.run(as_result(program()));
    ended_at.insert(rt.now().time_since_epoch().count());
    if (rt.steps() < step) {
      CHECK(r.value() == 7);
      break;
    }
    if (!r) ++stopped;
  }
  CHECK(stopped >= 3);
  CHECK(ended_at.contains(0));
  CHECK(ended_at.contains(1'000'000));
  CHECK(ended_at.contains(2'000'000));
}

TEST_CASE("request_stop stops the run, with a reason") {
  test_runtime rt;
  stop_reason why = stop_reason::none;
  auto run = [&]() -> task<result<>> {
    rt.request_stop(stop_reason::sibling_failed);
    why = (co_await this_task::stop_token()).reason();
    co_await yield();
    co_return result<>();
  };
  CHECK(rt.run(run()).error() == errc::canceled);
  CHECK(why == stop_reason::sibling_failed);
  rt.request_stop();  // nothing runs: nothing happens
}

TEST_CASE("offload runs inline, or after its virtual cost") {
  test_runtime rt;
  auto run = [&]() -> task<> {
    co_await offload([] {});
    CHECK(rt.now() == time_point());
    co_await when_all(offload([] {}, {.virtual_cost = 5ms}), offload([] {}, {.virtual_cost = 3ms}));
    CHECK(rt.now() == time_point(5ms));
  };
  rt.run(run());
}

namespace {
// Posts its waiter twice, the second time now or when another task has run.
class twice : public leaf<twice> {
 public:
  explicit twice(bool later) noexcept : later_(later) {}
  suspension start(waiter& w) noexcept {
    w.env->sched->post(w);
    if (later_)
      waiter_ = &w;
    else
      w.env->sched->post(w);
    return parked();
  }
  void await_resume() const noexcept {}
  static void again() { waiter_->env->sched->post(*waiter_); }

 private:
  bool later_;
  static inline waiter* waiter_ = nullptr;
};
}  // namespace

TEST_CASE("a waiter that is posted twice is an error, in the same turn and in a later one") {
  auto now = []() -> task<> { co_await twice(false); };
  auto later = []() -> task<> { co_await twice(true); };
  auto other = []() -> task<> {
    co_await yield();
    co_await yield();
  };
  auto poster = []() -> task<> {
    twice::again();
    co_return;
  };
  CHECK_THROWS_AS(test_runtime().run(now()), test::double_post);
  CHECK_THROWS_AS(test_runtime().run(when_all(now(), other())), test::double_post);
  CHECK_THROWS_AS(test_runtime().run(when_all(later(), poster(), other())), test::double_post);
}
