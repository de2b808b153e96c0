// SPDX-License-Identifier: BSL-1.0
// sync.threads.*: primitives that tasks of two loops share, on two threads, beside Go's and Asio's
// channels, a queue with a mutex and condition variables, an uncontended std::mutex and a post from
// loop to loop; sync.go.*: channels on one thread beside Go's.
#include <penstock/core.hpp>
#include <penstock/runtime.hpp>
#include <penstock/sync.hpp>

#include "../baseline/blocking_queue.hpp"
#include "../support/harness.hpp"

#include <unistd.h>

#include <chrono>
#include <mutex>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;
using bench::judged;
using bench::limit;
using bench::place;
using bench::values;
using penstock::task;

// A task on each of two loops: body(0) on the first, body(1) on the second.
template <class Body>
double two_loops(Body body, penstock::duration spin) {
  penstock::runtime runtime({.threads = 2, .handle_signals = false, .spin = spin});
  const auto on_each = [&]() -> task<penstock::result<>> {
    co_await body(penstock::scheduler::current() == &runtime.loop(0) ? 0 : 1);
    co_return penstock::result<>();
  };
  bool good = runtime.run([]() -> task<bool> { co_return true; }());  // threads are up
  const bench::stopwatch time;
  good &= runtime.run_on_each_loop(on_each).has_value();
  const double ns = time.nanoseconds();
  bench::check(good, "sync.threads: a run failed");
  return ns;
}

// channel: senders on one loop, receivers on the other

constexpr long items = 400'000;

task<> send(penstock::channel<long>& channel, long count) {
  for (long i = 0; i < count; ++i) (void)co_await channel.send(i);
}
task<> receive(penstock::channel<long>& channel, long count, long& sum) {
  for (long i = 0; i < count; ++i) {
    const auto item = co_await channel.receive();
    if (item) sum += *item;
  }
}
double through_channel(long pairs, std::size_t capacity, penstock::duration spin) {
  penstock::channel<long> channel(capacity);
  const long each = items / pairs;
  long sum = 0;
  const auto body = [&](int loop) -> task<> {
    auto start_all = [&](penstock::task_group& group) -> task<> {
      for (long p = 0; p < pairs; ++p) {
        if (loop == 0)
          group.start(send(channel, each));
        else
          group.start(receive(channel, each, sum));
      }
      co_return;
    };
    co_await penstock::with_group(start_all);
  };
  const double ns = two_loops(body, spin);
  bench::check(sum == pairs * (each * (each - 1) / 2), "sync.threads: the sum is wrong");
  return ns / static_cast<double>(items);
}
task<> all_here(std::size_t capacity, long& sum) {
  penstock::channel<long> channel(capacity);
  auto start_both = [&](penstock::task_group& group) -> task<> {
    group.start(send(channel, items));
    group.start(receive(channel, items, sum));
    co_return;
  };
  co_await penstock::with_group(start_both);
}
double on_one_thread(std::size_t capacity) {
  penstock::runtime runtime({.handle_signals = false});
  long sum = 0;
  const bench::stopwatch time;
  runtime.run(all_here(capacity, sum));
  const double ns = time.nanoseconds();
  bench::check(sum == items * (items - 1) / 2, "sync.go: the sum is wrong");
  return ns / static_cast<double>(items);
}

double peer(const char* program, const char* how, long threads, long pairs, std::size_t capacity) {
  return bench::run_program(
      {bench::program_folder() + "/" + program, how, std::to_string(threads), std::to_string(pairs),
       std::to_string(capacity), std::to_string(items)},
      {"ns"})[0];
}
const char* no_go() {
  return ::access((bench::program_folder() + "/sync_go").c_str(), X_OK) == 0
             ? nullptr
             : "Go is not installed (golang-go)";
}
template <long Threads, long Pairs, std::size_t Capacity>
values go() {
  return {peer("sync_go", "channel", Threads, Pairs, Capacity)};
}
template <std::size_t Capacity>
values with_asio() {
  return {peer("sync_asio", "channel", 2, 1, Capacity)};
}
template <std::size_t Capacity>
values with_asio_try() {
  return {peer("sync_asio", "try", 2, 1, Capacity)};
}
template <std::size_t Capacity>
values with_mutex() {
  baseline::blocking_queue queue(Capacity);
  const bench::stopwatch time;
  std::thread sender([&] {
    for (long i = 0; i < items; ++i) queue.push(i);
  });
  long sum = 0;
  for (long i = 0; i < items; ++i) sum += queue.pop();
  sender.join();
  const double ns = time.nanoseconds();
  bench::check(sum == items * (items - 1) / 2, "sync.threads: the baseline's sum is wrong");
  return {ns / static_cast<double>(items)};
}
template <long Pairs, std::size_t Capacity>
values blocking() {
  return {through_channel(Pairs, Capacity, 0us)};
}
template <long Pairs, std::size_t Capacity>
values spinning() {
  return {through_channel(Pairs, Capacity, 50us)};
}
template <std::size_t Capacity>
values one_thread() {
  return {on_one_thread(Capacity)};
}

bench::figure beside(const char* name, double most, bench::run_function baseline,
                     bench::run_function subject, const char* (*missing)() = nullptr) {
  return {.metrics = {{name, "ns", judged::ratio_at_most, {most}}},
          .baseline = baseline,
          .subject = subject,
          .place = place::all_cpus,
          .missing = missing};
}
// Where Go is the baseline the limit is the fastest peer's: its figure in nanoseconds beside Go's,
// both of one machine (TooManyCooks, condy, Go).
const bench::add channels_added[] = {
    bench::add(beside("sync.go.channel1", 32.0 / 133, go<1, 1, 1>, one_thread<1>, no_go)),
    bench::add(beside("sync.go.channel64", 24.0 / 49, go<1, 1, 64>, one_thread<64>, no_go)),
    bench::add(beside("sync.go.channel1024", 24.0 / 45, go<1, 1, 1024>, one_thread<1024>, no_go)),
    bench::add(beside("sync.threads.spin64", 1, go<2, 1, 64>, spinning<1, 64>, no_go)),
    bench::add(beside("sync.threads.spin1024", 1, go<2, 1, 1024>, spinning<1, 1024>, no_go)),
    bench::add(beside("sync.threads.mutex_queue64", 1, with_mutex<64>, blocking<1, 64>)),
    bench::add(beside("sync.threads.mutex_queue1024", 1, with_mutex<1024>, blocking<1, 1024>)),
    bench::add(beside("sync.threads.asio64", 1, with_asio<64>, blocking<1, 64>)),
    bench::add(beside("sync.threads.asio1024", 1, with_asio<1024>, blocking<1, 1024>)),
    bench::add(beside("sync.threads.condy64", 1162.0 / 56, go<2, 1, 64>, blocking<1, 64>, no_go)),
    bench::add(
        beside("sync.threads.condy1024", 116.0 / 67, go<2, 1, 1024>, blocking<1, 1024>, no_go)),
    bench::add(
        beside("sync.threads.four1024", 63.0 / 82, go<2, 4, 1024>, blocking<4, 1024>, no_go))};

// semaphore, mutex: a task on each loop, one permit

constexpr long turns = 100'000;  // of each

template <class Acquire>
double contended(Acquire acquire, penstock::duration spin) {
  long guarded = 0;
  const auto body = [&](int) -> task<> {
    for (long i = 0; i < turns; ++i) {
      const auto held = co_await acquire();
      if (held) ++guarded;
    }
  };
  const double ns = two_loops(body, spin);
  bench::check(guarded == 2 * turns, "sync.threads: two had the only permit");
  return ns / static_cast<double>(2 * turns);
}
template <long Spin>
values semaphore_subject() {
  penstock::semaphore semaphore(1);
  return {contended([&] { return semaphore.acquire(); }, Spin * 1us)};
}
template <long Spin>
values mutex_subject() {
  penstock::mutex mutex;
  return {contended([&] { return mutex.lock(); }, Spin * 1us)};
}
values uncontended_mutex() {
  constexpr long pairs = 2'000'000;
  std::mutex mutex;
  long guarded = 0;
  const bench::stopwatch time;
  for (long i = 0; i < pairs; ++i) {
    const std::lock_guard lock(mutex);
    bench::keep(guarded);
  }
  return {time.nanoseconds() / pairs};
}

// Posts itself from loop to loop.
class traveller final : public penstock::waiter, penstock::detail::hook {
 public:
  traveller(penstock::runtime& r, long round_trips) : runtime_(r), left_(2 * round_trips) {
    parent = nullptr;
    hooked = this;
  }
  penstock::event home;

 private:
  penstock::detail::step done(waiter&, waiter*) noexcept override {
    if (--left_ < 0)
      home.set();
    else
      runtime_.loop(static_cast<std::size_t>(left_ % 2)).post(*this);
    return {};
  }
  penstock::runtime& runtime_;
  long left_;
};
template <long Spin>
values round_trip() {
  constexpr long trips = 20'000;
  penstock::runtime runtime({.threads = 2, .handle_signals = false, .spin = Spin * 1us});
  traveller t(runtime, trips);
  const auto body = [&]() -> task<> {
    runtime.loop(0).post(t);
    co_await t.home.wait();
  };
  runtime.run([]() -> task<> { co_return; }());
  const bench::stopwatch time;
  runtime.run(body());
  return {time.nanoseconds() / trips};
}
// TooManyCooks, whose threads spin: its figure beside that of an uncontended std::mutex.
const bench::add contended_added[] = {
    bench::add(beside("sync.threads.semaphore", 0.8 * 387 / 6.4, uncontended_mutex,
                      semaphore_subject<50>)),
    bench::add(beside("sync.threads.mutex", 0.8 * 432 / 6.4, uncontended_mutex, mutex_subject<50>)),
    bench::add(beside("sync.threads.semaphore.post", 2, round_trip<50>, semaphore_subject<50>)),
    bench::add(beside("sync.threads.mutex.post", 2, round_trip<50>, mutex_subject<50>)),
    bench::add(beside("sync.threads.semaphore.asleep", 2, round_trip<0>, semaphore_subject<0>)),
    bench::add(beside("sync.threads.mutex.asleep", 2, round_trip<0>, mutex_subject<0>))};

// broadcast: 10,000 receivers, one of which never receives

constexpr long receivers = 10'000;
constexpr long messages = 20;

task<> listen(penstock::broadcast<long>& all, long& received) {
  auto mine = all.subscribe();
  while (auto message = co_await mine.receive()) received += *message;
}
task<double> broadcast_to_all(long& received) {
  penstock::broadcast<long> all(8);
  auto stuck = all.subscribe();
  double ns = 0;
  auto body = [&](penstock::task_group& group) -> task<> {
    for (long i = 0; i < receivers; ++i) group.start(listen(all, received));
    co_await penstock::yield();
    const bench::stopwatch time;
    for (long i = 0; i < messages; ++i) {
      (void)all.send(1);
      co_await penstock::yield();  // all have received it
    }
    ns = time.nanoseconds();
    all.close();
  };
  co_await penstock::with_group(body);
  const auto missed = co_await stuck.receive();
  bench::check(
      !missed && missed.error() == penstock::errc::lagged && stuck.missed() == messages - 8,
      "sync.broadcast: the stuck one missed something else");
  co_return ns;
}
values broadcast_subject() {
  static penstock::runtime runtime({.handle_signals = false});
  long received = 0;
  const double ns = runtime.run(broadcast_to_all(received));
  bench::check(received == receivers * messages, "sync.broadcast: a message was lost");
  return {ns / (receivers * messages)};
}

// topics: the same in a room, with mailboxes

task<> stay(penstock::topics<long>& all, long& received) {
  auto mine = all.subscribe({.capacity = 4});
  all.join(mine, "room");
  while (auto message = co_await mine.receive()) received += **message;
}
task<double> publish_to_all(long& received) {
  penstock::topics<long> all;
  auto stuck = all.subscribe({.capacity = 8});
  all.join(stuck, "room");
  double ns = 0;
  auto body = [&](penstock::task_group& group) -> task<> {
    for (long i = 0; i < receivers; ++i) group.start(stay(all, received));
    co_await penstock::yield();
    const bench::stopwatch time;
    for (long i = 0; i < messages; ++i) {
      (void)all.publish("room", 1);
      co_await penstock::yield();  // all have received it
    }
    ns = time.nanoseconds();
    all.close();
  };
  co_await penstock::with_group(body);
  bench::check(stuck.missed() == messages - 8, "sync.topics: the stuck one missed something else");
  co_return ns;
}
values topics_subject() {
  static penstock::runtime runtime({.handle_signals = false});
  long received = 0;
  const double ns = runtime.run(publish_to_all(received));
  bench::check(received == receivers * messages, "sync.topics: a message was lost");
  return {ns / (receivers * messages)};
}
const bench::add broadcast_added(
    {.metrics = {{"sync.broadcast", "ns", judged::value_at_most, {30}}},
     .baseline = uncontended_mutex,
     .subject = broadcast_subject});
const bench::add topics_added({.metrics = {{"sync.topics", "ns", judged::not_at_all}},
                               .baseline = uncontended_mutex,
                               .subject = topics_subject});

}  // namespace
