// penstock/resilience/detail/time_slices.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Sums over the last so many seconds, in slices of equal length: a slice is forgotten when it is
/// as old as the whole span. Without a clock.

#include <penstock/base/assert.hpp>
#include <penstock/base/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace penstock::detail {

// `Counts` has += and -=, and its default is nothing. Times that go back count as the newest. One
// thread at a time; O(1) amortised; allocates in the constructor only.
template <class Counts>
class time_slices {
 public:
  time_slices(duration span, std::size_t slices)
      : width_(span.count() / static_cast<std::int64_t>(slices)), slices_(slices) {
    PENSTOCK_ASSERT(width_ > 0, "a slice is at least one nanosecond");
  }

  // Gives the total(), which is cheaper than to ask for it.
  const Counts& add(time_point now, const Counts& more) noexcept {
    advance(now);
    slices_[newest_slot()] += more;
    total_ += more;
    return total_;
  }
  // Changes the slice of an earlier time, if that is not forgotten.
  void amend(time_point when, const Counts& more) noexcept {
    const std::int64_t number = number_of(when);
    if (!started_ || newest_ - number >= static_cast<std::int64_t>(slices_.size())) return;
    slices_[slot_of(number < newest_ ? number : newest_)] += more;
    total_ += more;
  }
  // What was added within the span before `now`.
  const Counts& total(time_point now) noexcept {
    advance(now);
    return total_;
  }
  void clear() noexcept {
    for (Counts& c : slices_) c = Counts{};
    total_ = Counts{};
  }

 private:
  void advance(time_point now) noexcept {
    const std::int64_t number = number_of(now);
    if (!started_) {
      started_ = true;
      newest_ = number;
    }
    if (number - newest_ >= static_cast<std::int64_t>(slices_.size())) {
      clear();
      newest_ = number;
    }
    while (newest_ < number) {
      ++newest_;
      Counts& oldest = slices_[newest_slot()];
      total_ -= oldest;
      oldest = Counts{};
    }
  }
  [[nodiscard]] std::int64_t number_of(time_point t) const noexcept {
    const std::int64_t time = t.time_since_epoch().count();
    const std::int64_t number = time / width_;
    return time < number * width_ ? number - 1 : number;
  }
  [[nodiscard]] std::size_t newest_slot() const noexcept { return slot_of(newest_); }
  [[nodiscard]] std::size_t slot_of(std::int64_t number) const noexcept {
    const auto n = static_cast<std::int64_t>(slices_.size());
    return static_cast<std::size_t>((number % n + n) % n);
  }

  std::int64_t width_;
  std::int64_t newest_ = 0;  // the number of the newest slice, counted from time 0
  bool started_ = false;
  Counts total_{};
  std::vector<Counts> slices_;
};

}  // namespace penstock::detail
