// penstock/resilience/adaptive_limit_options.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How `adaptive_limit` finds its limit, and what it tells.

#include <penstock/base/result.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace penstock {

/// How a limit is found.
enum class limit_algorithm : unsigned char {
  vegas,     ///< by the queue that calls are in, as their time shows it
  gradient,  ///< by the shortest time, which is measured again and again with few calls
  aimd,      ///< one more while calls are quick, a tenth less when one is not
};

/// Options of `adaptive_limit`.
struct adaptive_limit_options {
  limit_algorithm algorithm = limit_algorithm::vegas;
  std::size_t initial = 20;               ///< calls at once, until something is known
  std::size_t least = 1;                  ///< never fewer
  std::size_t most = 1000;                ///< never more
  std::size_t max_waiting = 0;            ///< calls that wait for a place; with 0 nobody waits
  duration max_wait = (duration::max)();  ///< of each of them
  duration window = std::chrono::milliseconds(100);  ///< the limit changes once in it, at most
  std::size_t min_calls = 10;                        ///< that a window needs; with fewer it goes on
  duration shortest = std::chrono::microseconds(100);  ///< calls that took less say nothing
  duration too_long = std::chrono::seconds(5);         ///< aimd: what took longer has failed
  duration measure_every = std::chrono::seconds(60);   ///< gradient: the shortest time, +-10 %
};
static_assert(std::is_trivially_copyable_v<adaptive_limit_options>);

/// Whether there is such a limit.
[[nodiscard]] inline result<> validate(const adaptive_limit_options& o) {
  const auto refuse = [](const char* why) {
    return fail(errc::invalid_option, "adaptive_limit_options", why);
  };
  if (o.least == 0) return refuse("least is 0");
  if (o.most < o.least) return refuse("most is less than least");
  if (o.most > 1'000'000) return refuse("most is more than 1000000");
  if (o.initial < o.least || o.initial > o.most) return refuse("initial is not in [least, most]");
  if (o.max_wait <= duration::zero()) return refuse("max_wait is zero or less");
  if (o.window <= duration::zero()) return refuse("window is zero or less");
  if (o.min_calls == 0) return refuse("min_calls is 0");
  if (o.shortest < duration::zero()) return refuse("shortest is negative");
  if (o.too_long <= duration::zero()) return refuse("too_long is zero or less");
  if (o.measure_every <= duration::zero()) return refuse("measure_every is zero or less");
  return {};
}

/// The limit has changed.
struct adaptive_limit_event {
  std::string_view name;
  std::size_t from = 0;
  std::size_t to = 0;
  duration took{};          ///< the mean of the calls of the window
  std::size_t at_once = 0;  ///< the most that ran at once in it
  bool failed = false;      ///< one of them failed
};

/// Numbers of an `adaptive_limit`.
struct adaptive_limit_stats {
  std::size_t limit = 0;           ///< now
  std::size_t running = 0;         ///< now
  std::size_t waiting = 0;         ///< now
  std::uint64_t admitted = 0;      ///< in all, those that waited too
  std::uint64_t waited = 0;        ///< and were admitted then
  std::uint64_t refused_full = 0;  ///< too many waited
  std::uint64_t refused_late = 0;  ///< `max_wait` passed
  std::uint64_t windows = 0;       ///< that were looked at
};

}  // namespace penstock
