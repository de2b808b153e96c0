// penstock/sync/event.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A condition that tasks wait for: "ready", "connected". It carries no value and counts nothing:
/// for values use channel.hpp, for a number of permits semaphore.hpp. One signal that one task
/// takes is an auto_reset_event.hpp.

#include <penstock/base/assert.hpp>
#include <penstock/sync/detail/waiter_list.hpp>
#include <penstock/sync/local.hpp>
#include <penstock/sync/thread_safe.hpp>

namespace penstock {

/// A flag that stays set until it is reset, and lets all pass while it is.
///
/// **Shape.** not set -> set() -> set: everybody passes -> reset() -> not set.
/// **Ordering.** those who wait are released together, first come first posted.
/// **Thread-safety.** any thread, the same object too. It may be destroyed by a task that its set()
/// has released, also while that set() is still returning.
/// **Memory order.** set() synchronises-with a wait() and with an is_set() that see it.
/// **Complexity.** 32 bytes; a waiter is 56 bytes of its own frame; no allocation.
/// **Lifetime.** destroying it while tasks wait asserts.
/// **Example.** @snippet tests/sync/event_test.cpp event
/// **See also.** `auto_reset_event`, `latch`, `channel`, `semaphore`.
template <class Policy>
class basic_event {
 public:
  class wait_awaiter;

  basic_event() noexcept : basic_event("event::wait") {}
  /// **Parameters.** `name` - in dumps; outlives the event: a string literal.
  explicit basic_event(const char* name) noexcept : name_(name) {}
  basic_event(const basic_event&) = delete;
  basic_event& operator=(const basic_event&) = delete;
  ~basic_event() {
    lock_.lock();  // the set() that released the caller has left it by then
    PENSTOCK_ASSERT(waiters_.empty(), "an event is destroyed while tasks wait for it");
  }

  /// Waits until the event is set.
  ///
  /// **Suspends.** unless it is set; resumes on the waiting task's loop. Once released it stays
  /// released, whatever a reset() does before its turn comes.
  /// **Cancellation.** ends at once; nothing is lost.
  [[nodiscard]] wait_awaiter wait() noexcept { return wait_awaiter(*this); }

  /// Sets the event and releases all who wait; without effect when it is set.
  void set() noexcept {
    detail::wake_section section(lock_);
    set_.store(true, detail::memory_order_release);  // pairs with is_set()
    while (auto* const first = waiters_.pop_front()) section.wake.push(*first);
  }
  /// Whoever waits from now on has to wait for another set().
  void reset() noexcept {
    detail::wake_section section(lock_);
    set_.store(false, detail::memory_order_relaxed);
  }
  [[nodiscard]] bool is_set() const noexcept { return set_.load(detail::memory_order_acquire); }

 private:
  typename Policy::lock lock_;
  typename Policy::template atomic<bool> set_{false};  // written under the lock
  detail::waiter_list waiters_;                        // guarded by lock_
  const char* name_;
};

/// The awaiter of `wait()`.
template <class Policy>
class [[nodiscard]] basic_event<Policy>::wait_awaiter
    : public detail::primitive_leaf<wait_awaiter> {
 public:
  explicit wait_awaiter(basic_event& e) noexcept : event_(&e) {}

  bool await_ready() const noexcept { return event_->is_set(); }
  void await_resume() noexcept { this->end(); }

 private:
  friend detail::primitive_leaf<wait_awaiter>;

  bool try_now(detail::wake_list&) const noexcept { return event_->is_set(); }
  auto& lock() noexcept { return event_->lock_; }
  detail::waiter_list& list() noexcept { return event_->waiters_; }
  const char* what() const noexcept { return event_->name_; }
  const void* object() const noexcept { return event_; }

  basic_event* event_;
};

/// The event of tasks on any loops.
using event = basic_event<thread_safe>;
namespace local {
/// The event of tasks of one loop.
using event = basic_event<one_loop>;
}  // namespace local

}  // namespace penstock
