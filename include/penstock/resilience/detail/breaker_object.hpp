// penstock/resilience/detail/breaker_object.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What the copies of a circuit breaker share: its core, its name, and who is told its changes.

#include <penstock/base/result.hpp>
#include <penstock/core/scheduler.hpp>
#include <penstock/resilience/detail/breaker_core.hpp>
#include <penstock/resilience/observer.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace penstock::detail {

class breaker_object {
 public:
  // `on_event` outlives it, and may be null.
  breaker_object(const circuit_breaker_options& o, std::string_view name, std::string key,
                 observer<breaker_event> on_event)
      : core_(o),
        heeds_(o.heeds_retry_after),
        exact_(is_short(o.slow_call) || is_short(o.open_for) || is_short(o.half_open_for) ||
               (o.window_time != duration::zero() && is_short(o.window_time / 10))),
        name_(name),
        key_(std::move(key)),
        on_event_(std::move(on_event)) {}

  // Whether its times are so short that some milliseconds make a difference. Else it reads the
  // cheap clock, which costs less than all the rest.
  [[nodiscard]] bool exact() const noexcept { return exact_; }
  [[nodiscard]] time_point time_of(scheduler& loop) const noexcept {
    return exact_ ? loop.now() : loop.about().earliest;
  }

  // The time of one that asks to be let in. While it is open an exact one: who waited for
  // `retry_after` does not come too early.
  [[nodiscard]] time_point arrival(scheduler& loop) const noexcept {
    return core_.state() == breaker_state::open ? loop.now() : time_of(loop);
  }

  breaker_core::admission admit(time_point now) noexcept {
    breaker_change told;
    const auto a = core_.admit(now, told);
    tell(told);
    return a;
  }
  void ended(std::uint64_t ticket, time_point began, call_outcome how, time_point now,
             duration pause) noexcept {
    breaker_change told;
    core_.ended(ticket, began, how, now, heeds_ ? pause : duration::zero(), told);
    tell(told);
  }
  void turn_to(breaker_state s) noexcept { tell(core_.turn_to(s)); }

  PENSTOCK_NOINLINE tl::unexpected<error> refusal(const breaker_core::admission& a) const noexcept {
    if (a.state == breaker_state::ended) return fail(errc::closed, name_, key_);
    error e = error(errc::circuit_open).with(name_, key_);
    if (a.wait >= duration::zero()) e = std::move(e).retry_after(a.wait);
    return fail(std::move(e));
  }
  [[nodiscard]] const breaker_core& core() const noexcept { return core_; }
  [[nodiscard]] std::string_view name() const noexcept { return name_; }

 private:
  static bool is_short(duration d) noexcept { return d < std::chrono::milliseconds(100); }
  void tell(const breaker_change& c) const noexcept {
    if (c.from != c.to) [[unlikely]]
      tell_change(c);
  }
  PENSTOCK_NOINLINE void tell_change(const breaker_change& c) const noexcept {
    on_event_({name_, key_, c.from, c.to, c.why, c.open_for, c.generation});
  }

  breaker_core core_;
  const bool heeds_;
  const bool exact_;
  const std::string name_;
  const std::string key_;
  const observer<breaker_event> on_event_;
};

}  // namespace penstock::detail
