// penstock/resilience/policy.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What policies wrap, and what a policy is.

#include <penstock/base/result.hpp>
#include <penstock/core/awaitable.hpp>

#include <type_traits>

namespace penstock {

/// A callable without parameters; each call is one attempt: it gives an awaitable of a `result<T>`.
template <class Fn>
concept policy_operation = std::is_object_v<Fn> && requires(Fn& fn) {
  { fn() } -> awaitable;
  requires is_result_v<await_result_t<decltype(fn())>>;
};

/// The `result<T>` that an operation yields.
template <policy_operation Fn>
using policy_result_t = await_result_t<std::invoke_result_t<Fn&>>;

/// A policy around an operation `Op`: calling it gives an awaitable of the operation's result.
template <class P, class Op>
concept policy_for = requires(const P& p, Op op) {
  { p(std::move(op)) } -> awaitable;
};

}  // namespace penstock
