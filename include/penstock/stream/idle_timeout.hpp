// penstock/stream/idle_timeout.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Fails a stream that says nothing for too long.

#include <penstock/stream/detail/alarm.hpp>
#include <penstock/stream/detail/eager.hpp>

#include <optional>
#include <utility>

namespace penstock {
namespace detail {
template <class Up>
class idle_timeout_stream : public eager_stream<idle_timeout_stream<Up>, typename Up::value_type> {
  using T = typename Up::value_type;
  using base = eager_stream<idle_timeout_stream, T>;
  using source = branch<idle_timeout_stream, Up>;
  friend base;
  friend source;
  friend alarm<idle_timeout_stream>;

 public:
  idle_timeout_stream(Up&& up, duration d) : up_(std::move(up)), idle_(d) {}

  void open(flow& f) {
    this->open_stage(f);
    up_.open(*this, f);
    alarm_.open(*this, f);
    if (idle_ <= duration::zero())
      f.fail(error(errc::invalid_option).with("idle_timeout", "no time"));
  }

 private:
  // Only when it is asked: a consumer that is busy is no idle stream.
  bool wants(source&) const noexcept { return asked_ && !held_; }
  void put(source&, T&& item) { held_.emplace(std::move(item)); }
  void fill() { up_.fill(); }
  bool take(std::optional<T>& out) {
    if (!asked_) {
      asked_ = true;
      due_ = add_saturated(alarm_.now(), idle_);
      up_.fill();
    }
    if (held_) {
      asked_ = false;
      out = std::exchange(held_, std::nullopt);
      return true;
    }
    if (!up_.ended() && alarm_.is_past(due_))
      this->of().fail(error(errc::timed_out).with("idle_timeout", "no item came"));
    return false;
  }
  [[nodiscard]] bool finished() const noexcept { return up_.ended(); }

  source up_;
  alarm<idle_timeout_stream> alarm_;
  duration idle_;
  time_point due_{};
  bool asked_ = false;
  std::optional<T> held_;
};
}  // namespace detail

/// Fails when no item comes within `d` of being asked for one.
///
/// **Shape.** `-a-b-----------` idle_timeout(5ms) `-a-b----#`; `-a---b----c|` idle_timeout(5ms)
/// `-a---b----c|`
/// **Parameters.** `d` - more than zero. The time in which the consumer is busy does not count.
/// **Errors.** `errc::timed_out`; `errc::invalid_option`.
/// **Ordering.** emits, backpressures and completes with the stream; fails with it, or after `d`
/// without an item; cancels the stream.
/// **Complexity.** eager: needs a sink. No allocation; an item costs no timer operation.
/// **Example.** @snippet tests/stream/timed_test.cpp idle_timeout
template <class Rep, class Period>
[[nodiscard]] auto idle_timeout(std::chrono::duration<Rep, Period> d) noexcept {
  return detail::timed_stage<detail::idle_timeout_stream>(to_duration(d));
}

}  // namespace penstock
