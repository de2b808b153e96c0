// penstock/stream/scan.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Each item taken into a value, which is emitted each time: running sums, states. Only the last
/// one: fold.hpp.

#include <penstock/stream/detail/accumulate.hpp>
#include <penstock/stream/stream.hpp>

#include <type_traits>
#include <utility>

namespace penstock {
namespace detail {
template <class Up, class Acc, class F>
class scan_stream : public stream_interface<scan_stream<Up, Acc, F>> {
  using input = typename Up::value_type;
  using step_type = accumulator<input, Acc, F>;

 public:
  using value_type = Acc;
  static constexpr bool is_eager = Up::is_eager;
  static constexpr bool is_sync = Up::is_sync && !step_type::is_async;

  scan_stream(Up&& up, Acc&& first, F&& fn)
      : up_(std::move(up)), step_(std::move(first), std::move(fn)) {}

  void open(flow& f) { up_.open(f); }
  pulled pull(pump& p, std::optional<Acc>& out) {
    const auto emit = [&](auto&& next) {
      step_.set(std::forward<decltype(next)>(next));
      out.emplace(std::as_const(step_.value()));
    };
    if constexpr (step_type::is_async) {
      if (!call_.busy()) {
        if (const pulled s = up_.pull(p, call_.item()); s != pulled::item) return s;
        call_.begin(step_);
      }
      if (const pulled s = call_.advance(p); s != pulled::item) return s;
      return call_.finish(p.of(), emit) ? pulled::item : pulled::cut;
    } else {
      std::optional<input> in;
      if (const pulled s = up_.pull(p, in); s != pulled::item) return s;
      return call_now(p.of(), emit, step_, std::move(*in)) ? pulled::item : pulled::cut;
    }
  }
  template <class Push>
  pulled drive(pump& p, std::size_t& left, Push push) {
    return step_.drive(up_, p, left, [&](const Acc& value) { return push(Acc(value)); });
  }

 private:
  Up up_;
  step_type step_;
  [[no_unique_address]] item_call<step_type, input> call_;
};
template <class Acc, class F>
class scan_stage : public stream_stage {
 public:
  scan_stage(Acc first, F fn) : first_(std::move(first)), fn_(std::move(fn)) {}
  template <class Up>
  requires std::invocable<F&, Acc, typename Up::value_type>
  auto over(Up&& up) && {
    return scan_stream<Up, Acc, F>(std::move(up), std::move(first_), std::move(fn_));
  }

 private:
  Acc first_;
  F fn_;
};
}  // namespace detail

/// The value after each item: `value = fn(value, item)`, from `first` on, which is not emitted.
///
/// **Shape.** `-1-2-3-|` scan(0, sum) `-1-3-6-|`
/// **Parameters.** `first` - the value before any item; copied for each item that is emitted. On
/// g++ 12 an aggregate with members that are not trivially copyable has a name, or a constructor.
/// `fn` - from the value and an item (both rvalues) to the next value, a `result` of it, or an
/// awaitable of either. Copied, as by `map`.
/// **Errors.** an error or exception of `fn` is the stream's; the value that it took is lost then.
/// **Ordering.** emits when `fn` has ended; backpressures always; completes and fails with the
/// stream; cancels what `fn` awaits.
/// **Complexity.** a function that does not wait is fused with its neighbours; no allocation but
/// those of copies of the value.
/// **Example.** @snippet tests/stream/scan_test.cpp scan
template <class Acc, class Fn>
[[nodiscard]] auto scan(Acc&& first, Fn&& fn) {
  detail::check_aggregate<Acc>();
  detail::check_closure<Fn>();
  return detail::scan_stage<std::decay_t<Acc>, std::decay_t<Fn>>(std::forward<Acc>(first),
                                                                 std::forward<Fn>(fn));
}

}  // namespace penstock
