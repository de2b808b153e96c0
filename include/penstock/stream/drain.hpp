// penstock/stream/drain.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The sink that drops all items: for pipelines whose stages do the work.

#include <penstock/stream/for_each.hpp>

namespace penstock {
namespace detail {
struct drop_one {
  template <class T>
  constexpr void operator()(T&&) const noexcept {}
};
}  // namespace detail

/// Runs the stream to its end and drops its items.
///
/// **Shape.** `-a-b-c-|` drain() `-------|`
/// **Result.** `result<>` of the pipeline.
/// **Errors.** those of the stream.
/// **Suspends.** as the stream does.
/// **Cancellation.** stops the stream and waits for what it has begun.
/// **Ordering.** emits its result when the stream has ended; backpressures never; completes and
/// fails with the stream; cancels the stream.
/// **Example.** @snippet tests/stream/scan_test.cpp drain
[[nodiscard]] inline auto drain() { return for_each(detail::drop_one()); }

}  // namespace penstock
