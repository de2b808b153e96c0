// penstock/stream/chunk_within.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Items together: so many, or as many as come in a time. Without a time: chunk.hpp.

#include <penstock/stream/detail/alarm.hpp>
#include <penstock/stream/detail/eager.hpp>

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace penstock {
namespace detail {
template <class Up>
class chunk_within_stream
    : public eager_stream<chunk_within_stream<Up>, std::vector<typename Up::value_type>> {
  using T = typename Up::value_type;
  using base = eager_stream<chunk_within_stream, std::vector<T>>;
  using source = branch<chunk_within_stream, Up>;
  friend base;
  friend source;

 public:
  chunk_within_stream(Up&& up, std::size_t n, duration d)
      : up_(std::move(up)), most_(n), within_(d) {}

  void open(flow& f) {
    this->open_stage(f);
    up_.open(*this, f);
    alarm_.open(*this, f);
    if (most_ == 0) f.fail(error(errc::invalid_option).with("chunk_within", "0 items"));
    if (within_ <= duration::zero())
      f.fail(error(errc::invalid_option).with("chunk_within", "no time"));
  }

 private:
  friend alarm<chunk_within_stream>;

  bool wants(source&) const noexcept { return items_.size() < most_; }
  void put(source&, T&& item) {
    if (items_.empty()) {
      items_.reserve(most_ < first_reserve ? most_ : first_reserve);
      due_ = add_saturated(alarm_.now(), within_);
    }
    items_.push_back(std::move(item));
  }
  void fill() { up_.fill(); }
  bool take(std::optional<std::vector<T>>& out) {
    if (items_.empty()) return false;
    if (items_.size() < most_ && !up_.ended() && !alarm_.is_past(due_)) return false;
    out.emplace(std::exchange(items_, {}));
    return true;
  }
  [[nodiscard]] bool finished() const noexcept { return up_.ended() && items_.empty(); }

  static constexpr std::size_t first_reserve = 64;

  source up_;
  alarm<chunk_within_stream> alarm_;
  std::size_t most_;
  duration within_;
  time_point due_{};
  std::vector<T> items_;
};
class chunk_within_stage : public stream_stage {
 public:
  chunk_within_stage(std::size_t n, duration d) noexcept : n_(n), within_(d) {}
  template <class Up>
  auto over(Up&& up) const {
    return chunk_within_stream<Up>(std::move(up), n_, within_);
  }

 private:
  std::size_t n_;
  duration within_;
};
}  // namespace detail

/// Items in vectors of `n`, or of as many as have come within `d` of the first of them.
///
/// **Shape.** `-a-b-c------d-|` chunk_within(3, 5ms) `-----[abc]--------([d]|)`; with a consumer
/// that is busy for 10 ms: `abcd--------|` chunk_within(3, 5ms) `--[abc]---------[d]---------|`
/// **Parameters.** `n` - items of a chunk, at least 1. `d` - more than zero.
/// **Errors.** `errc::invalid_option`.
/// **Ordering.** emits when `n` items are there, or when the first of them is `d` old and the
/// consumer asks: a chunk is never empty, and grows to `n` while the consumer is busy;
/// backpressures when `n` items wait; completes when the stream has ended, with what is left; fails
/// with the stream at once, and what waits here is dropped; cancels the stream.
/// **Complexity.** eager: needs a sink. Allocates a vector for each chunk; one timer, also for many
/// chunks.
/// **Example.** @snippet tests/stream/timed_test.cpp chunk_within
template <class Rep, class Period>
[[nodiscard]] auto chunk_within(std::size_t n, std::chrono::duration<Rep, Period> d) noexcept {
  return detail::chunk_within_stage(n, to_duration(d));
}

}  // namespace penstock
