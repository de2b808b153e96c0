// penstock/resilience/repeatable.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The mark of an operation that may be run more than once.

#include <penstock/core/awaitable.hpp>

#include <concepts>
#include <functional>
#include <utility>

namespace penstock {

/// A callable whose author says that running it twice has the effect of running it once.
///
/// **Lifetime.** a named callable is referred to and must outlive the call; a temporary is kept.
template <class Fn>
class idempotent_operation {
 public:
  explicit idempotent_operation(Fn fn) : fn_(std::forward<Fn>(fn)) {}
  decltype(auto) operator()() { return std::invoke(fn_); }

 private:
  Fn fn_;
};

/// Marks `fn`, a callable without arguments that returns an awaitable of `result<T>`, as
/// repeatable.
template <class Fn>
requires std::invocable<Fn&>
[[nodiscard]] idempotent_operation<Fn> idempotent(Fn&& fn) {
  return idempotent_operation<Fn>(std::forward<Fn>(fn));
}

template <class T>
inline constexpr bool is_idempotent = false;
template <class Fn>
inline constexpr bool is_idempotent<idempotent_operation<Fn>> = true;

/// What a policy runs: gives an awaitable of a result each time it is called.
template <class Op>
concept operation_of_result = std::invocable<Op&> && awaitable<std::invoke_result_t<Op&>> &&
    is_result_v<await_result_t<std::invoke_result_t<Op&>>>;

}  // namespace penstock
