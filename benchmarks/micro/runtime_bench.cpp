// SPDX-License-Identifier: BSL-1.0
// runtime.*: what the framework adds to an operation, and a post from another thread.
#include <penstock/core.hpp>
#include <penstock/io/detail/io_leaf.hpp>
#include <penstock/runtime.hpp>

#include "../baseline/nop_ring.hpp"
#include "../baseline/post_queue.hpp"
#include "../support/harness.hpp"
#include "../support/loop.hpp"
#include "../support/machine.hpp"
#include "../support/ring.hpp"

#include <atomic>
#include <thread>
#include <vector>

namespace {

using bench::values;
using penstock::result;
using penstock::task;

// A no-op through everything that an operation of io/ goes through.

class nop_awaiter : public penstock::detail::io_awaiter<nop_awaiter> {
 public:
  nop_awaiter() noexcept : io_awaiter(penstock::operation_kind::nop) {}
  nop_awaiter(const nop_awaiter& o) noexcept = default;
  penstock::suspension start(penstock::waiter& w) noexcept { return launch(w); }
  [[nodiscard]] int await_resume() const noexcept { return answer; }
};

task<> nops(long count, long& done) {
  for (long i = 0; i < count; ++i) {
    const int answer = co_await nop_awaiter();
    if (answer == 0) ++done;
  }
}
task<> nops_in_flight(long in_flight, long count, long& done) {
  auto body = [&](penstock::task_group& group) -> task<> {
    for (long i = 0; i < in_flight; ++i) group.start(nops(count, done));
    co_return;
  };
  co_await penstock::with_group(body);
}

constexpr long operations = 64'000;

template <long InFlight>
values operation_baseline() {
  static baseline::nop_ring ring;
  const bench::stopwatch time;
  const long done = ring.run(InFlight, operations / InFlight);
  const double ns = time.nanoseconds() / operations;
  bench::check(done == operations, "runtime.operation: the baseline lost operations");
  return {ns};
}
template <long InFlight>
values operation_subject() {
  long done = 0;
  const bench::stopwatch time;
  bench::in_loop(nops_in_flight(InFlight, operations / InFlight, done));
  const double ns = time.nanoseconds() / operations;
  bench::check(done == operations, "runtime.operation: operations were lost");
  return {ns};
}
template <long InFlight>
bench::figure operation(const char* name) {
  return {.metrics = {{name, "ns", bench::judged::difference_at_most, {25}}},
          .baseline = operation_baseline<InFlight>,
          .subject = operation_subject<InFlight>,
          .missing = bench::no_ring};
}
const bench::add operation64(operation<64>("runtime.operation.w64"));
const bench::add operation1000(operation<1000>("runtime.operation.w1000"));

// A thread posts; a loop, which has other work all the time, runs what was posted. Each has a cpu.
// What is judged is the post; how long it takes until all have run depends on who is slower.

constexpr std::size_t posts = 50'000;
constexpr int other_work = 256;  // between two looks at what was posted

// Beside a loop on this thread: posts `items` when the loop is there.
template <class Item, class Post>
class poster {
 public:
  poster(std::vector<Item>& items, Post post)
      : thread_([this, &items, post] {
          bench::pin_to_one_cpu();
          while (!loop_is_there_.load(std::memory_order_acquire)) {
          }
          time_ = bench::stopwatch();
          for (Item& i : items) post(i);
          posting_ = time_.nanoseconds();
        }) {
    bench::pin_to_first_cpu();
  }
  void begin() { loop_is_there_.store(true, std::memory_order_release); }
  // All have run: the posts themselves, and from the first of them to now.
  values over(std::size_t count) {
    const auto now = std::chrono::steady_clock::now();
    thread_.join();
    bench::use_all_cpus();
    const auto n = static_cast<double>(count);
    return {posting_ / n, time_.nanoseconds_until(now) / n};
  }

 private:
  std::atomic<bool> loop_is_there_{false};
  bench::stopwatch time_;
  double posting_ = 0;
  std::thread thread_;
};

// Each in a cache line of its own, as in the frames of different tasks.
struct alignas(64) raw_item : baseline::post_node {
  raw_item() {
    run = [](post_node& n) { ++*static_cast<raw_item&>(n).count; };
  }
  std::size_t* count = nullptr;
};
values post_baseline() {
  static std::vector<raw_item> items(posts);
  baseline::post_queue queue;
  std::size_t count = 0;
  for (auto& i : items) i.count = &count;
  poster thread(items, [&](raw_item& i) { queue.post(i); });
  thread.begin();
  int turns = 0;
  while (count != posts) {
    for (int i = 0; i < other_work; ++i) bench::keep(++turns);
    queue.run_all();
  }
  return thread.over(count);
}

class alignas(64) item final : public penstock::waiter, penstock::detail::hook {
 public:
  item() {
    parent = nullptr;
    hooked = this;
  }
  std::size_t* count = nullptr;

 private:
  penstock::detail::step done(waiter&, waiter*) noexcept override {
    ++*count;
    return {};
  }
};
task<> be_busy(const std::size_t& count) {
  while (count != posts) co_await penstock::yield();
}
values post_subject() {
  static std::vector<item> items(posts);
  penstock::runtime runtime({.handle_signals = false});
  std::size_t count = 0;
  for (auto& i : items) i.count = &count;
  poster thread(items, [&](item& i) { runtime.loop(0).post(i); });
  auto body = [&]() -> task<> {
    thread.begin();
    co_await be_busy(count);
  };
  runtime.run(body());
  return thread.over(count);
}

const bench::add post_added(
    {.metrics = {{"runtime.post", "ns", bench::judged::ratio_at_most, {1.5}},
                 {"runtime.post.run", "ns", bench::judged::not_at_all}},
     .baseline = post_baseline,
     .subject = post_subject,
     .place = bench::place::all_cpus});

}  // namespace
