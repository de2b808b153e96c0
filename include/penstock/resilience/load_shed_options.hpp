// penstock/resilience/load_shed_options.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How much load is taken and how long it may wait; how important a call is; what `load_shed`
/// tells.

#include <penstock/base/result.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace penstock {

/// How important a call is to `load_shed`.
enum class shed_priority : unsigned char {
  critical,  ///< the last to be refused
  high,
  normal,
  low,  ///< the first to be refused
};

/// Options of `load_shed`.
struct load_shed_options {
  std::size_t running = 100;   ///< calls at once; at least 1
  std::size_t waiting = 1000;  ///< calls that wait for a place; 0: nobody waits
  /// A queue is good while the shortest wait of an interval is no longer.
  duration target = std::chrono::milliseconds(5);
  /// After so long with longer waits the queue stands, and whoever has waited for twice `target`
  /// is refused. Nobody ever waits longer.
  duration interval = std::chrono::milliseconds(100);
};
static_assert(std::is_trivially_copyable_v<load_shed_options>);

/// Whether load can be shed so.
[[nodiscard]] inline result<> validate(const load_shed_options& o) {
  const auto refuse = [](const char* why) {
    return fail(errc::invalid_option, "load_shed_options", why);
  };
  if (o.running == 0) return refuse("running is 0");
  if (o.target <= duration::zero()) return refuse("target is not positive");
  if (o.interval < o.target) return refuse("interval is below target");
  return {};
}

/// The queue of a `load_shed` stands, or does no more.
struct load_shed_event {
  std::string_view name;    ///< its name
  bool overloaded = false;  ///< since now
  std::size_t waiting = 0;  ///< calls that wait
};

/// Numbers of a `load_shed` since it was made.
struct load_shed_stats {
  std::size_t running = 0;                 ///< now
  std::size_t waiting = 0;                 ///< now
  bool overloaded = false;                 ///< now: the queue stands
  std::uint64_t admitted = 0;              ///< calls that got a place
  std::uint64_t waited = 0;                ///< of those, not at once
  std::uint64_t refused_full = 0;          ///< refused because the queue was full
  std::uint64_t refused_late = 0;          ///< refused because they had waited too long
  std::array<std::uint64_t, 4> refused{};  ///< both, by priority
};

}  // namespace penstock
