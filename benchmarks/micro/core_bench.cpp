// SPDX-License-Identifier: BSL-1.0
// core.*: what a task, ok(), a turn through the loop and a group cost.
#include <penstock/core.hpp>

#include "../baseline/lazy_task.hpp"
#include "../baseline/nursery.hpp"
#include "../support/harness.hpp"
#include "../support/loop.hpp"

namespace {

using bench::values;

template <class Task>
values per_operation(long operations, Task&& task) {
  const bench::stopwatch time;
  bench::in_loop(std::forward<Task>(task));
  return {time.nanoseconds() / static_cast<double>(operations)};
}

// create, await, destroy

constexpr long awaits = 200'000;
constexpr long sum_of_awaits = awaits * (awaits - 1) / 2;

[[gnu::noinline]] baseline::lazy_task<int> raw_number(int i) { co_return i; }
[[gnu::noinline]] penstock::task<int> number(int i) { co_return i; }
[[gnu::noinline]] penstock::task<penstock::result<int>> number_or_error(int i) { co_return i; }

baseline::eager_task raw_await_all(long& sum) {
  for (int i = 0; i < awaits; ++i) sum += co_await raw_number(i);
}
penstock::task<> await_all(long& sum) {
  for (int i = 0; i < awaits; ++i) sum += co_await number(i);
}
penstock::task<penstock::result<>> ok_all(long& sum) {
  for (int i = 0; i < awaits; ++i) sum += co_await penstock::ok(number_or_error(i));
  co_return {};
}

values await_baseline() {
  long sum = 0;
  const bench::stopwatch time;
  raw_await_all(sum);
  const double ns = time.nanoseconds() / awaits;
  bench::check(sum == sum_of_awaits, "core.await: the baseline's sum is wrong");
  return {ns};
}
values await_subject() {
  long sum = 0;
  const values v = per_operation(awaits, await_all(sum));
  bench::check(sum == sum_of_awaits, "core.await: the sum is wrong");
  return v;
}
values ok_subject() {
  long sum = 0;
  const values v = per_operation(awaits, ok_all(sum));
  bench::check(sum == sum_of_awaits, "core.ok: the sum is wrong");
  return v;
}

const bench::add core_await(
    {.metrics = {{"core.await", "ns", bench::judged::ratio_at_most, {1.6, 1.7}}},
     .baseline = await_baseline,
     .subject = await_subject});
const bench::add core_ok({.metrics = {{"core.ok", "ns", bench::judged::ratio_at_most, {1.7, 1.3}}},
                          .baseline = await_subject,
                          .subject = ok_subject});

// two tasks take turns

constexpr long turns = 400'000;

baseline::eager_task raw_turns(long count, long& done) {
  long i = 0;
  for (; i < count; ++i) co_await baseline::yield{};
  done += i;
}
penstock::task<> take_turns(long count, long& done) {
  long i = 0;
  for (; i < count; ++i) co_await penstock::yield();
  done += i;
}
penstock::task<> two_in_turn(long& done) {
  auto body = [&](penstock::task_group& group) -> penstock::task<> {
    group.start(take_turns(turns / 2, done));
    group.start(take_turns(turns / 2, done));
    co_return;
  };
  co_await penstock::with_group(body);
}

values switch_baseline() {
  long done = 0;
  const bench::stopwatch time;
  raw_turns(turns / 2, done);
  raw_turns(turns / 2, done);
  baseline::ready.run();
  const double ns = time.nanoseconds() / turns;
  bench::check(done == turns, "core.switch: the baseline lost turns");
  return {ns};
}
values switch_subject() {
  long done = 0;
  const values v = per_operation(turns, two_in_turn(done));
  bench::check(done == turns, "core.switch: turns were lost");
  return v;
}

const bench::add core_switch(
    {.metrics = {{"core.switch", "ns", bench::judged::ratio_at_most, {2.1}}},
     .baseline = switch_baseline,
     .subject = switch_subject});

// start in a group and join

long sum_of_children = 0;

[[gnu::noinline]] baseline::child raw_add(long i) {
  sum_of_children += i;
  co_return;
}
[[gnu::noinline]] penstock::task<> add(long i) {
  sum_of_children += i;
  co_return;
}

baseline::eager_task raw_groups(long groups, long size) {
  for (long g = 0; g < groups; ++g) {
    baseline::nursery group;
    for (long i = 0; i < size; ++i) group.start(raw_add(i));
    co_await group.join();
  }
}
penstock::task<> groups_of(long groups, long size) {
  for (long g = 0; g < groups; ++g) {
    auto body = [&](penstock::task_group& group) -> penstock::task<> {
      for (long i = 0; i < size; ++i) group.start(add(i));
      co_return;
    };
    co_await penstock::with_group(body);
  }
}

template <long groups, long size>
values group_baseline() {
  sum_of_children = 0;
  const bench::stopwatch time;
  raw_groups(groups, size);
  baseline::ready.run();
  const double ns = time.nanoseconds() / (groups * size);
  bench::check(sum_of_children == groups * (size * (size - 1) / 2),
               "core.group: the baseline's sum is wrong");
  return {ns};
}
template <long groups, long size>
values group_subject() {
  sum_of_children = 0;
  const values v = per_operation(groups * size, groups_of(groups, size));
  bench::check(sum_of_children == groups * (size * (size - 1) / 2), "core.group: the sum is wrong");
  return v;
}

const bench::add core_group64(
    {.metrics = {{"core.group64", "ns", bench::judged::ratio_at_most, {1.3}}},
     .baseline = group_baseline<1'500, 64>,
     .subject = group_subject<1'500, 64>});
const bench::add core_group1e6(
    {.metrics = {{"core.group1e6", "ns", bench::judged::ratio_at_most, {2.2}}},
     .baseline = group_baseline<1, 1'000'000>,
     .subject = group_subject<1, 1'000'000>});

}  // namespace
