// penstock/resilience/idempotent.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How an operation says that it may be done twice. Policies that repeat (`retry`) ask for it when
/// they are compiled.

#include <penstock/resilience/policy_operation.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace penstock {

/// An operation that does the same when it is done twice. Made by `idempotent`.
template <policy_operation Fn>
class idempotent_operation {
 public:
  explicit idempotent_operation(Fn fn) noexcept(std::is_nothrow_move_constructible_v<Fn>)
      : fn_(std::move(fn)) {}
  /// The operation itself.
  [[nodiscard]] Fn take() && noexcept(std::is_nothrow_move_constructible_v<Fn>) {
    return std::move(fn_);
  }

 private:
  Fn fn_;
};

/// Marks an operation as repeatable: a read, a write of the whole, a request with an idempotency
/// key.
///
/// **Parameters.** `fn` - a callable without parameters that returns an awaitable of a
/// `result<T>`, not the awaitable; it is decay-copied (`std::ref` opts out) and called once for
/// each attempt. On g++ 12 a temporary closure must be trivially copyable (`[&]` is): else name it.
/// **Example.** @snippet tests/resilience/retry_test.cpp retry
template <class Fn>
requires policy_operation<std::decay_t<Fn>>
[[nodiscard]] auto idempotent(Fn&& fn) {
  detail::check_closure<Fn>();
  return idempotent_operation<std::decay_t<Fn>>(std::forward<Fn>(fn));
}
// Given the task instead of what makes it.
template <class A>
requires(std::is_class_v<std::remove_cvref_t<A>>&& awaitable<std::remove_cvref_t<A>> &&
         !policy_operation<std::decay_t<A>>) auto idempotent(A&&) {
  static_assert(sizeof(A) == 0, "idempotent() takes a callable that makes the task, not the task");
  return idempotent_operation<std::remove_cvref_t<A> (*)()>(nullptr);
}

/// The type of `unsafe`.
struct unsafe_t {
  explicit constexpr unsafe_t(int) noexcept {}
};
/// `.repeat = unsafe`: repeats operations that nobody has marked.
inline constexpr unsafe_t unsafe{0};

}  // namespace penstock
