// tests/sync/sync_history_test.cpp
// SPDX-License-Identifier: BSL-1.0
// What the tasks of several threads have seen of a primitive that they hammer is what they could
// have seen one after the other.
#include <penstock/sync.hpp>

#include <penstock/base/spin_lock.hpp>
#include <penstock/core.hpp>
#include <support/linearizable.hpp>
#include <support/seeds.hpp>
#include <support/specifications.hpp>
#include <sync/two_loops.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

using namespace penstock;
using support::answer;
using support::lock_specification;
using support::permits_specification;
using support::queue_specification;
using support::turns;

namespace {

constexpr std::size_t threads = 3;
constexpr std::size_t tasks = 2 * threads;
constexpr int operations = 12;  // of a task

// Runs fn(id) for each task, two on each of the loops of three threads, which begin together.
template <class Fn>
void hammer(Fn fn) {
  std::atomic<std::size_t> ready{0};
  auto loop = [&](std::size_t thread) {
    ++ready;
    detail::spin_wait waiting;
    while (ready.load() < threads) waiting.once();
    sync_wait(when_all(fn(2 * thread), fn(2 * thread + 1)));
  };
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < threads; ++i) others.emplace_back(loop, i);
  loop(0);
  for (auto& t : others) t.join();
}

// Awaits it for so many turns; empty: it was stopped.
template <class A>
task<std::optional<await_result_t<A>>> with_patience(A a, std::int64_t n) {
  using R = std::optional<await_result_t<A>>;
  auto race = co_await when_any(std::move(a), turns(n));
  R got;
  if (auto* won = std::get_if<0>(&race.value)) {
    got.emplace(std::move(*won));
  } else if (auto& late = std::get<0>(race.losers)) {
    got.emplace(std::move(*late));
  }
  co_return got;
}

template <class Got>
queue_specification::result received(const Got& got) {
  if (!got) return {answer::nothing};
  return {answer::value, *got};
}

task<queue_specification::result> perform(channel<int>& c, queue_specification::operation o,
                                          std::int64_t patience) {
  using verb = queue_specification::verb;
  switch (o.what) {
    case verb::send: {
      const auto got = co_await with_patience(c.send(o.value), patience);
      if (!got) co_return {answer::stopped};
      if (!*got) co_return {answer::refused};
      co_return {answer::done};
    }
    case verb::try_send:
      if (!c.try_send(o.value)) co_return {answer::refused};
      co_return {answer::done};
    case verb::receive: {
      const auto got = co_await with_patience(c.receive(), patience);
      if (!got) co_return {answer::stopped};
      co_return received(*got);
    }
    case verb::try_receive:
      co_return received(c.try_receive());
    case verb::close:
      c.close();
  }
  co_return {answer::done};
}

TEST_CASE("what loops have seen of a channel could have been seen in some order") {
  for (auto seed : support::seeds(200)) {
    CAPTURE(seed);
    const std::size_t capacity = seed % 3;
    channel<int> c{capacity};
    support::history<queue_specification> seen{tasks};
    auto one = [&](std::size_t id) -> task<> {
      using verb = queue_specification::verb;
      random_engine random(seed * tasks + id);
      for (int i = 0; i < operations; ++i) {
        queue_specification::operation o{static_cast<verb>(random.uniform_int(0, 3)),
                                         static_cast<int>(id) * operations + i};
        if (id == 0 && i == operations - 2) o.what = verb::close;
        const auto patience = random.uniform_int(1, 6);
        const auto called = seen.now();
        const auto result = co_await perform(c, o, patience);
        seen.add(id, called, o, result);
        if (random.uniform_int(0, 2) == 0) co_await yield();
      }
    };
    hammer(one);
    const auto all = seen.all();
    CHECK(support::refuted(queue_specification{capacity}, all, {}) == "");
    if (capacity == 0) CHECK(support::each_meets(all));
  }
}

TEST_CASE("what loops have seen of a semaphore could have been seen in some order") {
  for (auto seed : support::seeds(200)) {
    CAPTURE(seed);
    const auto permits = static_cast<std::int64_t>(seed % 2 + 1);
    semaphore gate{static_cast<std::size_t>(permits)};
    support::history<permits_specification> seen{tasks};
    auto one = [&](std::size_t id) -> task<> {
      using verb = permits_specification::verb;
      random_engine random(seed * tasks + id);
      for (int i = 0; i < operations / 2; ++i) {
        const auto what = random.uniform_int(0, 1) == 0 ? verb::try_acquire : verb::acquire;
        std::optional<semaphore_permit> permit;
        answer is = answer::refused;
        auto called = seen.now();
        if (what == verb::try_acquire) {
          permit = gate.try_acquire();
        } else {
          auto got = co_await with_patience(gate.acquire(), random.uniform_int(1, 6));
          if (!got) is = answer::stopped;
          if (got && *got) permit = std::move(**got);
        }
        seen.add(id, called, {what}, {permit ? answer::done : is});
        if (random.uniform_int(0, 2) == 0) co_await yield();
        if (permit) {
          called = seen.now();
          permit->release();
          seen.add(id, called, {verb::release}, {answer::done});
        }
        if (id == 0 && i == operations / 4) {
          const std::int64_t more = random.uniform_int(1, 3);
          called = seen.now();
          gate.resize(static_cast<std::size_t>(more));
          seen.add(id, called, {verb::resize, more}, {answer::done});
        }
      }
    };
    hammer(one);
    const auto all = support::without_excused(seen.all(), support::refused_try);
    CHECK(support::refuted(permits_specification{}, all, {.capacity = permits, .free = permits}) ==
          "");
  }
}

TEST_CASE("what loops have seen of a mutex could have been seen in some order") {
  for (auto seed : support::seeds(200)) {
    CAPTURE(seed);
    mutex m;
    support::history<lock_specification> seen{tasks};
    auto one = [&](std::size_t id) -> task<> {
      using verb = lock_specification::verb;
      const int who = static_cast<int>(id);
      random_engine random(seed * tasks + id);
      for (int i = 0; i < operations / 2; ++i) {
        const auto what = random.uniform_int(0, 2) == 0 ? verb::try_lock : verb::lock;
        std::optional<mutex_lock> held;
        auto called = seen.now();
        if (what == verb::try_lock)
          held = m.try_lock();
        else
          held = co_await m.lock();
        seen.add(id, called, {what, who}, {held ? answer::done : answer::refused});
        if (!held) continue;
        if (random.uniform_int(0, 2) == 0) co_await yield();
        called = seen.now();
        held.reset();
        seen.add(id, called, {verb::unlock, who}, {answer::done});
      }
    };
    hammer(one);
    const auto all = support::without_excused(seen.all(), support::refused_try);
    CHECK(support::refuted(lock_specification{}, all, {}) == "");
  }
}

}  // namespace
