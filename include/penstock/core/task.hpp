// penstock/core/task.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The coroutine type. Return `task<T>` from a function, `co_await` it from another one; start the
/// outermost with `runtime::run`, `sync_wait` or a test runtime's `run`.

#include <penstock/base/taken.hpp>
#include <penstock/core/detail/promise.hpp>
#include <penstock/core/environment.hpp>

#include <type_traits>
#include <utility>

namespace penstock {

namespace detail {
// Where a task leaves its value that is gone before its parent goes on.
template <class T, bool = is_handed_over<T>>
struct place_of {};
template <class T>
struct place_of<T, true> {
  place_of() noexcept {}
  union {
    T value;
  };
};
template <>
struct place_of<void, true> {};

// A task inside another awaiter, as its owner.
template <class T>
class task_awaiter {
 public:
  explicit task_awaiter(waiter* p) noexcept : p_(p) {}
  task_awaiter(task_awaiter&& o) noexcept : p_(detail::taken(o.p_)) {}
  task_awaiter& operator=(task_awaiter&&) = delete;
  ~task_awaiter() {
    if (p_) destroy_frame(*p_);
  }
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  transfer await_suspend(std::coroutine_handle<Promise> h) noexcept {
    return go(start(h.promise()));
  }
  handle start(waiter& up) noexcept {
    open(up);
    up.slot = &p_;
    return handle_of(*p_);
  }
  // By way of the ready queue: for scopes with more than one child.
  void post(waiter& up) noexcept;
  T await_resume() {
    last at_end{this};
    return promise().take();
  }
  // T is a result with a value.
  template <class R = T>
  typename R::value_type take_value() {
    last at_end{this};
    auto& p = promise();
    p.need_value();
    if constexpr (!std::is_void_v<typename R::value_type>) return std::move(*p.value);
  }
  // The error of a task<result<...>> that ended with one, or null.
  const error* failed() const noexcept {
    return p_ && promise().state == outcome::error ? &promise().error() : nullptr;
  }
  void discard() noexcept {
    if (p_) destroy_frame(*detail::taken(p_));
  }
  promise_base* release() && noexcept { return static_cast<promise_base*>(detail::taken(p_)); }

 protected:
  task_promise<T>& promise() const noexcept { return *static_cast<task_promise<T>*>(p_); }
  waiter* p_;

 private:
  struct last {
    task_awaiter* self;
    ~last() { destroy_frame(*detail::taken(self->p_)); }
  };
  void open(waiter& up) noexcept {
    p_->parent = &up;
    p_->env = up.env;
  }
};

// co_await f(). It owns the task: the temporary may be gone before the task's parameters are.
template <class T>
class direct_awaiter : public task_awaiter<T>, place_of<T> {
 public:
  using task_awaiter<T>::task_awaiter;
  template <class Promise>
  transfer await_suspend(std::coroutine_handle<Promise> h) noexcept {
    if constexpr (is_handed_over<T>) {
      auto& child = this->promise();
      child.hands_over = true;
      if constexpr (!std::is_void_v<T>) child.place = std::addressof(this->value);
    }
    return go(this->start(h.promise()));
  }
  T await_resume() { return take(); }
  [[nodiscard]] T await_resume() requires is_result_v<T> { return take(); }

 private:
  T take() {
    if constexpr (is_handed_over<T>) {
      if (!this->p_) [[likely]] {
        if constexpr (std::is_void_v<T>)
          return;
        else
          return std::move(this->value);
      }
    }
    return task_awaiter<T>::await_resume();
  }
};
}  // namespace detail

/// A lazy coroutine that yields a `T`.
///
/// **Shape.** created (not running) -> awaited once -> value | exception | stopped.
/// **Result.** of `co_await`: the `T`, moved out; the coroutine's frame is gone before the awaiting
/// one continues.
/// **Errors.** an exception of the coroutine is rethrown to the one that awaits it. Expected errors
/// are values: `task<result<T>>` with `ok`. One that yields a value, a `task<result<>>` too, and
/// ends without `co_return` asserts.
/// **Suspends.** always transfers to the task; it and its caller run on the same loop, in one turn.
/// **Cancellation.** a stop of the enclosing scope ends the task at the leaf it waits for: it is
/// never resumed, its frame is destroyed (destructors run), leaf first.
/// **Thread-safety.** one owner. It runs on the loop of the one that awaits it.
/// **Complexity.** one frame from the per-thread recycler: no allocation in steady state.
/// `std::allocator_arg, allocator` as first parameters take the frame from that allocator instead.
/// **Lifetime.** parameters taken by reference must outlive the task. A coroutine lambda's closure
/// must too: name the closure, never await a task made by a temporary capturing one.
/// **See also.** `ok`, `with_group`, `with_timeout`.
template <class T = void>
class [[nodiscard("a task does nothing until it is awaited")]] task {
 public:
  using promise_type = detail::task_promise<T>;
  using value_type = T;

  task(task && other) noexcept : p_(detail::taken(other.p_)) {}
  task& operator=(task&& other) noexcept {
    waiter* const taken = detail::taken(other.p_);  // first: `other` may be this one
    if (waiter* const old = detail::taken(p_)) detail::destroy_frame(*old);
    p_ = taken;
    return *this;
  }
  ~task() {
    if (p_) detail::destroy_frame(*p_);
  }
  detail::direct_awaiter<T> operator co_await()&& noexcept {
    return detail::direct_awaiter<T>(detail::taken(p_));
  }
  template <class Self = task>
  detail::direct_awaiter<T> operator co_await() const& noexcept {
    static_assert(!std::is_same_v<Self, task>,
                  "a task is awaited once, as an rvalue: std::move(it)");
    return detail::direct_awaiter<T>(nullptr);
  }

  // For scopes.
  detail::task_awaiter<T> into_awaiter()&& noexcept {
    return detail::task_awaiter<T>(detail::taken(p_));
  }
  detail::promise_base* release()&& noexcept {
    return static_cast<detail::promise_base*>(detail::taken(p_));
  }

 private:
  friend promise_type;
  explicit task(promise_type * p) noexcept : p_(p) {}
  waiter* p_;
};

template <class T>
inline constexpr bool is_task_v = false;
template <class T>
inline constexpr bool is_task_v<task<T>> = true;
namespace detail {
template <class Fn>
concept makes_task = requires(std::decay_t<Fn>& fn) {
  requires is_task_v<decltype(fn())>;
};
}  // namespace detail

template <class T>
task<T> detail::task_promise<T>::get_return_object() noexcept {
  return task<T>(this);
}
template <class T>
task<T&> detail::task_promise<T&>::get_return_object() noexcept {
  return task<T&>(this);
}
inline task<void> detail::task_promise<void>::get_return_object() noexcept {
  return task<void>(this);
}

}  // namespace penstock

template <class T, class Allocator, class... Args>
struct std::coroutine_traits<penstock::task<T>, std::allocator_arg_t, Allocator, Args...> {
  using promise_type =
      penstock::detail::allocator_promise<T, std::remove_cvref_t<Allocator>, Args...>;
};
template <class T, class This, class Allocator, class... Args>
requires(!std::is_same_v<std::remove_cvref_t<This>, std::allocator_arg_t>) struct std::
    coroutine_traits<penstock::task<T>, This, std::allocator_arg_t, Allocator, Args...> {
  using promise_type =
      penstock::detail::member_allocator_promise<T, This, std::remove_cvref_t<Allocator>, Args...>;
};
