// benchmarks/support/machine.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The machine under the benchmarks: what it is, whether others use it, which cpu a run has.

#include <string>

namespace bench {

struct machine_facts {
  std::string cpu;
  std::string kernel;
  int cores = 0;
  double memory_gib = 0;
};
machine_facts facts();

/// "g++ 12.2.0" or "clang 19.1.7": what built this program.
std::string compiler();

/// Pins this thread to the last or the first cpu that it may use, or lets it run on all of them.
void pin_to_one_cpu();
void pin_to_first_cpu();
void use_all_cpus();

/// Cpu seconds of this process and of the children that it waited for, and of this thread.
double own_cpu_seconds();
/// Adds to the former what a child that runs has used.
void note_child(double seconds);
double thread_cpu_seconds();
/// Cpu seconds that the whole machine has spent working.
double machine_cpu_seconds();
double wall_seconds();

/// Waits for a quiet machine, for a limited time in all.
class quiet_time {
 public:
  explicit quiet_time(double budget_seconds) : budget_(budget_seconds) {}
  /// True: others use less than 15 % of a core and no wall time is stolen now.
  bool wait();

 private:
  double budget_;
};

}  // namespace bench
