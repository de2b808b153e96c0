// penstock/resilience/detail/breaker_probes.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Who may pass a circuit breaker that is half open, and what their results say.

#include <penstock/resilience/detail/outcome_ring.hpp>

#include <cstddef>
#include <cstdint>

namespace penstock::detail {

enum class probes_say : unsigned char { nothing_yet, good, failing, slow };

// One thread at a time.
class breaker_probes {
 public:
  struct limits {
    std::uint64_t calls = 0;    // places in all
    std::uint64_t decide = 0;   // results that decide, at most `calls`
    bool ramp = false;          // in waves of 1, 2, 4 ...
    double failure_rate = 1.0;  // of so many it opens again
    double slow_rate = 1.0;
  };

  explicit breaker_probes(const limits& l) noexcept : limits_(l) { restart(); }

  void restart() noexcept {
    taken_ = 0;
    results_ = {};
    wave_ = 1;
    places_ = limits_.ramp ? 1 : limits_.calls;
    judged_at_ = limits_.ramp ? 1 : limits_.decide;
  }
  // A place for a probe, if there is one.
  bool take() noexcept {
    if (taken_ == places_) return false;
    ++taken_;
    return true;
  }
  // It said nothing: its place is for another one.
  void put_back() noexcept { --taken_; }
  probes_say ended(const outcome_counts& one) noexcept {
    results_ += one;
    if (results_.calls < judged_at_) return probes_say::nothing_yet;
    const auto all = static_cast<double>(results_.calls);
    if (static_cast<double>(results_.failures) / all >= limits_.failure_rate)
      return probes_say::failing;
    if (static_cast<double>(results_.slow) / all >= limits_.slow_rate) return probes_say::slow;
    if (results_.calls >= limits_.decide) return probes_say::good;
    wave_ *= 2;
    const std::uint64_t next = results_.calls + wave_;
    places_ = judged_at_ = next < limits_.decide ? next : limits_.decide;
    return probes_say::nothing_yet;
  }

 private:
  limits limits_;
  std::uint64_t taken_ = 0;
  outcome_counts results_;
  std::uint64_t wave_ = 1;       // size of the running one
  std::uint64_t places_ = 0;     // up to the end of the wave
  std::uint64_t judged_at_ = 0;  // results
};

}  // namespace penstock::detail
