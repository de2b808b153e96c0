// benchmarks/support/malloc_counter.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Counts what this thread allocates, by operator new or by malloc.

#include <cstdint>

namespace bench {

inline constinit thread_local std::uint64_t allocations_of_thread = 0;

/// Allocations since construction.
class allocation_count {
 public:
  [[nodiscard]] double value() const {
    return static_cast<double>(allocations_of_thread - before_);
  }

 private:
  std::uint64_t before_ = allocations_of_thread;
};

}  // namespace bench
