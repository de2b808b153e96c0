// penstock/resilience/detail/breaker_core_impl.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What a circuit breaker does under its lock. Included by breaker_core.hpp only.

#include <penstock/resilience/detail/breaker_core.hpp>

namespace penstock::detail {

inline breaker_core::admission breaker_core::admit_some(std::uint64_t word, time_point now,
                                                        change& told) noexcept {
  if (state_of(word) == breaker_state::open) {
    // It may be the end of a later time already: then that is what counts.
    const time_point until(duration(until_.load(memory_order_relaxed)));
    if (now < until) {
      add_one(rejected_);
      return {false, 0, until - now, breaker_state::open};
    }
  }
  const std::scoped_lock guard(lock_);
  if (state() == breaker_state::open &&
      now >= time_point(duration(until_.load(memory_order_relaxed)))) {
    probes_.restart();
    probes_until_ = add_saturated(now, options_.half_open_for);
    move_to(breaker_state::half_open, breaker_cause::waited, told);
  } else if (state() == breaker_state::half_open && now >= probes_until_) {
    open_longer(breaker_cause::probes_late, now, told);
  }
  const breaker_state state = this->state();
  const std::uint64_t ticket = state_.load(memory_order_relaxed);
  if (lets_all_in(state) || (state == breaker_state::half_open && probes_.take())) {
    add_one(admitted_);
    return {true, ticket, {}, {}};
  }
  add_one(rejected_);
  if (state != breaker_state::open) return {false, 0, duration(-1), state};
  return {false, 0, time_point(duration(until_.load(memory_order_relaxed))) - now, state};
}

inline void breaker_core::probe_ended(std::uint64_t ticket, time_point began, call_outcome how,
                                      time_point now, duration pause, change& told) noexcept {
  const std::scoped_lock guard(lock_);
  if (state_.load(memory_order_relaxed) != ticket) return add_one(late_);
  if (how == call_outcome::canceled || how == call_outcome::ignored) {
    probes_.put_back();
    return add_one(how == call_outcome::canceled ? canceled_ : ignored_);
  }
  if (now >= probes_until_) {
    add_one(late_);
    return open_longer(breaker_cause::probes_late, now, told);
  }
  const unsigned bits = bits_of(began, how, now);
  count_bits(bits);
  ++totals_.calls;
  if ((bits & outcome_ring::failed) && pause > duration::zero())
    return open_for(pause, breaker_cause::retry_after, now, told);
  switch (probes_.ended(counts_of(bits))) {
    case probes_say::nothing_yet:
      return;
    case probes_say::good:
      next_open_ = options_.open_for;
      return move_to(breaker_state::closed, breaker_cause::probes_passed, told);
    case probes_say::failing:
      return open_longer(breaker_cause::failure_rate, now, told);
    case probes_say::slow:
      return open_longer(breaker_cause::slow_rate, now, told);
  }
}

inline void breaker_core::record_under_lock(std::uint64_t ticket, unsigned bits, time_point now,
                                            duration pause, change& told) noexcept {
  const std::scoped_lock guard(lock_);
  if (state_.load(memory_order_relaxed) != ticket) return add_one(late_);
  last_slices_ = slices_->add(now, counts_of(bits));
  if (options_.window)
    static_cast<void>(ring_.record(generation_of(ticket), bits));
  else
    ++totals_.calls;
  count_bits(bits);
  if (state_of(ticket) != breaker_state::closed) return;
  if ((bits & outcome_ring::failed) && pause > duration::zero())
    return open_for(pause, breaker_cause::retry_after, now, told);
  judge(generation_of(ticket), now, told);
}

inline void breaker_core::open_if_due(std::uint64_t ticket, duration pause, time_point now,
                                      change& told) noexcept {
  const std::scoped_lock guard(lock_);
  if (state_.load(memory_order_relaxed) != ticket) return;  // others have opened it meanwhile
  if (pause > duration::zero()) return open_for(pause, breaker_cause::retry_after, now, told);
  judge(generation_of(ticket), now, told);
}

inline void breaker_core::not_counted(const outcome_ring::recorded& r, change& told,
                                      time_point now) noexcept {
  add_one(late_);
  add_one(lost_places_);
  if (!r.disturbed) return;
  // Somebody may have looked at wrong counts and not opened it.
  const std::scoped_lock guard(lock_);
  const std::uint64_t word = state_.load(memory_order_relaxed);
  if (state_of(word) == breaker_state::closed) judge(generation_of(word), now, told);
}

inline void breaker_core::judge(std::uint64_t generation, time_point now, change& told) noexcept {
  std::optional<breaker_cause> why;
  if (slices_) {
    why = why_open(last_slices_);
    if (!why) return;
  }
  if (options_.window) why = why_open(ring_.scan(generation));
  if (!why) return;
  open_longer(*why, now, told);
}

inline void breaker_core::open_for(duration d, breaker_cause why, time_point now,
                                   change& told) noexcept {
  if (d > options_.max_open) d = options_.max_open;
  until_.store(add_saturated(now, d).time_since_epoch().count(), memory_order_relaxed);
  move_to(breaker_state::open, why, told);
  told.open_for = d;
}

inline void breaker_core::open_longer(breaker_cause why, time_point now, change& told) noexcept {
  const duration d = next_open_;
  const double next = static_cast<double>(d.count()) * options_.open_factor;
  const auto most = static_cast<double>(options_.max_open.count());
  next_open_ = next < most ? duration(static_cast<duration::rep>(next)) : options_.max_open;
  open_for(d, why, now, told);
}

inline void breaker_core::move_to(breaker_state to, breaker_cause why, change& told) noexcept {
  const std::uint64_t before = state_.load(memory_order_relaxed);
  const std::uint64_t generation = generation_of(before) + 1;
  totals_.calls += ring_.restart(generation);
  if (slices_) slices_->clear();
  last_slices_ = {};
  if (state_of(before) != to) {
    totals_.opened += to == breaker_state::open;
    totals_.half_opened += to == breaker_state::half_open;
    totals_.closed += to == breaker_state::closed;
    told = {state_of(before), to, why, {}, generation};
  }
  // Who sees the new word sees the empty window, and until when it is open.
  state_.store(generation << state_bits | static_cast<std::uint64_t>(to), memory_order_release);
}

}  // namespace penstock::detail
