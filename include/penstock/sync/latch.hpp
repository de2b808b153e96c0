// penstock/sync/latch.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Waits until something has happened so often, once: "all shards are loaded". Over and over again
/// is a barrier.hpp; for the end of tasks use a group.

#include <penstock/sync/event.hpp>

#include <cstddef>

namespace penstock {

/// Counts down to 0 and then lets everybody pass.
///
/// **Shape.** count -> count_down() -> ... -> 0: open for ever.
/// **Ordering.** those who wait are released together, first come first posted.
/// **Thread-safety.** any thread, the same object too. It may be destroyed by a task that it has
/// released, also while the last count_down() is still returning.
/// **Memory order.** each count_down() synchronises-with what sees the latch open.
/// **Complexity.** 40 bytes; count_down is one atomic read-modify-write; no allocation.
/// **Lifetime.** destroying it while tasks wait asserts.
/// **Example.** @snippet tests/sync/latch_test.cpp latch
/// **See also.** `barrier`, `event`, `with_group`.
template <class Policy>
class basic_latch {
 public:
  using wait_awaiter = typename basic_event<Policy>::wait_awaiter;

  /// **Parameters.** `count` - 0: open from the start. `name` - in dumps; outlives the latch: a
  /// string literal.
  explicit basic_latch(std::size_t count, const char* name = "latch::wait") noexcept
      : left_(count), open_(name) {
    if (count == 0) open_.set();
  }

  /// One of those that are waited for has happened; `n`: so many.
  ///
  /// **Errors.** asserts when it is more than there are left.
  void count_down(std::size_t n = 1) noexcept {
    const std::size_t before = left_.fetch_sub(n, detail::memory_order_acq_rel);
    PENSTOCK_ASSERT(n <= before, "a latch is counted down below 0");
    if (n != 0 && before == n) open_.set();
  }
  /// Waits until the count is 0.
  ///
  /// **Suspends.** until then; resumes on the waiting task's loop.
  /// **Cancellation.** ends at once; the count stays.
  [[nodiscard]] wait_awaiter wait() noexcept { return open_.wait(); }
  /// `count_down()`, then `wait()`: the latch outlives the call, unlike that of `count_down()`.
  [[nodiscard]] wait_awaiter arrive_and_wait() noexcept {
    count_down();
    return wait();
  }
  /// Whether the count is 0.
  [[nodiscard]] bool try_wait() const noexcept { return open_.is_set(); }

 private:
  typename Policy::template atomic<std::size_t> left_;
  basic_event<Policy> open_;
};

/// The latch of tasks on any loops.
using latch = basic_latch<thread_safe>;
namespace local {
/// The latch of tasks of one loop.
using latch = basic_latch<one_loop>;
}  // namespace local

}  // namespace penstock
