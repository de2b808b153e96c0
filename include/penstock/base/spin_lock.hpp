// penstock/base/spin_lock.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The lock inside the primitives: held for a few dozen instructions, never across a suspension, a
/// callback or an allocation. Tasks use a semaphore of 1.

#include <penstock/base/atomic.hpp>
#include <penstock/base/config.hpp>

#include <sched.h>

namespace penstock::detail {

// Tells the processor that this is a spin loop.
inline void spin_pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

// One round of waiting for another thread: short at first, then the processor is given away.
class spin_wait {
 public:
  void once() noexcept {
#ifdef PENSTOCK_ATOMIC_HEADER
    wait_for_write();
#endif
    if (rounds_ < 64) {
      ++rounds_;
      spin_pause();
    } else {
      ::sched_yield();
    }
  }

 private:
  int rounds_ = 0;
};

// Costs one read-modify-write to take and a plain store to leave.
class spin_lock {
 public:
  constexpr spin_lock() noexcept = default;
  spin_lock(const spin_lock&) = delete;
  spin_lock& operator=(const spin_lock&) = delete;

  // Pairs with the release in unlock().
  void lock() noexcept {
    if (taken_.exchange(true, memory_order_acquire)) [[unlikely]]
      wait();
  }
  bool try_lock() noexcept { return !taken_.exchange(true, memory_order_acquire); }
  void unlock() noexcept { taken_.store(false, memory_order_release); }

 private:
  PENSTOCK_NOINLINE void wait() noexcept {
    spin_wait waiting;
    do {
      // Reading only: the line stays shared until the owner writes.
      while (taken_.load(memory_order_relaxed)) waiting.once();
    } while (taken_.exchange(true, memory_order_acquire));
  }

  atomic<bool> taken_{false};
};

// In the place of spin_lock where all users are on one thread.
struct no_lock {
  constexpr void lock() noexcept {}
  constexpr bool try_lock() noexcept { return true; }
  constexpr void unlock() noexcept {}
};

}  // namespace penstock::detail
