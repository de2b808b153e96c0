// penstock/resilience/hedge_options.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// When `hedge` asks again while the first answer is still awaited, and what it tells.

#include <penstock/base/result.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace penstock {

/// Options of `hedge`.
struct hedge_options {
  std::size_t attempts = 1;  ///< at most so many besides the first one; 1 to 100
  /// Another begins when there is no answer for so long; 0: all begin at once; `duration::max()`:
  /// only when one has failed.
  duration delay = std::chrono::seconds(2);
  /// Not 0: the delay is what this share of the calls lately took, 0.95 for a twentieth of hedges.
  double percentile = 0;
  std::size_t min_data_points = 20;           ///< with fewer calls known than that, it is `delay`
  duration window = std::chrono::seconds(2);  ///< calls of this window and of the one before count
  double budget_capacity = 10;       ///< hedges that may be made at once; the budget begins full
  double budget_per_success = 0.05;  ///< what a call that succeeds puts into the budget
};
static_assert(std::is_trivially_copyable_v<hedge_options>);

/// Whether calls can be hedged so.
[[nodiscard]] inline result<> validate(const hedge_options& o) {
  const auto refuse = [](const char* why) {
    return fail(errc::invalid_option, "hedge_options", why);
  };
  if (o.attempts == 0 || o.attempts > 100) return refuse("attempts is not in [1, 100]");
  if (o.delay < duration::zero()) return refuse("delay is negative");
  if (!(o.percentile >= 0 && o.percentile < 1)) return refuse("percentile is not in [0, 1)");
  if (o.min_data_points == 0) return refuse("min_data_points is 0");
  if (o.window < std::chrono::milliseconds(1)) return refuse("window is below a millisecond");
  if (!(o.budget_capacity >= 0 && o.budget_capacity <= 1e6))
    return refuse("budget_capacity is not in [0, 1e6]");
  if (!(o.budget_per_success >= 0 && o.budget_per_success <= 1000))
    return refuse("budget_per_success is not in [0, 1000]");
  return {};
}

/// What `hedge` tells.
enum class hedge_step : unsigned char {
  began,    ///< another attempt begins
  refused,  ///< the budget does not allow it
  won,      ///< its answer was the first good one
};

/// The step's name.
[[nodiscard]] constexpr std::string_view to_string(hedge_step s) noexcept {
  switch (s) {
    case hedge_step::began:
      return "began";
    case hedge_step::refused:
      return "refused";
    case hedge_step::won:
      break;
  }
  return "won";
}

/// An attempt besides the first one.
struct hedge_event {
  std::string_view name;  ///< the hedge's
  hedge_step step = hedge_step::began;
  std::size_t attempt = 0;     ///< which one, counted from 1: at least 2
  bool after_failure = false;  ///< the one before has failed; else the delay was over
  duration delay{};            ///< the delay in force
};

/// Numbers of a `hedge`.
struct hedge_stats {
  std::uint64_t calls = 0;    ///< since it was made
  std::uint64_t hedges = 0;   ///< attempts besides the first ones
  std::uint64_t refused = 0;  ///< of those that the budget has not allowed
  std::uint64_t won = 0;      ///< calls whose answer was a hedge's
  double budget = 0;          ///< hedges that its own budget allows now
  duration delay{};           ///< the delay in force
};

}  // namespace penstock
