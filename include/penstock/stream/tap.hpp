// penstock/stream/tap.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Looks at each item and passes it on: counters, checksums, progress.

#include <penstock/stream/detail/judged_stream.hpp>

#include <utility>

namespace penstock {

/// Calls `fn(item)` for each item and passes the item on unchanged.
///
/// **Shape.** `-a-b-|` tap(see) `-a-b-|`, with see(a) before a
/// **Parameters.** `fn` - from `const T&` to nothing or `result<>`, or an awaitable of either; what
/// else it returns is ignored. Copied, as by `map`.
/// **Errors.** an error or exception of `fn` is the stream's.
/// **Ordering.** emits when `fn` has ended; backpressures always; completes and fails with the
/// stream; cancels what `fn` awaits.
/// **Complexity.** a function that does not wait is fused with its neighbours; no allocation.
/// **Example.** @snippet tests/stream/tap_test.cpp tap
template <class Fn>
[[nodiscard]] auto tap(Fn&& fn) {
  return detail::judged<detail::pass_always>(std::forward<Fn>(fn));
}

}  // namespace penstock
