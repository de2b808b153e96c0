// SPDX-License-Identifier: BSL-1.0
// memory.*: what a task costs while it waits: resident memory, divided by 100,000 tasks.
#include <penstock/core.hpp>
#include <penstock/sync.hpp>

#include "../baseline/event.hpp"
#include "../support/harness.hpp"
#include "../support/loop.hpp"

namespace {

using bench::values;

constexpr long tasks = 100'000;

double per_task(std::size_t before) {
  return static_cast<double>(bench::resident_memory() - before) / tasks;
}

long done = 0;  // in this process, which is a fresh one

baseline::eager_task raw_wait(baseline::event& event) {
  co_await event.wait();
  ++done;
}
values memory_baseline() {
  baseline::event event;
  const std::size_t before = bench::resident_memory();
  for (long i = 0; i < tasks; ++i) raw_wait(event);
  const double bytes = per_task(before);
  event.set();
  baseline::ready.run();
  bench::check(done == tasks, "memory.task: the baseline lost tasks");
  return {bytes};
}

penstock::task<> wait_for(penstock::event& event) {
  co_await event.wait();
  ++done;
}
penstock::task<double> wait_many() {
  penstock::event event;
  double bytes = 0;
  auto body = [&](penstock::task_group& group) -> penstock::task<> {
    const std::size_t before = bench::resident_memory();
    for (long i = 0; i < tasks; ++i) group.start(wait_for(event));
    co_await penstock::yield();  // all of them have run, and wait
    bytes = per_task(before);
    bench::check(done == 0, "memory.task: a task did not wait");
    event.set();
  };
  co_await penstock::with_group(body);
  bench::check(done == tasks, "memory.task: tasks were lost");
  co_return bytes;
}
values memory_subject() { return {bench::in_loop(wait_many())}; }

const bench::add memory_added(
    {.metrics = {{"memory.task", "B", bench::judged::value_at_most, {160}}},
     .baseline = memory_baseline,
     .subject = memory_subject,
     .place = bench::place::fresh_process});

}  // namespace
