// penstock/resilience/detail/retry_budget_core.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How many retries a share of the requests allows: the rule of Finagle's RetryBudget, over a
/// sliding time. Without a clock.

#include <penstock/resilience/detail/time_slices.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace penstock::detail {

struct budget_counts {
  std::int64_t deposits = 0;
  std::int64_t withdrawn = 0;
  budget_counts& operator+=(const budget_counts& other) noexcept {
    deposits += other.deposits;
    withdrawn += other.withdrawn;
    return *this;
  }
  budget_counts& operator-=(const budget_counts& other) noexcept {
    deposits -= other.deposits;
    withdrawn -= other.withdrawn;
    return *this;
  }
};

// One thread at a time.
class retry_budget_core {
 public:
  static constexpr std::size_t slices = 100;

  retry_budget_core(double ratio, double min_per_second, duration window)
      : ratio_(ratio),
        reserve_(min_per_second * std::chrono::duration<double>(window).count()),
        counts_(window, slices) {}

  void deposit(time_point now) noexcept { counts_.add(now, {1, 0}); }
  bool try_withdraw(time_point now) noexcept {
    if (balance(now) < 1 - rounding) return false;
    counts_.add(now, {0, 1});
    return true;
  }
  // What was withdrawn at that time is not used.
  void give_back(time_point when) noexcept { counts_.amend(when, {0, -1}); }

  // How many could be withdrawn now; below 0 when deposits are forgotten before what they paid.
  [[nodiscard]] double balance(time_point now) noexcept {
    const budget_counts& c = counts_.total(now);
    return reserve_ + ratio_ * static_cast<double>(c.deposits) - static_cast<double>(c.withdrawn);
  }
  [[nodiscard]] budget_counts counts(time_point now) noexcept { return counts_.total(now); }

 private:
  static constexpr double rounding = 1e-9;  // ten tenths are one

  double ratio_;
  double reserve_;
  time_slices<budget_counts> counts_;
};

}  // namespace penstock::detail
