// penstock/runtime/event_loop.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// One thread's loop: ready tasks in batches, then timers, then the driver, then sleep. Programs
/// use runtime.hpp; this is for those who drive a loop themselves.

#include <penstock/base/lesser.hpp>
#include <penstock/base/owned.hpp>
#include <penstock/base/spin_lock.hpp>
#include <penstock/base/taken.hpp>
#include <penstock/core/root.hpp>
#include <penstock/runtime/cpu_pool.hpp>
#include <penstock/runtime/detail/spin_core.hpp>
#include <penstock/runtime/driver.hpp>
#include <penstock/runtime/timer_wheel.hpp>

#include <ctime>
#include <memory>
#include <string_view>

namespace penstock {
namespace detail {
inline duration duration_of(const timespec& t) noexcept {
  return duration(t.tv_sec * 1'000'000'000 + t.tv_nsec);
}
inline duration clock_time(clockid_t id) noexcept {
  timespec t{};
  ::clock_gettime(id, &t);
  return duration_of(t);
}
// How long it stands still.
inline duration clock_tick(clockid_t id) noexcept {
  timespec t{};
  ::clock_getres(id, &t);
  return duration_of(t);
}

// What a loop runs to its end: a root whose type the loop need not know.
class loop_work {
 public:
  virtual void start() = 0;
  virtual bool over() const noexcept = 0;
  virtual void request_stop(stop_reason why) noexcept = 0;
  // It is over: on the loop's thread, which does not look at it again.
  virtual void ended() noexcept {}

 protected:
  ~loop_work() = default;
};
}  // namespace detail

/// Options of an `event_loop`.
struct event_loop_options {
  /// How long to look for new work before sleeping, at most: it burns the processor and shortens a
  /// wake. A loop whose waits are longer looks rarely.
  duration spin = duration::zero();
};
static_assert(std::is_trivially_copyable_v<event_loop_options>);

/// The loop of one thread.
///
/// **Shape.** turn: up to 256 ready tasks -> due timers -> the driver's completions; nothing to do:
/// sleep until the next timer, completion or post.
/// **Thread-safety.** post(), post_stopped(), assign(), request_stop(), quit() and driver_name()
/// from any thread; request_stop() in a signal handler too.
/// **Complexity.** an idle loop does not wake up. Before it sleeps after work from other threads it
/// waits about 1 us for more.
class event_loop final : public scheduler {
 public:
  event_loop(cpu_pool& pool, event_loop_options options = {}) noexcept;
  ~event_loop();

  /// Sets what executes its I/O. Not while it runs.
  template <class Driver>
  void use(std::unique_ptr<Driver> d) noexcept {
    use(detail::owned<driver>(d.release()));
  }
  void use(detail::owned<driver> d) noexcept;
  /// Null before use().
  [[nodiscard]] driver* io() const noexcept { return driver_.get(); }
  /// What its driver is called, or "none". From any thread.
  [[nodiscard]] std::string_view driver_name() const noexcept;

  /// Runs `work` to its end on this thread.
  void run(detail::loop_work& work);
  /// Runs what other loops post here and what is assigned, until quit().
  void serve();
  /// Hands `work` to a loop that serves; one at a time.
  void assign(detail::loop_work& work) noexcept;
  /// Takes a stop back that came when no work was there.
  void forget_stop() noexcept { control_.fetch_and(~stop_bit, detail::memory_order_relaxed); }
  /// Stops the work that is on, or that begins next.
  void request_stop() noexcept;
  /// Ends serve().
  void quit() noexcept;

  time_point now() noexcept override { return time_point(detail::clock_time(CLOCK_MONOTONIC)); }
  wall_time wall_now() noexcept override;
  about_now about() noexcept override {
    const time_point t(detail::clock_time(CLOCK_MONOTONIC_COARSE));
    return {t, t + kernel_tick_};
  }
  void add_timer(detail::timer& t) noexcept override { timers_.add(t); }
  void add_timer_in(detail::timer& t, duration d) noexcept override { timers_.add_in(t, d); }
  void cancel_timer(detail::timer& t) noexcept override { timers_.cancel(t); }
  void offload(detail::offload_item& item) noexcept override;

 private:
  static constexpr int batch = 256;  // tasks a turn
  static constexpr duration linger = std::chrono::microseconds(1);
  static constexpr unsigned stop_bit = 1;
  static constexpr unsigned work_bit = 2;
  static constexpr unsigned quit_bit = 4;

  // By another thread: not through driver_, whose change use() makes without a lock.
  void wake() noexcept override { shared_driver_.load(detail::memory_order_relaxed)->wake(); }

  void turn() {
    if (take_remote()) remote_lately_ = true;
    driver_->renew_inline_results();
    for (int left = batch; left > 0 && run_one(); --left) {
    }
    if (orders() != 0) [[unlikely]]
      obey();
    duration rest = (duration::max)();
    if (!timers_.empty()) {
      const time_point t = now();
      timers_.advance(t);
      if (!timers_.empty()) rest = detail::larger(timers_.next() - t, duration::zero());
    }
    if (has_ready() || (work_ && work_->over())) {
      driver_->wait(duration::zero());
    } else {
      idle(rest);
    }
  }
  void idle(duration rest) noexcept {
    const bool lingers = detail::exchanged(remote_lately_, false);
    if (spin_.is_on()) [[unlikely]] {
      look(rest, lingers);
    } else if (!lingers || !remote_comes(detail::lesser(linger, rest))) {
      sleep(rest);
    }
  }
  void sleep(duration rest) noexcept {
    if (orders() != 0 || !prepare_sleep()) return;
    driver_->wait(rest);
    if (woke_up()) {
      ++wakes_announced_;
      remote_lately_ = true;
    }
  }
  // Looks for work as long as spin_ says, then sleeps.
  PENSTOCK_NOINLINE void look(duration rest, bool lingers) noexcept {
    const time_point begin = now();
    const duration most = detail::lesser(spin_.look(), rest);
    duration passed{};
    while (passed < most) {
      driver_->wait(duration::zero());
      const bool remote = take_remote();
      if (remote) remote_lately_ = true;
      if (remote || has_ready() || orders() != 0) return spin_.found(now() - begin);
      detail::spin_pause();
      passed = now() - begin;
    }
    if (most != duration::zero() || !lingers || !remote_comes(detail::lesser(linger, rest)))
      sleep(rest == (duration::max)() ? rest : detail::larger(rest - passed, duration::zero()));
    spin_.slept(now() - begin);
  }
  // True: there is work, of another thread.
  bool remote_comes(duration limit) noexcept {
    const time_point begin = now();
    do {
      if (take_remote()) {
        remote_lately_ = true;
        return true;
      }
      if (orders() != 0) return true;
      detail::spin_pause();
    } while (now() - begin < limit);
    return false;
  }
  // A stop waits for the work that it is to stop.
  unsigned orders() const noexcept {
    const unsigned all = control_.load(detail::memory_order_relaxed);
    return work_ ? all : all & ~stop_bit;
  }
  void obey();
  struct borrowed;
  // Without a driver the loop does not sleep.
  void interrupt() const noexcept;
  // Who posted while the loop slept may still be about to wake it.
  void leave() noexcept;

  cpu_pool& pool_;
  detail::spin_core spin_;
  timer_wheel timers_;
  const duration kernel_tick_;
  detail::owned<driver> driver_;
  detail::atomic<driver*> shared_driver_{nullptr};         // the same; written by use()
  mutable detail::atomic<std::uint32_t> driver_users_{0};  // that look at it at present
  detail::loop_work* work_ = nullptr;
  std::uint64_t wakes_announced_ = 0;
  bool remote_lately_ = false;
  detail::loop_work* assigned_ = nullptr;  // published by work_bit
  detail::atomic<unsigned> control_{0};    // bits set by anyone, obeyed by the loop
};

}  // namespace penstock

#ifndef PENSTOCK_SEPARATE
#include <penstock/runtime/detail/event_loop_impl.hpp>
#endif
