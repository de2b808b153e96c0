// tests/core/resume_on_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core/resume_on.hpp>

#include <penstock/base/scope_exit.hpp>
#include <penstock/core/ok.hpp>
#include <penstock/core/shield.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/sync_wait.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/when_any.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/core/yield.hpp>
#include <support/seeds.hpp>

#include <doctest/doctest.h>

#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "probes.hpp"

using namespace penstock;
using namespace std::chrono_literals;
using probes::failure;

namespace {
// A loop on a thread of its own, which runs until it is destroyed.
class other_loop {
 public:
  other_loop() {
    std::promise<scheduler*> ready;
    auto got = ready.get_future();
    thread_ = std::thread([this, &ready] { sync_wait(serve(ready)); });
    loop_ = got.get();
  }
  ~other_loop() {
    group_->request_stop();  // from a foreign thread: posted
    thread_.join();
  }
  other_loop(const other_loop&) = delete;
  other_loop& operator=(const other_loop&) = delete;
  scheduler& get() { return *loop_; }
  std::thread::id id() const { return thread_.get_id(); }

 private:
  task<> serve(std::promise<scheduler*>& ready) {
    co_await with_group([&](task_group& group) -> task<> {
      group_ = &group;
      ready.set_value(&co_await this_task::scheduler());
      co_await sleep_until(time_point::max());
    });
  }
  std::thread thread_;
  scheduler* loop_ = nullptr;
  task_group* group_ = nullptr;
};
std::thread::id here() { return std::this_thread::get_id(); }
}  // namespace

TEST_CASE("the work runs on the other loop's thread, the caller goes on on its own") {
  other_loop other;
  const auto mine = here();
  sync_wait([&]() -> task<> {
    auto work = [&](int x) -> task<int> {
      CHECK(here() == other.id());
      auto& loop = co_await this_task::scheduler();
      CHECK(&loop == &other.get());
      co_await yield();
      co_await sleep_for(1us);
      CHECK(here() == other.id());
      co_return x + 1;
    };
    const int got = co_await resume_on(other.get(), work(1));
    CHECK(got == 2);
    CHECK(here() == mine);
    auto [a, b] =
        co_await when_all(resume_on(other.get(), work(5)), resume_on(other.get(), work(7)));
    CHECK(a + b == 14);
    co_await resume_on(other.get(), yield());
    auto& me = co_await this_task::scheduler();
    auto back = [&]() -> task<> {
      co_await resume_on(me, sleep_for(1us));
      CHECK(here() == other.id());
    };
    co_await resume_on(other.get(), back());
    CHECK(here() == mine);
  }());
}

TEST_CASE("name and deadline go along; values, errors and exceptions come back") {
  other_loop other;
  sync_wait([&]() -> task<> {
    auto ask = []() -> task<std::pair<std::string, time_point>> {
      const std::string name = co_await this_task::name();
      const auto deadline = co_await this_task::deadline();
      co_return std::pair(name, deadline);
    };
    const auto until = (co_await this_task::now()) + 1h;
    auto r = co_await with_deadline(until, named("n", resume_on(other.get(), ask())));
    CHECK(r->first == "n");
    CHECK(r->second == until);
    auto fails = []() -> task<result<int>> {
      co_await yield();
      co_return fail(errc::closed);
    };
    CHECK((co_await resume_on(other.get(), fails())).error() == errc::closed);
    auto throws = []() -> task<> {
      co_await yield();
      throw failure("there");
    };
    std::string what;
    try {
      co_await resume_on(other.get(), throws());
    } catch (const failure& e) {
      what = e.what();
    }
    CHECK(what == "there");
    auto owner = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(1); };
    auto p = co_await resume_on(other.get(), owner());
    CHECK(*p == 1);
  }());
}

TEST_CASE("a stop goes to the other loop, the work ends there and is waited for") {
  other_loop other;
  std::thread::id ended;
  sync_wait([&]() -> task<> {
    auto work = [&]() -> task<> {
      auto token = co_await this_task::stop_token();
      scope_exit note([&] {
        ended = here();
        CHECK(token.reason() == stop_reason::deadline);
      });
      co_await sleep_for(1h);
      FAIL_CHECK("resumed");
    };
    auto r = co_await with_timeout(1ms, resume_on(other.get(), work()));
    CHECK(r.error() == errc::timed_out);
    CHECK(ended == other.id());
    auto q = co_await with_timeout(0ms, resume_on(other.get(), work()));
    CHECK(q.error() == errc::timed_out);
    auto stubborn = []() -> task<int> {
      co_await shield(sleep_for(3ms));
      co_return 5;
    };
    auto kept = co_await with_timeout(1ms, resume_on(other.get(), stubborn()));
    CHECK(kept.value() == 5);
  }());
}

// By ok() the work ended with all its locals: they belong to the other loop.
TEST_CASE("the locals of failed work end on the loop that they lived on") {
  other_loop other;
  std::thread::id ended;
  sync_wait([&]() -> task<> {
    auto fails = []() -> task<result<>> {
      co_await yield();
      co_return fail(errc::closed);
    };
    auto work = [&]() -> task<result<int>> {
      scope_exit note([&] { ended = here(); });
      co_await ok(fails());
      co_return 1;
    };
    auto r = co_await resume_on(other.get(), work());
    CHECK(r.error() == errc::closed);
  }());
  CHECK(ended == other.id());
}

TEST_CASE("a stop that races with the end of the work loses nothing") {
  other_loop other;
  int completed = 0, stopped = 0;
  sync_wait([&]() -> task<> {
    for (auto seed : support::seeds(300)) {
      auto work = [](std::uint64_t spins) -> task<int> {
        for (std::uint64_t i = 0; i < spins; ++i) co_await yield();
        co_return 7;
      };
      auto race = [](std::uint64_t spins) -> task<> {
        for (std::uint64_t i = 0; i < spins; ++i) co_await yield();
      };
      auto r = co_await when_any(race(seed % 20), resume_on(other.get(), work(seed % 7)));
      const bool won = r.index == 1;
      if (won) CHECK(std::get<1>(r.value) == 7);
      const bool kept = std::get<1>(r.losers).has_value();
      if (kept) CHECK(*std::get<1>(r.losers) == 7);
      ++(won || kept ? completed : stopped);
    }
  }());
  CHECK(completed + stopped > 0);
}

TEST_CASE("two loops that send work to each other") {
  other_loop one, two;
  auto bounce = [&](int n) -> task<int> {
    int sum = 0;
    for (int i = 0; i < n; ++i) {
      auto inner = [&](int x) -> task<int> {
        auto leaf = [](int y) -> task<int> { co_return y; };
        co_return co_await resume_on(one.get(), leaf(x));
      };
      sum += co_await resume_on(two.get(), inner(i));
    }
    co_return sum;
  };
  const int got = sync_wait([&]() -> task<int> {
    auto [a, b] = co_await when_all(resume_on(one.get(), bounce(100)), bounce(100));
    co_return a + b;
  }());
  CHECK(got == 2 * 4950);
}
