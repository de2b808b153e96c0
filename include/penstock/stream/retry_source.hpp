// penstock/stream/retry_source.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Begins a stream again when it has failed: a subscription, a download that goes on where it was
/// cut off. For single operations inside a stage: retry (resilience/retry.hpp).

#include <penstock/core/with_group.hpp>
#include <penstock/resilience/retry.hpp>
#include <penstock/stream/detail/alarm.hpp>
#include <penstock/stream/detail/eager.hpp>
#include <penstock/stream/detail/guarded.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace penstock {
namespace detail {
template <class Make>
auto made_by(Make& make, std::size_t emitted) {
  if constexpr (std::invocable<Make&, std::size_t>)
    return pullable_of(std::invoke(make, emitted));
  else
    return pullable_of(std::invoke(make));
}
template <class Make>
using made_stream = decltype(made_by(std::declval<Make&>(), std::size_t{}));

template <class Make>
class retry_source_stream
    : public eager_stream<retry_source_stream<Make>, typename made_stream<Make>::value_type> {
  using T = typename made_stream<Make>::value_type;
  using base = eager_stream<retry_source_stream, T>;
  using attempt = guarded<retry_source_stream, made_stream<Make>>;
  friend base;
  friend attempt;
  friend alarm<retry_source_stream>;

 public:
  retry_source_stream(Make&& make, const retry_core::limits& l)
      : make_(std::move(make)), limits_(l), core_(l) {}
  retry_source_stream(retry_source_stream&& o)
      : base(), make_(std::move(o.make_)), limits_(o.limits_), core_(o.limits_) {}

  void open(flow& f) {
    this->open_stage(f);
    alarm_.open(*this, f);
  }

 private:
  static void fill() noexcept {}
  bool take(std::optional<T>& out) {
    for (;;) {
      if (!up_) {
        if (!alarm_.is_past(begin_at_)) return false;
        up_.emplace(made_by(make_, emitted_));
        up_->open(*this, base::of());
      }
      switch (up_->pull(out)) {
        case guarded_pull::item:
          ++emitted_;
          core_ = retry_core(limits_);  // it works: attempts are counted anew
          return true;
        case guarded_pull::end:
          ended_ = true;
          return false;
        case guarded_pull::wait:
          return false;
        case guarded_pull::failed:
          if (!failed()) return false;
      }
    }
  }
  // Whether it is tried again.
  bool failed() {
    auto why = up_->take_error();
    if (!why) return false;
    up_.reset();
    const environment& env = base::of().env();
    const auto next = core_.failed(*why, is_transient(*why), env.sched->now(),
                                   deadline{env.deadline}, env.sched->random());
    if (next.stop != retry_stop::none) {
      base::of().fail((*std::move(why)).stopped_because(next.stop));
      return false;
    }
    begin_at_ = add_saturated(env.sched->now(), next.delay);
    return true;
  }
  [[nodiscard]] bool finished() const noexcept { return ended_; }

  Make make_;
  retry_core::limits limits_;
  retry_core core_;
  alarm<retry_source_stream> alarm_;
  time_point begin_at_{};
  std::size_t emitted_ = 0;
  bool ended_ = false;
  std::optional<attempt> up_;
};
}  // namespace detail

/// The stream that `make()` returns, and when it fails another one.
///
/// **Shape.** a pause of 1 ms, made: `-a-b-#` and `-c-|` retry_source `-a-b---c-|`; out of
/// attempts: `-a-#` and `-#` retry_source `-a---#`
/// **Parameters.** `make` - a callable without parameters, or from the number of items that were
/// emitted so far (to go on behind them), to a stream; called for each attempt. `o` - attempts in a
/// row without an item, their backoff; as for `retry`.
/// **Errors.** that of the last attempt, with `why()` it was the last: not transient
/// (`is_transient`), out of attempts, past the deadline. Exceptions pass through.
/// **Ordering.** emits, backpressures and completes with the stream of the present attempt; fails
/// when no other attempt makes sense; cancels it, and the wait between two.
/// **Complexity.** eager: needs a sink. No allocation of its own.
/// **Example.** @snippet tests/stream/recover_test.cpp retry_source
template <class Make>
[[nodiscard]] auto retry_source(Make&& make, retry_options o = {}) {
  detail::check_closure<Make>();
  if (auto valid = validate(o); !valid) detail::stop_program(valid.error().message().c_str());
  return detail::retry_source_stream<std::decay_t<Make>>(
      std::decay_t<Make>(std::forward<Make>(make)),
      detail::retry_core::limits{o.attempts, o.backoff, o.max_delay});
}

}  // namespace penstock
