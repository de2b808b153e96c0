// benchmarks/support/step_counter.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Counts what a program does in user space by single steps: the same on every machine and in every
/// run, and thousands of times slower. A processor's counters are often out of reach in virtual
/// machines.

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <thread>

namespace bench {

/// What was counted; not a number where it cannot be done.
struct step_counts {
  double instructions = 0;
  double system_calls = 0;
};

/// Traces the first thread of a child process for as long as it lives.
class step_counter {
 public:
  explicit step_counter(pid_t child);
  step_counter(const step_counter&) = delete;
  step_counter& operator=(const step_counter&) = delete;
  ~step_counter();

  /// Waits until the program has nothing to do.
  [[nodiscard]] step_counts when_idle() const;

 private:
  void trace();
  bool is_system_call(std::uint64_t address);

  pid_t child_;
  std::atomic<std::uint64_t> instructions_{0};
  std::atomic<std::uint64_t> system_calls_{0};
  std::atomic<bool> attached_{false};
  std::atomic<bool> failed_{false};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace bench
