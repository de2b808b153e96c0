// penstock/base/exact_window_core.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A sliding log of permits, without clock and waiting: no period, wherever it begins, holds more
/// than the count. It remembers each permit of the last period; where that costs too much:
/// gcra_core.hpp.

#include <penstock/base/assert.hpp>
#include <penstock/base/rate.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace penstock {

/// Admits at most `rate.count` in any half-open span of `rate.period`.
///
/// **Shape.** the times of the permits of the last period, oldest first; equal times are one entry.
/// **Parameters.** `rate`; an invalid one stops the program.
/// **Errors.** none; a cost above the count is never admitted. std::bad_alloc from acquire().
/// **Thread-safety.** one thread at a time.
/// **Complexity.** acquire: O(1) amortised; refund: O(log count); memory: 16 bytes for each
/// different time of the last period.
class exact_window_core {
 public:
  explicit exact_window_core(rate r) : rate_(r) {
    if (!validate(r))
      detail::stop_program("exact_window_core: rate has a count or period of zero or less");
  }

  /// Takes `cost` permits if the last period has room for them. `now` does not go back.
  limiter_decision acquire(time_point now, std::uint32_t cost = 1);
  /// Gives back `cost` permits that were charged to `at`; too late when they have expired.
  void refund(time_point at, std::uint32_t cost = 1);

  /// How many permits are there now.
  [[nodiscard]] std::uint32_t available(time_point now) const noexcept {
    std::uint32_t used = used_;
    for (std::size_t i = oldest_; i < log_.size() && expired(log_[i], now); ++i)
      used -= log_[i].count;
    return rate_.count - used;
  }
  /// When `cost` permits could have been taken, one request after the other: exactly so up to the
  /// count, not before it above.
  [[nodiscard]] time_point ready_at(time_point now, std::uint64_t cost) const noexcept;
  /// From then on it is as new.
  [[nodiscard]] time_point fresh_at() const noexcept {
    return used_ == 0 ? (time_point::min)() : end_of(log_.back());
  }
  /// The most that one request may cost: the count.
  [[nodiscard]] std::uint32_t limit() const noexcept { return rate_.count; }

 private:
  struct entry {
    time_point at;
    std::uint32_t count;
  };
  [[nodiscard]] time_point end_of(const entry& e) const noexcept {
    return add_saturated(e.at, rate_.period);
  }
  [[nodiscard]] bool expired(const entry& e, time_point now) const noexcept {
    return end_of(e) <= now;
  }
  void forget_expired(time_point now) noexcept;

  rate rate_;
  std::uint32_t used_ = 0;  // the sum of the counts from oldest_ on, never above rate_.count
  std::size_t oldest_ = 0;  // what is before it has expired, and waits to be erased in one go
  std::vector<entry> log_;  // ordered by time; counts may be zero after a refund
};

inline void exact_window_core::forget_expired(time_point now) noexcept {
  while (oldest_ < log_.size() && expired(log_[oldest_], now)) used_ -= log_[oldest_++].count;
  if (oldest_ > log_.size() / 2) {
    log_.erase(log_.begin(), log_.begin() + static_cast<std::ptrdiff_t>(oldest_));
    oldest_ = 0;
  }
}

inline limiter_decision exact_window_core::acquire(time_point now, std::uint32_t cost) {
  if (cost > rate_.count) return {};
  if (cost == 0) return {true, now};
  forget_expired(now);
  const std::uint32_t room = rate_.count - used_;
  if (cost <= room) {
    if (oldest_ < log_.size() && log_.back().at >= now) {
      log_.back().count += cost;
      now = log_.back().at;
    } else {
      log_.push_back({now, cost});
    }
    used_ += cost;
    return {true, now};
  }
  std::uint32_t missing = cost - room;
  std::size_t i = oldest_;
  while (log_[i].count < missing) missing -= log_[i++].count;
  return {false, end_of(log_[i])};
}

inline time_point exact_window_core::ready_at(time_point now, std::uint64_t cost) const noexcept {
  if (cost == 0) return now;
  const std::uint64_t periods = (cost - 1) / rate_.count;
  const std::uint64_t last = cost - periods * rate_.count;
  time_point at = now;
  if (const std::uint32_t room = available(now); last > room) {
    std::uint64_t missing = last - room;
    std::size_t i = oldest_;
    while (i < log_.size() && expired(log_[i], now)) ++i;
    while (log_[i].count < missing) missing -= log_[i++].count;
    at = end_of(log_[i]);
  }
  return add_saturated(at, multiply_saturated(rate_.period, periods));
}

inline void exact_window_core::refund(time_point at, std::uint32_t cost) {
  std::size_t first = oldest_, last = log_.size();
  while (first < last) {
    const std::size_t middle = first + (last - first) / 2;
    if (log_[middle].at < at) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  if (first == log_.size() || log_[first].at != at) return;
  entry& charged = log_[first];
  const std::uint32_t back = cost < charged.count ? cost : charged.count;
  charged.count -= back;
  used_ -= back;
}

}  // namespace penstock
