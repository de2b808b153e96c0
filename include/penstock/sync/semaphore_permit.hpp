// penstock/sync/semaphore_permit.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What `semaphore::acquire` gives: permits that return by themselves. The semaphore:
/// semaphore.hpp.

#include <penstock/base/assert.hpp>
#include <penstock/sync/thread_safe.hpp>

#include <cstddef>
#include <utility>

namespace penstock {

template <class Policy>
class basic_semaphore;
template <class Policy>
class basic_shared_mutex;
namespace detail {
template <class Policy, class Predicate>
class condition_awaiter;
}

/// Permits of a semaphore, returned when it ends.
///
/// **Shape.** n permits -> (split, merge) -> released or forgotten: 0 permits.
/// **Thread-safety.** distinct: safe; same object: one owner. It may end on any thread.
/// **Complexity.** 16 bytes; the end is one atomic read-modify-write.
/// **Lifetime.** the semaphore outlives it.
template <class Policy>
class [[nodiscard("the permits return when this object ends")]] basic_semaphore_permit {
 public:
  /// No permits.
  constexpr basic_semaphore_permit() noexcept = default;
  /// Takes over `n` permits that were acquired from `s` and forgotten.
  basic_semaphore_permit(basic_semaphore<Policy> & s, std::size_t n) noexcept
      : semaphore_(&s), count_(n) {}
  basic_semaphore_permit(basic_semaphore_permit && other) noexcept
      : semaphore_(other.semaphore_), count_(other.forget()) {}
  basic_semaphore_permit& operator=(basic_semaphore_permit&& other) noexcept {
    if (this != &other) {
      release();
      semaphore_ = other.semaphore_;
      count_ = other.forget();
    }
    return *this;
  }
  ~basic_semaphore_permit() {
    if (count_ != 0) semaphore_->put(count_);
  }

  /// How many permits it holds.
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  /// Whether it holds any.
  explicit operator bool() const noexcept { return count_ != 0; }

  /// Returns them now.
  void release() noexcept {
    if (count_ == 0) return;
    semaphore_->put(std::exchange(count_, 0));
  }
  /// Gives up the ownership: whoever takes over calls `semaphore::release` later. The result is how
  /// many there are.
  std::size_t forget() noexcept { return std::exchange(count_, 0); }
  /// Takes `n` of the permits out.
  [[nodiscard]] basic_semaphore_permit split(std::size_t n) noexcept {
    PENSTOCK_ASSERT(n <= count_, "a permit is split into more than it holds");
    count_ -= n;
    return basic_semaphore_permit(*semaphore_, n);
  }
  /// Takes over the permits of `other`, which are of the same semaphore.
  void merge(basic_semaphore_permit other) noexcept {
    if (!other) return;
    PENSTOCK_ASSERT(!*this || semaphore_ == other.semaphore_,
                    "permits of two semaphores cannot be merged");
    semaphore_ = other.semaphore_;
    count_ += other.forget();
  }

 private:
  friend basic_shared_mutex<Policy>;
  template <class, class>
  friend class detail::condition_awaiter;

  basic_semaphore<Policy>* semaphore_ = nullptr;  // remembered without permits too
  std::size_t count_ = 0;
};

/// The permits of a `semaphore`.
using semaphore_permit = basic_semaphore_permit<thread_safe>;

}  // namespace penstock
