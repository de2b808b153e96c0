// penstock/test/allocation_counter.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Counts calls of operator new, to show that a path makes none. One translation unit of the
/// program includes replace_new.hpp, which does the counting.

#include <atomic>
#include <cstdint>
#include <new>

namespace penstock {
namespace detail {
struct allocation_tally {
  std::uint64_t allocations = 0;
  std::uint64_t deallocations = 0;
};
inline constinit thread_local allocation_tally tally_of_thread{};
// Written by every thread, in no order.
inline constinit std::atomic<std::uint64_t> allocations_in_all{0};

inline void count_allocation() noexcept {
  ++tally_of_thread.allocations;
  allocations_in_all.fetch_add(1, std::memory_order_relaxed);
}
inline void count_deallocation() noexcept { ++tally_of_thread.deallocations; }
}  // namespace detail

namespace test {

/// What has been allocated since it was made.
///
/// **Thread-safety.** one owner; `total()` counts all threads, the others this one.
/// **Complexity.** counting costs an atomic addition for each operator new of the program.
/// **Example.** `allocation_counter count; work(); CHECK(count.allocations() == 0);`
class allocation_counter {
 public:
  allocation_counter() noexcept { reset(); }

  /// Calls of operator new by this thread.
  [[nodiscard]] std::uint64_t allocations() const noexcept {
    return detail::tally_of_thread.allocations - start_.allocations;
  }
  /// Calls of operator delete by this thread.
  [[nodiscard]] std::uint64_t deallocations() const noexcept {
    return detail::tally_of_thread.deallocations - start_.deallocations;
  }
  /// Calls of operator new by all threads.
  [[nodiscard]] std::uint64_t total() const noexcept {
    return detail::allocations_in_all.load(std::memory_order_relaxed) - start_of_all_;
  }
  /// Counts from here.
  void reset() noexcept {
    start_ = detail::tally_of_thread;
    start_of_all_ = detail::allocations_in_all.load(std::memory_order_relaxed);
  }
  /// Whether anything is counted. Without replace_new.hpp, and under AddressSanitizer and
  /// ThreadSanitizer (which have an operator new of their own), all counts are 0.
  [[nodiscard]] static bool available() {
    const auto before = detail::tally_of_thread;
    ::operator delete(::operator new(1));
    if (detail::tally_of_thread.allocations == before.allocations) return false;
    detail::tally_of_thread = before;
    detail::allocations_in_all.fetch_sub(1, std::memory_order_relaxed);
    return true;
  }

 private:
  detail::allocation_tally start_;
  std::uint64_t start_of_all_ = 0;
};

}  // namespace test
}  // namespace penstock
