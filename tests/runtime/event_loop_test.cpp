// tests/runtime/event_loop_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/runtime/event_loop.hpp>

#include <penstock/core.hpp>
#include <penstock/runtime/detail/root_work.hpp>
#include <penstock/runtime/driver/reactor.hpp>
#include <support/each_driver.hpp>

#include <atomic>
#include <latch>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;

namespace {
// Hands its waiter to another thread, which posts it.
class handed_over : public leaf<handed_over> {
 public:
  explicit handed_over(std::atomic<waiter*>& to) noexcept : to_(&to) {}
  suspension start(waiter& w) noexcept {
    to_->store(&w, std::memory_order_release);
    return parked();
  }
  void await_resume() const noexcept {}

 private:
  std::atomic<waiter*>* to_;
};
void post_when_there(std::atomic<waiter*>& from) {
  waiter* w = nullptr;
  while (!(w = from.exchange(nullptr, std::memory_order_acquire))) std::this_thread::yield();
  w->env->sched->post(*w);
}
// A task for a loop that serves; `ended` counts down on the loop's thread.
class assigned_work final : public detail::loop_work {
 public:
  assigned_work(event_loop& l, task<result<>> t) : root_(l, std::move(t).into_awaiter()) {}
  void start() override { root_.start(); }
  bool over() const noexcept override { return root_.over(); }
  void request_stop(stop_reason why) noexcept override { root_.request_stop(why); }
  void ended() noexcept override { ended_.count_down(); }
  result<> wait() {
    ended_.wait();
    return root_.outcome();
  }

 private:
  detail::root<detail::awaiter_t<task<result<>>>> root_;
  std::latch ended_{1};
};
// Does nothing, and does not sleep; it notes how long the first sleep was to be.
class restless final : public driver {
 public:
  explicit restless(duration& first) noexcept : first_(first) {}
  std::string_view name() const noexcept override { return "restless"; }
  bool submit(operation& op) noexcept override {
    op.answer = 0;
    return true;
  }
  void cancel(operation&) noexcept override {}
  void wait(duration at_most) noexcept override {
    if (first_ == duration::zero()) first_ = at_most;
  }
  void wake() noexcept override { ++wakes_seen_; }
  void interrupt() noexcept override {}
  void leave() noexcept override {}

 private:
  duration& first_;
};
}  // namespace

TEST_CASE("a post from another thread wakes the loop, however often") {
  support::on_each_driver([](runtime& rt) {
    constexpr int rounds = 3'000;
    std::atomic<waiter*> box[2] = {nullptr, nullptr};
    std::vector<std::thread> posters;
    for (auto& b : box)
      posters.emplace_back([&b] {
        for (int i = 0; i < rounds; ++i) post_when_there(b);
      });
    int count = 0;
    const auto wait = [&](std::atomic<waiter*>& b) -> task<> {
      for (int i = 0; i < rounds; ++i) {
        co_await handed_over(b);
        ++count;
      }
    };
    rt.run(when_all(wait(box[0]), wait(box[1])));
    for (auto& t : posters) t.join();
    CHECK(count == 2 * rounds);
  });
}

TEST_CASE("sleeps end in order, never early") {
  support::on_each_driver([](runtime& rt) {
    std::vector<int> order;
    const auto nap = [&](int ms) -> task<> {
      const time_point before = co_await this_task::now();
      co_await sleep_for(std::chrono::milliseconds(ms));
      const time_point after = co_await this_task::now();
      CHECK(after - before >= std::chrono::milliseconds(ms));
      order.push_back(ms);
    };
    rt.run(when_all(nap(12), nap(3), nap(7), nap(0)));
    CHECK(order == std::vector<int>{0, 3, 7, 12});
  });
}

TEST_CASE("what a cheap clock says holds the time, to a few milliseconds") {
  runtime rt;
  auto body = []() -> task<> {
    scheduler& loop = co_await this_task::scheduler();
    for (int i = 0; i < 1000; ++i) {
      const about_now about = loop.about();
      CHECK(about.earliest <= loop.now());
      CHECK(about.latest - about.earliest <= 20ms);
      CHECK(about.latest >= about.earliest);
    }
  };
  rt.run(body());
}

TEST_CASE("a timeout is never early, however long the turn was in which it began") {
  runtime rt;
  auto body = []() -> task<> {
    scheduler& loop = co_await this_task::scheduler();
    for (int i = 0; i < 5; ++i) {
      const time_point begin = loop.now();
      while (loop.now() - begin < 3ms) {
      }
      const time_point start = loop.now();
      const auto late = co_await with_timeout(2ms, sleep_for(1h));
      CHECK(!late);
      CHECK(loop.now() - start >= 2ms);
    }
  };
  rt.run(body());
}

TEST_CASE("a timeout ends what takes longer") {
  support::on_each_driver([](runtime& rt) {
    const auto outcome = rt.run(with_timeout(2ms, sleep_for(1h)));
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error() == errc::timed_out);
  });
}

TEST_CASE("an idle loop does not wake up") {
  support::on_each_driver([](runtime& rt) {
    const auto waits = [&] { return rt.loop(0).io()->stats().waits; };
    const auto before = waits();
    rt.run(sleep_for(40ms));
    CHECK(waits() - before <= 4);
  });
}

TEST_CASE("tasks that are always ready do not keep timers and other threads' posts away") {
  support::on_each_driver([](runtime& rt) {
    bool over = false;
    std::atomic<waiter*> box{nullptr};
    std::thread poster([&] { post_when_there(box); });
    const auto busy = [&]() -> task<> {
      while (!over) co_await yield();
    };
    const auto ends = [&]() -> task<> {
      co_await sleep_for(2ms);
      co_await handed_over(box);
      over = true;
    };
    rt.run(when_all(busy(), busy(), ends()));
    poster.join();
    CHECK(over);
  });
}

TEST_CASE("a loop that spins before it sleeps works the same") {
  runtime_options options;
  options.spin = 200us;
  support::on_each_driver(
      [](runtime& rt) {
        std::atomic<waiter*> box{nullptr};
        std::thread poster([&] {
          for (int i = 0; i < 50; ++i) post_when_there(box);
        });
        const auto wait = [&]() -> task<> {
          for (int i = 0; i < 50; ++i) {
            co_await handed_over(box);
            co_await sleep_for(10us);
          }
        };
        rt.run(wait());
        poster.join();
      },
      options);
}

TEST_CASE("the time that a loop has spun is not slept again") {
  cpu_pool pool(1);
  event_loop loop(pool, {.spin = 4ms});
  duration first{};
  loop.use(std::make_unique<restless>(first));
  const auto nap = []() -> task<> { co_await sleep_for(12ms); };
  auto t = nap();
  detail::root_work<detail::awaiter_t<task<>>> work(loop, std::move(t).into_awaiter());
  loop.run(work);
  CHECK(first <= 9ms);  // the timer's tick is a millisecond; nothing if the machine was too slow
}

TEST_CASE("a stop that comes before a loop has work is for the work that begins next") {
  cpu_pool pool(1);
  event_loop loop(pool);
  std::latch serving(1);
  std::thread server([&] {
    loop.use(std::move(*make_reactor_driver(pool)));
    serving.count_down();
    loop.serve();
  });
  serving.wait();
  const auto sleeps = []() -> task<result<>> {
    co_await sleep_for(1h);
    co_return result<>();
  };
  for (int i = 0; i < 100; ++i) {
    assigned_work work(loop, sleeps());
    loop.request_stop();
    for (int k = 0; k < i; ++k) std::this_thread::yield();
    loop.assign(work);
    CHECK(work.wait().error() == errc::canceled);
  }
  loop.quit();
  server.join();
}

TEST_CASE("a loop can be driven by hand") {
  cpu_pool pool(1);
  event_loop loop(pool);
  auto made = make_reactor_driver(pool);
  REQUIRE(made);
  loop.use(std::move(*made));
  const auto answer = []() -> task<int> {
    co_await sleep_for(1ms);
    co_return co_await offload([] { return 42; });
  };
  auto t = answer();
  detail::root_work<detail::awaiter_t<task<int>>> work(loop, std::move(t).into_awaiter());
  loop.run(work);
  CHECK(work.outcome() == 42);
  CHECK(scheduler::current() == nullptr);
}
