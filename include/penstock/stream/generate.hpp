// penstock/stream/generate.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A stream of what a function gives, call by call: cursors, pages, counters. Of a range that is
/// there already: from.hpp.

#include <penstock/stream/detail/await_slot.hpp>
#include <penstock/stream/detail/stage_call.hpp>
#include <penstock/stream/stream.hpp>

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace penstock {
namespace detail {
template <class F>
class generate_stream : public stream_interface<generate_stream<F>> {
  using call = stage_call<F>;
  using given = typename call::value;  // std::optional<T>
  struct no_slot {};
  template <bool Async, class Returned>
  struct slot_of {
    using type = no_slot;
  };
  template <class Returned>
  struct slot_of<true, Returned> {
    using type = await_slot<awaiter_t<Returned>>;
  };

 public:
  using value_type = typename given::value_type;
  static constexpr bool is_eager = false;
  static constexpr bool is_sync = true;

  explicit generate_stream(F fn) : fn_(std::move(fn)) {}

  void open(flow&) noexcept {}
  pulled pull(pump& p, std::optional<value_type>& out) {
    if (ended_) return pulled::end;
    const auto keep = [&out](given&& next) { out = std::move(next); };
    if constexpr (call::is_async) {
      if (!slot_.busy()) slot_.set(std::invoke(fn_));
      if (const pulled s = slot_.advance(p); s != pulled::item) return s;
      if (!open_result(p.of(), slot_.take(), keep)) return pulled::cut;
    } else {
      if (!call_now(p.of(), keep, fn_)) return pulled::cut;
    }
    if (out) return pulled::item;
    ended_ = true;
    return pulled::end;
  }
  template <class Push>
  pulled drive(pump& p, std::size_t& left, Push push) {
    return drive_pulled(*this, p, left, push);
  }

 private:
  F fn_;
  bool ended_ = false;
  [[no_unique_address]] typename slot_of<call::is_async, typename call::returned>::type slot_;
};
template <class T>
inline constexpr bool is_optional_v = false;
template <class T>
inline constexpr bool is_optional_v<std::optional<T>> = true;
}  // namespace detail

/// What `fn()` gives, until it gives no value.
///
/// **Shape.** fn() = 1, 2, none, after 2 ms each: `--1-2-|`; 1 and an error: `--1-#`; with a
/// consumer that is busy for 3 ms: `--1----2----|`
/// **Parameters.** `fn` - from nothing to `std::optional<T>` or a `result` of it, or an awaitable
/// of either. Copied, as by `map`.
/// **Errors.** an error or exception of `fn` is the stream's; who reads on calls it again.
/// **Suspends.** as what `fn` returns does.
/// **Ordering.** emits when `fn` has given a value; backpressures always: it is called when pulled;
/// completes when it gives none, and is not called again; fails with it; cancels what it awaits.
/// **Complexity.** a function that does not wait is the loop of its pipeline; no allocation.
/// **Example.** @snippet tests/stream/generate_test.cpp generate
template <class Fn>
requires detail::is_optional_v<typename detail::stage_call<std::decay_t<Fn>>::value>
[[nodiscard]] auto generate(Fn&& fn) {
  detail::check_closure<Fn>();
  return detail::generate_stream<std::decay_t<Fn>>(std::forward<Fn>(fn));
}

}  // namespace penstock
