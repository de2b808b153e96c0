// penstock/resilience/balancer_options.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How `balancer` chooses, when it leaves an endpoint out, and what it tells.

#include <penstock/base/result.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace penstock {

/// How the next endpoint is chosen.
enum class balance : unsigned char {
  peak_ewma,          ///< of two at random the one that is expected to answer sooner
  least_connections,  ///< that with the fewest calls under way
  round_robin,        ///< one after the other
};

/// Options of `balancer`.
struct balancer_options {
  balance how = balance::peak_ewma;
  duration first_guess =
      std::chrono::seconds(1);                ///< what an endpoint is believed to take at first
  duration decay = std::chrono::seconds(10);  ///< after which an old time hardly counts
  std::size_t failures = 5;                   ///< in a row, and an endpoint is left out; 0: never
  duration ejection = std::chrono::seconds(30);  ///< for so long times the number of ejections
  duration max_ejection = std::chrono::seconds(300);
  double max_ejected = 0.1;                ///< so many of all at once, rounded down, but one always
  duration slow_start = duration::zero();  ///< in which a new or returned endpoint gets its share
};
static_assert(std::is_trivially_copyable_v<balancer_options>);

/// Whether calls can be balanced so.
[[nodiscard]] inline result<> validate(const balancer_options& o) {
  const auto refuse = [](const char* why) {
    return fail(errc::invalid_option, "balancer_options", why);
  };
  if (o.first_guess <= duration::zero()) return refuse("first_guess is zero or less");
  if (o.decay <= duration::zero()) return refuse("decay is zero or less");
  if (o.ejection <= duration::zero()) return refuse("ejection is zero or less");
  if (o.max_ejection < o.ejection) return refuse("max_ejection is less than ejection");
  if (!(o.max_ejected >= 0 && o.max_ejected <= 1)) return refuse("max_ejected is not in [0, 1]");
  if (o.slow_start < duration::zero()) return refuse("slow_start is negative");
  return {};
}

/// An endpoint is left out for a while.
struct balancer_event {
  std::string_view name;
  std::uint64_t endpoint = 0;  ///< its number, as `add` gave it
  duration ejected_for{};
};

/// Numbers of one endpoint.
struct endpoint_stats {
  std::uint64_t endpoint = 0;  ///< its number
  std::size_t running = 0;     ///< calls under way
  std::uint64_t calls = 0;     ///< that it was chosen for
  std::uint64_t failures = 0;
  std::uint64_t ejections = 0;
  duration expected{};  ///< what a call of it is believed to take
  bool ejected = false;
};

}  // namespace penstock
