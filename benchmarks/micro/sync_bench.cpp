// SPDX-License-Identifier: BSL-1.0
// sync.*, sync.local.*: primitives on one thread, beside the atomic operations that a thread-safe
// one cannot do without, and beside hand-written ones of one thread; the allocations of their
// steady state. Those on two threads are in sync_threads_bench.cpp.
#include <penstock/core.hpp>
#include <penstock/sync.hpp>

#include "../baseline/atomics.hpp"
#include "../baseline/local_sync.hpp"
#include "../support/harness.hpp"
#include "../support/loop.hpp"
#include "../support/malloc_counter.hpp"

#include <mutex>
#include <vector>

namespace {

using bench::judged;
using bench::limit;
using bench::values;

values each(const bench::stopwatch& time, long operations) {
  return {time.nanoseconds() / static_cast<double>(operations)};
}

// acquire and release, lock and unlock: nobody waits

constexpr long acquires = 150'000;

values counter_baseline() {
  baseline::counter counter(1);
  const bench::stopwatch time;
  for (long i = 0; i < acquires; ++i) {
    counter.acquire();
    counter.release();
  }
  const values v = each(time, acquires);
  bench::check(counter.permits() == 1, "sync.semaphore: the baseline lost a permit");
  return v;
}
baseline::eager_task acquire_local(baseline::local_semaphore& semaphore) {
  for (long i = 0; i < acquires; ++i) {
    co_await semaphore.acquire();
    bench::keep(semaphore);
    semaphore.release();
  }
}
values local_semaphore_baseline() {
  baseline::local_semaphore semaphore(1);
  const bench::stopwatch time;
  acquire_local(semaphore);
  const values v = each(time, acquires);
  bench::check(semaphore.permits() == 1, "sync.local.semaphore: the baseline lost a permit");
  return v;
}
values mutex_baseline() {
  std::mutex mutex;
  long guarded = 0;
  const bench::stopwatch time;
  for (long i = 0; i < acquires; ++i) {
    mutex.lock();
    bench::keep(guarded);
    mutex.unlock();
  }
  return each(time, acquires);
}

template <class Semaphore>
penstock::task<values> acquire_all(Semaphore& semaphore) {
  const bench::allocation_count allocations;
  const bench::stopwatch time;
  for (long i = 0; i < acquires; ++i) {
    const auto permit = co_await semaphore.acquire();
    if (!permit) break;
  }
  const double ns = time.nanoseconds() / acquires;
  co_return values{ns, allocations.value()};
}
template <class Semaphore>
values semaphore_subject() {
  Semaphore semaphore(1);
  const values v = bench::in_loop(acquire_all(semaphore));
  bench::check(semaphore.available() == 1, "sync.semaphore: a permit was lost");
  return v;
}
template <class Mutex>
penstock::task<values> lock_all(Mutex& mutex) {
  long guarded = 0;
  const bench::allocation_count allocations;
  const bench::stopwatch time;
  for (long i = 0; i < acquires; ++i) {
    const auto lock = co_await mutex.lock();
    bench::keep(guarded);
  }
  const double ns = time.nanoseconds() / acquires;
  co_return values{ns, allocations.value()};
}
template <class Mutex>
values mutex_subject() {
  Mutex mutex;
  return bench::in_loop(lock_all(mutex));
}

const bench::add semaphore_added(
    {.metrics = {{"sync.semaphore", "ns", judged::ratio_at_most, {1.45}},
                 {"sync.semaphore.allocations", "", judged::value_at_most, {0}}},
     .baseline = counter_baseline,
     .subject = semaphore_subject<penstock::semaphore>});
const bench::add local_semaphore_added(
    {.metrics = {{"sync.local.semaphore", "ns", judged::ratio_at_most, {2.5}},
                 {"sync.local.semaphore.allocations", "", judged::value_at_most, {0}}},
     .baseline = local_semaphore_baseline,
     .subject = semaphore_subject<penstock::local::semaphore>});
const bench::add mutex_added(
    {.metrics = {{"sync.mutex", "ns", judged::ratio_at_most, {2}},
                 {"sync.mutex.allocations", "", judged::value_at_most, {0}}},
     .baseline = mutex_baseline,
     .subject = mutex_subject<penstock::mutex>});

// four tasks and one permit: each acquire waits for a hand-off

constexpr long handed_over = 25'000;  // to each task

baseline::eager_task contend_local(baseline::local_semaphore& semaphore) {
  for (long i = 0; i < handed_over; ++i) {
    co_await semaphore.acquire();
    co_await baseline::yield();
    semaphore.release();
  }
}
values contended_baseline() {
  baseline::local_semaphore semaphore(1);
  const bench::stopwatch time;
  for (int t = 0; t < 4; ++t) contend_local(semaphore);
  baseline::ready.run();
  const values v = each(time, 4 * handed_over);
  bench::check(semaphore.permits() == 1, "sync.semaphore.contended: the baseline lost a permit");
  return v;
}
template <class Semaphore>
penstock::task<> contend(Semaphore& semaphore) {
  for (long i = 0; i < handed_over; ++i) {
    const auto permit = co_await semaphore.acquire();
    if (!permit) break;
    co_await penstock::yield();
  }
}
template <class Semaphore>
penstock::task<values> contend_all() {
  Semaphore semaphore(1);
  auto body = [&](penstock::task_group& group) -> penstock::task<> {
    for (int t = 0; t < 4; ++t) group.start(contend(semaphore));
    co_return;
  };
  const bench::stopwatch time;
  co_await penstock::with_group(body);
  const values v = each(time, 4 * handed_over);
  bench::check(semaphore.available() == 1, "sync.semaphore.contended: a permit was lost");
  co_return v;
}
template <class Semaphore>
values contended_subject() {
  return bench::in_loop(contend_all<Semaphore>());
}
const bench::add contended_added(
    {.metrics = {{"sync.semaphore.contended", "ns", judged::ratio_at_most, {2.5}}},
     .baseline = contended_baseline,
     .subject = contended_subject<penstock::semaphore>});
const bench::add local_contended_added(
    {.metrics = {{"sync.local.semaphore.contended", "ns", judged::ratio_at_most, {2.5}}},
     .baseline = contended_baseline,
     .subject = contended_subject<penstock::local::semaphore>});

// channel: one sender and one receiver

constexpr long items = 150'000;

baseline::eager_task send_local(baseline::local_channel& channel) {
  for (long i = 0; i < items; ++i) co_await channel.send(i);
}
baseline::eager_task receive_local(baseline::local_channel& channel, long& sum) {
  for (long i = 0; i < items; ++i) sum += co_await channel.receive();
}
template <std::size_t Capacity>
values local_channel_baseline() {
  baseline::local_channel channel(Capacity);
  long sum = 0;
  const bench::stopwatch time;
  receive_local(channel, sum);
  send_local(channel);
  baseline::ready.run();
  const values v = each(time, items);
  bench::check(sum == items * (items - 1) / 2, "sync.local.channel: the baseline's sum is wrong");
  return v;
}

template <class Channel>
penstock::task<> send_all(Channel& channel) {
  for (long i = 0; i < items; ++i) (void)co_await channel.send(i);
}
template <class Channel>
penstock::task<> receive_all(Channel& channel, long& sum, values& result) {
  sum += *co_await channel.receive();
  const bench::allocation_count allocations;
  const bench::stopwatch time;
  for (long i = 1; i < items; ++i) {
    const auto item = co_await channel.receive();
    if (item) sum += *item;
  }
  result = {time.nanoseconds() / items, allocations.value()};
}
template <class Channel>
penstock::task<values> send_and_receive(std::size_t capacity) {
  values result{};
  long sum = 0;
  Channel channel(capacity);
  auto body = [&](penstock::task_group& group) -> penstock::task<> {
    group.start(send_all(channel));
    group.start(receive_all(channel, sum, result));
    co_return;
  };
  co_await penstock::with_group(body);
  bench::check(sum == items * (items - 1) / 2, "sync.channel: the sum is wrong");
  co_return result;
}
template <class Channel, std::size_t Capacity>
values channel_subject() {
  return bench::in_loop(send_and_receive<Channel>(Capacity));
}

template <std::size_t Capacity>
bench::figure channel(const std::string& name) {
  return {.metrics = {{name, "ns", judged::ratio_at_most, {1.7}},
                      {name + ".allocations", "", judged::value_at_most, {0}}},
          .baseline = counter_baseline,
          .subject = channel_subject<penstock::channel<long>, Capacity>};
}
template <std::size_t Capacity>
bench::figure local_channel(const std::string& name) {
  return {.metrics = {{name, "ns", judged::ratio_at_most, limit(3.5, 2.2)},
                      {name + ".allocations", "", judged::value_at_most, {0}}},
          .baseline = local_channel_baseline<Capacity>,
          .subject = channel_subject<penstock::local::channel<long>, Capacity>};
}
const bench::add channel_added[] = {bench::add(channel<1>("sync.channel1")),
                                    bench::add(channel<64>("sync.channel64")),
                                    bench::add(channel<1024>("sync.channel1024")),
                                    bench::add(local_channel<1>("sync.local.channel1")),
                                    bench::add(local_channel<64>("sync.local.channel64")),
                                    bench::add(local_channel<1024>("sync.local.channel1024"))};

}  // namespace
