// penstock/resilience/breaker_event.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What a circuit breaker tells: its states, the event of a change, and its numbers.

#include <penstock/base/clock.hpp>

#include <cstdint>
#include <string_view>

namespace penstock {

/// The states of a `circuit_breaker`.
enum class breaker_state : unsigned char {
  closed,        ///< calls pass and are judged
  half_open,     ///< a few calls pass, as probes
  open,          ///< calls are refused until its time is over
  forced_open,   ///< calls are refused until somebody says otherwise
  disabled,      ///< calls pass and are not judged
  metrics_only,  ///< calls pass and are counted; it never opens
  ended,         ///< `close()` was called: calls are refused with `errc::closed`
};

/// The state's name.
[[nodiscard]] constexpr std::string_view to_string(breaker_state s) noexcept {
  switch (s) {
    case breaker_state::closed:
      return "closed";
    case breaker_state::half_open:
      return "half open";
    case breaker_state::open:
      return "open";
    case breaker_state::forced_open:
      return "forced open";
    case breaker_state::disabled:
      return "disabled";
    case breaker_state::metrics_only:
      return "metrics only";
    case breaker_state::ended:
      break;
  }
  return "ended";
}

/// Why a circuit breaker changed its state.
enum class breaker_cause : unsigned char {
  asked,          ///< somebody called it by its name: `force_open()`, `reset()`, ...
  failure_rate,   ///< too many calls failed
  slow_rate,      ///< too many calls were slow
  retry_after,    ///< the other side asked for a pause: `error::retry_after`
  waited,         ///< it was open long enough
  probes_passed,  ///< the probes were good
  probes_late,    ///< the probes did not come back in time
};

/// The cause's name.
[[nodiscard]] constexpr std::string_view to_string(breaker_cause c) noexcept {
  switch (c) {
    case breaker_cause::asked:
      return "asked";
    case breaker_cause::failure_rate:
      return "failure rate";
    case breaker_cause::slow_rate:
      return "slow rate";
    case breaker_cause::retry_after:
      return "retry after";
    case breaker_cause::waited:
      return "waited";
    case breaker_cause::probes_passed:
      return "probes passed";
    case breaker_cause::probes_late:
      break;
  }
  return "probes late";
}

/// A circuit breaker changed its state.
struct breaker_event {
  std::string_view name;  ///< the breaker's
  std::string_view key;   ///< its key in `circuit_breakers`, if that is text
  breaker_state from = breaker_state::closed;
  breaker_state to = breaker_state::closed;
  breaker_cause why = breaker_cause::asked;
  duration open_for{};           ///< when it opened: for how long
  std::uint64_t generation = 0;  ///< grows by one with each change: tells the order
};

/// Numbers of a circuit breaker since it was made, but for those of its window.
struct breaker_stats {
  breaker_state state = breaker_state::closed;  ///< open until somebody asks for a call again
  std::uint64_t opened = 0;                     ///< changes to open
  std::uint64_t half_opened = 0;                ///< changes to half open
  std::uint64_t closed = 0;                     ///< changes to closed
  std::uint64_t admitted = 0;                   ///< calls let in
  std::uint64_t rejected = 0;                   ///< calls refused
  std::uint64_t calls = 0;                      ///< results that were judged
  std::uint64_t failures = 0;                   ///< of those, failed
  std::uint64_t slow = 0;                       ///< of those, too slow, whether failed or not
  std::uint64_t ignored = 0;                    ///< results that say nothing
  std::uint64_t canceled = 0;                   ///< calls that nobody waited for any more
  std::uint64_t late = 0;          ///< ended when the state in which they began was over
  std::uint64_t in_flight = 0;     ///< let in and not ended
  std::uint64_t window_calls = 0;  ///< results in the window
  double failure_rate = 0;         ///< of the window
  double slow_rate = 0;            ///< of the window
};

}  // namespace penstock
