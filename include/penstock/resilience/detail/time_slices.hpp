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
    const std::int64_t time = now.time_since_epoch().count();
    std::int64_t number = time / width_;
    if (time < number * width_) --number;
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
  [[nodiscard]] std::size_t newest_slot() const noexcept {
    const auto n = static_cast<std::int64_t>(slices_.size());
    return static_cast<std::size_t>((newest_ % n + n) % n);
  }

  std::int64_t width_;
  std::int64_t newest_ = 0;  // the number of the newest slice, counted from time 0
  bool started_ = false;
  Counts total_{};
  std::vector<Counts> slices_;
};

}  // namespace penstock::detail
