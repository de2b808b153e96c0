// tests/resilience/rate_limiter_schedules_test.cpp
// SPDX-License-Identifier: BSL-1.0
// Rate limiters under random schedules and on two loops: no window has too many permits, none is
// lost by those who give up, and the steady state allocates nothing.
#include <penstock/resilience/acquire_all.hpp>
#include <penstock/resilience/keyed_rate_limiter.hpp>

#include <penstock/core.hpp>
#include <penstock/test.hpp>
#include <support/penstock_test.hpp>
#include <sync/two_loops.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t schedules = 500;
constexpr int actors = 4;

// The most that any span of `period` holds, half-open, of times in ascending order.
std::size_t densest(const std::vector<time_point>& times, duration period) {
  std::size_t most = 0, first = 0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    while (times[first] + period <= times[i]) ++first;
    most = (std::max)(most, i - first + 1);
  }
  return most;
}

struct dice {
  explicit dice(std::uint64_t seed) : random(seed) {}
  int upto(int n) { return static_cast<int>(random.uniform_int(0, n)); }
  random_engine random;
};

// Takes permits in all ways, and gives up in all ways. Its permits' times are noted.
template <class Limiter>
task<> act(const Limiter& limiter, dice& d, std::vector<time_point>& used) {
  for (int n = 0; n < 8; ++n) {
    const auto now = co_await this_task::now();
    const auto cost = static_cast<std::uint32_t>(1 + d.upto(2));
    std::size_t took = 0;
    switch (d.upto(5)) {
      case 0: {
        if (limiter.try_acquire(now, cost)) took = cost;
        break;
      }
      case 1: {
        auto later = limiter.reserve(cost, now + duration(d.upto(60)));
        if (!later) break;
        const auto patience = now + duration(d.upto(60));
        co_await sleep_until((std::min)(later->at(), patience));
        if (later->at() <= co_await this_task::now()) took = cost;
        break;  // else it is given back
      }
      case 2: {
        const auto taken = co_await with_timeout(duration(d.upto(40)), limiter.acquire(cost));
        if (taken) took = cost;
        break;
      }
      case 3: {
        const auto race = co_await when_any(limiter.acquire(cost), sleep_for(duration(d.upto(40))));
        const bool won = race.index == 0 || std::get<0>(race.losers).has_value();
        if (won) took = cost;
        break;
      }
      default: {
        const auto taken = co_await limiter.acquire(cost);
        if (taken) took = cost;
        break;
      }
    }
    const auto then = co_await this_task::now();
    used.insert(used.end(), took, then);
    if (d.upto(2) == 0) co_await sleep_for(duration(d.upto(30)));
  }
}

template <class Limiter>
void in_all_schedules(std::size_t most_in_a_period) {
  for (auto seed : test::seeds(schedules)) {
    CAPTURE(seed);
    test::test_runtime rt({.seed = seed});
    const Limiter limiter = [] {
      if constexpr (std::same_as<Limiter, gcra>)
        return gcra(rate{7, duration(50)}, 3);
      else
        return Limiter(rate{7, duration(50)});
    }();
    std::vector<time_point> used;
    auto actor = [&](int i) -> task<> {
      dice d(seed * actors + static_cast<std::uint64_t>(i));
      co_await act(limiter, d, used);
    };
    rt.run(with_group([&](task_group& group) -> task<> {
      for (int i = 0; i < actors; ++i) group.start(actor(i));
      co_return;
    }));
    CHECK(densest(used, duration(50)) <= most_in_a_period);
    CHECK(limiter.stats().waiting == 0);
    // What was given up is there again.
    const auto whole = limiter.decide(rt.now() + 1s, 0);
    CHECK(whole.remaining == whole.limit);
    CHECK(whole.reset == 0s);
  }
}

}  // namespace

TEST_CASE("schedules: gcra") { in_all_schedules<gcra>(7 + 3); }
TEST_CASE("schedules: exact_window") { in_all_schedules<exact_window>(7); }
TEST_CASE("schedules: fixed_window") { in_all_schedules<fixed_window>(14); }

TEST_CASE("RL1: 90 per minute under 100,000 random arrivals") {
  const auto times_of = [](const auto& limiter) {
    random_engine random(1);
    std::vector<time_point> times;
    time_point now{};
    for (int i = 0; i < 100'000; ++i) {
      now +=
          duration(random.uniform_int(0, random.uniform_int(0, 20) ? 400'000'000 : 90'000'000'000));
      if (limiter.try_acquire(now)) times.push_back(now);
    }
    return times;
  };
  CHECK(densest(times_of(exact_window(per_minute(90))), 60s) == 90);
  CHECK(densest(times_of(gcra(per_minute(90), 1)), 60s) <= 91);
  CHECK(densest(times_of(gcra(per_minute(90), 10)), 60s) <= 100);
  CHECK(densest(times_of(gcra(per_minute(90), 90)), 60s) <= 180);
  CHECK(densest(times_of(fixed_window(per_minute(90))), 60s) <= 180);
}

TEST_CASE("schedules: several limiters at once") {
  for (auto seed : test::seeds(schedules)) {
    CAPTURE(seed);
    test::test_runtime rt({.seed = seed});
    const exact_window first(rate{3, duration(20)}), second(rate{5, duration(50)});
    std::vector<time_point> used;
    auto actor = [&](int i) -> task<> {
      dice d(seed * actors + static_cast<std::uint64_t>(i));
      for (int n = 0; n < 6; ++n) {
        const auto both = [&] {
          return i % 2 ? acquire_all(first, second) : acquire_all(second, first);
        };
        const auto taken = co_await with_timeout(duration(d.upto(3) ? 10'000 : d.upto(60)), both());
        if (taken) used.push_back(co_await this_task::now());
        if (d.upto(2) == 0) co_await sleep_for(duration(d.upto(30)));
      }
    };
    rt.run(with_group([&](task_group& group) -> task<> {
      for (int i = 0; i < actors; ++i) group.start(actor(i));
      co_return;
    }));
    CHECK(densest(used, duration(20)) <= 3);
    CHECK(densest(used, duration(50)) <= 5);
    CHECK(!used.empty());
    CHECK(first.decide(rt.now() + 1s).remaining == 2);
    CHECK(second.decide(rt.now() + 1s).remaining == 4);
  }
}

TEST_CASE("schedules: keys") {
  for (auto seed : test::seeds(schedules)) {
    CAPTURE(seed);
    test::test_runtime rt({.seed = seed});
    const keyed_rate_limiter<int, exact_window_core> limits(
        exact_window_core(rate{2, duration(20)}),
        {.max_keys = 2, .when_full = seed % 2 ? when_full::reject : when_full::share});
    std::vector<time_point> used[3];
    auto actor = [&](int i) -> task<> {
      dice d(seed * actors + static_cast<std::uint64_t>(i));
      for (int n = 0; n < 8; ++n) {
        const int key = d.upto(2);
        const auto taken =
            co_await with_timeout(duration(d.upto(3) ? 10'000 : d.upto(60)), limits.acquire(key));
        if (taken) used[key].push_back(co_await this_task::now());
        if (d.upto(1) == 0) co_await sleep_for(duration(d.upto(30)));
      }
    };
    rt.run(with_group([&](task_group& group) -> task<> {
      for (int i = 0; i < actors; ++i) group.start(actor(i));
      co_return;
    }));
    // One whose key is without room a while may have had permits of the shared limit as well.
    for (const auto& times : used) CHECK(densest(times, duration(20)) <= (seed % 2 ? 2 : 4));
    CHECK(limits.stats().keys <= 2);
  }
}

PENSTOCK_TEST("in the steady state nothing is allocated, waiting included") {
  const gcra even(per_second(1000), 2);
  const fixed_window fixed(per_second(1000));
  const keyed_rate_limiter<int> keyed(gcra_core(per_second(1'000'000), 1000));
  auto call = []() -> task<result<>> { co_return result<>(); };
  for (int warm = 0; warm < 2; ++warm) {
    const test::allocation_counter count;
    for (int i = 0; i < 200; ++i) {
      static_cast<void>(co_await even.acquire());
      static_cast<void>(co_await even(call));
      static_cast<void>(co_await fixed(call));
      static_cast<void>(co_await keyed.acquire(i % 10));
    }
    if (warm == 1) CHECK(count.allocations() == 0);
  }
  CHECK(even.stats().waited > 300);
}

TEST_CASE("two loops share a limiter: nobody is forgotten, and nothing is given twice") {
  const gcra limiter(rate{1'000'000, 1s}, 3, {.max_waiting = 3});
  std::atomic<std::uint64_t> admitted{0}, refused{0};
  auto worker = [&](std::uint64_t id) -> task<> {
    random_engine random(id);
    for (int i = 0; i < 500; ++i) {
      switch (random.uniform_int(0, 4)) {
        case 0: {
          const auto race = co_await when_any(limiter.acquire(2), yield());
          admitted += race.index == 0 ? 2 : 0;
          break;
        }
        case 1: {
          auto later = limiter.reserve();
          if (later && i % 2) static_cast<void>(later->cancel());
          break;
        }
        case 2:
          admitted += limiter.try_acquire() ? 1 : 0;
          break;
        default: {
          const auto taken = co_await limiter.acquire();
          (taken ? admitted : refused) += 1;
          break;
        }
      }
    }
  };
  support::on_two_loops([&](std::uint64_t loop) -> task<> {
    co_await when_all(worker(3 * loop), worker(3 * loop + 1), worker(3 * loop + 2));
  });
  CHECK(admitted > 0);
  CHECK(limiter.stats().waiting == 0);
}

TEST_CASE("two loops share a keyed limiter and combine it with others") {
  const keyed_rate_limiter<int, exact_window_core> keyed(
      exact_window_core(rate{20, 1ms}), {.max_keys = 4, .when_full = when_full::share});
  const exact_window all(rate{30, 1ms});
  std::atomic<std::uint64_t> admitted{0};
  auto worker = [&](std::uint64_t id) -> task<> {
    random_engine random(id);
    for (int i = 0; i < 300; ++i) {
      const int key = static_cast<int>(random.uniform_int(0, 8));
      if (i % 3 == 0) {
        const auto taken = co_await keyed.acquire(key);
        admitted += taken.has_value();
      } else {
        const auto taken = co_await acquire_all(keyed.of(key), all);
        admitted += taken.has_value();
      }
    }
  };
  support::on_two_loops([&](std::uint64_t loop) -> task<> {
    co_await when_all(worker(3 * loop), worker(3 * loop + 1), worker(3 * loop + 2));
  });
  CHECK(admitted == 2 * 3 * 300);
  CHECK(keyed.stats().keys <= 4);
}
