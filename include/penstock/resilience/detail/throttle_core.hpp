// penstock/resilience/detail/throttle_core.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Which requests a client does not even send, because the server has refused too many: the
/// client-side throttling of "Site Reliability Engineering" (2016), chapter 21. Without a clock.

#include <penstock/base/clock.hpp>
#include <penstock/base/random.hpp>
#include <penstock/resilience/detail/time_slices.hpp>

#include <cstddef>
#include <cstdint>

namespace penstock::detail {

struct throttle_counts {
  std::int64_t requests = 0;
  std::int64_t accepted = 0;
  throttle_counts& operator+=(const throttle_counts& other) noexcept {
    requests += other.requests;
    accepted += other.accepted;
    return *this;
  }
  throttle_counts& operator-=(const throttle_counts& other) noexcept {
    requests -= other.requests;
    accepted -= other.accepted;
    return *this;
  }
};

// One thread at a time.
class throttle_core {
 public:
  throttle_core(double ratio, double most, duration window)
      : ratio_(ratio), most_(most), counts_(window, slices) {}

  // A request, sent or not. False: it is not sent.
  bool admit(time_point now, random_engine& random) noexcept {
    const double p = rejection(now);
    counts_.add(now, {1, 0});
    return !(p > 0 && random.uniform_real() < p);
  }
  // One that was sent was accepted; otherwise nothing is told.
  void accepted(time_point now) noexcept { counts_.add(now, {0, 1}); }
  // It says nothing: as if it had not been.
  void forget(time_point now) noexcept { counts_.add(now, {-1, 0}); }

  // The probability with which the next one is not sent: max(0, (req - K acc) / (req + 1)), and at
  // most `most`.
  [[nodiscard]] double rejection(time_point now) noexcept {
    const throttle_counts& c = counts_.total(now);
    const auto requests = static_cast<double>(c.requests);
    const double p = (requests - ratio_ * static_cast<double>(c.accepted)) / (requests + 1);
    if (!(p > 0) || c.requests <= 0) return 0;
    return p < most_ ? p : most_;
  }
  [[nodiscard]] throttle_counts counts(time_point now) noexcept { return counts_.total(now); }

 private:
  static constexpr std::size_t slices = 24;

  double ratio_;
  double most_;
  time_slices<throttle_counts> counts_;
};

}  // namespace penstock::detail
