// tests/core/sync_wait_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core/sync_wait.hpp>

#include <penstock/base/spin_lock.hpp>
#include <penstock/core/offload.hpp>
#include <penstock/core/shield.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/when_any.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/core/yield.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <vector>

#include "probes.hpp"

using namespace penstock;
using namespace std::chrono_literals;
using probes::failure;

namespace {
// Completed by a foreign thread. A minimal thread-safe leaf: waiter and signal meet under a lock.
class signal {
 public:
  class waiting : public leaf<waiting>, detail::stop_node {
   public:
    explicit waiting(signal& s) noexcept : signal_(&s) {}
    waiting(waiting&& o) noexcept : leaf(), stop_node(), signal_(o.signal_) {}
    ~waiting() { detail::scope_stop::remove(*this); }
    suspension start(waiter& w) noexcept {
      if (!w.env->stop->try_add(*this)) return stopped_now(w);
      signal_->lock_.lock();
      const bool set = signal_->set_;
      if (!set) signal_->who_ = &w;
      signal_->lock_.unlock();
      return set ? resume_now(w) : parked();
    }
    void await_resume() noexcept { detail::scope_stop::remove(*this); }

   private:
    void on_stop() noexcept override {
      signal_->lock_.lock();
      waiter* const w = std::exchange(signal_->who_, nullptr);
      signal_->lock_.unlock();
      if (w) w->env->sched->post_stopped(*w);
    }
    detail::wait_info info() const noexcept override { return {"signal", signal_}; }
    signal* signal_;
  };
  waiting wait() noexcept { return waiting(*this); }
  void set() noexcept {
    lock_.lock();
    set_ = true;
    waiter* const w = std::exchange(who_, nullptr);
    lock_.unlock();
    if (w) w->env->sched->post(*w);
  }

 private:
  detail::spin_lock lock_;
  bool set_ = false;
  waiter* who_ = nullptr;
};
}  // namespace

TEST_CASE("sync_wait gives what the task yields, and its exceptions") {
  CHECK(sync_wait([]() -> task<int> { co_return 3; }()) == 3);
  sync_wait([]() -> task<> { co_return; }());
  auto r = sync_wait([]() -> task<result<int>> { co_return fail(errc::closed); }());
  CHECK(r.error() == errc::closed);
  int x = 0;
  CHECK(&sync_wait([](int& y) -> task<int&> { co_return y; }(x)) == &x);
  auto throws = []() -> task<> {
    co_await yield();
    throw failure("task");
  };
  CHECK(probes::thrown_by([&] { sync_wait(throws()); }) == "task");
  sync_wait(yield());
  CHECK(sync_wait(with_timeout(0ms, sleep_for(1h))).error() == errc::timed_out);
}

TEST_CASE("sync_wait has timers and clocks") {
  sync_wait([]() -> task<> {
    const auto start = co_await this_task::now();
    co_await sleep_for(2ms);
    const auto passed = (co_await this_task::now()) - start;
    CHECK(passed >= 2ms);
    auto r = co_await with_timeout(1ms, sleep_for(1h));
    CHECK(r.error() == errc::timed_out);
    const auto wall = co_await this_task::wall_now();
    CHECK(wall > wall_time(std::chrono::seconds(1'600'000'000)));
    const int got = co_await offload([] { return 5; });
    CHECK(got == 5);
  }());
}

TEST_CASE("sync_wait nests: inside a task of another loop") {
  const int got = sync_wait([]() -> task<int> {
    co_await yield();
    const int inner = sync_wait([]() -> task<int> {
      co_await sleep_for(1us);
      co_await yield();
      co_return 4;
    }());
    co_await yield();
    co_return inner + 1;
  }());
  CHECK(got == 5);
}

TEST_CASE("sync_wait nests: in the destructor of a task's parameter, whose caller comes next") {
  static std::string order;
  struct waits {
    waits() = default;
    waits(const waits&) = delete;
    waits& operator=(const waits&) = delete;
    ~waits() {
      auto inside = []() -> task<> {
        co_await yield();
        order += "inner ";
      };
      sync_wait(inside());
    }
  };
  auto child = [](std::unique_ptr<waits>) -> task<int> {
    order += "child ";
    co_return 7;
  };
  auto outer = [&]() -> task<int> {
    const int seven = co_await child(std::make_unique<waits>());
    order += "outer ";
    co_return seven;
  };
  order.clear();
  CHECK(sync_wait(outer()) == 7);
  CHECK(order == "child inner outer ");
}

TEST_CASE("a foreign thread wakes a sleeping sync_wait, every time") {
  for (int i = 0; i < 200; ++i) {
    signal s;
    std::thread setter([&] {
      for (int spin = 0; spin < i * 20; ++spin) detail::spin_pause();
      s.set();
    });
    sync_wait([](signal& from) -> task<> { co_await from.wait(); }(s));
    setter.join();
  }
}

TEST_CASE("many foreign threads, many signals, one loop: nothing is lost") {
  constexpr int threads = 3, each = 300;
  std::vector<signal> all(threads * each);
  std::vector<std::thread> setters;
  for (int t = 0; t < threads; ++t) {
    setters.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) all[static_cast<std::size_t>(i * threads + t)].set();
    });
  }
  int seen = 0;
  sync_wait([&]() -> task<> {
    co_await with_group([&](task_group& group) -> task<> {
      auto wait = [&](signal& s) -> task<> {
        co_await s.wait();
        ++seen;
      };
      for (auto& s : all) group.start(wait, std::ref(s));
      co_return;
    });
  }());
  CHECK(seen == threads * each);
  for (auto& t : setters) t.join();
}

TEST_CASE("a signal that races with a timeout completes or is stopped, never both") {
  int completed = 0, stopped = 0;
  for (int i = 0; i < 200; ++i) {
    signal s;
    std::thread setter([&] {
      for (int spin = 0; spin < 500; ++spin) detail::spin_pause();
      s.set();
    });
    auto r = sync_wait(with_timeout(std::chrono::microseconds(i % 40), s.wait()));
    ++(r ? completed : stopped);
    setter.join();
  }
  CHECK(completed + stopped == 200);
}

TEST_CASE("a group's request_stop from a foreign thread is posted to its loop") {
  for (int i = 0; i < 100; ++i) {
    signal ready;
    task_group* shared = nullptr;
    std::thread stopper;
    sync_wait([&]() -> task<> {
      co_await with_group([&](task_group& group) -> task<> {
        shared = &group;
        stopper = std::thread([&] {
          shared->request_stop();
          shared->request_stop();
          ready.set();
        });
        // The group must outlive the thread's use of it: a child that no stop ends waits for that.
        auto used = [](signal& after) -> task<> { co_await shield(after.wait()); };
        group.start(used, std::ref(ready));
        if (i % 2 == 0) co_await sleep_for(1h);
      });
    }());
    stopper.join();
  }
}
