// penstock/sync/semaphore.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Counts permits and makes tasks wait while none is left. To bound bytes use memory_budget.hpp;
/// for a flag event.hpp.

#include <penstock/base/result.hpp>
#include <penstock/sync/detail/waiter_list.hpp>
#include <penstock/sync/semaphore_permit.hpp>
#include <penstock/sync/thread_safe.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>

namespace penstock {

/// Options of `semaphore`.
struct semaphore_options {
  /// The capacity may be 0: then all wait until `resize()`. Without it 0 is refused, because
  /// nobody could ever acquire.
  bool paused = false;
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
/// `close()` first.
/// **Example.** @snippet tests/sync/semaphore_test.cpp semaphore
/// **See also.** `memory_budget`, `task_group` with `max_running`.
template <class Policy>
class basic_semaphore {
 public:
  using permit = basic_semaphore_permit<Policy>;
  class acquire_awaiter;

  /// Most permits that a semaphore can have.
  static constexpr std::size_t max_permits = std::size_t{1} << 60;

  /// **Errors.** no permits, unless `o.paused`, or more than `max_permits`, stop the program.
  explicit basic_semaphore(std::size_t permits, semaphore_options o = {}) noexcept
      : state_(static_cast<std::int64_t>(permits)), capacity_(permits), may_pause_(o.paused) {
    check(permits);
  }
  basic_semaphore(const basic_semaphore&) = delete;
  basic_semaphore& operator=(const basic_semaphore&) = delete;
  ~basic_semaphore() {
    lock_.lock();
    PENSTOCK_ASSERT(waiters_.empty(), "a semaphore is destroyed while tasks wait: close() it");
  }

  /// Waits for `n` permits.
  ///
  /// **Parameters.** `n` - how many, at least 1.
  /// **Result.** `result<semaphore_permit>`; the permit returns all of them when it ends.
  /// **Errors.** `errc::never_satisfiable` when `n` is more than the capacity, at once or when a
  /// `resize()` makes it so; `errc::closed`.
  /// **Suspends.** only if fewer than `n` are available or somebody waits already; resumes on the
  /// waiting task's loop.
  /// **Cancellation.** takes no permits and lets those behind it go on.
  [[nodiscard]] acquire_awaiter acquire(std::size_t n = 1) noexcept {
    return acquire_awaiter(*this, n);
  }
  /// `n` permits if they can be had without waiting.
  [[nodiscard]] std::optional<permit> try_acquire(std::size_t n = 1) noexcept {
    if (!take(n)) return std::nullopt;
    return permit(*this, n);
  }
  /// Returns `n` permits whose `semaphore_permit` was told to `forget()` them.
  ///
  /// **Errors.** asserts when more are returned than were acquired.
  void release(std::size_t n = 1) noexcept {
    const std::size_t capacity = capacity_.load(detail::memory_order_relaxed);
    const auto before =
        state_.fetch_add(static_cast<std::int64_t>(n), detail::memory_order_acq_rel);
    if (before < 0 || static_cast<std::size_t>(before) + n > capacity) [[unlikely]]
      settle_checked();
  }

  /// Permits that nobody holds or waits for.
  [[nodiscard]] std::size_t available() const noexcept {
    const auto state = state_.load(detail::memory_order_acquire);
    const auto free = state < -(bias / 2) ? state + bias : state;
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

  // state_: the permits that nobody holds; less than 0 when a resize() took away some that are
  // held. While tasks wait, and when closed, `bias` less than that, so that no acquire succeeds
  // without the lock, and every release comes to it.
  static constexpr std::int64_t bias = std::int64_t{1} << 62;

  void check(std::size_t permits) const noexcept {
    if (permits == 0 && !may_pause_)
      detail::stop_program("semaphore: 0 permits, and semaphore_options::paused is not set");
    if (permits > max_permits) detail::stop_program("semaphore: more than max_permits");
  }
  bool take(std::size_t n) noexcept {
    PENSTOCK_ASSERT(n != 0, "a semaphore gives at least one permit");
    auto free = state_.load(detail::memory_order_relaxed);
    while (free >= 0 && static_cast<std::size_t>(free) >= n) {
      if (state_.compare_exchange_weak(free, free - static_cast<std::int64_t>(n),
                                       detail::memory_order_acquire, detail::memory_order_relaxed))
        return true;
    }
    return false;
  }
  // The end of a permit: cannot be too many.
  void put(std::size_t n) noexcept {
    const auto before =
        state_.fetch_add(static_cast<std::int64_t>(n), detail::memory_order_acq_rel);
    if (before < 0) [[unlikely]]
      settle_unlocked();
  }
  PENSTOCK_NOINLINE void settle_unlocked() noexcept {
    detail::wake_section section(lock_);
    settle(section.wake);
  }
  PENSTOCK_NOINLINE void settle_checked() noexcept {
    detail::wake_section section(lock_);
    PENSTOCK_ASSERT(free() <= static_cast<std::int64_t>(capacity()),
                    "more permits are released than were acquired");
    settle(section.wake);
  }

  // All below under lock_.
  [[nodiscard]] std::int64_t free() const noexcept {
    return state_.load(detail::memory_order_acquire) + (biased_ ? bias : 0);
  }
  // Takes n permits, or makes all who come later take the lock.
  bool take_or_bias(std::size_t n) noexcept {
    if (biased_) return false;
    auto free = state_.load(detail::memory_order_relaxed);
    const auto wanted = static_cast<std::int64_t>(n);
    while (!state_.compare_exchange_weak(free, free >= wanted ? free - wanted : free - bias,
                                         detail::memory_order_acq_rel,
                                         detail::memory_order_relaxed)) {
    }
    biased_ = free < wanted;
    return !biased_;
  }
  // Hands out what there is, first come, first served.
  void settle(detail::wake_list& wake) noexcept {
    while (auto* const first = static_cast<acquire_awaiter*>(waiters_.front())) {
      const auto wanted = static_cast<std::int64_t>(first->n_);
      if (free() < wanted) return;
      state_.fetch_sub(wanted, detail::memory_order_acq_rel);  // only releases change it meanwhile
      wake.push(*waiters_.pop_front());
    }
    if (biased_ && !closed_) {
      biased_ = false;
      state_.fetch_add(bias, detail::memory_order_release);
    }
  }
  void refuse(acquire_awaiter& a, errc why, detail::wake_list& wake) noexcept {
    waiters_.erase(a);
    a.refused_ = why;
    wake.push(a);
  }

  typename Policy::template atomic<std::int64_t> state_;
  typename Policy::template atomic<std::size_t> capacity_;  // written under the lock
  mutable typename Policy::lock lock_;
  bool biased_ = false;  // these guarded by lock_
  bool closed_ = false;
  const bool may_pause_;
  detail::waiter_list waiters_;
};

/// The awaiter of `acquire()`.
template <class Policy>
class [[nodiscard]] basic_semaphore<Policy>::acquire_awaiter
    : public detail::primitive_leaf<acquire_awaiter> {
 public:
  acquire_awaiter(basic_semaphore& s, std::size_t n) noexcept : semaphore_(&s), n_(n) {}

  bool await_ready() noexcept { return semaphore_->take(n_); }
  [[nodiscard]] result<permit> await_resume() noexcept {
    this->end();
    if (refused_ != errc{}) [[unlikely]]
      return fail(refused_, "semaphore::acquire");
    return result<permit>(tl::in_place, *semaphore_, n_);
  }

 private:
  friend basic_semaphore;
  friend detail::primitive_leaf<acquire_awaiter>;

  bool try_now(detail::wake_list&) noexcept {
    auto& s = *semaphore_;
    const auto capacity = s.capacity();
    if (s.closed_) {
      refused_ = errc::closed;
    } else if (n_ > max_permits || (n_ > capacity && capacity != 0)) {
      refused_ = errc::never_satisfiable;
    } else {
      return s.take_or_bias(n_);
    }
    return true;
  }
  void left(detail::wake_list& wake) noexcept { semaphore_->settle(wake); }
  void drop(detail::wake_list& wake) noexcept {
    if (refused_ != errc{}) return;
    semaphore_->state_.fetch_add(static_cast<std::int64_t>(n_), detail::memory_order_acq_rel);
    semaphore_->settle(wake);
  }
  auto& lock() noexcept { return semaphore_->lock_; }
  detail::waiter_list& list() noexcept { return semaphore_->waiters_; }
  static const char* what() noexcept { return "semaphore::acquire"; }
  const void* object() const noexcept { return semaphore_; }

  basic_semaphore* semaphore_;
  std::size_t n_;
  errc refused_{};
};

/// The semaphore of tasks on any loops.
using semaphore = basic_semaphore<thread_safe>;

inline result<> validate(const semaphore_options& o, std::size_t permits) {
  if (permits == 0 && !o.paused) {
    return fail(errc::invalid_option, "semaphore", "0 permits, and paused is not set");
  }
  if (permits > semaphore::max_permits) {
    return fail(errc::invalid_option, "semaphore", "more than max_permits");
  }
  return {};
}

template <class Policy>
std::size_t basic_semaphore<Policy>::waiting() const noexcept {
  std::size_t count = 0;
  lock_.lock();
  for (auto at = waiters_.begin(); at != waiters_.end(); ++at) ++count;
  lock_.unlock();
  return count;
}

template <class Policy>
void basic_semaphore<Policy>::resize(std::size_t permits) noexcept {
  check(permits);
  detail::wake_section section(lock_);
  const auto more = static_cast<std::int64_t>(permits) - static_cast<std::int64_t>(capacity());
  capacity_.store(permits, detail::memory_order_relaxed);
  state_.fetch_add(more, detail::memory_order_acq_rel);
  for (auto at = waiters_.begin(); at != waiters_.end() && permits != 0;) {
    auto& a = static_cast<acquire_awaiter&>(*at);
    ++at;
    if (a.n_ > permits) refuse(a, errc::never_satisfiable, section.wake);
  }
  settle(section.wake);
}

template <class Policy>
void basic_semaphore<Policy>::close() noexcept {
  detail::wake_section section(lock_);
  if (closed_) return;
  closed_ = true;
  if (!biased_) {
    biased_ = true;
    state_.fetch_sub(bias, detail::memory_order_acq_rel);
  }
  while (auto* const first = static_cast<acquire_awaiter*>(waiters_.front()))
    refuse(*first, errc::closed, section.wake);
}

template <class Policy>
bool basic_semaphore<Policy>::closed() const noexcept {
  lock_.lock();
  const bool is = closed_;
  lock_.unlock();
  return is;
}

}  // namespace penstock
