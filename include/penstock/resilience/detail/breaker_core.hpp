// penstock/resilience/detail/breaker_core.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The state machine of a circuit breaker, without a clock and without waiting.
///
///     closed -rate-> open -time over, next call-> half open -probes good-> closed
///                     ^                               |
///                     +------ probes bad or late -----+
///
/// One word holds state and generation, which grows with each change. A call that is let in keeps
/// the word; its result counts only while the word is still the same. While it is closed nobody
/// takes a lock, unless there is a window of time. All other changes and results are under the
/// lock.

#include <penstock/base/assert.hpp>
#include <penstock/base/config.hpp>
#include <penstock/base/spin_lock.hpp>
#include <penstock/resilience/breaker_event.hpp>
#include <penstock/resilience/call_outcome.hpp>
#include <penstock/resilience/circuit_breaker_options.hpp>
#include <penstock/resilience/detail/breaker_probes.hpp>
#include <penstock/resilience/detail/outcome_ring.hpp>
#include <penstock/resilience/detail/time_slices.hpp>

#include <mutex>
#include <optional>

namespace penstock::detail {

// What an operation has changed, to be told without the lock.
struct breaker_change {
  breaker_state from = breaker_state::closed;
  breaker_state to = breaker_state::closed;  // as `from`: nothing has changed
  breaker_cause why = breaker_cause::asked;
  duration open_for{};
  std::uint64_t generation = 0;
};

// Any thread.
class breaker_core {
 public:
  using change = breaker_change;
  struct admission {
    bool admitted = false;
    std::uint64_t ticket = 0;                   // admitted: what ended() is told
    duration wait = duration(-1);               // refused: for how long, if that is known
    breaker_state state = breaker_state::open;  // refused: in which state
  };

  // The options are valid.
  explicit breaker_core(const circuit_breaker_options& o)
      : options_(o),
        least_(least_calls(o)),
        ring_(o.window ? o.window : 1),
        probes_({o.half_open_calls, least_ < o.half_open_calls ? least_ : o.half_open_calls,
                 o.half_open_ramp, o.failure_rate, o.slow_rate}),
        next_open_(o.open_for) {
    if (o.window_time != duration::zero()) slices_.emplace(o.window_time, slices);
  }
  breaker_core(const breaker_core&) = delete;
  breaker_core& operator=(const breaker_core&) = delete;
  ~breaker_core() {
    PENSTOCK_ASSERT(stats().in_flight == 0,
                    "a circuit breaker is destroyed while calls that it let in are under way");
  }

  admission admit(time_point now, change& told) noexcept {
    const std::uint64_t word = state_.load(memory_order_acquire);
    if (lets_all_in(state_of(word))) [[likely]] {
      add_one(admitted_);
      return {true, word, {}, {}};
    }
    return admit_some(word, now, told);
  }
  // A call ended that `ticket` let in at `began`. `pause`: what the other side asked for, or zero.
  void ended(std::uint64_t ticket, time_point began, call_outcome how, time_point now,
             duration pause, change& told) noexcept {
    const std::uint64_t word = state_.load(memory_order_acquire);
    if (word != ticket) return add_one(late_);
    const breaker_state state = state_of(word);
    if (state == breaker_state::half_open) return probe_ended(ticket, began, how, now, pause, told);
    if (how == call_outcome::canceled) return add_one(canceled_);
    if (how == call_outcome::ignored || state == breaker_state::disabled) return add_one(ignored_);
    const unsigned bits = bits_of(began, how, now);
    if (slices_) return record_under_lock(ticket, bits, now, pause, told);
    const auto recorded = ring_.record(generation_of(ticket), bits);
    if (!recorded.counted) [[unlikely]]
      return not_counted(recorded, told, now);
    if (bits == 0 && !recorded.changed) [[likely]]
      return;
    count_bits(bits);
    if (state != breaker_state::closed) return;
    const bool asked = (bits & outcome_ring::failed) && pause > duration::zero();
    if (asked || (recorded.changed && why_open(recorded.counts)))
      open_if_due(ticket, asked ? pause : duration::zero(), now, told);
  }

  // To forced_open, disabled, metrics_only, closed (with an empty window) or ended (for good).
  change turn_to(breaker_state to) noexcept {
    change told;
    const std::scoped_lock guard(lock_);
    const breaker_state from = state_of(state_.load(memory_order_relaxed));
    if (from == breaker_state::ended) return told;
    if (to == breaker_state::closed) next_open_ = options_.open_for;
    move_to(to, breaker_cause::asked, told);
    return told;
  }

  [[nodiscard]] breaker_state state() const noexcept {
    return state_of(state_.load(memory_order_acquire));
  }
  // Whether a new core would let in what this one refuses, or judge what this one does not.
  [[nodiscard]] bool worth_keeping(time_point now) const noexcept {
    const breaker_state s = state();
    if (s == breaker_state::open)
      return now < time_point(duration(until_.load(memory_order_relaxed)));
    return s != breaker_state::closed;
  }
  [[nodiscard]] breaker_stats stats() const noexcept {
    const std::scoped_lock guard(lock_);
    breaker_stats s = totals_;
    const std::uint64_t word = state_.load(memory_order_acquire);
    s.state = state_of(word);
    // What ended before what was let in: so there are never fewer in flight than none.
    s.late = read(late_);
    s.ignored = read(ignored_);
    s.canceled = read(canceled_);
    s.failures += read(failures_);
    s.slow += read(slow_);
    s.calls += ring_.count() - read(lost_places_);
    s.admitted = read(admitted_);
    s.rejected = read(rejected_);
    s.in_flight = s.admitted - s.late - s.ignored - s.canceled - s.calls;
    if (static_cast<std::int64_t>(s.in_flight) < 0) s.in_flight = 0;
    const outcome_counts window = options_.window ? ring_.scan(generation_of(word)) : last_slices_;
    s.window_calls = window.calls;
    if (window.calls) {
      s.failure_rate = rate(window.failures, window.calls);
      s.slow_rate = rate(window.slow, window.calls);
    }
    return s;
  }

 private:
  static constexpr std::size_t slices = 10;
  static constexpr int state_bits = 3;
  using counter = atomic<std::uint64_t>;

  static constexpr breaker_state state_of(std::uint64_t word) noexcept {
    return static_cast<breaker_state>(word & ((1u << state_bits) - 1));
  }
  static constexpr std::uint64_t generation_of(std::uint64_t word) noexcept {
    return word >> state_bits;
  }
  static constexpr bool lets_all_in(breaker_state s) noexcept {
    return s == breaker_state::closed || s == breaker_state::disabled ||
           s == breaker_state::metrics_only;
  }
  static std::uint64_t least_calls(const circuit_breaker_options& o) noexcept {
    if (o.min_calls) return o.min_calls;
    return o.window ? o.window : 100;
  }
  static void add_one(counter& c) noexcept { c.fetch_add(1, memory_order_relaxed); }
  static std::uint64_t read(const counter& c) noexcept { return c.load(memory_order_relaxed); }
  static double rate(std::uint64_t some, std::uint64_t all) noexcept {
    return static_cast<double>(some) / static_cast<double>(all);
  }

  [[nodiscard]] unsigned bits_of(time_point began, call_outcome how,
                                 time_point now) const noexcept {
    const unsigned failed = how == call_outcome::failure ? outcome_ring::failed : 0;
    const bool slow = how == call_outcome::slow || now - began > options_.slow_call;
    return failed | (slow ? outcome_ring::slow : 0);
  }
  void count_bits(unsigned bits) noexcept {
    if (bits & outcome_ring::failed) add_one(failures_);
    if (bits & outcome_ring::slow) add_one(slow_);
  }
  static outcome_counts counts_of(unsigned bits) noexcept {
    return {1, bits & outcome_ring::failed, (bits & outcome_ring::slow) / outcome_ring::slow};
  }
  // Whether such a window opens it, and why.
  [[nodiscard]] std::optional<breaker_cause> why_open(const outcome_counts& w) const noexcept {
    if (w.calls < least_ || (w.failures | w.slow) == 0) return std::nullopt;
    if (rate(w.failures, w.calls) >= options_.failure_rate) return breaker_cause::failure_rate;
    if (rate(w.slow, w.calls) >= options_.slow_rate) return breaker_cause::slow_rate;
    return std::nullopt;
  }

  admission admit_some(std::uint64_t word, time_point now, change& told) noexcept;
  void probe_ended(std::uint64_t ticket, time_point began, call_outcome how, time_point now,
                   duration pause, change& told) noexcept;
  void record_under_lock(std::uint64_t ticket, unsigned bits, time_point now, duration pause,
                         change& told) noexcept;
  void open_if_due(std::uint64_t ticket, duration pause, time_point now, change& told) noexcept;
  void not_counted(const outcome_ring::recorded& r, change& told, time_point now) noexcept;
  // All below under lock_.
  void judge(std::uint64_t generation, time_point now, change& told) noexcept;
  void open_for(duration d, breaker_cause why, time_point now, change& told) noexcept;
  void open_longer(breaker_cause why, time_point now, change& told) noexcept;
  void move_to(breaker_state to, breaker_cause why, change& told) noexcept;

  const circuit_breaker_options options_;
  const std::uint64_t least_;
  atomic<std::uint64_t> state_{0};  // generation | state; written under lock_
  atomic<std::int64_t> until_{0};   // while open: when that is over; written under lock_
  mutable spin_lock lock_;
  outcome_ring ring_;
  breaker_probes probes_;                              // this and what follows guarded by lock_
  std::optional<time_slices<outcome_counts>> slices_;  // whether there are any never changes
  outcome_counts last_slices_;                         // at the last result
  time_point probes_until_{};
  duration next_open_;
  breaker_stats totals_;  // what is not counted below
  counter failures_{0}, slow_{0}, ignored_{0}, canceled_{0}, late_{0}, rejected_{0};
  counter lost_places_{0};  // of the ring, taken by results that came too late
  alignas(64) counter admitted_{0};
};

}  // namespace penstock::detail

#include <penstock/resilience/detail/breaker_core_impl.hpp>
