// tests/core/scheduler_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core/scheduler.hpp>

#include <penstock/base/atomic.hpp>
#include <support/seeds.hpp>

#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "manual_loop.hpp"

using namespace penstock;
using probes::manual_loop;

namespace {
// A waiter that notes its arrivals instead of a coroutine.
class arrival final : public waiter, detail::hook {
 public:
  arrival() noexcept {
    hooked = this;
    parent = nullptr;
    env = nullptr;
  }
  int completed = 0;
  int stopped_times = 0;
  int number = 0;
  std::vector<int>* order = nullptr;

 private:
  detail::step done(waiter&, waiter*) noexcept override {
    ++completed;
    if (order) order->push_back(number);
    return {};
  }
  detail::step stopped(waiter&, waiter*) noexcept override {
    ++stopped_times;
    return {};
  }
  bool is_scope() const noexcept override { return true; }
};
}  // namespace

TEST_CASE("posts of the loop's own run in order, each once, as completed or as stopped") {
  manual_loop loop;
  std::vector<int> order;
  arrival a[5];
  loop.inside([&] {
    for (int i = 0; i < 4; ++i) {
      a[i].number = i;
      a[i].order = &order;
      loop.post(a[i]);
    }
    loop.post_stopped(a[4]);
  });
  CHECK(loop.has_ready());
  CHECK(loop.run() == 5);
  CHECK(order == std::vector{0, 1, 2, 3});
  CHECK(a[4].stopped_times == 1);
  CHECK(a[4].completed == 0);
  CHECK_FALSE(loop.has_ready());
  CHECK_FALSE(loop.run_one());
}

TEST_CASE("posts from outside keep their order behind what is ready") {
  manual_loop loop;
  std::vector<int> order;
  arrival a[6];
  for (int i = 0; i < 6; ++i) {
    a[i].number = i;
    a[i].order = &order;
  }
  CHECK_FALSE(loop.take_remote());
  for (int i = 1; i < 5; ++i) loop.post(a[i]);  // not on the loop
  loop.post_stopped(a[5]);
  CHECK_FALSE(loop.has_ready());
  loop.inside([&] { loop.post(a[0]); });
  CHECK(loop.run() == 6);
  CHECK(order == std::vector{0, 1, 2, 3, 4});
  CHECK(a[5].stopped_times == 1);
  CHECK(loop.wakes == 0);  // it did not sleep
}

TEST_CASE("a loop that sleeps is woken by the first post, once") {
  manual_loop loop;
  arrival a[3];
  CHECK(loop.prepare_sleep());
  loop.post(a[0]);
  loop.post(a[1]);
  CHECK(loop.wakes == 1);
  CHECK(loop.woke_up());
  CHECK(loop.run() == 2);
  // Nothing was posted: it woke by itself.
  CHECK(loop.prepare_sleep());
  CHECK_FALSE(loop.woke_up());
  loop.post(a[2]);
  CHECK(loop.wakes == 1);
  // Something was posted before: do not sleep.
  CHECK_FALSE(loop.prepare_sleep());
  CHECK(loop.run() == 1);
}

TEST_CASE("current() is the loop that runs on this thread; loops nest") {
  manual_loop outer, inner;
  CHECK(scheduler::current() == nullptr);
  outer.inside([&] {
    CHECK(scheduler::current() == &outer);
    arrival a;
    inner.inside([&] {
      CHECK(scheduler::current() == &inner);
      outer.post(a);  // foreign now
    });
    CHECK(scheduler::current() == &outer);
    CHECK_FALSE(outer.has_ready());
    CHECK(outer.take_remote());
    CHECK(outer.run_one());
  });
  CHECK(scheduler::current() == nullptr);
}

TEST_CASE("posts of several threads all arrive, those of one thread in order") {
  constexpr int threads = 3, each = 2000;
  for ([[maybe_unused]] auto seed : support::seeds(5)) {
    manual_loop loop;
    std::vector<std::vector<arrival>> all;
    std::vector<std::vector<int>> orders(threads);
    for (int t = 0; t < threads; ++t) {
      all.emplace_back(each);
      for (int i = 0; i < each; ++i) {
        auto& a = all.back()[static_cast<std::size_t>(i)];
        a.number = i;
        a.order = &orders[static_cast<std::size_t>(t)];
      }
    }
    std::vector<std::thread> posters;
    for (auto& mine : all) {
      posters.emplace_back([&loop, &mine] {
        for (auto& a : mine) loop.post(a);
      });
    }
    int arrived = 0;
    while (arrived < threads * each) arrived += loop.run();
    for (auto& p : posters) p.join();
    CHECK(loop.run() == 0);
    for (auto& order : orders) {
      REQUIRE(order.size() == each);
      for (int i = 0; i < each; ++i) {
        if (order[static_cast<std::size_t>(i)] != i) FAIL_CHECK("out of order at " << i);
      }
    }
  }
}

// The protocol of a loop that sleeps, against posters that come at any moment: whatever the loop
// sleeps through was announced by exactly one wake().
TEST_CASE("no wake-up is lost between prepare_sleep and woke_up") {
  class sleeper final : public scheduler {
   public:
    sleeper() noexcept : scheduler(1) {}
    detail::atomic<int> signals{0};
    int announced = 0;
    int run_until(int wanted) {
      enter inside(*this);
      int arrived = 0;
      while (arrived < wanted) {
        take_remote();
        while (run_one()) ++arrived;
        if (arrived == wanted || !prepare_sleep()) continue;
        while (signals.load() == announced) std::this_thread::yield();
        if (woke_up()) ++announced;
      }
      return arrived;
    }
    time_point now() noexcept override { return {}; }
    wall_time wall_now() noexcept override { return {}; }
    void add_timer(detail::timer&) noexcept override {}
    void cancel_timer(detail::timer&) noexcept override {}
    void offload(detail::offload_item&) noexcept override {}

   private:
    void wake() noexcept override { signals.fetch_add(1); }
  };
  constexpr int each = 3000;
  sleeper loop;
  std::vector<arrival> mine(each), theirs(each);
  auto post_all = [&](std::vector<arrival>& all) {
    for (auto& a : all) {
      loop.post(a);
      if (&a - all.data() > each / 2) std::this_thread::yield();
    }
  };
  std::thread one([&] { post_all(mine); });
  std::thread two([&] { post_all(theirs); });
  CHECK(loop.run_until(2 * each) == 2 * each);
  one.join();
  two.join();
  CHECK(loop.signals.load() == loop.announced);
  for (auto& a : mine) CHECK(a.completed == 1);
  for (auto& a : theirs) CHECK(a.completed == 1);
}
