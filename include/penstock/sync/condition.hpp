// penstock/sync/condition.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Waits until something that a mutex guards has become true. Mostly an event.hpp, a channel.hpp or
/// a watch.hpp says it better.

#include <penstock/core/finally.hpp>
#include <penstock/sync/mutex.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace penstock {

namespace detail {
template <class Policy, class Predicate>
class condition_awaiter;
}  // namespace detail

/// Makes tasks wait, without the mutex they hold, until another one tells them to look again.
///
/// **Ordering.** `notify_one` tells the first who waits; they take the mutex in that order.
/// **Thread-safety.** any thread, the same object too; with or without the mutex.
/// **Memory order.** that of the mutex.
/// **Complexity.** 32 bytes; O(1) to wait, to notify one, to be cancelled; no allocation.
/// **Lifetime.** outlives its waits, also those that were notified and have not gone on;
/// destroying it while tasks wait asserts.
/// **Example.** @snippet tests/sync/condition_test.cpp condition
/// **See also.** `mutex`, `event`, `watch`.
template <class Policy>
class basic_condition {
 public:
  using lock_type = basic_mutex_lock<Policy>;

  basic_condition() noexcept : basic_condition("condition::wait") {}
  /// **Parameters.** `name` - in dumps; outlives the condition: a string literal.
  explicit basic_condition(const char* name) noexcept : name_(name) {}
  basic_condition(const basic_condition&) = delete;
  basic_condition& operator=(const basic_condition&) = delete;
  ~basic_condition() {
    lock_.lock();
    PENSTOCK_ASSERT(waiters_.empty(), "a condition is destroyed while tasks wait for it");
  }

  /// Waits until `holds()` is true. It is called with the mutex locked: at once, and after each
  /// notification.
  ///
  /// **Parameters.** `lock` - of a `mutex`, or the writer's of a `shared_mutex`; held, before and
  /// after; its mutex is unlocked while the task
  /// waits. `holds` - a predicate; kept by reference when it is an lvalue. On g++ 12 a temporary
  /// closure must be trivially copyable (`[&]` is): else name it.
  /// **Errors.** an exception of `holds` passes through, with the mutex locked.
  /// **Suspends.** until it holds; resumes on the waiting task's loop.
  /// **Cancellation.** ends without the mutex, at once, also while it waits for the mutex; a
  /// notification that it was given goes to the next.
  template <class Predicate>
  requires std::is_invocable_r_v<bool, Predicate&>
  [[nodiscard]] auto wait(lock_type& lock, Predicate&& holds) {
    detail::check_closure<Predicate>();
    return detail::condition_awaiter<Policy, Predicate>(*this, lock,
                                                        std::forward<Predicate>(holds));
  }

  /// Tells the first who waits.
  void notify_one() noexcept {
    detail::wake_section section(lock_);
    wake_one(section.wake);
  }
  /// Tells all who wait now.
  void notify_all() noexcept {
    detail::wake_section section(lock_);
    while (auto* const first = waiters_.pop_front()) section.wake.push(*first);
  }

 private:
  template <class, class>
  friend class detail::condition_awaiter;

  // A notification; the mutex comes after it.
  class told_awaiter : public detail::primitive_leaf<told_awaiter> {
   public:
    explicit told_awaiter(basic_condition& c) noexcept : condition_(&c) {}
    bool await_ready() const noexcept { return false; }
    void await_resume() noexcept { this->end(); }

   private:
    friend detail::primitive_leaf<told_awaiter>;

    bool try_now(detail::wake_list&) const noexcept { return false; }
    void drop(detail::wake_list& wake) noexcept {
      if (this->granted()) condition_->wake_one(wake);
    }
    auto& lock() noexcept { return condition_->lock_; }
    detail::waiter_list& list() noexcept { return condition_->waiters_; }
    const char* what() const noexcept { return condition_->name_; }
    const void* object() const noexcept { return condition_; }

    basic_condition* condition_;
  };

  // Under the lock.
  void wake_one(detail::wake_list& wake) noexcept {
    if (auto* const first = waiters_.pop_front()) wake.push(*first);
  }

  typename Policy::lock lock_;
  detail::waiter_list waiters_;  // guarded by lock_
  const char* name_;
};

namespace detail {
// In turn a notification and the mutex, until the predicate holds.
template <class Policy, class Predicate>
class condition_awaiter : public leaf<condition_awaiter<Policy, Predicate>> {
  using told_awaiter = typename basic_condition<Policy>::told_awaiter;
  using relock_awaiter = typename basic_semaphore<Policy>::acquire_awaiter;

 public:
  condition_awaiter(basic_condition<Policy>& c, basic_mutex_lock<Policy>& l, Predicate&& holds)
      : condition_(&c), lock_(&l), holds_(std::forward<Predicate>(holds)) {
    PENSTOCK_ASSERT(l.owns_lock(), "condition::wait needs a lock that is held");
  }
  condition_awaiter(condition_awaiter&& o)
      : leaf<condition_awaiter>(),
        condition_(o.condition_),
        lock_(o.lock_),
        holds_(std::forward<Predicate>(o.holds_)) {}
  ~condition_awaiter() {
    if (told_in_vain_) condition_->notify_one();
  }

  bool await_ready() { return holds_(); }
  suspension start(waiter& w) noexcept {
    up_ = &w;
    return unwind(wait_again());
  }
  step child_ended(std::size_t which) noexcept {
    const child_end end = which == 0 ? told_->end() : relocked_->end();
    if (end == child_end::stopped) return {{}, up_, nullptr, true};
    if (which == 0) {
      told_->awaiter().await_resume();
      told_in_vain_ = true;  // until the predicate is looked at
      relocked_.emplace(relock_awaiter(*lock_->held_.semaphore_, permits_));
      relocked_->open(*this, 1, *up_, *up_->env);
      return {relocked_->begin()};
    }
    lock_->held_ = std::move(*relocked_->awaiter().await_resume());
    told_in_vain_ = false;
    try {
      if (!holds_()) return wait_again();
    } catch (...) {
      thrown_ = std::current_exception();
    }
    return {{}, up_};
  }
  void await_resume() {
    if (thrown_) std::rethrow_exception(thrown_);
  }

 private:
  // Into the list first, then out of the mutex: what comes between is not missed.
  step wait_again() noexcept {
    if (stop_requested(*up_)) {
      lock_->unlock();
      return {{}, up_, nullptr, true};
    }
    told_.emplace(told_awaiter(*condition_));
    told_->open(*this, 0, *up_, *up_->env);
    const handle nothing_yet = told_->begin();
    permits_ = lock_->held_.count();
    lock_->unlock();
    return {nothing_yet};
  }

  basic_condition<Policy>* condition_;
  basic_mutex_lock<Policy>* lock_;
  Predicate holds_;
  waiter* up_ = nullptr;
  std::size_t permits_ = 0;
  bool told_in_vain_ = false;
  std::exception_ptr thrown_;
  std::optional<scope_child<told_awaiter, condition_awaiter>> told_;
  std::optional<scope_child<relock_awaiter, condition_awaiter>> relocked_;
};
}  // namespace detail

/// The condition of tasks on any loops.
using condition = basic_condition<thread_safe>;
namespace local {
/// The condition of tasks of one loop.
using condition = basic_condition<one_loop>;
}  // namespace local

}  // namespace penstock
