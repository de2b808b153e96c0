// SPDX-License-Identifier: BSL-1.0
// resilience.*: what policies cost a call that they let through, beside the atomic operations that
// a thread-safe one cannot do without; the allocations of their steady state.
#include <penstock/core.hpp>
#include <penstock/resilience/circuit_breaker.hpp>

#include "../baseline/atomics.hpp"
#include "../support/harness.hpp"
#include "../support/loop.hpp"
#include "../support/malloc_counter.hpp"

namespace {

using bench::judged;
using bench::values;

constexpr long calls = 150'000;

values each(const bench::stopwatch& time) {
  return {time.nanoseconds() / static_cast<double>(calls)};
}

values counter_baseline() {
  baseline::counter counter(1);
  const bench::stopwatch time;
  for (long i = 0; i < calls; ++i) {
    counter.acquire();
    counter.release();
  }
  const values v = each(time);
  bench::check(counter.permits() == 1, "resilience.breaker: the baseline lost a permit");
  return v;
}

// let in and ended, closed, at a time that the caller knows already

// With a window of results, or of time too: then under a lock.
template <bool Timed>
values breaker_by_hand() {
  const penstock::circuit_breaker breaker({.window_time = std::chrono::seconds(Timed ? 10 : 0)});
  penstock::time_point now{};
  const bench::allocation_count allocations;
  const bench::stopwatch time;
  for (long i = 0; i < calls; ++i) {
    bench::keep(now);
    auto permit = breaker.try_acquire(now);
    if (permit) permit->ended(penstock::call_outcome::success, now);
  }
  const double ns = time.nanoseconds() / calls;
  bench::check(breaker.stats().calls == calls, "resilience.breaker: a result was lost");
  return {ns, allocations.value()};
}

const bench::add breaker_added(
    {.metrics = {{"resilience.breaker", "ns", judged::ratio_at_most, {3}},
                 {"resilience.breaker.allocations", "", judged::value_at_most, {0}}},
     .baseline = counter_baseline,
     .subject = breaker_by_hand<false>});
const bench::add timed_breaker_added(
    {.metrics = {{"resilience.breaker.timed", "ns", judged::ratio_at_most, {3}},
                 {"resilience.breaker.timed.allocations", "", judged::value_at_most, {0}}},
     .baseline = counter_baseline,
     .subject = breaker_by_hand<true>});

// a call through the policy, and the same call without: a frame and two looks at the cheap clock

penstock::task<penstock::result<long>> answer(long i) { co_return i; }

penstock::task<values> call_all() {
  long sum = 0;
  const bench::stopwatch time;
  for (long i = 0; i < calls; ++i) {
    auto call = [i] { return answer(i); };
    const auto r = co_await call();
    sum += *r;
  }
  const values v = each(time);
  bench::check(sum == calls * (calls - 1) / 2, "resilience.breaker.policy: the sum is wrong");
  co_return v;
}
penstock::task<values> call_all_guarded() {
  const penstock::circuit_breaker breaker;
  long sum = 0;
  const bench::allocation_count allocations;
  const bench::stopwatch time;
  for (long i = 0; i < calls; ++i) {
    auto call = [i] { return answer(i); };
    const auto r = co_await breaker(call);
    sum += *r;
  }
  const double ns = time.nanoseconds() / calls;
  bench::check(sum == calls * (calls - 1) / 2, "resilience.breaker.policy: the sum is wrong");
  co_return values{ns, allocations.value()};
}
values plain_calls() { return bench::in_loop(call_all()); }
values guarded_calls() { return bench::in_loop(call_all_guarded()); }

const bench::add policy_added(
    {.metrics = {{"resilience.breaker.policy", "ns", judged::not_at_all},
                 {"resilience.breaker.policy.allocations", "", judged::value_at_most, {0}}},
     .baseline = plain_calls,
     .subject = guarded_calls});

}  // namespace
