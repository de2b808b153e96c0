// tests/resilience/shared_gcra_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/resilience/detail/shared_gcra.hpp>

#include <penstock/base/random.hpp>
#include <penstock/test/seeds.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using detail::quick_answer;
using shared_gcra = detail::shared_core<gcra_core>;

namespace {

time_point at(duration d) { return time_point(d); }

// As a limiter uses it: without the lock if that is known, else with it.
bool take(shared_gcra& core, std::mutex& lock, time_point now, std::uint32_t cost) {
  const quick_answer quick = core.try_now(now, cost);
  if (quick != quick_answer::unknown) return quick == quick_answer::admitted;
  const std::lock_guard in(lock);
  const bool admitted = core.acquire(now, cost).admitted;
  core.thaw(now);
  return admitted;
}

// The same requests to it and to the core, at times with pauses of all lengths.
void compare(rate r, std::uint32_t burst, std::uint64_t seed) {
  CAPTURE(r.count);
  CAPTURE(r.period.count());
  CAPTURE(burst);
  random_engine random(seed);
  gcra_core model(r, burst);
  shared_gcra core(model);
  time_point now(duration(random.uniform_int(-1'000'000, 1'000'000)));
  int quick = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto cost = static_cast<std::uint32_t>(random.uniform_int(0, (std::min)(burst, 9u)));
    switch (random.uniform_int(0, 9)) {
      case 0:
        core.freeze();
        break;
      case 1:
        model.refund(now, 1);
        core.refund(now, 1);
        break;
      default:
        break;
    }
    const auto answer = core.try_now(now, cost);
    const bool expected = model.acquire(now, cost).admitted;
    bool admitted = answer == quick_answer::admitted;
    if (answer == quick_answer::unknown) {
      admitted = core.acquire(now, cost).admitted;
      core.thaw(now);
    } else {
      ++quick;
    }
    REQUIRE(admitted == expected);
    REQUIRE(core.available(now) == model.available(now));
    REQUIRE(core.ready_at(now, 3) == model.ready_at(now, 3));
    // Up to 2^50 ns: two weeks; mostly less than an interval.
    const auto most = std::int64_t{1} << random.uniform_int(0, random.uniform_int(0, 3) ? 20 : 50);
    now += duration(random.uniform_int(0, most));
  }
  CHECK(quick > 0);
}

}  // namespace

TEST_CASE("a word of a GCRA decides as its core does, for all fractions and pauses") {
  for (const auto seed : test::seeds(20)) {
    compare(per_minute(90), 10, seed);
    compare(per_second(1), 1, seed);
    compare(per_second(997), 50, seed);           // fractions of 997ths: an era is a month
    compare({1'000'003, 1s}, 100, seed);          // an era is 40 minutes
    compare({4'294'967'291, 1s}, 1000, seed);     // half a second
    compare({4'294'967'291, 1h}, 100'000, seed);  // half a second
    compare({7, 24h}, 7, seed);
  }
}

TEST_CASE("a burst that no word can count goes by the lock") {
  gcra_core model({1, 24h * 365}, 1'000'000);
  shared_gcra core(model);
  std::mutex lock;
  CHECK(take(core, lock, at(0s), 1'000'000));
  CHECK(!take(core, lock, at(24h * 365 - 1ns), 1));
  CHECK(core.try_now(at(24h * 365), 1) == quick_answer::unknown);
  CHECK(take(core, lock, at(24h * 365), 1));
}

TEST_CASE("threads never get more than the burst and what has grown back") {
  shared_gcra core(gcra_core({4'294'967'291, 1s}, 1000));
  std::mutex lock;
  std::atomic<std::int64_t> clock{0};
  std::atomic<std::uint64_t> admitted{0};
  constexpr std::int64_t step = 50, steps = 40'000;  // 215 permits
  auto worker = [&] {
    for (int i = 0; i < 20'000; ++i) {
      const auto now = clock.load();
      std::uint64_t mine = 0;
      while (mine < 50 && take(core, lock, time_point(duration(now)), 7)) ++mine;
      admitted += 7 * mine;
      clock.fetch_add(step);
      // Each of them jumps over whole eras now and then.
      if (i % 5000 == 0) {
        const std::lock_guard in(lock);
        core.freeze();
      }
    }
  };
  std::thread other(worker);
  worker();
  other.join();
  const std::uint64_t grown =
      static_cast<std::uint64_t>(step * steps) * 4'294'967'291 / 1'000'000'000;
  CHECK(admitted <= 1000 + grown);
  CHECK(admitted > 0);
}
