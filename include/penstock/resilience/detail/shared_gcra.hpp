// penstock/resilience/detail/shared_gcra.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The GCRA for several threads: its one number is an atomic word, which a permit changes by one
/// compare-exchange while nobody waits.
///
/// The number counts fractions of nanoseconds, so that nothing drifts: too many for one word. The
/// word has its low 64 bits. Which number that is follows from the era, a span of 2^61 of them,
/// which the word does not leave by more than it can tell: `word_` is within [era - 1 era, era + 3
/// eras). Who sees that its time is of another era goes to the lock and moves the era there; so
/// does everybody while the era is `frozen`: while somebody waits, is closed or penalized.

#include <penstock/base/atomic.hpp>
#include <penstock/base/gcra_core.hpp>
#include <penstock/resilience/detail/shared_core.hpp>

#include <cstdint>
#include <limits>

namespace penstock::detail {

template <>
class shared_core<gcra_core> {
  using units = gcra_pace::units;

 public:
  using lock_type = spin_lock;

  explicit shared_core(const gcra_core& core) noexcept
      : pace_(core.pace()),
        small_(pace_.of(pace_.burst()) < (units{1} << (era_bits - 1))),
        burst_(small_ ? pace_.interval() * pace_.burst() : 0) {}

  // The era is read behind the word: it is as new as the word, or newer. If it moves before the
  // exchange the word moves too, and the exchange fails.
  quick_answer try_now(time_point now, std::uint32_t cost) noexcept {
    if (cost > pace_.burst() || cost == 0) return quick_answer::unknown;
    const units time = pace_.to_units(now);
    const auto here = static_cast<std::uint64_t>(time);
    const auto era = static_cast<std::int64_t>(time >> era_bits);
    std::uint64_t word = word_.load(memory_order_acquire);  // pairs with the exchanges
    for (;;) {
      if (era_.load(memory_order_relaxed) != era) [[unlikely]]
        return quick_answer::unknown;
      auto ahead = static_cast<std::int64_t>(word - here);
      if (ahead <= -static_cast<std::int64_t>(pace_.per_nanosecond())) ahead = 0;
      ahead += pace_.interval() * cost;
      if (ahead > burst_) return quick_answer::refused;
      if (word_.compare_exchange_weak(word, here + static_cast<std::uint64_t>(ahead),
                                      memory_order_acq_rel, memory_order_acquire)) [[likely]]
        return quick_answer::admitted;
    }
  }

  // All below under the lock.
  void freeze() noexcept { era_.store(frozen, memory_order_relaxed); }
  void thaw(time_point now) noexcept {
    if (!small_) return;
    move_era(now);
    era_.store(last_era_, memory_order_release);  // behind the word
  }

  // thaw() follows, or freeze().
  limiter_decision acquire(time_point now, std::uint32_t cost) noexcept {
    if (small_) move_era(now);
    limiter_decision d;
    change([&](units& tat) { d = pace_.acquire(tat, now, cost); });
    return d;
  }
  void refund(time_point, std::uint32_t cost) noexcept {
    change([&](units& tat) { tat -= pace_.of(cost); });
  }
  [[nodiscard]] std::uint32_t available(time_point now) const noexcept {
    return pace_.available(tat(), now);
  }
  [[nodiscard]] time_point ready_at(time_point now, std::uint64_t cost) const noexcept {
    return pace_.ready_at(tat(), now, cost);
  }
  static constexpr bool far_ahead = true;
  // A reservation may be later than it could be, for one before it that was canceled: what would
  // have grown meanwhile beyond the burst is not there.
  [[nodiscard]] time_point ready_behind(const intrusive_list<reserved_node>& reserved,
                                        time_point now, std::uint64_t cost) const noexcept {
    units behind = tat();
    for (const reserved_node& r : reserved)
      behind = pace_.start_at(behind, r.at) + pace_.of(r.cost);
    const time_point at = pace_.ready_at(behind, now, cost);
    return reserved.empty() ? at : (std::max)(at, reserved.back()->at);
  }
  // What was reserved for then. It is there, or nearly so: those before may have been late.
  void charge(time_point at, std::uint32_t cost) noexcept {
    if (small_) move_era(at);
    change([&](units& tat) { tat = pace_.start_at(tat, at) + pace_.of(cost); });
  }
  [[nodiscard]] time_point fresh_at() const noexcept { return pace_.to_time(tat()); }
  [[nodiscard]] std::uint32_t limit() const noexcept { return pace_.burst(); }

 private:
  static constexpr int era_bits = 61;
  static constexpr std::int64_t frozen = (std::numeric_limits<std::int64_t>::min)();

  [[nodiscard]] units whole(std::uint64_t word) const noexcept {
    const units begin = static_cast<units>(last_era_) << era_bits;
    return begin + static_cast<std::int64_t>(word - static_cast<std::uint64_t>(begin));
  }
  [[nodiscard]] units tat() const noexcept {
    return small_ && started_ ? whole(word_.load(memory_order_acquire)) : big_;
  }
  // Others, without the lock, may change it meanwhile.
  template <class Fn>
  void change(Fn fn) noexcept {
    if (!small_ || !started_) return fn(big_);
    std::uint64_t word = word_.load(memory_order_acquire);
    units after = 0;
    do {
      after = whole(word);
      fn(after);
      const units least = (static_cast<units>(last_era_) - 1) << era_bits;
      if (after < least) after = least;
    } while (!word_.compare_exchange_weak(word, static_cast<std::uint64_t>(after),
                                          memory_order_acq_rel, memory_order_acquire));
  }
  // To the era of `now`, if that is later. Long before it the number need not be exact: what it is
  // then raised to is no round one, or one of eras ago might be the same word, and an exchange that
  // should fail succeed.
  void move_era(time_point now) noexcept {
    const units here = pace_.to_units(now);
    const auto era = static_cast<std::int64_t>(here >> era_bits);
    if (started_ && era <= last_era_) return;
    freeze();
    const units least = here - (units{1} << era_bits);
    std::uint64_t word = word_.load(memory_order_acquire);
    units after = 0;
    do {
      after = started_ ? whole(word) : big_;
      if (after < least) after = least;
    } while (!word_.compare_exchange_weak(word, static_cast<std::uint64_t>(after),
                                          memory_order_acq_rel, memory_order_acquire));
    last_era_ = era;
    started_ = true;
  }

  const gcra_pace pace_;
  const bool small_;                  // a burst is a small part of an era
  const std::int64_t burst_;          // in units, if so
  atomic<std::uint64_t> word_{0};     // the low bits of the TAT
  atomic<std::int64_t> era_{frozen};  // that of the word, or frozen; written under the lock
  std::int64_t last_era_ = 0;         // this and what follows guarded by the lock
  bool started_ = false;
  units big_ = gcra_pace::long_ago;  // the TAT while it is not in the word
};

}  // namespace penstock::detail
