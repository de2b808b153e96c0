// penstock/resilience/policy_operation.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What policies wrap: a call that can be made, and awaited, more than once.

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

}  // namespace penstock
