// tests/runtime/signal_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/runtime/runtime.hpp>

#include <penstock/core.hpp>
#include <support/child.hpp>

#include <atomic>
#include <csignal>
#include <thread>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;

namespace {
// Ends when it is stopped; `begun` says that it waits.
task<result<>> serve(std::atomic<int>& begun) {
  ++begun;
  co_await sleep_for(1h);
  co_return result<>{};
}
// The driver that this process was told by its environment, as the others.
constexpr driver_kind kinds[] = {driver_kind::automatic, driver_kind::reactor};
}  // namespace

TEST_CASE("SIGINT and SIGTERM stop the run, also one that sleeps") {
  for (const int number : {SIGINT, SIGTERM}) {
    for (const auto kind : kinds) {
      const auto child = support::in_child([=] {
        std::atomic<int> begun{0};
        runtime rt({.driver = kind});
        for (int round = 0; round < 3; ++round) {  // every run hears its own first signal
          begun = 0;
          std::thread sender([&] {
            while (begun == 0) std::this_thread::yield();
            ::kill(::getpid(), number);
          });
          const auto outcome = rt.run(serve(begun));
          sender.join();
          if (outcome || outcome.error() != errc::canceled) return 1;
        }
        return 0;
      });
      CHECK(child.status == 0);
      CHECK(child.signal == 0);
    }
  }
}

TEST_CASE("a drain point turns the stop into success") {
  const auto child = support::in_child([] {
    runtime rt;
    bool finished = false;
    const auto session = [&]() -> task<> {
      co_await sleep_for(3ms);
      finished = true;
    };
    const auto body = [&](task_group& group) -> task<result<>> {
      group.start(session);
      std::raise(SIGTERM);
      co_await sleep_for(1h);
      co_return result<>{};
    };
    const auto outcome = rt.run(with_group({.grace = 10s}, body));
    return outcome && finished ? 0 : 1;
  });
  CHECK(child.status == 0);
}

TEST_CASE("a second signal ends the process at once") {
  for (const int number : {SIGINT, SIGTERM}) {
    const auto child = support::in_child([=] {
      runtime rt;
      const auto stubborn = [&]() -> task<> {
        std::raise(SIGINT);
        co_await sleep_for(5ms);
        std::raise(number);
        co_await sleep_for(1h);
      };
      rt.run(shield(stubborn()));
      return 1;
    });
    CHECK(child.status == 128 + number);
  }
}

TEST_CASE("after the run a signal does what it did before") {
  const auto child = support::in_child([] {
    runtime rt;
    rt.run(yield());
    std::raise(SIGTERM);
    return 1;
  });
  CHECK(child.signal == SIGTERM);
}

TEST_CASE("a runtime told so leaves signals alone") {
  const auto child = support::in_child([] {
    runtime rt({.handle_signals = false});
    const auto body = []() -> task<> {
      std::raise(SIGINT);
      co_return;
    };
    rt.run(body());
    return 1;
  });
  CHECK(child.signal == SIGINT);
}

TEST_CASE("a signal that the program was started with ignoring stays ignored") {
  const auto child = support::in_child([] {
    std::signal(SIGINT, SIG_IGN);
    runtime rt;
    const auto body = []() -> task<result<>> {
      std::raise(SIGINT);
      co_await yield();
      co_return result<>();
    };
    return rt.run(body()) ? 0 : 1;
  });
  CHECK(child.status == 0);
}

TEST_CASE("a signal stops every loop of every runtime that runs") {
  const auto child = support::in_child([] {
    std::atomic<int> begun{0};
    std::atomic<int> canceled{0};
    const auto run_one = [&] {
      runtime rt({.threads = 2});
      const auto outcome = rt.run_on_each_loop([&] { return serve(begun); });
      if (!outcome && outcome.error() == errc::canceled) ++canceled;
    };
    std::thread other(run_one);
    std::thread sender([&] {
      while (begun < 4) std::this_thread::yield();
      ::kill(::getpid(), SIGTERM);
    });
    run_one();
    other.join();
    sender.join();
    return canceled == 2 ? 0 : 1;
  });
  CHECK(child.status == 0);
}
