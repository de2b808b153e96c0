// tests/sync/sync_stress_test.cpp
// SPDX-License-Identifier: BSL-1.0
// Primitives shared by the loops of two threads, with waits that are stopped while the other thread
// grants them.
#include <penstock/sync.hpp>

#include <penstock/core.hpp>
#include <support/seeds.hpp>
#include <sync/two_loops.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <variant>
#include <vector>

using namespace penstock;
using support::on_two_loops;
using support::turns;

namespace {

TEST_CASE("two loops share a semaphore: never too many, and every permit comes back") {
  for (auto seed : test::seeds(3)) {
    CAPTURE(seed);
    semaphore gate{3};
    std::atomic<int> held{0}, most{0};
    std::atomic<long> served{0}, given_up{0};
    auto worker = [&](std::uint64_t id) -> task<> {
      random_engine random(seed * 100 + id);
      for (int i = 0; i < 300; ++i) {
        const int n = static_cast<int>(random.uniform_int(1, 3));
        std::optional<semaphore_permit> permit;
        if (random.uniform_int(0, 1) == 0) {
          permit = co_await must(gate.acquire(static_cast<std::size_t>(n)));
        } else {
          const auto patience = random.uniform_int(1, 8);
          auto race = co_await when_any(gate.acquire(static_cast<std::size_t>(n)), turns(patience));
          if (auto* won = std::get_if<0>(&race.value)) permit = std::move(**won);
          if (auto& late = std::get<0>(race.losers)) permit = std::move(**late);
        }
        if (!permit) {
          ++given_up;
          continue;
        }
        ++served;
        const int now = held += n;
        int seen = most.load();
        while (seen < now && !most.compare_exchange_weak(seen, now)) {
        }
        if (random.uniform_int(0, 2) == 0) co_await yield();
        held -= n;
      }
    };
    on_two_loops([&](std::uint64_t loop) -> task<> {
      co_await when_all(worker(4 * loop), worker(4 * loop + 1), worker(4 * loop + 2),
                        worker(4 * loop + 3));
    });
    CHECK(most.load() <= 3);
    CHECK(held.load() == 0);
    CHECK(served.load() + given_up.load() == 2400);
    CHECK(gate.available() == 3);
    CHECK(gate.waiting() == 0);
    CHECK(gate.try_acquire(3).has_value());
  }
}

TEST_CASE("a semaphore that is resized by one loop and used by another stays whole") {
  semaphore gate{4};
  std::atomic<bool> over{false};
  on_two_loops([&](std::uint64_t loop) -> task<> {
    if (loop == 0) {
      for (std::size_t i = 0; i < 1000; ++i) {
        gate.resize(1 + i % 6);
        co_await yield();
      }
      gate.resize(4);
      over = true;
    } else {
      auto worker = [&]() -> task<> {
        while (!over.load()) {
          auto permit = co_await gate.acquire(2);
          if (!permit) CHECK(permit.error() == errc::never_satisfiable);
          co_await yield();
        }
      };
      co_await when_all(worker(), worker(), worker());
    }
  });
  CHECK(gate.available() == 4);
  CHECK(gate.try_acquire(4).has_value());
}

TEST_CASE("a semaphore is drained and destroyed while permits return on other threads") {
  constexpr std::size_t threads = 3;
  for (int round = 0; round < 300; ++round) {
    auto gate = std::make_unique<semaphore>(threads);
    std::atomic<bool> drains{false};
    std::vector<std::thread> others;
    for (std::size_t i = 0; i < threads; ++i) {
      others.emplace_back([&drains, permit = gate->try_acquire()]() mutable {
        while (!drains.load()) std::this_thread::yield();
        permit.reset();
      });
    }
    auto drain = [&]() -> task<> {
      drains = true;
      auto all = co_await must(gate->acquire(threads));
      all.release();
      gate.reset();
    };
    sync_wait(drain());
    CHECK_FALSE(gate);
    for (auto& t : others) t.join();
  }
}

TEST_CASE("two loops share a channel: everything that was accepted arrives once") {
  for (std::size_t capacity : {0u, 1u, 16u}) {
    CAPTURE(capacity);
    channel<std::unique_ptr<int>> c{capacity};
    std::atomic<long> accepted{0}, received{0};
    std::atomic<int> senders{4};
    auto sender = [&](std::uint64_t id) -> task<> {
      random_engine random(id);
      for (int i = 1; i <= 300; ++i) {
        if (random.uniform_int(0, 1) == 0) {
          co_await must(c.send(std::make_unique<int>(i)));
          accepted += i;
        } else {
          const auto patience = random.uniform_int(1, 6);
          auto race = co_await when_any(c.send(std::make_unique<int>(i)), turns(patience));
          if (race.index == 0 || std::get<0>(race.losers)) accepted += i;
        }
      }
      if (--senders == 0) c.close();
    };
    auto receiver = [&](std::uint64_t id) -> task<> {
      random_engine random(id);
      for (bool open = true; open;) {
        result<std::unique_ptr<int>> value;
        bool got = true;
        if (random.uniform_int(0, 1) == 0) {
          value = co_await c.receive();
        } else {
          const auto patience = random.uniform_int(1, 6);
          auto race = co_await when_any(c.receive(), turns(patience));
          if (auto* won = std::get_if<0>(&race.value)) {
            value = std::move(*won);
          } else if (auto& late = std::get<0>(race.losers)) {
            value = std::move(*late);
          } else {
            got = false;
          }
        }
        if (got && value) received += **value;
        open = !got || value.has_value();
      }
    };
    on_two_loops([&](std::uint64_t loop) -> task<> {
      co_await when_all(sender(loop * 2), sender(loop * 2 + 1), receiver(10 + loop),
                        receiver(20 + loop));
    });
    CHECK(accepted.load() == received.load());
    CHECK(c.size() == 0);
  }
}

TEST_CASE("a waiter on one loop destroys the event that the other is setting") {
  channel<event*> events{4};
  on_two_loops([&](std::uint64_t loop) -> task<> {
    if (loop == 0) {
      for (int i = 0; i < 2000; ++i) {
        auto e = std::make_unique<event>();
        co_await must(events.send(e.get()));
        co_await e->wait();
      }
      events.close();
    } else {
      while (auto e = co_await events.receive()) (*e)->set();
    }
  });
}

TEST_CASE("many wait on two loops for events that are set and reset between") {
  event go;
  std::atomic<int> passed{0};
  on_two_loops([&](std::uint64_t) -> task<> {
    auto waiter = [&]() -> task<> {
      for (int i = 0; i < 200; ++i) {
        auto race = co_await when_any(go.wait(), turns(i % 5 + 1));
        if (race.index == 0) ++passed;
      }
    };
    auto setter = [&]() -> task<> {
      for (int i = 0; i < 400; ++i) {
        go.set();
        co_await yield();
        go.reset();
      }
    };
    co_await when_all(waiter(), waiter(), waiter(), setter());
  });
  CHECK(passed.load() > 0);
}

}  // namespace
