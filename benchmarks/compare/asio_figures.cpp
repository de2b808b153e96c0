// SPDX-License-Identifier: BSL-1.0
// compare.asio.*: the same work on standalone Asio, beside penstock's.
#include "../support/harness.hpp"

#include <asio.hpp>
#include <asio/experimental/channel.hpp>

#include <chrono>
#include <vector>

namespace {

using asio::awaitable;
using asio::detached;
using asio::use_awaitable;
using bench::values;

values per_operation(const bench::stopwatch& time, long operations) {
  return {time.nanoseconds() / static_cast<double>(operations)};
}

[[gnu::noinline]] awaitable<int> number(int i) { co_return i; }
awaitable<void> await_all(int count, long& sum) {
  for (int i = 0; i < count; ++i) sum += co_await number(i);
}
values await_figure() {
  constexpr int count = 1'000'000;
  asio::io_context loop(1);
  long sum = 0;
  asio::co_spawn(loop, await_all(count, sum), detached);
  const bench::stopwatch time;
  loop.run();
  const values v = per_operation(time, count);
  bench::check(sum == long{count} * (count - 1) / 2, "compare.asio.await: the sum is wrong");
  return v;
}

awaitable<void> take_turns(asio::io_context& loop, long count) {
  for (long i = 0; i < count; ++i) co_await asio::post(loop, use_awaitable);
}
values switch_figure() {
  constexpr long turns = 400'000;
  asio::io_context loop(1);
  asio::co_spawn(loop, take_turns(loop, turns / 2), detached);
  asio::co_spawn(loop, take_turns(loop, turns / 2), detached);
  const bench::stopwatch time;
  loop.run();
  return per_operation(time, turns);
}

// Batches of 64: Asio has no group, so the one that starts them yields after each batch.
long sum_of_children = 0;
awaitable<void> add(long i) {
  sum_of_children += i;
  co_return;
}
awaitable<void> batches(asio::io_context& loop, long groups) {
  for (long g = 0; g < groups; ++g) {
    for (long i = 0; i < 64; ++i) asio::co_spawn(loop, add(i), detached);
    co_await asio::post(loop, use_awaitable);
  }
}
values group_figure() {
  constexpr long groups = 5'000;
  sum_of_children = 0;
  asio::io_context loop(1);
  asio::co_spawn(loop, batches(loop, groups), detached);
  const bench::stopwatch time;
  loop.run();
  const values v = per_operation(time, groups * 64);
  bench::check(sum_of_children == groups * (64 * 63 / 2), "compare.asio.group64: the sum is wrong");
  return v;
}

// With the fast path that a careful user of it writes: try first.
using channel = asio::experimental::channel<void(asio::error_code, long)>;
awaitable<void> produce(channel& c, long count) {
  for (long i = 0; i < count; ++i) {
    const bool sent = c.try_send(asio::error_code{}, i);
    if (!sent) co_await c.async_send(asio::error_code{}, i, use_awaitable);
  }
}
awaitable<void> consume(channel& c, long count, long& sum) {
  for (long i = 0; i < count; ++i) {
    long item = 0;
    const bool received = c.try_receive([&](asio::error_code, long v) { item = v; });
    if (!received) item = co_await c.async_receive(use_awaitable);
    sum += item;
  }
}
values channel_figure() {
  constexpr long items = 1'000'000;
  asio::io_context loop(1);
  channel c(loop, 64);
  long sum = 0;
  asio::co_spawn(loop, consume(c, items, sum), detached);
  asio::co_spawn(loop, produce(c, items), detached);
  const bench::stopwatch time;
  loop.run();
  const values v = per_operation(time, items);
  bench::check(sum == items * (items - 1) / 2, "compare.asio.channel64: the sum is wrong");
  return v;
}

values timer_figure() {
  constexpr std::size_t alive = 10'000;
  constexpr long restarts = 300'000;
  asio::io_context loop(1);
  std::vector<asio::steady_timer> timers;
  timers.reserve(alive);
  const auto start = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  for (std::size_t i = 0; i < alive; ++i) {
    timers.emplace_back(loop, start);
    timers.back().async_wait([](asio::error_code) {});
  }
  const bench::stopwatch time;
  std::size_t next = 0;
  for (long i = 0; i < restarts; ++i) {
    auto& t = timers[next];
    if (++next == alive) next = 0;
    t.expires_at(start + std::chrono::milliseconds(i >> 10));
    t.async_wait([](asio::error_code) {});
    if (i % 64 == 63) loop.poll();
  }
  return per_operation(time, restarts);
}

bench::figure beside(const char* versus, const char* name, bench::run_function subject) {
  return {.metrics = {{name, "ns", bench::judged::not_at_all}},
          .baseline = nullptr,
          .subject = subject,
          .versus = versus};
}
const bench::add await_added(beside("core.await", "compare.asio.await", await_figure));
const bench::add switch_added(beside("core.switch", "compare.asio.switch", switch_figure));
const bench::add group_added(beside("core.group64", "compare.asio.group64", group_figure));
const bench::add channel_added(beside("sync.channel64", "compare.asio.channel64", channel_figure));
const bench::add timer_added(beside("timer.start_cancel", "compare.asio.timer", timer_figure));

}  // namespace
