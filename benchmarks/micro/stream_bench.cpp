// SPDX-License-Identifier: BSL-1.0
// stream.*: pipelines beside a loop by hand, the plainest generator, and the ideal rate of calls
// that sleep.
#include <penstock/core.hpp>
#include <penstock/stream.hpp>

#include "../baseline/hand_streams.hpp"
#include "../support/harness.hpp"
#include "../support/loop.hpp"
#include "../support/malloc_counter.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ranges>
#include <vector>

namespace {

using bench::judged;
using bench::limit;
using bench::values;
using namespace std::chrono_literals;

// five stages that do not wait, 1e8 integers in all: ten runs of 1e7 are as many

constexpr std::uint64_t integers = 10'000'000;

std::uint64_t expected_total() {
  static const std::uint64_t total = baseline::five_stages(integers);
  return total;
}
values stages_baseline() {
  const bench::stopwatch time;
  const std::uint64_t total = baseline::five_stages(integers);
  const double ns = time.nanoseconds() / static_cast<double>(integers);
  bench::check(total == expected_total(), "stream.stages: the baseline is wrong");
  return {ns};
}
penstock::task<values> five_stages() {
  const auto mix = [](std::uint64_t x) { return baseline::mix(x); };
  const auto some = [](std::uint64_t x) { return (x & 3) != 0; };
  const auto add = [](std::uint64_t sum, std::uint64_t x) { return sum + x; };
  const auto fold_in = [](std::uint64_t sum) { return sum ^ (sum >> 7); };
  const auto total = [](std::uint64_t t, std::uint64_t y) { return t * 31 + y; };
  const bench::allocation_count allocations;
  const bench::stopwatch time;
  const auto numbers = std::views::iota(std::uint64_t{0}, integers);
  auto sum = co_await (penstock::from(numbers) | penstock::map(mix) | penstock::filter(some) |
                       penstock::scan(std::uint64_t{0}, add) | penstock::map(fold_in) |
                       penstock::fold(std::uint64_t{0}, total));
  const double ns = time.nanoseconds() / static_cast<double>(integers);
  bench::check(sum && *sum == expected_total(), "stream.stages: a wrong sum");
  co_return values{ns, allocations.value()};
}
const bench::add stages_added(
    {.metrics = {{"stream.stages", "ns", judged::ratio_at_most, {2, 1.3}},
                 {"stream.stages.allocations", "", judged::value_at_most, {0}}},
     .baseline = stages_baseline,
     .subject = [] { return bench::in_loop(five_stages()); }});

// one stage that may wait, and never does

constexpr std::uint64_t steps = 1'000'000;

[[gnu::noinline]] baseline::generator count_by_hand(std::uint64_t n) {
  for (std::uint64_t i = 0; i < n; ++i) co_yield i;
}
values generator_baseline() {
  auto numbers = count_by_hand(steps);
  bench::keep(numbers);
  std::uint64_t sum = 0;
  const bench::stopwatch time;
  while (numbers.next()) sum += numbers.value();
  const double ns = time.nanoseconds() / static_cast<double>(steps);
  bench::check(sum == steps * (steps - 1) / 2, "stream.generator: the baseline is wrong");
  return {ns};
}
penstock::generator<std::uint64_t> count_up(std::uint64_t n) {
  for (std::uint64_t i = 0; i < n; ++i) co_yield i;
}
const auto add_up = [](std::uint64_t sum, std::uint64_t x) { return sum + x; };
penstock::task<values> generate_all() {
  auto numbers = count_up(steps);
  const bench::allocation_count allocations;
  const bench::stopwatch time;
  auto sum = co_await (std::move(numbers) | penstock::fold(std::uint64_t{0}, add_up));
  const double ns = time.nanoseconds() / static_cast<double>(steps);
  bench::check(sum && *sum == steps * (steps - 1) / 2, "stream.generator: a wrong sum");
  co_return values{ns, allocations.value()};
}
penstock::task<values> map_all() {
  const auto same = [](std::uint64_t x) -> penstock::task<std::uint64_t> { co_return x; };
  const bench::allocation_count allocations;
  const bench::stopwatch time;
  const auto numbers = std::views::iota(std::uint64_t{0}, steps);
  auto sum = co_await (penstock::from(numbers) | penstock::map(same) |
                       penstock::fold(std::uint64_t{0}, add_up));
  const double ns = time.nanoseconds() / static_cast<double>(steps);
  bench::check(sum && *sum == steps * (steps - 1) / 2, "stream.map_task: a wrong sum");
  co_return values{ns, allocations.value()};
}
const bench::add generator_added(
    {.metrics = {{"stream.generator", "ns", judged::ratio_at_most, {2}},
                 {"stream.generator.allocations", "", judged::value_at_most, {0}}},
     .baseline = generator_baseline,
     .subject = [] { return bench::in_loop(generate_all()); }});
const bench::add map_task_added(
    {.metrics = {{"stream.map_task", "ns", judged::not_at_all},
                 {"stream.map_task.allocations", "", judged::value_at_most, {0}}},
     .baseline = generator_baseline,
     .subject = [] { return bench::in_loop(map_all()); }});

// 64 calls at once that sleep for 10 ms, beside the same sleep alone: items a second

constexpr std::size_t calls = 64;
constexpr int rounds = 20;

penstock::task<values> sleep_alone() {
  const bench::stopwatch time;
  for (int i = 0; i < rounds; ++i) co_await penstock::sleep_for(10ms);
  co_return values{static_cast<double>(calls) * rounds / (time.nanoseconds() * 1e-9)};
}
penstock::task<values> sleep_concurrently() {
  const auto sleep = [](int x) -> penstock::task<int> {
    co_await penstock::sleep_for(10ms);
    co_return x;
  };
  const auto numbers = std::views::iota(0, static_cast<int>(calls) * rounds);
  const bench::stopwatch time;
  auto all = co_await (penstock::from(numbers) | penstock::map_concurrent(calls, sleep) |
                       penstock::count());
  const double seconds = time.nanoseconds() * 1e-9;
  bench::check(all && *all == calls * rounds, "stream.concurrent: items are missing");
  co_return values{static_cast<double>(calls) * rounds / seconds};
}
const bench::add concurrent_added(
    {.metrics = {{"stream.concurrent", "/s", judged::ratio_at_least, {0.97}}},
     .baseline = [] { return bench::in_loop(sleep_alone()); },
     .subject = [] { return bench::in_loop(sleep_concurrently()); }});

}  // namespace
