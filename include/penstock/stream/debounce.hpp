// penstock/stream/debounce.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The last item before a pause. The newest whenever somebody asks: conflate.hpp; so many in a
/// time: throttle.hpp.

#include <penstock/stream/detail/alarm.hpp>
#include <penstock/stream/detail/eager.hpp>

#include <optional>
#include <utility>

namespace penstock {
namespace detail {
template <class Up>
class debounce_stream : public eager_stream<debounce_stream<Up>, typename Up::value_type> {
  using T = typename Up::value_type;
  using base = eager_stream<debounce_stream, T>;
  using source = branch<debounce_stream, Up>;
  friend base;
  friend source;
  friend alarm<debounce_stream>;

 public:
  debounce_stream(Up&& up, duration d) : up_(std::move(up)), quiet_(d) {}

  void open(flow& f) {
    this->open_stage(f);
    up_.open(*this, f);
    alarm_.open(*this, f);
    if (quiet_ <= duration::zero()) f.fail(error(errc::invalid_option).with("debounce", "no time"));
  }

 private:
  bool wants(source&) const noexcept { return true; }
  void put(source&, T&& item) {
    held_.emplace(std::move(item));
    due_ = add_saturated(alarm_.now(), quiet_);
  }
  void fill() { up_.fill(); }
  bool take(std::optional<T>& out) {
    if (!held_ || (!up_.ended() && !alarm_.is_past(due_))) return false;
    out = std::exchange(held_, std::nullopt);
    return true;
  }
  [[nodiscard]] bool finished() const noexcept { return up_.ended() && !held_; }

  source up_;
  alarm<debounce_stream> alarm_;
  duration quiet_;
  time_point due_{};
  std::optional<T> held_;
};
}  // namespace detail

/// An item that no other one follows within `d`; those before it are dropped.
///
/// **Shape.** `-a-bc-----d|` debounce(3ms) `-------c---(d|)`; `abcdefgh#` debounce(3ms) `--------#`
/// **Parameters.** `d` - how long nothing comes, more than zero.
/// **Errors.** `errc::invalid_option`.
/// **Ordering.** emits when the newest item is `d` old and the consumer asks; a consumer that is
/// busy gets what is newest then, if it is old enough; backpressures never; completes when the
/// stream has ended, with the item that is held; fails with the stream at once; cancels the stream.
/// **Complexity.** eager: needs a sink. No allocation; an item costs no timer operation.
/// **Example.** @snippet tests/stream/timed_test.cpp debounce
template <class Rep, class Period>
[[nodiscard]] auto debounce(std::chrono::duration<Rep, Period> d) noexcept {
  return detail::timed_stage<detail::debounce_stream>(to_duration(d));
}

}  // namespace penstock
