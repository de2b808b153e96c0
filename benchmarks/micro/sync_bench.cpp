// SPDX-License-Identifier: BSL-1.0
// sync.*: thread-safe primitives that nobody contends for, beside the atomic operations that they
// cannot do without; and the allocations of their steady state.
#include <penstock/core.hpp>
#include <penstock/sync.hpp>

#include "../baseline/atomics.hpp"
#include "../support/harness.hpp"
#include "../support/loop.hpp"
#include "../support/malloc_counter.hpp"

namespace {

using bench::judged;
using bench::values;

// semaphore: acquire and release

constexpr long acquires = 150'000;

values semaphore_baseline() {
  baseline::counter counter(1);
  const bench::stopwatch time;
  for (long i = 0; i < acquires; ++i) {
    counter.acquire();
    counter.release();
  }
  const double ns = time.nanoseconds() / acquires;
  bench::check(counter.permits() == 1, "sync.semaphore: the baseline lost a permit");
  return {ns, 0};
}

penstock::task<values> acquire_all() {
  penstock::semaphore semaphore(1);
  const bench::allocation_count allocations;
  const bench::stopwatch time;
  for (long i = 0; i < acquires; ++i) {
    const auto permit = co_await semaphore.acquire();
    if (!permit) break;
  }
  const double ns = time.nanoseconds() / acquires;
  bench::check(semaphore.available() == 1, "sync.semaphore: a permit was lost");
  co_return values{ns, allocations.value()};
}
values semaphore_subject() { return bench::in_loop(acquire_all()); }

const bench::add semaphore_added(
    {.metrics = {{"sync.semaphore", "ns", judged::ratio_at_most, {1.45}},
                 {"sync.semaphore.allocations", "", judged::value_at_most, {0}}},
     .baseline = semaphore_baseline,
     .subject = semaphore_subject});

// channel: one sender and one receiver on one thread

constexpr long items = 150'000;

values channel_baseline() {
  baseline::spin_lock lock;
  long guarded = 0;
  const bench::stopwatch time;
  for (long i = 0; i < items; ++i) {
    lock.lock();
    guarded += i;
    bench::keep(guarded);
    lock.unlock();
    lock.lock();
    guarded -= i;
    bench::keep(guarded);
    lock.unlock();
  }
  const double ns = time.nanoseconds() / items;
  bench::check(guarded == 0, "sync.channel64: the baseline computed nonsense");
  return {ns, 0};
}

penstock::task<> send_all(penstock::channel<long>& channel) {
  for (long i = 0; i < items; ++i) (void)co_await channel.send(i);
  channel.close();
}
penstock::task<> receive_all(penstock::channel<long>& channel, long& sum, values& result) {
  sum += *co_await channel.receive();
  const bench::allocation_count allocations;
  const bench::stopwatch time;
  while (auto item = co_await channel.receive()) sum += *item;
  result = {time.nanoseconds() / items, allocations.value()};
}
penstock::task<values> send_and_receive() {
  values result{};
  long sum = 0;
  penstock::channel<long> channel(64);
  auto body = [&](penstock::task_group& group) -> penstock::task<> {
    group.start(send_all(channel));
    group.start(receive_all(channel, sum, result));
    co_return;
  };
  co_await penstock::with_group(body);
  bench::check(sum == items * (items - 1) / 2, "sync.channel64: the sum is wrong");
  co_return result;
}
values channel_subject() { return bench::in_loop(send_and_receive()); }

const bench::add channel_added(
    {.metrics = {{"sync.channel64", "ns", judged::ratio_at_most, {1.8}},
                 {"sync.channel64.allocations", "", judged::value_at_most, {0}}},
     .baseline = channel_baseline,
     .subject = channel_subject});

}  // namespace
