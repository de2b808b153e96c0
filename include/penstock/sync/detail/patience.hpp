// penstock/sync/detail/patience.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A moment of looking again before a task parks, where it has paid before.
///
/// To be posted by another thread costs several times what a value costs that is there, and a
/// receiver that takes each value as soon as it comes moves its cache line for each: 85 ns a value
/// instead of 13. So one who was served from another thread, and whose loop has nothing else to do,
/// looks twice more, some hundred nanoseconds apart: by then there are several.

#include <penstock/base/atomic.hpp>
#include <penstock/base/spin_lock.hpp>
#include <penstock/core/environment.hpp>
#include <penstock/core/scheduler.hpp>

namespace penstock::detail {

template <class Policy>
class patience {
 public:
  // `who`, which waited, is served by the present thread.
  void served(const waiter& who) noexcept {
    if constexpr (Policy::concurrent) {
      if (who.env->sched != scheduler::current()) pays_.store(true, memory_order_relaxed);
    }
  }
  // Whether `ready()` became true. In vain: the next time it is not tried.
  template <class Ready>
  bool wait(Ready ready) noexcept {
    if constexpr (Policy::concurrent) {
      if (!pays_.load(memory_order_relaxed)) return false;
      const scheduler* const loop = scheduler::current();
      if (!loop || !loop->idle()) return false;
      for (int look = 0; look < 2; ++look) {
        for (int i = 0; i < 32; ++i) spin_pause();
        if (ready()) return true;
      }
      pays_.store(false, memory_order_relaxed);
    }
    return false;
  }

 private:
  typename Policy::template atomic<bool> pays_{false};
};

}  // namespace penstock::detail
