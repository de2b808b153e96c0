// penstock/stream/take_while.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Ends the stream with the first item that a function says no to. After so many: take.hpp.

#include <penstock/stream/detail/judged_stream.hpp>

#include <utility>

namespace penstock {

/// The items up to the first for which `fn(item)` is false; that one is dropped.
///
/// **Shape.** `-1-2-3-1-|` take_while(x < 3) `-1-2-|`
/// **Parameters.** as for `filter`.
/// **Errors.** an error or exception of `fn` is the stream's.
/// **Ordering.** emits when `fn` has said yes; backpressures always; completes with the first no,
/// and the stream is asked for no more then, or with the stream; fails with the stream; cancels the
/// stream and what `fn` awaits. What eager stages before it have in flight at the end is stopped
/// and waited for.
/// **Complexity.** as `filter`.
/// **Example.** @snippet tests/stream/take_test.cpp take_while
template <class Fn>
[[nodiscard]] auto take_while(Fn&& fn) {
  return detail::judged<detail::pass_while>(std::forward<Fn>(fn));
}

}  // namespace penstock
