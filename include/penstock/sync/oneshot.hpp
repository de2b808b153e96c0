// penstock/sync/oneshot.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// One value from one task to another: an answer. Several values are a channel.hpp. Where the one
/// that asked may be gone before the answer comes, its two ends are a make_oneshot.hpp.

#include <penstock/base/assert.hpp>
#include <penstock/base/result.hpp>
#include <penstock/sync/detail/landing.hpp>
#include <penstock/sync/detail/waiter_list.hpp>
#include <penstock/sync/local.hpp>
#include <penstock/sync/thread_safe.hpp>

#include <type_traits>
#include <utility>

namespace penstock {

/// A place for one value, or for the error that comes instead.
///
/// **Shape.** empty -> send() or fail() or close() -> answered -> receive() -> taken.
/// **Parameters.** `T` - moved in and out, never copied; its move constructor does not throw.
/// **Thread-safety.** any thread, the same object too. It may be destroyed by the task that has
/// received, also while the send() is still returning.
/// **Memory order.** send() synchronises-with the receive() of its value.
/// **Complexity.** O(1); no allocation but for the text of an error.
/// **Lifetime.** destroying it while a task waits asserts. A value that nobody received is
/// destroyed.
/// **Example.** @snippet tests/sync/oneshot_test.cpp oneshot
/// **See also.** `make_oneshot`, `channel`, `event`.
template <class T, class Policy>
class basic_oneshot {
  static_assert(std::is_object_v<T> && std::is_nothrow_move_constructible_v<T>,
                "the value of a oneshot is moved without throwing: use a std::unique_ptr");

 public:
  using value_type = T;
  class receive_awaiter;

  basic_oneshot() noexcept : basic_oneshot("oneshot::receive") {}
  /// **Parameters.** `name` - in dumps and errors; outlives the oneshot: a string literal.
  explicit basic_oneshot(const char* name) noexcept : name_(name) {}
  basic_oneshot(const basic_oneshot&) = delete;
  basic_oneshot& operator=(const basic_oneshot&) = delete;
  ~basic_oneshot() {
    lock_.lock();  // the send() that released the caller has left it by then
    PENSTOCK_ASSERT(waiters_.empty(), "a oneshot is destroyed while a task waits for it");
  }

  /// Answers with a value. False: it was answered before, and `value` is not moved from.
  bool send(T&& value) noexcept {
    detail::wake_section section(lock_);
    if (answered()) return false;
    value_.emplace(std::move(value));
    answer(section.wake);
    return true;
  }
  bool send(const T& value) requires std::is_copy_constructible_v<T> { return send(T(value)); }
  /// Answers with an error. False: it was answered before.
  bool fail(error e) noexcept {
    detail::wake_section section(lock_);
    if (answered()) return false;
    error_ = std::move(e);
    answer(section.wake);
    return true;
  }
  /// There will be no answer: `fail` with `errc::closed`.
  void close() noexcept {
    if (!answered()) static_cast<void>(fail(error(errc::closed).with(name_)));
  }
  /// Whether it was answered.
  [[nodiscard]] bool answered() const noexcept {
    return state_.load(detail::memory_order_acquire) != state::empty;
  }

  /// Waits for the answer and takes it; once: another one gets `errc::closed`.
  ///
  /// **Result.** `result<T>`.
  /// **Errors.** that of `fail`; `errc::closed`.
  /// **Suspends.** until it is answered; resumes on the waiting task's loop. One task at a time.
  /// **Cancellation.** takes nothing: the answer is there for another receive.
  [[nodiscard]] receive_awaiter receive() noexcept { return receive_awaiter(*this); }

 private:
  enum class state : unsigned char { empty, answered, taken };

  // Under the lock.
  void answer(detail::wake_list& wake) noexcept {
    state_.store(state::answered, detail::memory_order_release);
    if (auto* const first = waiters_.pop_front()) wake.push(*first);
  }
  [[nodiscard]] result<T> take() noexcept {
    if (state_.exchange(state::taken, detail::memory_order_acquire) == state::taken)
      return penstock::fail(errc::closed, name_, "taken before");
    if (!value_.has_value()) return tl::unexpected<error>(std::move(error_));
    return std::move(*value_.take());
  }

  typename Policy::lock lock_;
  typename Policy::template atomic<state> state_{state::empty};
  detail::waiter_list waiters_;  // guarded by lock_
  detail::landing<T> value_;     // these are written once, before it is answered
  error error_;
  const char* name_;
};

#if PENSTOCK_ASAN && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
/// The awaiter of `receive()`.
template <class T, class Policy>
class [[nodiscard]] basic_oneshot<T, Policy>::receive_awaiter
    : public detail::primitive_leaf<receive_awaiter> {
 public:
  explicit receive_awaiter(basic_oneshot& o) noexcept : oneshot_(&o) {}

  bool await_ready() const noexcept { return oneshot_->answered(); }
  [[nodiscard]] result<T> await_resume() noexcept {
    this->end();
    return oneshot_->take();
  }

 private:
  friend detail::primitive_leaf<receive_awaiter>;

  bool try_now(detail::wake_list&) const noexcept {
    if (oneshot_->answered()) return true;
    PENSTOCK_ASSERT(oneshot_->waiters_.empty(), "two tasks wait for one oneshot");
    return false;
  }
  auto& lock() noexcept { return oneshot_->lock_; }
  detail::waiter_list& list() noexcept { return oneshot_->waiters_; }
  const char* what() const noexcept { return oneshot_->name_; }
  const void* object() const noexcept { return oneshot_; }

  basic_oneshot* oneshot_;
};
#if PENSTOCK_ASAN && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/// The oneshot of tasks on any loops.
template <class T>
using oneshot = basic_oneshot<T, thread_safe>;
namespace local {
/// The oneshot of tasks of one loop.
template <class T>
using oneshot = basic_oneshot<T, one_loop>;
}  // namespace local

}  // namespace penstock
