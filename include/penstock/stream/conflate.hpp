// penstock/stream/conflate.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Makes one item of all that come while the consumer is busy. To keep several: buffered.hpp.

#include <penstock/core/with_group.hpp>
#include <penstock/stream/detail/eager.hpp>

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace penstock {
namespace detail {
struct keep_newest {
  template <class T>
  T operator()(T&&, T&& item) const {
    return std::move(item);
  }
};
template <class Up, class F>
class conflate_stream : public eager_stream<conflate_stream<Up, F>, typename Up::value_type> {
  using base = eager_stream<conflate_stream, typename Up::value_type>;
  using T = typename Up::value_type;
  using source = branch<conflate_stream, Up>;
  friend base;
  friend source;

 public:
  conflate_stream(Up&& up, F&& fn) : up_(std::move(up)), fn_(std::move(fn)) {}

  void open(flow& f) {
    this->open_stage(f);
    up_.open(*this, f);
  }

 private:
  bool wants(source&) const noexcept { return true; }
  void put(source&, T&& item) {
    if (held_) {
      T both = std::invoke(fn_, *std::move(held_), std::move(item));
      held_.emplace(std::move(both));
    } else {
      held_.emplace(std::move(item));
    }
  }
  void fill() { up_.fill(); }
  bool take(std::optional<T>& out) {
    if (!held_) return false;
    out = std::exchange(held_, std::nullopt);
    return true;
  }
  [[nodiscard]] bool finished() const noexcept { return up_.ended(); }

  source up_;
  F fn_;
  std::optional<T> held_;
};
template <class F>
class conflate_stage : public stream_stage {
 public:
  explicit conflate_stage(F fn) : fn_(std::move(fn)) {}
  template <class Up>
  auto over(Up&& up) && {
    return conflate_stream<Up, F>(std::move(up), std::move(fn_));
  }

 private:
  F fn_;
};
}  // namespace detail

/// Merges what comes while the consumer is busy: the newest item, or what `fn` makes of them.
///
/// **Shape.** with a consumer that is busy for 5 ms: `x-123---45-|` conflate() `x----3----5----|`;
/// `x-12#` conflate() `x---#`
/// **Parameters.** `fn` - from the item that is held and the new one (both rvalues) to the one that
/// is held then; it does not wait. The newest by default. Copied, as by `map`.
/// **Errors.** an exception of `fn` is the stream's.
/// **Ordering.** emits when there is something and the consumer asks; backpressures never;
/// completes when the stream has ended and what is held is emitted; fails with the stream; cancels
/// the stream.
/// **Complexity.** eager: needs a sink. No allocation.
/// **Example.** @snippet tests/stream/buffered_test.cpp conflate
template <class Fn = detail::keep_newest>
[[nodiscard]] auto conflate(Fn&& fn = {}) {
  detail::check_closure<Fn>();
  return detail::conflate_stage<std::decay_t<Fn>>(std::forward<Fn>(fn));
}

}  // namespace penstock
