// penstock/stream/filter.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Passes on the items that a function says yes to. Items that follow equal ones are for
/// distinct_until_changed.hpp; an end with the first no for take_while.hpp.

#include <penstock/stream/detail/judged_stream.hpp>

#include <utility>

namespace penstock {

/// The items for which `fn(item)` is true.
///
/// **Shape.** `-1-2-3-4-|` filter(even) `---2---4-|`
/// **Parameters.** `fn` - from `const T&` to `bool` or `result<bool>`, or an awaitable of either.
/// Copied, as by `map`.
/// **Errors.** an error or exception of `fn` is the stream's.
/// **Ordering.** emits when `fn` has said yes; backpressures always; completes and fails with the
/// stream; cancels what `fn` awaits.
/// **Complexity.** a function that does not wait is fused with its neighbours; no allocation. Lets
/// other tasks run after 1024 items that were dropped without a wait.
/// **Example.** @snippet tests/stream/filter_test.cpp filter
template <class Fn>
[[nodiscard]] auto filter(Fn&& fn) {
  return detail::judged<detail::pass_if>(std::forward<Fn>(fn));
}

}  // namespace penstock
