// penstock/base/backoff.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How long to wait before the next attempt: the one backoff of the library, as a value that knows
/// no clock and does not wait. The curves of other systems: backoff_presets.hpp; trying again:
/// `retry`.

#include <penstock/base/assert.hpp>
#include <penstock/base/clock.hpp>
#include <penstock/base/random.hpp>

#include <cstdint>
#include <type_traits>

namespace penstock {

/// How a computed delay `d` is spread, so that clients that failed together do not return together.
enum class jitter : unsigned char {
  full,          ///< anywhere in [0, d]
  equal,         ///< anywhere in [d/2, d]
  none,          ///< exactly d
  proportional,  ///< d, more or less by `fraction` of it
  below,         ///< d, less by up to `fraction` of it
  above,         ///< d, more by up to `fraction` of it
};

/// What the curves have in common.
struct backoff_options {
  double factor = 2.0;                     ///< exponential: the next delay over this one, >= 1
  duration cap = std::chrono::minutes(1);  ///< no delay is longer
  penstock::jitter jitter = penstock::jitter::full;
  double fraction = 0.25;              ///< of jitter proportional, below, above; 0 to 1
  duration offset = duration::zero();  ///< added to every delay before the jitter
  duration spread = duration::zero();  ///< U(0, spread * (attempt + 1)) is added to it
};
static_assert(std::is_trivially_copyable_v<backoff_options>);

/// A sequence of delays.
///
/// **Shape.** attempt 1, 2, 3 ... -> curve -> cap -> jitter -> delay.
/// **Parameters.** made by `exponential`, `linear`, `constant`, `polynomial`, `decorrelated` or
/// `smooth`.
/// **Errors.** none. A negative or senseless option stops the program, in every build.
/// **Thread-safety.** immutable.
/// **Complexity.** O(1), tens of nanoseconds; trivially copyable.
/// **Example.** @snippet tests/base/backoff_test.cpp backoff
class backoff {
 public:
  /// `exponential(100ms)`.
  constexpr backoff() noexcept : backoff(curve::exponential, std::chrono::milliseconds(100), {}) {}

  /// How long to wait after `attempt` failures, `attempt` >= 1: zero to the cap.
  [[nodiscard]] duration delay(std::uint64_t attempt, random_engine& random) const noexcept;

  friend constexpr backoff exponential(duration first, backoff_options o) noexcept;
  friend constexpr backoff linear(duration step, backoff_options o) noexcept;
  friend constexpr backoff constant(duration d, backoff_options o) noexcept;
  friend constexpr backoff polynomial(duration unit, double power, backoff_options o) noexcept;
  friend constexpr backoff decorrelated(duration base, duration cap) noexcept;
  friend constexpr backoff smooth(duration base, duration cap) noexcept;

 private:
  enum class curve : unsigned char { exponential, polynomial, decorrelated, smooth };

  constexpr backoff(curve c, duration first, backoff_options o) noexcept
      : curve_(c), first_(first), options_(o) {
    if (first < duration::zero()) detail::stop_program("backoff: the first delay is negative");
    if (o.cap < duration::zero()) detail::stop_program("backoff: cap is negative");
    if (!(o.factor >= 1 && o.factor <= 1e6))
      detail::stop_program("backoff: factor is not in [1, 1e6]");
    if (!(o.fraction >= 0 && o.fraction <= 1))
      detail::stop_program("backoff: fraction is not in [0, 1]");
    if (o.offset < duration::zero()) detail::stop_program("backoff: offset is negative");
    if (o.spread < duration::zero()) detail::stop_program("backoff: spread is negative");
  }

  static duration nanoseconds(double count) noexcept {
    return to_duration(std::chrono::duration<double, std::nano>(count));
  }
  [[nodiscard]] double limit() const noexcept { return static_cast<double>(options_.cap.count()); }
  [[nodiscard]] double spread_out(double d, random_engine& random) const noexcept;
  [[nodiscard]] double decorrelated_delay(std::uint64_t attempt,
                                          random_engine& random) const noexcept;
  [[nodiscard]] double smooth_delay(std::uint64_t attempt, random_engine& random) const noexcept;

  curve curve_;
  double power_ = 1;
  duration first_;
  backoff_options options_;
};
static_assert(std::is_trivially_copyable_v<backoff>);

/// first, first * factor, first * factor^2 ...
[[nodiscard]] constexpr backoff exponential(duration first, backoff_options o = {}) noexcept {
  return backoff(backoff::curve::exponential, first, o);
}
/// step, 2 * step, 3 * step ...
[[nodiscard]] constexpr backoff linear(duration step, backoff_options o = {}) noexcept {
  return backoff(backoff::curve::polynomial, step, o);
}
/// d, d, d ...: with the default jitter anywhere in [0, d].
[[nodiscard]] constexpr backoff constant(duration d, backoff_options o = {}) noexcept {
  o.factor = 1;
  return backoff(backoff::curve::exponential, d, o);
}
/// unit * attempt^power.
[[nodiscard]] constexpr backoff polynomial(duration unit, double power,
                                           backoff_options o = {}) noexcept {
  if (!(power >= 0 && power <= 64)) detail::stop_program("backoff: power is not in [0, 64]");
  backoff b(backoff::curve::polynomial, unit, o);
  b.power_ = power;
  return b;
}
/// min(cap, U(base, 3 * the delay before)), from base on: each delay is distributed as after a run
/// of that length, whichever delays were really drawn before.
[[nodiscard]] constexpr backoff decorrelated(duration base,
                                             duration cap = std::chrono::seconds(20)) noexcept {
  return backoff(backoff::curve::decorrelated, base, {.cap = cap});
}
/// An exponential curve (2^t tanh sqrt(4t), t = attempt + U, differences, median about `base`)
/// whose random delays leave no clusters: the second version of decorrelated jitter.
[[nodiscard]] constexpr backoff smooth(duration base,
                                       duration cap = std::chrono::minutes(1)) noexcept {
  return backoff(backoff::curve::smooth, base, {.cap = cap});
}

inline duration backoff::delay(std::uint64_t attempt, random_engine& random) const noexcept {
  PENSTOCK_ASSERT(attempt >= 1, "attempts are counted from 1");
  // Built-ins, because <cmath> is the most expensive header that base would include.
  const auto n = static_cast<double>(attempt);
  const auto first = static_cast<double>(first_.count());
  double d = 0;
  switch (curve_) {
    case curve::exponential:
      d = first * __builtin_pow(options_.factor, n - 1);
      break;
    case curve::polynomial:
      d = first * __builtin_pow(n, power_);
      break;
    case curve::decorrelated:
      return nanoseconds(decorrelated_delay(attempt, random));
    case curve::smooth:
      return nanoseconds(smooth_delay(attempt, random));
  }
  if (first_ == duration::zero()) d = 0;  // not 0 * infinity
  d += static_cast<double>(options_.offset.count());
  if (options_.spread != duration::zero())
    d += static_cast<double>(options_.spread.count()) * (n + 1) * random.uniform_real();
  const duration result = nanoseconds(spread_out(d, random));
  return result < options_.cap ? result : options_.cap;
}

inline double backoff::spread_out(double d, random_engine& random) const noexcept {
  const double f = options_.fraction;
  // Jitter that lengthens starts below the cap, so that the cap does not cut it off.
  const auto capped = [&](double longest) {
    const double most = limit() / longest;
    return d < most ? d : most;
  };
  switch (options_.jitter) {
    case jitter::full:
      return capped(1) * random.uniform_real();
    case jitter::equal:
      return capped(1) * (0.5 + 0.5 * random.uniform_real());
    case jitter::none:
      return capped(1);
    case jitter::proportional:
      return capped(1 + f) * (1 - f + 2 * f * random.uniform_real());
    case jitter::below:
      return capped(1) * (1 - f * random.uniform_real());
    case jitter::above:
      return capped(1 + f) * (1 + f * random.uniform_real());
  }
  return capped(1);
}

inline double backoff::decorrelated_delay(std::uint64_t attempt,
                                          random_engine& random) const noexcept {
  const auto base = static_cast<double>(first_.count());
  const std::uint64_t steps = attempt < 64 ? attempt : 64;  // long since settled
  double d = base;
  for (std::uint64_t i = 0; i < steps; ++i) {
    d = base + (3 * d - base) * random.uniform_real();
    if (!(d < limit())) d = limit();
  }
  return d;
}

inline double backoff::smooth_delay(std::uint64_t attempt, random_engine& random) const noexcept {
  const auto at = [&](std::uint64_t k) {
    const double t = static_cast<double>(k) + random.uniform_real();
    return __builtin_exp2(t) * __builtin_tanh(__builtin_sqrt(4 * t));
  };
  const double before = attempt == 1 ? 0 : at(attempt - 2);
  const double d = (at(attempt - 1) - before) / 1.4 * static_cast<double>(first_.count());
  if (first_ == duration::zero()) return 0;
  if (!(d < limit())) return limit();  // infinity minus infinity is no number
  return d > 0 ? d : 0;
}

}  // namespace penstock
