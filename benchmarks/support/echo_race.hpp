// benchmarks/support/echo_race.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Compares echo servers: all are up, and are visited in turn; what is compared are visits of one
/// cycle. On a shared machine nothing else tells servers apart that differ by a few percent.

#include "echo_load.hpp"
#include "machine.hpp"
#include "step_counter.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace bench {

struct contender {
  std::string name;
  std::string program;  ///< in the folder of this one
  std::vector<std::string> arguments = {};
  echo_load::waiting client = echo_load::waiting::sleeping;
};

struct echo_race_options {
  std::size_t connections;
  std::size_t bytes;
  std::chrono::milliseconds slice{100};  ///< of a visit
  std::chrono::milliseconds warm{20};    ///< of it, at its beginning, that does not count
  std::size_t cycles_of_a_start = 8;     ///< then all are started anew: memory lies elsewhere
};

/// One comparison, continued when more is wanted of it.
class echo_race {
 public:
  echo_race(echo_race_options o, std::vector<contender> contenders);

  /// Until there are so many cycles, or more.
  void run_to(std::size_t cycles);
  /// All visits of a contender, one a cycle.
  [[nodiscard]] const std::vector<echo_visit>& of(const std::string& name) const;
  [[nodiscard]] const std::vector<contender>& contenders() const { return contenders_; }

 private:
  void run_start();

  echo_race_options options_;
  std::vector<contender> contenders_;
  std::vector<std::vector<echo_visit>> visits_;
  std::size_t starts_ = 0;
  quiet_time quiet_{20};
};

/// What one round trip costs a server in user space, with `connections` at once.
step_counts steps_of_round_trip(const contender& c, std::size_t connections, std::size_t bytes);

}  // namespace bench
