// tests/resilience/circuit_breaker_schedules_test.cpp
// SPDX-License-Identifier: BSL-1.0
// A circuit breaker under random schedules in virtual time, with calls that are given up at random;
// stopped at every step; and shared by the loops of two threads.
#include <penstock/resilience/circuit_breaker.hpp>

#include <penstock/core.hpp>
#include <penstock/test.hpp>
#include <support/seeds.hpp>
#include <sync/two_loops.hpp>

#include <doctest/doctest.h>

#include <atomic>

using namespace penstock;

namespace {
// Every call let in has ended in one way, and the changes follow from each other.
void check_numbers(const circuit_breaker& b) {
  const auto s = b.stats();
  CHECK(s.in_flight == 0);
  CHECK(s.admitted == s.calls + s.ignored + s.canceled + s.late);
  CHECK(s.failures <= s.calls);
  CHECK(s.half_opened <= s.opened);
  CHECK(s.closed <= s.half_opened);
  CHECK(s.opened <= 1 + s.closed + s.half_opened);
}

struct world {
  explicit world(std::uint64_t seed)
      : limit(seed % 3 + 1),
        breaker({.window = 4,
                 .min_calls = 2,
                 .open_for = duration(4),
                 .max_open = duration(9),
                 .half_open_calls = limit,
                 .half_open_ramp = seed % 2 == 0,
                 .half_open_for = duration(seed % 5 == 0 ? 12 : 1'000'000)},
                "breaker", [this](const breaker_event& e) { note(e); }) {}

  void note(const breaker_event& e) {
    CHECK(e.generation == ++generation);
    probes = 0;
  }
  task<> act(random_engine& random) {
    for (int n = 0; n < 12; ++n) {
      const auto takes = duration(random.uniform_int(0, 6));
      const auto patience = duration(random.uniform_int(1, 9));
      const bool fails = random.uniform_int(0, 2) == 0;
      auto operation = [this, takes, fails]() { return call(takes, fails); };
      auto guarded = [this, &operation]() -> task<result<int>> {
        co_return co_await breaker(operation);
      };
      if (random.uniform_int(0, 1) == 0) {
        static_cast<void>(co_await with_timeout(patience, guarded()));
      } else {
        auto idle = [patience]() -> task<> { co_await sleep_for(patience); };
        static_cast<void>(co_await when_any(guarded(), idle()));
      }
      co_await sleep_for(duration(random.uniform_int(0, 3)));
    }
  }
  task<result<int>> call(duration takes, bool fails) {
    const std::uint64_t began = generation;
    const bool probe = breaker.state() == breaker_state::half_open;
    if (probe) CHECK(++probes <= limit);
    scope_exit over([this, began, probe] {
      if (probe && began == generation) --probes;
    });
    co_await sleep_for(takes);
    if (fails) co_return fail(errc::overloaded);
    co_return 1;
  }
  std::size_t limit;
  std::uint64_t generation = 0;
  std::size_t probes = 0;  // under way now, in this generation
  circuit_breaker breaker;
};
}  // namespace

TEST_CASE("schedules: circuit_breaker") {
  for (auto seed : test::seeds(500)) {
    CAPTURE(seed);
    test::test_runtime rt({.seed = seed});
    world w(seed);
    auto actor = [&](std::uint64_t i) -> task<> {
      random_engine random(seed * 4 + i);
      co_await w.act(random);
    };
    rt.run(with_group([&](task_group& group) -> task<> {
      for (std::uint64_t i = 0; i < 4; ++i) group.start(actor(i));
      co_return;
    }));
    check_numbers(w.breaker);
  }
}

TEST_CASE("a run that is stopped at any step leaves no call in flight") {
  for (std::uint64_t step = 1; step < 200; ++step) {
    CAPTURE(step);
    test::test_runtime rt({.seed = 3, .stop_at_step = step});
    world w(2);
    auto run = [&]() -> task<result<>> {
      random_engine random(1);
      co_await w.act(random);
      co_return {};
    };
    static_cast<void>(rt.run(run()));
    check_numbers(w.breaker);
  }
}

TEST_CASE("two loops share a breaker that opens and closes all the time: no result is lost") {
  for (auto seed : test::seeds(3)) {
    std::atomic<std::uint64_t> told{0};
    const circuit_breaker breaker({.window = 8,
                                   .window_time = duration(seed % 2 == 0 ? 0 : 1'000'000),
                                   .min_calls = 2,
                                   .open_for = duration(1000),
                                   .open_factor = 1,
                                   .half_open_calls = 2},
                                  "shared", [&](const breaker_event&) { ++told; });
    std::atomic<std::uint64_t> done{0};
    std::atomic<std::uint64_t> refused{0};
    auto worker = [&](std::uint64_t id) -> task<> {
      random_engine random(seed * 100 + id);
      for (int i = 0; i < 2000; ++i) {
        auto permit = co_await breaker.acquire();
        if (!permit) {
          ++refused;
          continue;
        }
        ++done;
        if (random.uniform_int(0, 2) == 0) co_await yield();
        switch (random.uniform_int(0, 5)) {
          case 0:
          case 1:
            permit->failure();
            break;
          case 2:
            permit->ignore();
            break;
          case 3:
            break;  // canceled
          default:
            permit->success();
        }
        if (random.uniform_int(0, 200) == 0) static_cast<void>(breaker.stats());
        if (random.uniform_int(0, 500) == 0) breaker.reset();
      }
    };
    support::on_two_loops([&](std::uint64_t loop) -> task<> {
      co_await when_all(worker(2 * loop), worker(2 * loop + 1));
    });
    const auto s = breaker.stats();
    CHECK(s.in_flight == 0);
    CHECK(s.admitted == done.load());
    CHECK(s.rejected == refused.load());
    CHECK(s.admitted == s.calls + s.ignored + s.canceled + s.late);
    CHECK(told.load() == s.opened + s.half_opened + s.closed);
    CHECK(s.window_calls <= 8);
  }
}
