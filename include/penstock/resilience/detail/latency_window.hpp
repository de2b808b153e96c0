// penstock/resilience/detail/latency_window.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Percentiles of how long calls took lately: two histograms that take turns. Without a clock.

#include <penstock/base/clock.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace penstock::detail {

// Counts of times, in sixteen parts for each power of two nanoseconds, up to about five hours.
class latency_histogram {
 public:
  static constexpr std::size_t parts = 16;
  static constexpr std::size_t octaves = 41;

  void add(duration d) noexcept {
    const std::size_t i = index(d);
    ++counts_[i];
    ++sums_[i / parts];
    ++total_;
  }
  void clear() noexcept { *this = {}; }
  [[nodiscard]] std::uint32_t octave(std::size_t o) const noexcept { return sums_[o]; }
  [[nodiscard]] std::uint32_t part(std::size_t i) const noexcept { return counts_[i]; }
  [[nodiscard]] std::uint32_t total() const noexcept { return total_; }

  // The part of `d`, and the longest time of a part.
  static std::size_t index(duration d) noexcept {
    const auto v = static_cast<std::uint64_t>(d.count() < 0 ? 0 : d.count());
    if (v < parts) return static_cast<std::size_t>(v);
    const auto shift = static_cast<std::size_t>(std::bit_width(v)) - 5;
    if (shift >= octaves - 1) return octaves * parts - 1;
    return (shift + 1) * parts + static_cast<std::size_t>((v >> shift) & (parts - 1));
  }
  static duration longest(std::size_t i) noexcept {
    if (i < parts) return duration(static_cast<std::int64_t>(i));
    const std::size_t shift = i / parts - 1;
    return duration(static_cast<std::int64_t>(((parts + i % parts + 1) << shift) - 1));
  }

 private:
  std::array<std::uint32_t, octaves * parts> counts_{};
  std::array<std::uint32_t, octaves> sums_{};
  std::uint32_t total_ = 0;
};

// What was added in the window of `now` and in the one before. One thread at a time.
class latency_window {
 public:
  explicit latency_window(duration width) noexcept : width_(width.count()) {}

  void add(time_point now, duration took) noexcept {
    advance(now);
    current_->add(took);
  }
  // True: what was known has changed by itself.
  bool advance(time_point now) noexcept {
    const std::int64_t number = now.time_since_epoch().count() / width_;
    if (number <= number_) return false;
    const bool next = number == number_ + 1;
    number_ = number;
    latency_histogram* const old = before_;
    before_ = current_;
    current_ = old;
    current_->clear();
    if (!next) before_->clear();
    return true;
  }
  [[nodiscard]] std::size_t total() const noexcept {
    return std::size_t{current_->total()} + before_->total();
  }
  // The time within which so large a share ended, at most a sixteenth too long. There is some.
  [[nodiscard]] duration percentile(double share) const noexcept {
    std::size_t left = rank(share);
    std::size_t o = 0;
    for (; o + 1 < latency_histogram::octaves; ++o) {
      const std::size_t here = std::size_t{current_->octave(o)} + before_->octave(o);
      if (here >= left) break;
      left -= here;
    }
    std::size_t i = o * latency_histogram::parts;
    for (const std::size_t last = i + latency_histogram::parts - 1; i < last; ++i) {
      const std::size_t here = std::size_t{current_->part(i)} + before_->part(i);
      if (here >= left) break;
      left -= here;
    }
    return latency_histogram::longest(i);
  }

 private:
  // How many are not longer, at least one.
  [[nodiscard]] std::size_t rank(double share) const noexcept {
    const double exact = share * static_cast<double>(total());
    auto whole = static_cast<std::size_t>(exact);
    if (static_cast<double>(whole) < exact - 1e-9) ++whole;
    return whole == 0 ? 1 : whole;
  }

  std::int64_t width_;
  std::int64_t number_ = 0;
  latency_histogram histograms_[2];
  latency_histogram* current_ = &histograms_[0];
  latency_histogram* before_ = &histograms_[1];

 public:
  latency_window(const latency_window&) = delete;  // it points into itself
  latency_window& operator=(const latency_window&) = delete;
};

}  // namespace penstock::detail
