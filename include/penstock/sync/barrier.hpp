// penstock/sync/barrier.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Tasks that go on together, step by step. A single step is a latch.hpp.

#include <penstock/base/assert.hpp>
#include <penstock/sync/detail/waiter_list.hpp>
#include <penstock/sync/local.hpp>
#include <penstock/sync/thread_safe.hpp>

#include <cstddef>

namespace penstock {

/// Makes each of so many tasks wait until all have arrived, again and again.
///
/// **Shape.** a phase: arrivals -> the last one arrives: all go on -> the next phase.
/// **Ordering.** those who wait are released together, first come first posted.
/// **Thread-safety.** any thread, the same object too.
/// **Memory order.** an arrival synchronises-with the end of its phase.
/// **Complexity.** 48 bytes; O(1) to arrive, O(parties) for the last; no allocation.
/// **Lifetime.** destroying it while tasks wait asserts. A party that has gone on may destroy it
/// when no other arrives any more.
/// **Example.** @snippet tests/sync/barrier_test.cpp barrier
/// **See also.** `latch`.
template <class Policy>
class basic_barrier {
 public:
  class arrive_awaiter;

  /// **Parameters.** `parties` - how many arrive in each phase, at least 1. `name` - in dumps;
  /// outlives the barrier: a string literal.
  explicit basic_barrier(std::size_t parties, const char* name = "barrier::arrive") noexcept
      : parties_(parties), name_(name) {
    if (parties == 0) detail::stop_program("barrier: 0 parties");
  }
  basic_barrier(const basic_barrier&) = delete;
  basic_barrier& operator=(const basic_barrier&) = delete;
  ~basic_barrier() {
    lock_.lock();
    PENSTOCK_ASSERT(waiters_.empty(), "a barrier is destroyed while tasks wait at it");
  }

  /// Arrives, and waits for the others.
  ///
  /// **Result.** true for one of them, who does what is done once a phase: the last to arrive, or,
  /// when drop() has ended the phase, the first.
  /// **Suspends.** unless it is the last; resumes on the waiting task's loop.
  /// **Cancellation.** takes the arrival back: somebody else has to arrive, or `drop()`.
  [[nodiscard]] arrive_awaiter arrive_and_wait() noexcept { return arrive_awaiter(*this); }
  /// There is one party less, in this phase and later: for one that ends. The phase may end with
  /// it.
  ///
  /// **Errors.** asserts when there is none left.
  void drop() noexcept {
    detail::wake_section section(lock_);
    PENSTOCK_ASSERT(parties_ > arrived_, "more parties are dropped than there are");
    --parties_;
    if (arrived_ == 0 || arrived_ != parties_) return;
    arrive_awaiter::owner_of(*waiters_.front()).last_ = true;  // in the place of the last to arrive
    release(section.wake);
  }

  /// How many are waited for in each phase.
  [[nodiscard]] std::size_t parties() const noexcept {
    detail::wake_section section(lock_);
    return parties_;
  }

 private:
  friend arrive_awaiter;

  // Under the lock.
  void release(detail::wake_list& wake) noexcept {
    arrived_ = 0;
    while (auto* const first = waiters_.pop_front()) wake.push(*first);
  }

  mutable typename Policy::lock lock_;
  std::size_t parties_;  // this and what follows guarded by lock_
  std::size_t arrived_ = 0;
  detail::waiter_list waiters_;
  const char* name_;
};

/// The awaiter of `arrive_and_wait()`.
template <class Policy>
class [[nodiscard]] basic_barrier<Policy>::arrive_awaiter
    : public detail::primitive_leaf<arrive_awaiter> {
 public:
  explicit arrive_awaiter(basic_barrier& b) noexcept : barrier_(&b) {}

  bool await_ready() noexcept { return this->try_locked(); }
  bool await_resume() noexcept {
    this->end();
    return last_;
  }

 private:
  friend detail::primitive_leaf<arrive_awaiter>;
  friend basic_barrier;

  bool try_now(detail::wake_list& wake) noexcept {
    auto& b = *barrier_;
    if (b.arrived_ + 1 < b.parties_) return false;
    last_ = true;
    b.release(wake);
    return true;
  }
  void joined(detail::wake_list&) noexcept { ++barrier_->arrived_; }
  void left(detail::wake_list&) noexcept { --barrier_->arrived_; }
  auto& lock() noexcept { return barrier_->lock_; }
  detail::waiter_list& list() noexcept { return barrier_->waiters_; }
  const char* what() const noexcept { return barrier_->name_; }
  const void* object() const noexcept { return barrier_; }

  basic_barrier* barrier_;
  bool last_ = false;
};

/// The barrier of tasks on any loops.
using barrier = basic_barrier<thread_safe>;
namespace local {
/// The barrier of tasks of one loop.
using barrier = basic_barrier<one_loop>;
}  // namespace local

}  // namespace penstock
