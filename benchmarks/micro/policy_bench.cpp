// SPDX-License-Identifier: BSL-1.0
// resilience.chain: four policies around an operation that is ready, beside one awaited task.
#include <penstock/resilience.hpp>

#include "../support/harness.hpp"
#include "../support/loop.hpp"
#include "../support/malloc_counter.hpp"

namespace {

using bench::judged;
using bench::values;
using namespace penstock;

constexpr int calls = 100'000;
constexpr long sum_of_calls = static_cast<long>(calls) * (calls - 1) / 2;

[[gnu::noinline]] task<int> number(int i) { co_return i; }
[[gnu::noinline]] task<result<int>> answer(int i) { co_return i; }

task<double> await_all() {
  long sum = 0;
  const bench::stopwatch time;
  for (int i = 0; i < calls; ++i) sum += co_await number(i);
  const double ns = time.nanoseconds() / calls;
  bench::check(sum == sum_of_calls, "resilience.chain: the baseline's sum is wrong");
  co_return ns;
}
template <class Policy>
task<values> call_all(const Policy& guarded) {
  long sum = 0;
  int i = 0;
  auto call = [&] { return answer(i); };
  const bench::allocation_count allocations;
  const bench::stopwatch time;
  for (; i < calls; ++i) {
    const auto one = co_await guarded(idempotent(call));
    if (one) sum += *one;
  }
  const double ns = time.nanoseconds() / calls;
  bench::check(sum == sum_of_calls, "resilience.chain: a call was lost");
  co_return values{ns, allocations.value()};
}

values chain() {
  const circuit_breaker breaker;
  const gcra limiter(per_second(1'000'000'000), 1'000'000);
  const auto guarded =
      retry({.attempts = 3}) | breaker | limiter | attempt_timeout(std::chrono::seconds(1));
  return bench::in_loop(call_all(guarded));
}
values retry_alone() { return bench::in_loop(call_all(retry({.attempts = 3}))); }
values timeout_alone() {
  return bench::in_loop(call_all(attempt_timeout(std::chrono::seconds(1))));
}
values limiter_alone() {
  const gcra limiter(per_second(1'000'000'000), 1'000'000);
  return bench::in_loop(call_all(limiter));
}
values baseline() { return {bench::in_loop(await_all())}; }

const bench::add resilience_chain(
    {.metrics = {{"resilience.chain", "ns", judged::ratio_at_most, {8.0}},
                 {"resilience.chain.allocations", "", judged::value_at_most, {0}}},
     .baseline = baseline,
     .subject = chain});
const bench::add resilience_retry({.metrics = {{"resilience.retry", "ns", judged::not_at_all}},
                                   .baseline = baseline,
                                   .subject = retry_alone});
const bench::add resilience_timeout({.metrics = {{"resilience.timeout", "ns", judged::not_at_all}},
                                     .baseline = baseline,
                                     .subject = timeout_alone});
const bench::add resilience_limiter({.metrics = {{"resilience.limiter", "ns", judged::not_at_all}},
                                     .baseline = baseline,
                                     .subject = limiter_alone});

}  // namespace
