// penstock/core/yield.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Lets the others run. A loop over operations that are always ready needs it to be stoppable.

#include <penstock/core/awaitable.hpp>
#include <penstock/core/scheduler.hpp>

namespace penstock {
namespace detail {
class yield_awaiter : public leaf<yield_awaiter> {
 public:
  suspension start(waiter& w) const noexcept {
    if (stop_requested(w)) [[unlikely]]
      return stopped_now(w);
    w.env->sched->post(w);
    return parked();
  }
  void await_resume() const noexcept {}
};
}  // namespace detail

/// Goes to the end of the ready queue.
///
/// **Suspends.** always, for one turn of what is ready now.
/// **Cancellation.** looks at the stop first; nothing is lost.
/// **Complexity.** O(1), no allocation.
[[nodiscard]] inline detail::yield_awaiter yield() noexcept { return {}; }

}  // namespace penstock
