// penstock/sync/auto_reset_event.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A signal that one task takes: "there is something to do". A flag that lets everybody pass is an
/// event.hpp; signals that must be counted are the permits of a semaphore.hpp.

#include <penstock/base/assert.hpp>
#include <penstock/sync/detail/waiter_list.hpp>
#include <penstock/sync/local.hpp>
#include <penstock/sync/thread_safe.hpp>

namespace penstock {

/// At most one signal, which the first who waits takes.
///
/// **Shape.** not set -> set() -> set -> a wait takes it -> not set. A second set() before that has
/// no effect.
/// **Ordering.** first come, first served; nobody passes those who wait.
/// **Thread-safety.** any thread, the same object too. It may be destroyed by the task that its
/// set() has released, also while that set() is still returning.
/// **Memory order.** set() synchronises-with the wait() that takes the signal.
/// **Complexity.** 32 bytes; a waiter is 56 bytes of its own frame; no allocation.
/// **Lifetime.** destroying it while tasks wait asserts.
/// **Example.** @snippet tests/sync/auto_reset_event_test.cpp auto_reset_event
/// **See also.** `event`, `semaphore`, `condition`.
template <class Policy>
class basic_auto_reset_event {
 public:
  class wait_awaiter;

  basic_auto_reset_event() noexcept : basic_auto_reset_event("auto_reset_event::wait") {}
  /// **Parameters.** `name` - in dumps; outlives the event: a string literal.
  explicit basic_auto_reset_event(const char* name) noexcept : name_(name) {}
  basic_auto_reset_event(const basic_auto_reset_event&) = delete;
  basic_auto_reset_event& operator=(const basic_auto_reset_event&) = delete;
  ~basic_auto_reset_event() {
    lock_.lock();  // the set() that released the caller has left it by then
    PENSTOCK_ASSERT(waiters_.empty(), "an auto_reset_event is destroyed while tasks wait for it");
  }

  /// Waits for the signal and takes it.
  ///
  /// **Suspends.** unless it is set; resumes on the waiting task's loop.
  /// **Cancellation.** takes no signal: it goes to the next.
  [[nodiscard]] wait_awaiter wait() noexcept { return wait_awaiter(*this); }
  /// Takes the signal if there is one.
  [[nodiscard]] bool try_wait() noexcept {
    // Those who wait have none to lose: it is set only while nobody waits.
    return set_.load(detail::memory_order_relaxed) &&
           set_.exchange(false, detail::memory_order_acq_rel);
  }

  /// Gives the signal to the first who waits, or keeps it for whoever comes.
  void set() noexcept {
    detail::wake_section section(lock_);
    give(section.wake);
  }
  /// Takes the signal back, if nobody has taken it.
  void reset() noexcept { static_cast<void>(try_wait()); }
  [[nodiscard]] bool is_set() const noexcept { return set_.load(detail::memory_order_acquire); }

 private:
  // Under the lock.
  void give(detail::wake_list& wake) noexcept {
    if (auto* const first = waiters_.pop_front())
      wake.push(*first);
    else
      set_.store(true, detail::memory_order_release);
  }

  typename Policy::lock lock_;
  typename Policy::template atomic<bool> set_{false};  // becomes true under the lock only
  detail::waiter_list waiters_;                        // guarded by lock_
  const char* name_;
};

/// The awaiter of `wait()`.
template <class Policy>
class [[nodiscard]] basic_auto_reset_event<Policy>::wait_awaiter
    : public detail::primitive_leaf<wait_awaiter> {
 public:
  explicit wait_awaiter(basic_auto_reset_event& e) noexcept : event_(&e) {}

  bool await_ready() noexcept { return event_->try_wait(); }
  void await_resume() noexcept { this->end(); }

 private:
  friend detail::primitive_leaf<wait_awaiter>;

  bool try_now(detail::wake_list&) noexcept { return event_->try_wait(); }
  // Granted, and its coroutine was destroyed instead: the signal is the next one's.
  void drop(detail::wake_list& wake) noexcept {
    if (this->granted()) event_->give(wake);
  }
  auto& lock() noexcept { return event_->lock_; }
  detail::waiter_list& list() noexcept { return event_->waiters_; }
  const char* what() const noexcept { return event_->name_; }
  const void* object() const noexcept { return event_; }

  basic_auto_reset_event* event_;
};

/// The auto-reset event of tasks on any loops.
using auto_reset_event = basic_auto_reset_event<thread_safe>;
namespace local {
/// The auto-reset event of tasks of one loop.
using auto_reset_event = basic_auto_reset_event<one_loop>;
}  // namespace local

}  // namespace penstock
