// tests/core/manual_loop.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A loop whose every step a test takes by hand, in plain order, with a clock that it sets and
/// offloaded work that it runs when it likes.

#include <penstock/core/scheduler.hpp>
#include <penstock/core/timer_heap.hpp>

#include <utility>
#include <vector>

namespace probes {

class manual_loop final : public penstock::scheduler {
 public:
  manual_loop() noexcept : scheduler(1) {}

  /// Runs what is ready until nothing is; gives the number of turns.
  int run() {
    enter inside(*this);
    int turns = 0;
    do {
      take_remote();
    } while (run_one() && ++turns);
    return turns;
  }
  /// Runs `fn` as if it ran on the loop.
  template <class Fn>
  void inside(Fn&& fn) {
    enter here(*this);
    fn();
  }
  void advance(penstock::duration d) {
    enter here(*this);
    time_ += d;
    while (auto* t = timers_.pop_due(time_)) t->on_time();
  }
  /// The offloaded work that nobody has run.
  std::vector<penstock::detail::offload_item*> offloaded;
  /// Calls of wake().
  int wakes = 0;

  using scheduler::has_ready;
  using scheduler::pop_ready;
  using scheduler::prepare_sleep;
  using scheduler::run_one;
  using scheduler::stopped_bit;
  using scheduler::take_remote;
  using scheduler::waiter_of;
  using scheduler::woke_up;

  penstock::time_point now() noexcept override { return time_; }
  penstock::wall_time wall_now() noexcept override { return {}; }
  void add_timer(penstock::detail::timer& t) noexcept override { timers_.add(t); }
  void cancel_timer(penstock::detail::timer& t) noexcept override { timers_.remove(t); }
  void offload(penstock::detail::offload_item& item) noexcept override {
    offloaded.push_back(&item);
  }

 private:
  void wake() noexcept override { ++wakes; }

  penstock::time_point time_{};
  penstock::detail::timer_heap timers_;
};

}  // namespace probes
