// penstock/sync/semaphore.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Counts permits and makes tasks wait while none is left. To bound bytes use memory_budget.hpp;
/// for a flag event.hpp.

#include <penstock/base/result.hpp>
#include <penstock/sync/detail/waiter_list.hpp>
#include <penstock/sync/local.hpp>
#include <penstock/sync/semaphore_permit.hpp>
#include <penstock/sync/thread_safe.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <type_traits>

namespace penstock {

/// Options of `semaphore`.
struct semaphore_options {
  /// The capacity may be 0: then all wait until `resize()`. Without it 0 is refused, because
  /// nobody could ever acquire.
  bool paused = false;
  /// In errors and dumps; outlives the semaphore: a string literal.
  const char* name = "semaphore::acquire";
};
static_assert(std::is_trivially_copyable_v<semaphore_options>);
/// Whether a semaphore of that many permits can be.
[[nodiscard]] inline result<> validate(const semaphore_options& o, std::size_t permits);

/// Permits for so many at once.
///
/// **Shape.** 0 <= available() <= capacity(); a FIFO queue of waiters.
/// **Ordering.** first come, first served: a permit that is returned is handed to the first waiter;
/// nobody passes one who waits, neither a smaller request nor `try_acquire`.
/// **Thread-safety.** any thread, the same object too.
/// **Memory order.** a release synchronises-with the acquire that takes the permit.
/// **Complexity.** acquire and release without waiting: one atomic read-modify-write each;
/// waiting: O(1) each, cancellation too; no allocation but for the text of an error.
/// **Lifetime.** outlives its permits and waiters; destroying it while tasks wait asserts:
/// `close()` first. A task that has acquired all permits, and so knows that no other is left, may
/// destroy it at once, also while the end of another permit is still returning.
/// **Example.** @snippet tests/sync/semaphore_test.cpp semaphore
/// **See also.** `memory_budget`, `task_group` with `max_running`.
template <class Policy>
class basic_semaphore {
 public:
  using permit = basic_semaphore_permit<Policy>;
  class acquire_awaiter;

  /// Most permits that a semaphore can have.
  static constexpr std::size_t max_permits = std::size_t{1} << 44;

  /// **Errors.** no permits, unless `o.paused`, or more than `max_permits`, stop the program.
  explicit basic_semaphore(std::size_t permits, semaphore_options o = {}) noexcept
      : state_(signed_count(permits)), capacity_(permits), options_(o) {
    check_capacity(permits);
  }
  basic_semaphore(const basic_semaphore&) = delete;
  basic_semaphore& operator=(const basic_semaphore&) = delete;
  ~basic_semaphore() {
    lock_.lock();
    PENSTOCK_ASSERT(waiters_.empty(), "a semaphore or a mutex is destroyed while tasks wait");
  }

  /// Waits for `n` permits.
  ///
  /// **Parameters.** `n` - how many, at least 1.
  /// **Result.** `result<semaphore_permit>`; the permit returns all of them when it ends.
  /// **Errors.** `errc::never_satisfiable` when `n` is more than the capacity, at once or when a
  /// `resize()` makes it so, naming both: "semaphore::acquire '5 of 3 permits': can never be
  /// satisfied"; `errc::closed`.
  /// **Suspends.** only if fewer than `n` are available or somebody waits already; resumes on the
  /// waiting task's loop.
  /// **Cancellation.** takes no permits and lets those behind it go on.
  [[nodiscard]] acquire_awaiter acquire(std::size_t n = 1) noexcept {
    return acquire_awaiter(*this, n);
  }
  /// `n` permits if they can be had without waiting. While another operation is under way it may be
  /// refused for its sake: a claim that is about to wait, a permit that is just coming back.
  [[nodiscard]] std::optional<permit> try_acquire(std::size_t n = 1) noexcept {
    check_count(n);
    auto left = state_.load(detail::memory_order_relaxed);
    do {
      if (n > max_permits || left < signed_count(n)) return std::nullopt;
    } while (!state_.compare_exchange_weak(
        left, left - signed_count(n), detail::memory_order_acquire, detail::memory_order_relaxed));
    return permit(*this, n);
  }
  /// Returns `n` permits whose `semaphore_permit` was told to `forget()` them.
  ///
  /// **Errors.** asserts when more are returned than were acquired.
  void release(std::size_t n = 1) noexcept {
    if (looks_frozen()) return count_in_checked(n);
    const std::size_t capacity = this->capacity();
    const auto before = state_.fetch_add(signed_count(n), detail::memory_order_acq_rel);
    if (is_frozen(before)) [[unlikely]]
      return count_in_checked(n);
    if (before + signed_count(n) > signed_count(capacity)) [[unlikely]]
      check_free();
  }

  /// Permits that nobody holds.
  [[nodiscard]] std::size_t available() const noexcept {
    auto free = state_.load(detail::memory_order_acquire);
    if (free < 0) {
      lock_.lock();
      free = this->free();
      lock_.unlock();
    }
    return free > 0 ? static_cast<std::size_t>(free) : 0;
  }
  /// Permits in all.
  [[nodiscard]] std::size_t capacity() const noexcept {
    return capacity_.load(detail::memory_order_relaxed);
  }
  /// Tasks that wait. O(waiters), under the lock: for statistics.
  [[nodiscard]] std::size_t waiting() const noexcept;
  /// Changes the capacity. With fewer permits than are held, nobody acquires until enough have come
  /// back; who waits for more than there are now gets `errc::never_satisfiable`. 0 as in the
  /// constructor: all wait.
  void resize(std::size_t permits) noexcept;
  /// Ends all waits, and later ones at once, with `errc::closed`. Permits that are held stay valid.
  void close() noexcept;
  [[nodiscard]] bool closed() const noexcept;

 private:
  friend permit;

  // The balance: the permits that nobody holds, less what all who wait have asked for. While nobody
  // waits it is state_, and one read-modify-write there acquires or releases; it is less than 0
  // while claims are on their way to the lock, or after a resize() took away permits that are held.
  //
  // While somebody waits, and when it is closed, it is balance_, under the lock, and state_ is
  // frozen, far below 0: whoever sees that goes to the lock and counts in what it returns or claims
  // there, and so does whoever changed it without having seen it, which has changed nothing. So a
  // permit that somebody waits for is not seen before its releaser has the lock, and others are not
  // touched after the RMW: whoever has acquired all permits may destroy the semaphore, whose
  // destructor takes the lock too. When nobody waits any more, state_ is the balance again,
  // whatever is still on its way. (What was added to it meanwhile need not be that: some of it
  // comes from before it was last frozen.)
  static constexpr std::int64_t frozen = -(std::int64_t{1} << 62);

  static constexpr bool is_frozen(std::int64_t state) noexcept { return state < frozen / 2; }
  // Mostly true while somebody waits: then nothing is changed here, and the lock tells.
  [[nodiscard]] bool looks_frozen() const noexcept {
    return is_frozen(state_.load(detail::memory_order_relaxed));
  }
  static std::int64_t signed_count(std::size_t n) noexcept { return static_cast<std::int64_t>(n); }
  static void check_count([[maybe_unused]] std::size_t n) noexcept {
    PENSTOCK_ASSERT(n != 0, "a semaphore gives at least one permit");
  }
  void check_capacity(std::size_t permits) const noexcept {
    if (permits == 0 && !options_.paused)
      detail::stop_program("semaphore: 0 permits, and semaphore_options::paused is not set");
    if (permits > max_permits) detail::stop_program("semaphore: more than max_permits");
  }
  [[nodiscard]] bool never(std::size_t n) const noexcept {
    const auto most = capacity();
    return n > max_permits || (n > most && most != 0);
  }
  // The end of a permit: these cannot be too many.
  void put(std::size_t n) noexcept {
    if (looks_frozen()) return count_in(frozen, n);
    const auto before = state_.fetch_add(signed_count(n), detail::memory_order_acq_rel);
    if (before < 0) [[unlikely]]
      count_in(before, n);
  }
  PENSTOCK_NOINLINE void count_in(std::int64_t before, std::size_t n) noexcept {
    if (!is_frozen(before)) return;
    detail::wake_section section(lock_);
    count(signed_count(n));
    settle(section.wake);
  }
  PENSTOCK_NOINLINE void count_in_checked(std::size_t n) noexcept {
    detail::wake_section section(lock_);
    count(signed_count(n));
    assert_free();
    settle(section.wake);
  }
  PENSTOCK_NOINLINE void check_free() noexcept {
    detail::wake_section section(lock_);
    assert_free();
  }
  void assert_free() const noexcept {
    PENSTOCK_ASSERT(free() <= signed_count(capacity()),
                    "more permits are released than were acquired");
  }

  // All below under lock_.
  // What came to the lock because state_ was frozen when it added n there.
  void count(std::int64_t n) noexcept {
    if (frozen_)
      balance_ += n;
    else
      state_.fetch_add(n, detail::memory_order_acq_rel);
  }
  // Any other change.
  void add(std::int64_t n) noexcept {
    state_.fetch_add(n, detail::memory_order_acq_rel);
    if (frozen_) balance_ += n;
  }
  void freeze() noexcept {
    if (frozen_) return;
    balance_ = state_.fetch_add(frozen, detail::memory_order_acq_rel);
    frozen_ = true;
  }
  // When nobody waits. What is on its way to the lock is counted in when it is there. A
  // read-modify-write: who acquires next sees what was released before.
  void thaw() noexcept {
    if (!frozen_ || closed_) return;
    state_.exchange(balance_, detail::memory_order_acq_rel);
    frozen_ = false;
  }
  // At least so many permits are free: claims on their way to the lock may be missing, and will
  // settle() when they are there.
  [[nodiscard]] std::int64_t free() const noexcept {
    return claimed_ + (frozen_ ? balance_ : state_.load(detail::memory_order_acquire));
  }
  // Hands out what there is, first come, first served.
  void settle(detail::wake_list& wake) noexcept {
    while (auto* const first = waiters_.front()) {
      const auto n = signed_count(acquire_awaiter::owner_of(*first).n_);
      if (free() < n) return;
      claimed_ -= n;
      wake.push(*waiters_.pop_front());
    }
    thaw();
  }
  void refuse(detail::parked_leaf& p, errc why, detail::wake_list& wake) noexcept {
    auto& refused_one = acquire_awaiter::owner_of(p);
    waiters_.erase(p);
    claimed_ -= signed_count(refused_one.n_);
    add(signed_count(refused_one.n_));
    refused_one.refuse(why);
    wake.push(p);
  }

  typename Policy::template atomic<std::int64_t> state_;
  typename Policy::template atomic<std::size_t> capacity_;  // written under the lock
  mutable typename Policy::lock lock_;
  bool closed_ = false;  // this and what follows guarded by lock_
  bool frozen_ = false;
  std::int64_t balance_ = 0;  // while frozen_
  std::int64_t claimed_ = 0;  // by those in waiters_
  detail::waiter_list waiters_;
  const semaphore_options options_;
};

/// The semaphore of tasks on any loops.
using semaphore = basic_semaphore<thread_safe>;
namespace local {
/// The semaphore of tasks of one loop.
using semaphore = basic_semaphore<one_loop>;
using semaphore_permit = basic_semaphore_permit<one_loop>;
}  // namespace local

inline result<> validate(const semaphore_options& o, std::size_t permits) {
  if (permits == 0 && !o.paused) {
    return fail(errc::invalid_option, "semaphore", "0 permits, and paused is not set");
  }
  if (permits > semaphore::max_permits) {
    return fail(errc::invalid_option, "semaphore", "more than max_permits");
  }
  return {};
}

}  // namespace penstock

#include <penstock/sync/detail/semaphore_awaiter.hpp>
