// benchmarks/baseline/atomics.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What a thread-safe primitive cannot do without when nobody contends for it: atomic
/// read-modify-writes, and a lock that is one of them to take and a store to leave.

#include <atomic>

namespace baseline {

/// The counter of a semaphore that never has to wait: one read-modify-write each way.
class counter {
 public:
  explicit counter(long permits) : permits_(permits) {}
  void acquire() noexcept { permits_.fetch_sub(1, std::memory_order_acquire); }
  void release() noexcept { permits_.fetch_add(1, std::memory_order_release); }
  [[nodiscard]] long permits() const noexcept { return permits_.load(std::memory_order_relaxed); }

 private:
  std::atomic<long> permits_;
};

class spin_lock {
 public:
  void lock() noexcept {
    while (locked_.exchange(true, std::memory_order_acquire)) {
      while (locked_.load(std::memory_order_relaxed)) {
      }
    }
  }
  void unlock() noexcept { locked_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> locked_{false};
};

}  // namespace baseline
