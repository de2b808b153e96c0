// penstock/stream/observe.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Measures a stream at one place: what passes, and who waits for whom. Not there, it costs
/// nothing.

#include <penstock/base/clock.hpp>
#include <penstock/stream/stream.hpp>

#include <cstdint>
#include <optional>
#include <utility>

namespace penstock {

/// What passes a place of a stream, and how long each side has waited there.
///
/// **Thread-safety.** read it on the pipeline's loop.
struct stream_stats {
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;                  ///< of items that have a `size()`
  duration blocked_in = duration::zero();   ///< the consumer has waited for an item
  duration blocked_out = duration::zero();  ///< an item's successor has waited for the consumer
  duration elapsed = duration::zero();      ///< from the first pull to the last item or the end
};

namespace detail {
template <class Up>
class observed_stream : public stream_interface<observed_stream<Up>> {
 public:
  using value_type = typename Up::value_type;
  static constexpr bool is_eager = Up::is_eager;

  observed_stream(Up&& up, stream_stats& to) : up_(std::move(up)), to_(&to) {}

  void open(flow& f) { up_.open(f); }
  pulled pull(pump& p, std::optional<value_type>& out) {
    if (p.may_begin()) {
      const time_point now = p.of().env().sched->now();
      if (!begin_) begin_ = now;
      if (passed_) to_->blocked_out += now - *std::exchange(passed_, std::nullopt);
      if (!asked_) asked_ = now;
    }
    const pulled s = up_.pull(p, out);
    if (s == pulled::wait) return s;
    if (s == pulled::item) {
      ++to_->items;
      if constexpr (requires { out->size(); }) to_->bytes += out->size();
    }
    if (asked_) {
      const time_point now = p.of().env().sched->now();
      to_->blocked_in += now - *std::exchange(asked_, std::nullopt);
      to_->elapsed = now - *begin_;
      passed_ = now;
    }
    return s;
  }

 private:
  Up up_;
  stream_stats* to_;
  std::optional<time_point> begin_, asked_, passed_;
};
class observe_stage : public stream_stage {
 public:
  explicit observe_stage(stream_stats& to) noexcept : to_(&to) {}
  template <class Up>
  auto over(Up&& up) const {
    return observed_stream<Up>(std::move(up), *to_);
  }

 private:
  stream_stats* to_;
};
}  // namespace detail

/// Passes all items on, and counts them and the waits at this place in `to`.
///
/// **Shape.** `-a-b-|` observe(stats) `-a-b-|`
/// **Parameters.** `to` - is added to; outlives the stream. Between two stages `blocked_in` is what
/// the one before is too slow for, `blocked_out` what the one behind is.
/// **Errors.** none of its own.
/// **Ordering.** emits, backpressures, completes, fails and cancels as the stream does.
/// **Complexity.** two readings of the loop's clock for an item; stages around it are not one loop
/// any more. No allocation.
/// **Example.** @snippet tests/stream/any_stream_test.cpp observe
[[nodiscard]] inline auto observe(stream_stats& to) noexcept { return detail::observe_stage(to); }

}  // namespace penstock
