// penstock/test/test_runtime.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A loop under virtual time: it takes no real time, runs ready tasks in an order that a seed
/// decides, and fails when nothing can run any more. For tests of anything that waits.

#include <penstock/base/scope_exit.hpp>
#include <penstock/base/unique_function.hpp>
#include <penstock/core/root.hpp>
#include <penstock/core/timer_heap.hpp>
#include <penstock/test/dump.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace penstock::test {

/// Options of `test_runtime`.
struct test_runtime_options {
  /// Decides the order of ready tasks and the randomness of the environment. 0: first in, first
  /// out.
  std::uint64_t seed = 0;
  /// Calendar time at virtual time zero; the default is 2026-01-01 00:00:00 UTC.
  wall_time wall_start = wall_time(std::chrono::seconds(1767225600));
  /// Requests a stop of the run before its n-th step, a step being one turn of one task or one jump
  /// of time; 0: never. A run of n = 1, 2, 3, ... stops at every point where anything waits.
  std::uint64_t stop_at_step = 0;
  /// A run of more steps than this fails: tasks keep each other busy without end. 0: no limit.
  std::uint64_t max_steps = 100'000'000;
};
static_assert(std::is_trivially_copyable_v<test_runtime_options>);

/// Thrown by `test_runtime::run` when tasks are unfinished and nothing is left to wait for;
/// `what()` lists what each task awaits.
class deadlock : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Thrown by `test_runtime::run` when a waiter was posted again while it was still queued: its leaf
/// completed twice. The runtime cannot be used any more.
class double_post : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// The runtime of tests: single thread, virtual time, seeded order.
///
/// **Shape.** time stands still while anything is ready, then jumps to the next timer, exact to the
/// nanosecond; it starts at zero and goes on in a later `run`.
/// **Errors.** `deadlock` as described; the run is stopped and unwound first. If that ends in
/// another deadlock (shielded work) the program is aborted with the list.
/// **Cancellation.** `request_stop()` stops the run, as a signal does a real one.
/// **Thread-safety.** one thread. `offload` runs in place, `virtual_cost` later.
/// **See also.** `runtime`, which runs the same tasks for real.
class test_runtime final : public scheduler {
 public:
  explicit test_runtime(test_runtime_options o = {}) : scheduler(o.seed), options_(o) {}

  /// Runs `a` to its end and gives what it yields; a stop that reached the top is `errc::canceled`,
  /// as value of a `result`, else thrown.
  template <awaitable A>
  await_result_t<A> run(A&& a) {
    detail::root<detail::awaiter_t<A>> root(*this, detail::awaiter_of(std::forward<A>(a)));
    root_stop_ = [&root](stop_reason why) { root.request_stop(why); };
    scope_exit forget{[this] { root_stop_ = {}; }};
    enter inside(*this);
    std::string report;
    root.start();
    while (!root.over()) {
      if (turn()) continue;
      auto text = "idle with unfinished tasks:\n" + describe(root.stop(), now_) +
                  describe(root.services().stop(), now_);
      if (!report.empty()) {
        std::fprintf(stderr, "test_runtime: deadlock: %s",
                     (report + "after the stop, " + text).c_str());
        std::abort();
      }
      report = std::move(text);
      root.request_stop(stop_reason::requested);
    }
    if (!report.empty()) throw deadlock("test_runtime: deadlock: " + report);
    return root.outcome();
  }

  /// Stops the run that is on.
  void request_stop(stop_reason why = stop_reason::requested) {
    if (root_stop_) root_stop_(why);
  }
  /// Turns of tasks and jumps of time so far.
  [[nodiscard]] std::uint64_t steps() const noexcept { return steps_; }
  [[nodiscard]] std::uint64_t seed() const noexcept { return options_.seed; }

  time_point now() noexcept override { return now_; }
  wall_time wall_now() noexcept override { return options_.wall_start + now_.time_since_epoch(); }
  void add_timer(detail::timer& t) noexcept override { timers_.add(t); }
  void cancel_timer(detail::timer& t) noexcept override { timers_.remove(t); }
  void offload(detail::offload_item& item) noexcept override {
    if (item.virtual_cost <= duration::zero()) {
      item.run();
      return;
    }
    auto later = std::make_unique<offload_timer>(item);
    later->at = add_saturated(now_, item.virtual_cost);
    timers_.add(*later.release());
  }

 private:
  // Owns itself while it is armed.
  struct offload_timer final : detail::timer {
    explicit offload_timer(detail::offload_item& i) : item(&i) {}
    void on_time() noexcept override {
      std::unique_ptr<offload_timer> self(this);
      item->run();
    }
    detail::offload_item* item;
  };

  // One step, or one jump of time. False: nothing is left to do.
  bool turn() {
    take_remote();
    const std::uintptr_t entry = pick();
    if (!entry && timers_.empty()) return false;
    const bool stop = ++steps_ == options_.stop_at_step;
    if (stop) request_stop();
    if (options_.max_steps != 0 && steps_ > options_.max_steps) {
      std::fprintf(stderr, "test_runtime: more than max_steps steps: a livelock\n");
      std::abort();
    }
    if (entry) {
      run_entry(entry);
      return true;
    }
    if (stop) return true;  // it may have made something ready
    now_ = (std::max)(now_, timers_.next());
    while (auto* t = timers_.pop_due(now_)) t->on_time();
    return true;
  }
  // Takes what is ready from the queue. Its entries carry a number each meanwhile, in the waiter,
  // which a second post would overwrite.
  void drain() {
    while (const std::uintptr_t entry = pop_ready()) {
      waiter& w = *waiter_of(entry);
      if (waiter_of(w.next) == &w) posted_twice();
      w.next = ++last_number_;
      if (first_ * 2 > ready_.size()) {
        ready_.erase(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(first_));
        first_ = 0;
      }
      ready_.push_back({entry, last_number_});
    }
  }
  std::uintptr_t pick() {
    drain();
    if (first_ == ready_.size()) return 0;
    queued chosen = ready_[first_];
    if (options_.seed == 0) {
      ++first_;
    } else {
      const auto last = static_cast<std::int64_t>(ready_.size()) - 1;
      std::swap(chosen, ready_[static_cast<std::size_t>(order_.uniform_int(0, last))]);
      ready_.front() = ready_.back();
      ready_.pop_back();
    }
    if (waiter_of(chosen.entry)->next != chosen.number) posted_twice();
    return chosen.entry;
  }
  [[noreturn]] static void posted_twice() {
    throw double_post("test_runtime: a waiter was posted again before it ran");
  }
  void wake() noexcept override {}  // never asleep

  test_runtime_options options_;
  time_point now_{};
  detail::timer_heap timers_;
  struct queued {
    std::uintptr_t entry;
    std::uintptr_t number;
  };
  std::vector<queued> ready_;  // from first_ on
  std::size_t first_ = 0;
  std::uintptr_t last_number_ = 0;
  random_engine order_{options_.seed + 1};
  std::uint64_t steps_ = 0;
  unique_function<void(stop_reason)> root_stop_;
};

}  // namespace penstock::test
