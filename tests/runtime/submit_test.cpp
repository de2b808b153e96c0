// tests/runtime/submit_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/runtime/submit.hpp>

#include <penstock/core.hpp>
#include <support/each_driver.hpp>

#include <atomic>
#include <future>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;

namespace {
runtime_options loops(unsigned n) {
  runtime_options options;
  options.threads = n;
  options.handle_signals = false;
  return options;
}
task<int> gives(int value) {
  co_await yield();
  co_return value;
}
task<std::thread::id> where() { co_return std::this_thread::get_id(); }
task<> sleeps() { co_await sleep_for(1h); }
task<result<>> sleeps_for_result() {
  co_await sleep_for(1h);
  co_return result<>();
}
task<> throws() {
  co_await yield();
  throw std::runtime_error("thrown");
}
// A main task that ends when the flag says so, and looks every millisecond of sleep.
task<> until(std::atomic<bool>& over) {
  while (!over) co_await sleep_for(1ms);
}
template <class T>
bool canceled(std::future<T>& f) {
  try {
    if constexpr (is_result_v<T>) {
      const T outcome = f.get();
      return !outcome && outcome.error() == errc::canceled;
    } else {
      f.get();
      return false;
    }
  } catch (const std::system_error& e) {
    return e.code() == errc::canceled;
  }
}
template <class T>
bool is_ready(const std::future<T>& f) {
  return f.wait_for(0s) == std::future_status::ready;
}
}  // namespace

// [submit]
static task<int> add(int a, int b) {
  co_await yield();
  co_return a + b;
}

static int ask_from_outside() {
  runtime rt;
  std::atomic<bool> over{false};
  int sum = 0;
  std::thread outside([&] {
    std::future<int> answer = rt.submit(add(2, 3));  // before the run, or during it
    sum = answer.get();
    over = true;
  });
  rt.run(until(over));
  outside.join();
  return sum;
}
// [/submit]

TEST_CASE("the example adds") { CHECK(ask_from_outside() == 5); }

TEST_CASE("several threads submit to several loops at once, whether these sleep or not") {
  support::on_each_driver(
      [](runtime& rt) {
        constexpr int each = 300;
        std::atomic<bool> over{false};
        std::atomic<int> good{0};
        std::vector<std::thread> threads;
        for (int t = 0; t < 3; ++t)
          threads.emplace_back([&, t] {
            std::vector<std::future<int>> answers;
            for (int i = 0; i < each; ++i) {
              answers.push_back(rt.submit(static_cast<std::size_t>(i % 2), gives(i)));
              // Now and then alone: the loops fall asleep.
              if (i % (t + 2) == 0) answers.back().wait();
            }
            for (int i = 0; i < each; ++i)
              if (answers[static_cast<std::size_t>(i)].get() == i) ++good;
          });
        std::thread joiner([&] {
          for (auto& t : threads) t.join();
          over = true;
        });
        rt.run(until(over));
        joiner.join();
        CHECK(good == 3 * each);
      },
      loops(2));
}

TEST_CASE("it runs on the loop that was asked for, and exceptions and errors arrive") {
  support::on_each_driver(
      [](runtime& rt) {
        auto first = rt.submit(where());
        auto second = rt.submit(1, where());
        auto third = rt.submit(2, where());
        auto thrown = rt.submit(throws());
        auto failed = rt.submit([]() -> task<result<int>> { co_return fail(errc::corrupt); }());
        auto leaf = rt.submit(1, sleep_for(1ms));
        int target = 3;
        auto reference = rt.submit([](int& r) -> task<int&> { co_return r; }(target));
        CHECK_FALSE(is_ready(first));
        rt.run(yield());
        const auto here = std::this_thread::get_id();
        CHECK(first.get() == here);
        const auto there = second.get();
        CHECK(there != here);
        const auto far = third.get();
        CHECK(far != here);
        CHECK(far != there);
        CHECK_THROWS_WITH(thrown.get(), "thrown");
        CHECK(failed.get().error() == errc::corrupt);
        CHECK_NOTHROW(leaf.get());
        CHECK(&reference.get() == &target);
      },
      loops(3));
}

TEST_CASE("what was submitted is a part of the run: run waits for it") {
  support::on_each_driver(
      [](runtime& rt) {
        bool slow_ended = false, far_ended = false;
        const auto slow = [&]() -> task<> {
          co_await sleep_for(5ms);
          slow_ended = true;
        };
        const auto far = [&]() -> task<> {
          co_await sleep_for(8ms);
          // The first loop turns for as long as anything of the run is left.
          co_await resume_on(rt.loop(0), sleep_for(1ms));
          far_ended = true;
        };
        auto a = rt.submit(slow());
        auto b = rt.submit(1, far());
        rt.run(yield());
        CHECK(slow_ended);
        CHECK(far_ended);
        CHECK(is_ready(a));
        CHECK(is_ready(b));
      },
      loops(2));
}

TEST_CASE("nothing of the task is left when its future is ready") {
  support::on_each_driver([](runtime& rt) {
    const auto shared = std::make_shared<int>(1);
    const auto holds = [](std::shared_ptr<int> kept) -> task<int> {
      co_await yield();
      co_return *kept;
    };
    std::atomic<bool> over{false};
    std::thread outside([&] {
      for (int i = 0; i < 200; ++i) {
        auto f = rt.submit(holds(shared));
        CHECK(f.get() == 1);
        CHECK(shared.use_count() == 1);
      }
      over = true;
    });
    rt.run(until(over));
    outside.join();
  });
}

TEST_CASE("a stop of the run stops what was submitted, on every loop") {
  support::on_each_driver(
      [](runtime& rt) {
        std::optional<std::future<void>> here, there;
        std::optional<std::future<result<>>> value, not_begun;
        bool begun = false;
        const auto never = [&]() -> task<result<>> {
          begun = true;
          co_return result<>();
        };
        const auto main = [&]() -> task<result<>> {
          here = rt.submit(sleeps());
          there = rt.submit(1, sleeps());
          value = rt.submit(1, sleeps_for_result());
          co_await sleep_for(2ms);
          not_begun = rt.submit(never());
          rt.request_stop();
          co_await sleep_for(1h);
          co_return result<>();
        };
        CHECK(rt.run(main()).error() == errc::canceled);
        CHECK(canceled(*here));
        CHECK(canceled(*there));
        CHECK(canceled(*value));
        CHECK(is_ready(*not_begun));
        CHECK(canceled(*not_begun) == !begun);
      },
      loops(2));
}

TEST_CASE("what comes after the stop or after the main task waits for the next run") {
  support::on_each_driver(
      [](runtime& rt) {
        std::optional<std::future<int>> after_stop, after_main;
        const auto stopped = [&]() -> task<> {
          rt.request_stop();
          after_stop = rt.submit(1, gives(4));
          co_return;
        };
        rt.run(stopped());
        CHECK_FALSE(is_ready(*after_stop));
        const auto late = [&]() -> task<> {
          co_await sleep_for(3ms);
          after_main = rt.submit(gives(5));
        };
        auto guest = rt.submit(late());
        rt.run(yield());
        guest.get();
        CHECK(after_stop->get() == 4);
        CHECK_FALSE(is_ready(*after_main));
        rt.run(yield());
        CHECK(after_main->get() == 5);
      },
      loops(2));
}

TEST_CASE("a late submit is run or cancelled, never forgotten") {
  support::on_each_driver(
      [](runtime& checked) {
        const auto kind =
            checked.driver_name() == "uring" ? driver_kind::uring : driver_kind::reactor;
        int ran = 0, gone = 0;
        for (int i = 0; i < 60; ++i) {
          std::vector<std::future<int>> answers;
          {
            runtime rt({.threads = 2, .driver = kind, .handle_signals = false});
            std::latch started(2);
            std::thread outside([&] {
              started.arrive_and_wait();
              for (int k = 0; k < 20; ++k)
                answers.push_back(rt.submit(static_cast<std::size_t>(k % 2), gives(k)));
            });
            const auto main = [&]() -> task<> {
              started.arrive_and_wait();
              for (int turn = 0; turn < i; ++turn) co_await yield();
            };
            rt.run(main());
            outside.join();
          }
          for (auto& a : answers) {
            REQUIRE(is_ready(a));
            ++(canceled(a) ? gone : ran);
          }
        }
        CHECK(ran + gone == 60 * 20);
      },
      loops(1));
}

TEST_CASE("without a run the destructor cancels: an error in a result, else an exception") {
  std::optional<std::future<int>> thrown;
  std::optional<std::future<result<int>>> value;
  const auto shared = std::make_shared<int>(1);
  const auto holds = [](std::shared_ptr<int> kept) -> task<result<int>> { co_return *kept; };
  {
    runtime rt(loops(2));
    thrown = rt.submit(1, gives(1));
    value = rt.submit(holds(shared));
    CHECK(shared.use_count() == 2);
  }
  CHECK(shared.use_count() == 1);
  CHECK(canceled(*thrown));
  CHECK(canceled(*value));
}

TEST_CASE("run_on_each_loop takes what is submitted; services live until all has ended") {
  support::on_each_driver(
      [](runtime& rt) {
        std::atomic<int> background{0};
        std::atomic<bool> slow_ended{false};
        const auto serve = [&]() -> task<> {
          struct mark {
            std::atomic<int>& n;
            ~mark() { --n; }
          };
          ++background;
          const mark at_end{background};
          co_await sleep_for(1h);
        };
        std::atomic<int> main_tasks_over{0};
        const auto slow = [&]() -> task<> {
          while (main_tasks_over != 2) co_await yield();
          for (int turn = 0; turn < 100; ++turn) co_await yield();
          CHECK(background == 2);
          slow_ended = true;
        };
        std::vector<std::future<void>> futures;
        futures.push_back(rt.submit(1, slow()));
        const auto fn = [&]() -> task<result<>> {
          task_group& services = co_await this_task::services();
          services.start(serve);
          co_await yield();
          ++main_tasks_over;
          co_return result<>();
        };
        CHECK(rt.run_on_each_loop(fn));
        CHECK(slow_ended);
        CHECK(background == 0);
      },
      loops(2));
}

TEST_CASE("a background task of a guest's loop that throws is the outcome of the run") {
  support::on_each_driver(
      [](runtime& rt) {
        const auto starts = []() -> task<> {
          task_group& services = co_await this_task::services();
          services.start(throws);
          co_await sleep_for(1ms);
        };
        auto guest = rt.submit(1, starts());
        CHECK_THROWS_WITH(rt.run(yield()), "thrown");
        CHECK_NOTHROW(guest.get());
      },
      loops(2));
}
