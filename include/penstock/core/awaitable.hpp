// penstock/core/awaitable.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What can be awaited inside a task, and how to write one's own.
///
/// A **leaf** is an object, returned by value, movable until it is awaited:
///
///     class my_awaiter : public leaf<my_awaiter> {
///      public:
///       bool await_ready();           // true: the result is there, do not suspend
///       suspension start(waiter& w);  // arranges a scheduler::post(w), or completes at once
///       T await_resume();             // the result; on the waiter's loop
///     };
///
/// `start` returns `parked()` when it will post `w` later (to `*w.env->sched`, from any thread,
/// once), `resume_now(w)` when the result is there after all, or `stopped_now(w)` when it looked at
/// the waiter's stop and found it requested. It must look before it suspends. It never resumes a
/// coroutine itself. `await_ready` and `start` must not throw: `await_resume` does. A parked leaf
/// is a `detail::stop_node`, registered with `w.env->stop` on the waiter's loop and removed there,
/// at the latest by the destructor: the destructor runs while the leaf is still parked when the
/// coroutine is destroyed. sync/detail/waiter_list.hpp has the leaf that all primitives share.

#include <penstock/core/detail/callable.hpp>  // IWYU pragma: export
#include <penstock/core/task.hpp>

#include <type_traits>
#include <utility>
#include <variant>

namespace penstock {

/// What `start` of a leaf returns.
using suspension = detail::handle;
[[nodiscard]] inline suspension parked() noexcept { return {}; }
[[nodiscard]] inline suspension resume_now(waiter& w) noexcept { return detail::completed(w); }
[[nodiscard]] inline suspension stopped_now(waiter& w) noexcept { return detail::stopped_at(w); }

/// Base of leaves and scopes: makes `co_await` call `start`. Not copyable, because g++ 12
/// sometimes awaits a copy of an awaiter that is a member: return awaiters by value.
template <class Derived>
class leaf {
 public:
  leaf() noexcept = default;
  leaf(leaf&&) noexcept = default;
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  detail::transfer await_suspend(std::coroutine_handle<Promise> h) noexcept {
    return detail::go(static_cast<Derived&>(*this).start(h.promise()));
  }
};

namespace detail {
template <class A>
inline constexpr bool is_task_awaiter = false;
template <class T>
inline constexpr bool is_task_awaiter<task_awaiter<T>> = true;

// What is kept of an awaitable: the task's owner, or the awaiter itself, moved.
template <class A>
auto awaiter_of(A&& a) {
  if constexpr (requires { std::forward<A>(a).into_awaiter(); }) {
    return std::forward<A>(a).into_awaiter();
  } else if constexpr (requires { std::forward<A>(a).operator co_await(); }) {
    return std::forward<A>(a).operator co_await();
  } else {
    return std::remove_cvref_t<A>(std::forward<A>(a));
  }
}
template <class A>
concept awaiter = requires(A& a, waiter& w) {
  { a.await_ready() } -> std::convertible_to<bool>;
  { a.start(w) } -> std::same_as<handle>;
  a.await_resume();
};
}  // namespace detail

/// A task, a leaf or a scope of this library: what `co_await` and every scope accept, as an rvalue.
template <class A>
concept awaitable = !std::is_lvalue_reference_v<A> && requires(A && a) {
  { detail::awaiter_of(std::forward<A>(a)) } -> detail::awaiter;
};

namespace detail {
template <class A>
using awaiter_t = decltype(awaiter_of(std::declval<A>()));
template <class A>
using resume_t = decltype(std::declval<A&>().await_resume());

// A type that can be stored, whatever a child yields.
template <class T>
struct stored_of {
  using type = T;
};
template <>
struct stored_of<void> {
  using type = std::monostate;
};
template <class T>
struct stored_of<T&> {
  using type = std::reference_wrapper<T>;
};
template <class T>
using stored = typename stored_of<T>::type;

template <class A>
stored<resume_t<A>> resume_stored(A& a) {
  if constexpr (std::is_void_v<resume_t<A>>) {
    a.await_resume();
    return {};
  } else {
    return a.await_resume();
  }
}
}  // namespace detail

/// What awaiting an `A` yields.
template <class A>
using await_result_t = detail::resume_t<detail::awaiter_t<A>>;

}  // namespace penstock
