// penstock/core/sync_wait.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Runs one task to its end on this thread, without I/O: for small tools and for code that has no
/// runtime. Programs use `runtime::run`.

#include <penstock/core/root.hpp>
#include <penstock/core/timer_heap.hpp>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>
#include <ctime>

namespace penstock {
namespace detail {
inline duration read_clock(clockid_t id) noexcept {
  timespec t{};
  ::clock_gettime(id, &t);
  return duration(t.tv_sec * 1'000'000'000 + t.tv_nsec);
}

// A loop of ready queue and timers that sleeps on a futex; `offload` runs in place.
class blocking_loop final : public scheduler {
 public:
  blocking_loop() noexcept
      : scheduler(static_cast<std::uint64_t>(read_clock(CLOCK_REALTIME).count())) {}

  template <class Root>
  void run(Root& root) {
    enter inside(*this);
    root.start();
    for (;;) {
      work();
      if (root.over()) break;
      rest();
    }
    while (wakes_ != 0) wait_for_wake((time_point::max)());
  }

  time_point now() noexcept override { return time_point(read_clock(CLOCK_MONOTONIC)); }
  wall_time wall_now() noexcept override { return wall_time(read_clock(CLOCK_REALTIME)); }
  void add_timer(timer& t) noexcept override { timers_.add(t); }
  void cancel_timer(timer& t) noexcept override { timers_.remove(t); }
  void offload(offload_item& item) noexcept override { item.run(); }

 private:
  // What is ready, within a budget, and what is due.
  void work() {
    take_remote();
    for (int budget = 64; budget > 0 && run_one(); --budget) {
    }
    if (!timers_.empty()) {
      const time_point t = now();
      while (auto* due = timers_.pop_due(t)) due->on_time();
    }
  }
  void rest() noexcept {
    if (has_ready() || !prepare_sleep()) return;
    wait_for_wake(timers_.next());
    if (woke_up()) ++wakes_;
  }
  // Ends early on any wake; a wake that is counted in wakes_ is taken off.
  void wait_for_wake(time_point until) noexcept {
    timespec limit{};
    timespec* at = nullptr;
    if (!is_never(until)) {
      const duration::rep t = until.time_since_epoch().count();
      limit.tv_sec = static_cast<time_t>(t / 1'000'000'000);
      limit.tv_nsec = static_cast<long>(t % 1'000'000'000);
      at = &limit;
    }
    if (signal_.load(std::memory_order_acquire) == 0) {
      ::syscall(SYS_futex, &signal_, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0, at, nullptr,
                FUTEX_BITSET_MATCH_ANY);
    }
    wakes_ -= static_cast<long>(signal_.exchange(0, std::memory_order_acquire));
  }
  void wake() noexcept override {
    signal_.fetch_add(1, std::memory_order_release);
    ::syscall(SYS_futex, &signal_, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, nullptr, nullptr, 0);
  }

  timer_heap timers_;
  long wakes_ = 0;  // wakes announced by a post and not yet seen; negative: seen before announced
  atomic<std::uint32_t> signal_{0};
};
static_assert(sizeof(atomic<std::uint32_t>) == sizeof(std::uint32_t), "it is the futex word");
}  // namespace detail

/// Runs `a` and all that it starts to the end, and blocks this thread meanwhile.
///
/// **Result.** what `a` yields.
/// **Errors.** exceptions pass through. A stop can only come from inside; without a scope that
/// handles it, `errc::canceled` as value or as `std::system_error`.
/// **Thread-safety.** any thread, also from inside another loop's task (which then blocks).
/// **Complexity.** no allocation of its own. `offload` runs in place: there is no cpu pool.
/// **See also.** `runtime`.
template <awaitable A>
await_result_t<A> sync_wait(A&& a) {
  detail::blocking_loop loop;
  detail::root<detail::awaiter_t<A>> root(loop, detail::awaiter_of(std::forward<A>(a)));
  loop.run(root);
  return root.outcome();
}

}  // namespace penstock
