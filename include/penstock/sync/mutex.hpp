// penstock/sync/mutex.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// One task at a time. Only needed where the work inside awaits something: what a task does between
/// two awaits is not interrupted by tasks of its loop. For readers and writers use
/// shared_mutex.hpp, for more than one at a time semaphore.hpp.

#include <penstock/sync/mutex_lock.hpp>
#include <penstock/sync/semaphore.hpp>

#include <cstddef>
#include <optional>
#include <utility>

namespace penstock {

/// Mutual exclusion of tasks.
///
/// **Shape.** unlocked -> lock() -> locked -> the lock ends -> handed to the first waiter, or
/// unlocked.
/// **Ordering.** first come, first served: who unlocks hands over, nobody barges in, neither
/// `try_lock`.
/// **Thread-safety.** any thread, the same object too. A lock may be released by another thread.
/// **Memory order.** an unlock synchronises-with the lock that follows.
/// **Complexity.** lock and unlock without waiting: one atomic read-modify-write each; waiting:
/// O(1) each, cancellation too; no allocation. It is a semaphore of one permit.
/// **Lifetime.** outlives its locks and waiters; destroying it while tasks wait asserts. Not
/// recursive: a task that locks it twice waits for itself.
/// **Example.** @snippet tests/sync/mutex_test.cpp mutex
/// **See also.** `shared_mutex`, `semaphore`, `condition`.
template <class Policy>
class basic_mutex {
 public:
  using lock_type = basic_mutex_lock<Policy>;
  class lock_awaiter;

  basic_mutex() noexcept : basic_mutex("mutex::lock") {}
  /// **Parameters.** `name` - in dumps; outlives the mutex: a string literal.
  explicit basic_mutex(const char* name) noexcept : one_(1, {.name = name}) {}

  /// Waits until the mutex is this task's.
  ///
  /// **Result.** `mutex_lock`: unlocks when it ends.
  /// **Suspends.** only while it is locked; resumes on the waiting task's loop.
  /// **Cancellation.** takes nothing and lets those behind it go on.
  [[nodiscard]] lock_awaiter lock() noexcept { return lock_awaiter(one_); }
  /// The lock, if it can be had without waiting; may be refused as by `semaphore::try_acquire`.
  [[nodiscard]] std::optional<lock_type> try_lock() noexcept {
    if (auto held = one_.try_acquire()) return lock_type(std::move(*held));
    return std::nullopt;
  }

  [[nodiscard]] bool locked() const noexcept { return one_.available() == 0; }
  /// Tasks that wait. O(waiters), under a lock: for statistics.
  [[nodiscard]] std::size_t waiting() const noexcept { return one_.waiting(); }

 private:
  basic_semaphore<Policy> one_;
};

/// The awaiter of `lock()`.
template <class Policy>
class [[nodiscard]] basic_mutex<Policy>::lock_awaiter
    : public basic_semaphore<Policy>::acquire_awaiter {
  using base = typename basic_semaphore<Policy>::acquire_awaiter;

 public:
  explicit lock_awaiter(basic_semaphore<Policy>& s) noexcept : base(s, 1) {}
  lock_type await_resume() noexcept { return lock_type(this->acquired()); }
};

/// The mutex of tasks on any loops.
using mutex = basic_mutex<thread_safe>;
namespace local {
/// The mutex of tasks of one loop.
using mutex = basic_mutex<one_loop>;
using mutex_lock = basic_mutex_lock<one_loop>;
}  // namespace local

}  // namespace penstock
