// penstock/sync/once.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Something that is made when it is first needed, once, while others wait: a connection, a table.
/// Values by key are loaded by single_flight.hpp.

#include <penstock/base/result.hpp>
#include <penstock/base/unique_function.hpp>
#include <penstock/core/task.hpp>
#include <penstock/sync/mutex.hpp>

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace penstock {

/// A value that the first `get()` makes.
///
/// **Shape.** empty -> a get() makes it, the others wait -> there, for ever; or it failed or was
/// stopped -> empty: the next one in line tries.
/// **Parameters.** `T` - what is made.
/// **Thread-safety.** any thread, the same object too; the value is shared.
/// **Memory order.** what made the value happens before every get() that gives it.
/// **Complexity.** a get() of what is there is one load; else a coroutine for each that waits.
/// **Lifetime.** outlives its waits; the value lives as long as it does.
/// **Example.** @snippet tests/sync/once_test.cpp lazy
/// **See also.** `mutex`, `watch`. After tokio's `OnceCell`.
template <class T, class Policy>
class basic_lazy {
 public:
  using maker = unique_function<task<result<T>>()>;
  class get_awaiter;

  /// **Parameters.** `make` - a callable that returns `task<result<T>>`; called with no lock but
  /// this object's own. It must not `get()` the same object: that waits for itself.
  explicit basic_lazy(maker make) noexcept : make_(std::move(make)) {}
  basic_lazy(const basic_lazy&) = delete;
  basic_lazy& operator=(const basic_lazy&) = delete;

  /// The value, made if need be.
  ///
  /// **Result.** `result<T*>`, not null.
  /// **Errors.** those of `make`, to the one that called it; its exceptions likewise.
  /// **Suspends.** unless it is there.
  /// **Cancellation.** a stopped maker is unwound, and the next one in line makes it.
  [[nodiscard]] get_awaiter get() noexcept { return get_awaiter(*this); }
  /// The value, or null.
  [[nodiscard]] T* get_if() noexcept {
    return there_.load(detail::memory_order_acquire) ? &*value_ : nullptr;
  }

 private:
  task<result<T*>> load() {
    auto lock = co_await one_.lock();
    if (!value_) {
      auto made = co_await make_();
      if (!made) co_return tl::unexpected<error>(std::move(made).error());
      value_.emplace(std::move(*made));
      there_.store(true, detail::memory_order_release);
    }
    co_return &*value_;
  }

  typename Policy::template atomic<bool> there_{false};
  basic_mutex<Policy> one_{"lazy::get"};
  std::optional<T> value_;  // written once, under one_
  maker make_;
};

/// The awaiter of `get()`.
template <class T, class Policy>
class [[nodiscard]] basic_lazy<T, Policy>::get_awaiter : public leaf<get_awaiter> {
  using loading = detail::awaiter_t<task<result<T*>>>;

 public:
  explicit get_awaiter(basic_lazy& l) noexcept : lazy_(&l) {}
  get_awaiter(get_awaiter&& o) noexcept : leaf<get_awaiter>(), lazy_(o.lazy_) {}

  bool await_ready() const noexcept { return lazy_->get_if() != nullptr; }
  suspension start(waiter& w) noexcept {
    try {
      loading_.emplace(detail::awaiter_of(lazy_->load()));
    } catch (...) {  // no memory for the coroutine
      thrown_ = std::current_exception();
      return resume_now(w);
    }
    return loading_->start(w);
  }
  [[nodiscard]] result<T*> await_resume() {
    if (thrown_) std::rethrow_exception(std::move(thrown_));
    if (loading_) return loading_->await_resume();
    return lazy_->get_if();
  }

 private:
  basic_lazy* lazy_;
  std::optional<loading> loading_;
  std::exception_ptr thrown_;
};

/// The lazy value of tasks on any loops.
template <class T>
using lazy = basic_lazy<T, thread_safe>;

/// Something that is done once.
///
/// **Shape.** not done -> a call() does it, the others wait -> done, for ever; or it failed or was
/// stopped -> not done: the next one in line tries, with its own function.
/// **Thread-safety.** any thread, the same object too.
/// **Complexity.** as `lazy`.
/// **Lifetime.** outlives its calls.
/// **Example.** @snippet tests/sync/once_test.cpp once
/// **See also.** `lazy`.
template <class Policy>
class basic_once {
 public:
  basic_once() noexcept = default;
  basic_once(const basic_once&) = delete;
  basic_once& operator=(const basic_once&) = delete;

  /// Awaits `fn()` if that was not done before.
  ///
  /// **Parameters.** `fn` - a callable that returns `task<result<>>`; a named closure, kept by
  /// reference until the call is over.
  /// **Result.** `result<>`.
  /// **Errors.** those of `fn`, to the one whose it is; its exceptions likewise.
  /// **Suspends.** unless it is done. A coroutine in any case: ask `done()` first where that
  /// counts.
  /// **Cancellation.** as `lazy::get`.
  template <class Fn>
  [[nodiscard]] task<result<>> call(Fn& fn) {
    if (done()) co_return result<>{};
    auto lock = co_await one_.lock();
    if (!done()) {
      if (auto r = co_await fn(); !r) co_return r;
      done_.store(true, detail::memory_order_release);
    }
    co_return result<>{};
  }
  /// Whether it is done.
  [[nodiscard]] bool done() const noexcept { return done_.load(detail::memory_order_acquire); }

 private:
  typename Policy::template atomic<bool> done_{false};
  basic_mutex<Policy> one_{"once::call"};
};

/// The once of tasks on any loops.
using once = basic_once<thread_safe>;
namespace local {
/// The same of tasks of one loop.
template <class T>
using lazy = basic_lazy<T, one_loop>;
using once = basic_once<one_loop>;
}  // namespace local

}  // namespace penstock
