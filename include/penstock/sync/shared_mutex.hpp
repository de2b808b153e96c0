// penstock/sync/shared_mutex.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Many readers or one writer. Where reads are short a mutex.hpp is as fast; for a value that
/// readers may copy use watch.hpp.

#include <penstock/sync/mutex_lock.hpp>
#include <penstock/sync/semaphore.hpp>

#include <cstddef>
#include <optional>
#include <utility>

namespace penstock {

/// A lock of a `shared_mutex` that others may hold too.
///
/// **Thread-safety.** distinct: safe; same object: one owner. It may end on any thread.
/// **Lifetime.** the mutex outlives it.
template <class Policy>
class [[nodiscard("the mutex is unlocked when this object ends")]] basic_shared_lock {
 public:
  /// Holds nothing.
  constexpr basic_shared_lock() noexcept = default;

  /// Whether it holds the mutex.
  [[nodiscard]] bool owns_lock() const noexcept { return static_cast<bool>(held_); }
  explicit operator bool() const noexcept { return owns_lock(); }
  /// Releases the mutex now; without effect when it is not held.
  void unlock() noexcept { held_.release(); }

 private:
  friend basic_shared_mutex<Policy>;
  explicit basic_shared_lock(basic_semaphore_permit<Policy> && held) noexcept
      : held_(std::move(held)) {}

  basic_semaphore_permit<Policy> held_;
};

/// Mutual exclusion of one writer from all others, of readers from writers only.
///
/// **Shape.** unlocked, shared by readers, or locked by one writer.
/// **Ordering.** first come, first served, readers and writers in one queue: a reader that comes
/// after a waiting writer waits behind it, so neither side starves the other. Readers that follow
/// one another in the queue enter together.
/// **Thread-safety.** any thread, the same object too.
/// **Memory order.** an unlock synchronises-with the locks that follow.
/// **Complexity.** as `mutex`, also the readers: one atomic read-modify-write to lock, one to
/// unlock; no allocation. It is a semaphore of `max_readers` permits, as tokio's RwLock: a reader
/// takes one, a writer all.
/// **Lifetime.** as `mutex`. A reader that waits for the writer's lock waits for itself: unlock
/// first; the way back is `downgrade`.
/// **Example.** @snippet tests/sync/shared_mutex_test.cpp shared_mutex
/// **See also.** `mutex`, `watch`.
template <class Policy>
class basic_shared_mutex {
 public:
  using lock_type = basic_mutex_lock<Policy>;
  using shared_lock_type = basic_shared_lock<Policy>;
  class lock_awaiter;
  class lock_shared_awaiter;

  /// Most readers at once; more wait.
  static constexpr std::size_t max_readers = std::size_t{1} << 24;

  basic_shared_mutex() noexcept : basic_shared_mutex("shared_mutex::lock") {}
  /// **Parameters.** `name` - in dumps; outlives the mutex: a string literal.
  explicit basic_shared_mutex(const char* name) noexcept : all_(max_readers, {.name = name}) {}

  /// Waits until the mutex is this task's alone.
  ///
  /// **Result.** `mutex_lock`: unlocks when it ends.
  /// **Suspends.** only while anybody holds it or waits; resumes on the waiting task's loop.
  /// **Cancellation.** takes nothing and lets those behind it go on.
  [[nodiscard]] lock_awaiter lock() noexcept { return lock_awaiter(all_); }
  /// Waits until no writer has the mutex.
  ///
  /// **Result.** `shared_lock`: unlocks when it ends.
  /// **Suspends.** only while a writer holds it or anybody waits; resumes on the waiting task's
  /// loop.
  /// **Cancellation.** takes nothing and lets those behind it go on.
  [[nodiscard]] lock_shared_awaiter lock_shared() noexcept { return lock_shared_awaiter(all_); }

  /// The lock, if it can be had without waiting.
  [[nodiscard]] std::optional<lock_type> try_lock() noexcept {
    if (auto held = all_.try_acquire(max_readers)) return lock_type(std::move(*held));
    return std::nullopt;
  }
  [[nodiscard]] std::optional<shared_lock_type> try_lock_shared() noexcept {
    if (auto held = all_.try_acquire()) return shared_lock_type(std::move(*held));
    return std::nullopt;
  }
  /// The writer becomes a reader; no other writer comes between. `lock` is held.
  [[nodiscard]] shared_lock_type downgrade(lock_type lock) noexcept {
    PENSTOCK_ASSERT(lock.owns_lock(), "a lock that is not held cannot be downgraded");
    PENSTOCK_ASSERT(lock.held_.semaphore_ == &all_, "downgrade() of another mutex's lock");
    return shared_lock_type(lock.held_.split(1));
  }

  /// Tasks that wait. O(waiters), under a lock: for statistics.
  [[nodiscard]] std::size_t waiting() const noexcept { return all_.waiting(); }

 private:
  basic_semaphore<Policy> all_;
};

/// The awaiter of `lock()`.
template <class Policy>
class [[nodiscard]] basic_shared_mutex<Policy>::lock_awaiter
    : public basic_semaphore<Policy>::acquire_awaiter {
  using base = typename basic_semaphore<Policy>::acquire_awaiter;

 public:
  explicit lock_awaiter(basic_semaphore<Policy>& s) noexcept : base(s, max_readers) {}
  lock_type await_resume() noexcept { return lock_type(this->acquired()); }
};

/// The awaiter of `lock_shared()`.
template <class Policy>
class [[nodiscard]] basic_shared_mutex<Policy>::lock_shared_awaiter
    : public basic_semaphore<Policy>::acquire_awaiter {
  using base = typename basic_semaphore<Policy>::acquire_awaiter;

 public:
  explicit lock_shared_awaiter(basic_semaphore<Policy>& s) noexcept : base(s, 1) {}
  shared_lock_type await_resume() noexcept { return shared_lock_type(this->acquired()); }
};

/// The shared mutex of tasks on any loops.
using shared_mutex = basic_shared_mutex<thread_safe>;
using shared_lock = basic_shared_lock<thread_safe>;
namespace local {
/// The shared mutex of tasks of one loop.
using shared_mutex = basic_shared_mutex<one_loop>;
using shared_lock = basic_shared_lock<one_loop>;
}  // namespace local

}  // namespace penstock
