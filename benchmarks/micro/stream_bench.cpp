// SPDX-License-Identifier: BSL-1.0
// stream.*: what stages cost for an item: synchronous ones beside the loop that they are, one that
// could wait beside a generator, and map_concurrent beside the operation alone. That of lines is in
// macro/stream_figures.cpp.
#include <penstock/core.hpp>
#include <penstock/stream.hpp>

#include "../baseline/generator.hpp"
#include "../baseline/lazy_task.hpp"
#include "../baseline/ready_queue.hpp"
#include "../support/harness.hpp"
#include "../support/loop.hpp"
#include "../support/malloc_counter.hpp"

#include <chrono>
#include <cstdint>
#include <ranges>
#include <string>

namespace {

using bench::judged;
using bench::limit;
using bench::values;
using penstock::fold;
using penstock::from;
using penstock::map;

values each(const bench::stopwatch& time, long operations) {
  return {time.nanoseconds() / static_cast<double>(operations)};
}

// mix, filter, scan, map, fold

using word = std::uint64_t;
constexpr long integers = 1'000'000;  // at a time; `--set integers=100000000` for all at once

long integers_of_a_run() {
  static const long n = std::stol(bench::setting("integers", std::to_string(integers)));
  return n;
}
constexpr word mix(word x) {
  x = (x ^ (x >> 31)) * 0x7fb5d329728ea185;
  return x ^ (x >> 27);
}
constexpr bool is_wanted(word x) { return x % 8 != 0; }
constexpr word turn(word state, word x) { return ((state << 5) | (state >> 59)) ^ x; }
constexpr word fade(word x) { return x - (x >> 3); }

word sum_of_loop = 0;

values five_stages_baseline() {
  long n = integers_of_a_run();
  bench::keep(n);
  word state = 0, sum = 0;
  const bench::stopwatch time;
  for (long i = 0; i < n; ++i) {
    const word x = mix(static_cast<word>(i));
    if (!is_wanted(x)) continue;
    state = turn(state, x);
    sum += fade(state);
  }
  bench::keep(sum);
  const values v = each(time, n);
  sum_of_loop = sum;
  return v;
}
penstock::task<values> run_five_stages() {
  long n = integers_of_a_run();
  bench::keep(n);
  const bench::allocation_count allocations;
  const bench::stopwatch time;
  auto sum = co_await (from(std::views::iota(0L, n)) |
                       map([](long i) { return mix(static_cast<word>(i)); }) |
                       penstock::filter([](word x) { return is_wanted(x); }) |
                       penstock::scan(word{0}, [](word s, word x) { return turn(s, x); }) |
                       map([](word x) { return fade(x); }) |
                       fold(word{0}, [](word total, word x) { return total + x; }));
  const double ns = each(time, n)[0];
  bench::check(sum && (sum_of_loop == 0 || *sum == sum_of_loop), "stream.five: the sum is wrong");
  co_return values{ns, allocations.value()};
}
const bench::add five_stages_added(
    {.metrics = {{"stream.five", "ns", judged::ratio_at_most, limit(2, 1.3)},
                 {"stream.five.allocations", "", judged::value_at_most, {0}}},
     .baseline = five_stages_baseline,
     .subject = [] { return bench::in_loop(run_five_stages()); }});

// a stage that could wait, and does not

constexpr long items = 500'000;
constexpr long sum_of_items = items * (items - 1) / 2;

[[gnu::noinline]] baseline::generator<long> raw_numbers(long n) {
  for (long i = 0; i < n; ++i) co_yield long{i};
}
[[gnu::noinline]] penstock::generator<long> numbers(long n) {
  for (long i = 0; i < n; ++i) co_yield long{i};
}
values generator_baseline() {
  auto source = raw_numbers(items);
  long sum = 0;
  const bench::stopwatch time;
  while (const long* item = source.next()) sum += *item;
  const values v = each(time, items);
  bench::check(sum == sum_of_items, "stream.generator: the baseline's sum is wrong");
  return v;
}
constexpr auto add = [](long sum, long item) { return sum + item; };

penstock::task<values> read_generator() {
  auto source = numbers(items);
  const bench::allocation_count allocations;
  const bench::stopwatch time;
  auto sum = co_await (source | fold(0L, add));
  const double ns = each(time, items)[0];
  bench::check(sum && *sum == sum_of_items, "stream.generator: the sum is wrong");
  co_return values{ns, allocations.value()};
}
const bench::add generator_added(
    {.metrics = {{"stream.generator", "ns", judged::ratio_at_most, {2}},
                 {"stream.generator.allocations", "", judged::value_at_most, {0}}},
     .baseline = generator_baseline,
     .subject = [] { return bench::in_loop(read_generator()); }});

[[gnu::noinline]] baseline::lazy_task<long> raw_twice(long i) { co_return 2 * i; }
[[gnu::noinline]] penstock::task<long> twice(long i) { co_return 2 * i; }

baseline::eager_task await_each(long& sum) {
  for (long i = 0; i < items; ++i) sum += co_await raw_twice(i);
}
values map_task_baseline() {
  long sum = 0;
  const bench::stopwatch time;
  await_each(sum);
  const values v = each(time, items);
  bench::check(sum == 2 * sum_of_items, "stream.map_task: the baseline's sum is wrong");
  return v;
}
penstock::task<values> map_to_tasks() {
  const bench::allocation_count allocations;
  const bench::stopwatch time;
  auto sum = co_await (from(std::views::iota(0L, items)) | map(twice) | fold(0L, add));
  const double ns = each(time, items)[0];
  bench::check(sum && *sum == 2 * sum_of_items, "stream.map_task: the sum is wrong");
  co_return values{ns, allocations.value()};
}
const bench::add map_task_added(
    {.metrics = {{"stream.map_task", "ns", judged::not_at_all},
                 {"stream.map_task.allocations", "", judged::value_at_most, {0}}},
     .baseline = map_task_baseline,
     .subject = [] { return bench::in_loop(map_to_tasks()); }});

// 64 operations of 10 ms at once, beside one after the other

constexpr std::size_t at_once = 64;

penstock::task<long> operation(long i) {
  co_await penstock::sleep_for(std::chrono::milliseconds(10));
  co_return i;
}
penstock::task<> work_on(long n) {
  auto sum = co_await (from(std::views::iota(0L, n)) |
                       penstock::map_concurrent(at_once, operation) | fold(0L, add));
  bench::check(sum && *sum == n * (n - 1) / 2, "stream.map_concurrent: the sum is wrong");
}
double per_second(const bench::stopwatch& time, long operations) {
  return 1e9 * static_cast<double>(operations) / time.nanoseconds();
}
penstock::task<values> operate_alone() {
  constexpr long n = 50;
  const bench::stopwatch time;
  for (long i = 0; i < n; ++i) co_await operation(i);
  co_return values{at_once * per_second(time, n)};
}
penstock::task<values> operate_at_once() {
  constexpr long n = 100 * at_once;
  co_await work_on(at_once);
  const bench::allocation_count few;
  co_await work_on(at_once);
  const double allocations_of_few = few.value();
  const bench::allocation_count many;
  const bench::stopwatch time;
  co_await work_on(n);
  const double rate = per_second(time, n);
  co_return values{rate, many.value() - allocations_of_few};
}
const bench::add map_concurrent_added(
    {.metrics = {{"stream.map_concurrent", "1/s", judged::ratio_at_least, {0.97}},
                 {"stream.map_concurrent.allocations", "", judged::value_at_most, {0}}},
     .baseline = [] { return bench::in_loop(operate_alone()); },
     .subject = [] { return bench::in_loop(operate_at_once()); },
     .place = bench::place::all_cpus});

}  // namespace
