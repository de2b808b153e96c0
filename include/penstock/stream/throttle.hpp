// penstock/stream/throttle.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// So many items in a time. The item before a pause: debounce.hpp.

#include <penstock/base/gcra_core.hpp>
#include <penstock/stream/detail/alarm.hpp>
#include <penstock/stream/stream.hpp>

#include <cstdint>
#include <optional>
#include <utility>

namespace penstock {

/// What `throttle` does with an item that comes too early.
enum class throttle_mode : unsigned char {
  shaping,    ///< it waits until it may go: the stream is slowed down
  enforcing,  ///< the stream fails with `errc::rate_limited`
};
/// Options of `throttle`.
struct throttle_options {
  std::uint32_t burst = 1;  ///< items that may follow one another at once after a pause
  throttle_mode mode = throttle_mode::shaping;
};
/// `errc::invalid_option`, naming the member, when `o` cannot work.
[[nodiscard]] inline result<> validate(const throttle_options& o) {
  if (o.burst == 0) return fail(errc::invalid_option, "throttle", "burst");
  return {};
}

namespace detail {
template <class Up>
class throttle_stream : public stream_interface<throttle_stream<Up>> {
 public:
  using value_type = typename Up::value_type;
  static constexpr bool is_eager = Up::is_eager;

  throttle_stream(Up&& up, rate r, throttle_options o)
      : up_(std::move(up)), rate_(r), options_(o) {}

  void open(flow& f) {
    up_.open(f);
    if (core_) return;
    auto valid = validate(rate_);
    if (valid) valid = validate(options_);
    if (valid)
      core_.emplace(rate_, options_.burst);
    else
      f.fail(std::move(valid.error()));
  }
  pulled pull(pump& p, std::optional<value_type>& out) {
    if (!core_) return pulled::cut;
    if (!held_) {
      std::optional<value_type> next;  // is not held when a stage fails with it
      if (const pulled s = up_.pull(p, next); s != pulled::item) return s;
      held_ = std::move(next);
    }
    for (;;) {
      if (const pulled s = timer_.until(p, may_go_); s != pulled::item) return s;
      const auto decision = core_->acquire(stage_timer::now(p));
      if (decision.admitted) break;
      if (options_.mode == throttle_mode::enforcing) {
        held_.reset();
        p.of().fail(error(errc::rate_limited).with("throttle", "items come too fast"));
        return pulled::cut;
      }
      may_go_ = decision.at;
    }
    out = std::exchange(held_, std::nullopt);
    return pulled::item;
  }

 private:
  Up up_;
  rate rate_;
  throttle_options options_;
  std::optional<gcra_core> core_;
  stage_timer timer_;
  time_point may_go_{};
  std::optional<value_type> held_;
};
class throttle_stage : public stream_stage {
 public:
  throttle_stage(rate r, throttle_options o) noexcept : rate_(r), options_(o) {}
  template <class Up>
  auto over(Up&& up) const {
    return throttle_stream<Up>(std::move(up), rate_, options_);
  }

 private:
  rate rate_;
  throttle_options options_;
};
}  // namespace detail

/// At most `r.count` items in `r.period`, evenly spaced, and `burst` at once after a pause.
///
/// **Shape.** `(abcd)|` throttle(1 per 2ms) `a-b-c-(d|)`; enforcing: `a-(bc)-|` throttle(1 per 2ms)
/// `a-(b#)`
/// **Parameters.** `r` - `per_second(10)`, `per_minute(90)`, or `rate{count, period}`. `o` - see
/// there.
/// **Errors.** `errc::rate_limited` with `throttle_mode::enforcing`; `errc::invalid_option`.
/// **Ordering.** emits when the rate admits the item; backpressures while one waits; completes and
/// fails with the stream; cancels the wait: with `next()` the item is there for the next one.
/// **Complexity.** no allocation; a timer for each item that waits. The decisions are those of
/// `gcra_core` (ATM Forum TM 4.0, as nginx's limit_req).
/// **Example.** @snippet tests/stream/timed_test.cpp throttle
[[nodiscard]] inline auto throttle(rate r, throttle_options o = {}) noexcept {
  return detail::throttle_stage(r, o);
}

}  // namespace penstock
