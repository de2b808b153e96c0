// penstock/sync/mutex_lock.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What `mutex::lock` and `shared_mutex::lock` give: a lock that is released by itself.

#include <penstock/sync/semaphore_permit.hpp>

#include <cstddef>
#include <utility>

namespace penstock {

namespace detail {
template <class Policy, class Predicate>
class condition_awaiter;
}
template <class Policy>
class basic_mutex;
template <class Policy>
class basic_shared_mutex;

/// A lock of a mutex, released when it ends.
///
/// **Shape.** held -> unlock() -> not held; `condition::wait` releases it and takes it again.
/// **Thread-safety.** distinct: safe; same object: one owner. It may end on any thread, unlike a
/// std::unique_lock: tasks move.
/// **Complexity.** 16 bytes; the end is one atomic read-modify-write.
/// **Lifetime.** the mutex outlives it.
template <class Policy>
class [[nodiscard("the mutex is unlocked when this object ends")]] basic_mutex_lock {
 public:
  /// Holds nothing.
  constexpr basic_mutex_lock() noexcept = default;

  /// Whether it holds the mutex.
  [[nodiscard]] bool owns_lock() const noexcept { return static_cast<bool>(held_); }
  explicit operator bool() const noexcept { return owns_lock(); }
  /// Releases the mutex now; without effect when it is not held.
  void unlock() noexcept { held_.release(); }

 private:
  template <class, class>
  friend class detail::condition_awaiter;
  friend basic_mutex<Policy>;
  friend basic_shared_mutex<Policy>;

  explicit basic_mutex_lock(basic_semaphore_permit<Policy> && held) noexcept
      : held_(std::move(held)) {}

  basic_semaphore_permit<Policy> held_;
};

/// The lock of a `mutex`.
using mutex_lock = basic_mutex_lock<thread_safe>;

}  // namespace penstock
