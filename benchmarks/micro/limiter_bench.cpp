// SPDX-License-Identifier: BSL-1.0
// resilience.gcra*: what a permit of a rate limiter costs when it is there, beside a change of one
// word; and of one key of a million, beside finding it.
#include <penstock/base/random.hpp>
#include <penstock/resilience/keyed_rate_limiter.hpp>

#include "../baseline/limiter.hpp"
#include "../support/harness.hpp"
#include "../support/loop.hpp"
#include "../support/malloc_counter.hpp"

#include <memory>
#include <vector>

namespace {

using bench::judged;
using bench::values;

constexpr long calls = 150'000;
// So much that no permit is refused in the time that passes below: a third of a nanosecond is what
// makes a fraction of it.
constexpr penstock::rate plenty{3'000'000'000, std::chrono::seconds(1)};

values each(const bench::stopwatch& time) {
  return {time.nanoseconds() / static_cast<double>(calls)};
}

// a word

values word_baseline() {
  baseline::word word;
  const bench::stopwatch time;
  for (long i = 0; i < calls; ++i) word.add(3);
  const values v = each(time);
  bench::check(word.value() == 3 * calls, "resilience.gcra: the baseline lost a change");
  return v;
}

values gcra_by_hand() {
  const penstock::gcra limiter(plenty, 1000);
  penstock::time_point now{};
  long admitted = 0;
  const bench::allocation_count allocations;
  const bench::stopwatch time;
  for (long i = 0; i < calls; ++i) {
    bench::keep(now);
    admitted += limiter.try_acquire(now);
    now += penstock::duration(1);
  }
  const double ns = time.nanoseconds() / calls;
  bench::check(admitted == calls, "resilience.gcra: a permit was refused");
  return {ns, allocations.value()};
}

const bench::add gcra_added(
    {.metrics = {{"resilience.gcra", "ns", judged::ratio_at_most, {2}},
                 {"resilience.gcra.allocations", "", judged::value_at_most, {0}}},
     .baseline = word_baseline,
     .subject = gcra_by_hand});

// awaited: with a look at the clock

penstock::task<values> await_all() {
  const penstock::gcra limiter(plenty, 1'000'000);
  long admitted = 0;
  const bench::allocation_count allocations;
  const bench::stopwatch time;
  for (long i = 0; i < calls; ++i) {
    const auto taken = co_await limiter.acquire();
    admitted += taken.has_value();
  }
  const double ns = time.nanoseconds() / calls;
  bench::check(admitted == calls, "resilience.gcra.acquire: a permit was refused");
  co_return values{ns, allocations.value()};
}
values gcra_awaited() { return bench::in_loop(await_all()); }

const bench::add awaited_added(
    {.metrics = {{"resilience.gcra.acquire", "ns", judged::not_at_all},
                 {"resilience.gcra.acquire.allocations", "", judged::value_at_most, {0}}},
     .baseline = word_baseline,
     .subject = gcra_awaited});

// a million keys, one after the other, as requests come: none begins before the one before has its
// answer, so that the processor does not look for many at once

constexpr std::size_t keys = 1'000'000;

// In the order in which they are asked for.
const std::vector<std::uint64_t>& asked() {
  static const std::vector<std::uint64_t> all = [] {
    penstock::random_engine random(1);
    std::vector<std::uint64_t> some(calls);
    for (auto& k : some) k = static_cast<std::uint64_t>(random.uniform_int(1, keys));
    return some;
  }();
  return all;
}

values table_baseline() {
  static const auto table = [] {
    auto t = std::make_unique<baseline::table>(keys);
    for (std::uint64_t k = 1; k <= keys; ++k) t->insert(k);
    return t;
  }();
  const auto& order = asked();
  const bench::stopwatch time;
  std::uint64_t before = 0;
  for (const std::uint64_t k : order) before = (*table->find(k + before))++ >> 63;
  return each(time);
}

values keyed_by_hand() {
  static const auto limiter = [] {
    auto l = std::make_unique<penstock::keyed_rate_limiter<std::uint64_t>>(
        penstock::gcra_core(plenty, 1000), penstock::keyed_rate_limiter_options{.max_keys = keys});
    for (std::uint64_t k = 1; k <= keys; ++k)
      bench::check(l->try_acquire(k, penstock::time_point()), "resilience.gcra_keys: no room");
    return l;
  }();
  static penstock::time_point now{};
  const auto& order = asked();
  now += penstock::duration(1'000'000);
  long admitted = 0;
  const bench::allocation_count allocations;
  const bench::stopwatch time;
  std::uint64_t before = 0;
  for (const std::uint64_t k : order) {
    const bool taken = limiter->try_acquire(k + before, now);
    admitted += taken;
    before = taken ? 0 : 1;
  }
  const double ns = time.nanoseconds() / calls;
  bench::check(admitted == calls, "resilience.gcra_keys: a permit was refused");
  return {ns, allocations.value()};
}

const bench::add keyed_added(
    {.metrics = {{"resilience.gcra_keys", "ns", judged::ratio_at_most, {2}},
                 {"resilience.gcra_keys.allocations", "", judged::value_at_most, {0}}},
     .baseline = table_baseline,
     .subject = keyed_by_hand});

}  // namespace
