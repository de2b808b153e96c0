// penstock/resilience/detail/limit_cores.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How many calls at once, found from how long calls take: three algorithms, without a clock. Each
/// is told of one window of calls after the other and says the limit from then on.
///
/// | core            | grows                            | shrinks                                |
/// |-----------------|----------------------------------|----------------------------------------|
/// | `aimd_core`     | by 1                             | to 0.9 when a call fails or takes long |
/// | `vegas_core`    | while the queue is short         | by log10 when it is long               |
/// | `gradient_core` | by its square root               | by the ratio of the shortest to now    |
///
/// The queue of vegas is what the calls wait for each other: limit * (1 - shortest / now). Both
/// need the shortest time, of calls that did not wait. Vegas keeps the shortest that it has seen;
/// gradient measures it again and again, with few calls at once.

#include <penstock/base/clock.hpp>
#include <penstock/base/lesser.hpp>

#include <cmath>
#include <cstddef>

namespace penstock::detail {

// What is known of the calls of one window.
struct limit_sample {
  duration took{};          // the mean of those that succeeded
  std::size_t at_once = 0;  // the most that ran at once
  bool failed = false;      // one failed, or was ended by a deadline
  time_point now{};
  double chance = 0.5;  // in [0, 1)
};
struct limit_bounds {
  std::size_t initial = 20;
  std::size_t least = 1;
  std::size_t most = 1000;
};

// With fewer than half of the limit at once nothing is learned of a higher one.
inline bool is_used(const limit_sample& s, double limit) noexcept {
  return 2.0 * static_cast<double>(s.at_once) >= limit;
}
class bounded_limit {
 public:
  explicit bounded_limit(const limit_bounds& b) noexcept
      : bounds_(b), value_(static_cast<double>(b.initial)) {}
  [[nodiscard]] double value() const noexcept { return value_; }
  [[nodiscard]] std::size_t whole() const noexcept { return static_cast<std::size_t>(value_); }
  void set(double v) noexcept {
    value_ =
        lesser(larger(v, static_cast<double>(bounds_.least)), static_cast<double>(bounds_.most));
  }
  [[nodiscard]] std::size_t least() const noexcept { return bounds_.least; }

 private:
  limit_bounds bounds_;
  double value_;
};

class aimd_core {
 public:
  aimd_core(const limit_bounds& b, duration too_long) noexcept : limit_(b), too_long_(too_long) {}
  std::size_t update(const limit_sample& s) noexcept {
    if (s.failed || s.took > too_long_)
      limit_.set(limit_.value() * 0.9);
    else if (is_used(s, limit_.value()))
      limit_.set(limit_.value() + 1);
    return limit_.whole();
  }
  [[nodiscard]] std::size_t limit() const noexcept { return limit_.whole(); }

 private:
  bounded_limit limit_;
  duration too_long_;
};

class vegas_core {
 public:
  explicit vegas_core(const limit_bounds& b) noexcept : limit_(b) {}
  std::size_t update(const limit_sample& s) noexcept {
    const double now = limit_.value();
    const double step = larger(1.0, std::log10(now));
    if (s.failed) {
      limit_.set(now - step);
      return limit_.whole();
    }
    if (shortest_ == duration::zero() || s.took < shortest_) shortest_ = s.took;
    if (!is_used(s, now)) return limit_.whole();
    const double queue = std::ceil(
        now * (1 - static_cast<double>(shortest_.count()) / static_cast<double>(s.took.count())));
    if (queue <= step)
      limit_.set(now + 6 * step);
    else if (queue < 3 * step)
      limit_.set(now + step);
    else if (queue > 6 * step)
      limit_.set(now - step);
    return limit_.whole();
  }
  [[nodiscard]] std::size_t limit() const noexcept { return limit_.whole(); }

 private:
  bounded_limit limit_;
  duration shortest_{};
};

class gradient_core {
 public:
  static constexpr std::size_t few = 3;
  gradient_core(const limit_bounds& b, duration measure_every) noexcept
      : limit_(b), measure_every_(measure_every) {}
  std::size_t update(const limit_sample& s) noexcept {
    if (measuring_ && s.at_once <= few_now()) {
      if (!s.failed) {
        shortest_ = s.took;
        measuring_ = false;
        next_ = add_saturated(s.now, part_of(measure_every_, 0.9 + 0.2 * s.chance));
      }
      return limit();
    }
    if (measuring_) return limit();
    if (s.now >= next_) {
      measuring_ = true;
      return limit();
    }
    if (s.failed) {
      limit_.set(limit_.value() * 0.9);
      return limit();
    }
    const double ratio = 1.25 * static_cast<double>(shortest_.count()) /
                         larger(static_cast<double>(s.took.count()), 1.0);
    const double gradient = lesser(larger(ratio, 0.5), 2.0);
    const double wanted = gradient * limit_.value() + std::sqrt(limit_.value());
    if (wanted < limit_.value() || is_used(s, limit_.value())) limit_.set(wanted);
    return limit();
  }
  [[nodiscard]] std::size_t limit() const noexcept {
    return measuring_ ? few_now() : limit_.whole();
  }
  [[nodiscard]] bool is_measuring() const noexcept { return measuring_; }

 private:
  [[nodiscard]] std::size_t few_now() const noexcept {
    return lesser(larger(few, limit_.least()), limit_.whole());
  }
  static duration part_of(duration d, double share) noexcept {
    return duration(static_cast<std::int64_t>(static_cast<double>(d.count()) * share));
  }
  bounded_limit limit_;
  duration measure_every_;
  duration shortest_{};
  time_point next_{};
  bool measuring_ = true;
};

}  // namespace penstock::detail
