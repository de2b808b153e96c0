// penstock/resilience/circuit_breaker_options.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// When a circuit breaker opens, for how long, and how it closes again.

#include <penstock/base/result.hpp>
#include <penstock/resilience/detail/outcome_ring.hpp>

#include <chrono>
#include <cstddef>
#include <type_traits>

namespace penstock {

/// Options of `circuit_breaker`.
struct circuit_breaker_options {
  double failure_rate = 0.5;  ///< it opens when so many of the calls failed; above 0, at most 1
  /// A call that takes longer is slow, whether it fails or not.
  duration slow_call = std::chrono::seconds(60);
  double slow_rate = 1.0;  ///< it opens when so many of the calls were slow; above 0, at most 1
  /// The last so many results are judged; 0: only `window_time` counts. At most 100,000.
  std::size_t window = 100;
  /// The results of the last so long are judged, to a tenth of it; 0: only `window` counts. With
  /// both it opens when both say so.
  duration window_time = duration::zero();
  /// With fewer results in a window it does not open. 0: `window`, or 100 where that is 0.
  std::size_t min_calls = 0;
  duration open_for = std::chrono::seconds(60);  ///< how long it is open
  double open_factor = 2.0;  ///< so much longer each time that the probes fail; at least 1
  duration max_open = std::chrono::minutes(10);  ///< never open for longer
  /// Calls let in as probes while it is half open; the first `min_calls` of them decide.
  std::size_t half_open_calls = 10;
  /// Probes are let in one, then two, then four ... at a time, and each such wave is judged.
  bool half_open_ramp = false;
  /// If the probes have not decided after so long, it opens again.
  duration half_open_for = (duration::max)();
  /// A failure whose error has a `retry_after` opens it at once, for that long.
  bool heeds_retry_after = true;
};
static_assert(std::is_trivially_copyable_v<circuit_breaker_options>);

/// Whether a circuit breaker can work so. `min_calls` above `window` cannot: it would never open.
[[nodiscard]] inline result<> validate(const circuit_breaker_options& o) {
  const auto refuse = [](const char* why) {
    return fail(errc::invalid_option, "circuit_breaker_options", why);
  };
  if (!(o.failure_rate > 0 && o.failure_rate <= 1)) return refuse("failure_rate is not in (0, 1]");
  if (!(o.slow_rate > 0 && o.slow_rate <= 1)) return refuse("slow_rate is not in (0, 1]");
  if (o.slow_call < duration::zero()) return refuse("slow_call is negative");
  if (o.window > detail::outcome_ring::max_size) return refuse("window is above 100000");
  if (o.window_time < duration::zero()) return refuse("window_time is negative");
  if (o.window_time != duration::zero() && o.window_time < std::chrono::microseconds(1))
    return refuse("window_time is below a microsecond");
  if (o.window == 0 && o.window_time == duration::zero())
    return refuse("window and window_time are both 0");
  if (o.window != 0 && o.min_calls > o.window) return refuse("min_calls is above window");
  if (o.open_for <= duration::zero()) return refuse("open_for is not positive");
  if (!(o.open_factor >= 1 && o.open_factor <= 1e6))
    return refuse("open_factor is not in [1, 1e6]");
  if (o.max_open < o.open_for) return refuse("max_open is below open_for");
  if (o.half_open_calls == 0) return refuse("half_open_calls is 0");
  if (o.half_open_for <= duration::zero()) return refuse("half_open_for is not positive");
  return {};
}

}  // namespace penstock
