// penstock/resilience/detail/hedge_core.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How long `hedge` waits before it asks again, and how often it may: the adaptive delay and the
/// budget of AWS' transfer manager. Without a clock.

#include <penstock/resilience/detail/latency_window.hpp>
#include <penstock/resilience/hedge_options.hpp>

#include <cstddef>
#include <cstdint>

namespace penstock::detail {

// One thread at a time.
class hedge_core {
 public:
  // `o` is valid.
  explicit hedge_core(const hedge_options& o) noexcept
      : options_(o),
        capacity_(millionths(o.budget_capacity)),
        per_success_(millionths(o.budget_per_success)),
        budget_(capacity_),
        delay_(o.delay),
        known_(o.window) {}

  [[nodiscard]] bool is_adaptive() const noexcept { return options_.percentile > 0; }

  // A call begins: how long its attempts are waited for. The time matters if it is adaptive.
  duration begin(time_point now) noexcept {
    if (is_adaptive() && (known_.advance(now) || fresh_ >= options_.min_data_points)) renew();
    return delay_;
  }
  // An attempt besides the first one.
  bool try_hedge() noexcept {
    if (budget_ < whole) return false;
    budget_ -= whole;
    return true;
  }
  // A call has succeeded.
  void succeeded() noexcept {
    budget_ += per_success_;
    if (budget_ > capacity_) budget_ = capacity_;
  }
  // Its first attempt has taken so long, or that long it was waited for.
  void took(time_point now, duration d) noexcept {
    known_.add(now, d);
    ++fresh_;
  }

  [[nodiscard]] double budget() const noexcept {
    return static_cast<double>(budget_) / static_cast<double>(whole);
  }
  [[nodiscard]] duration delay() const noexcept { return delay_; }

 private:
  static constexpr std::int64_t whole = 1'000'000;  // twenty twentieths are one
  static std::int64_t millionths(double n) noexcept {
    return static_cast<std::int64_t>(n * static_cast<double>(whole) + 0.5);
  }
  void renew() noexcept {
    fresh_ = 0;
    delay_ = known_.total() < options_.min_data_points ? options_.delay
                                                       : known_.percentile(options_.percentile);
  }

  hedge_options options_;
  std::int64_t capacity_;
  std::int64_t per_success_;
  std::int64_t budget_;
  std::size_t fresh_ = 0;  // calls known since delay_ was computed
  duration delay_;
  latency_window known_;
};

}  // namespace penstock::detail
