// penstock/stream/map.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Turns each item into another one, one at a time. To work on several at once: map_concurrent.hpp.

#include <penstock/stream/detail/stage_call.hpp>
#include <penstock/stream/stream.hpp>

namespace penstock {
namespace detail {
template <class Up, class F>
class map_stream : public stream_interface<map_stream<Up, F>> {
  using input = typename Up::value_type;
  using call = stage_call<F, input>;

 public:
  using value_type = typename call::value;
  static constexpr bool is_eager = Up::is_eager;
  static constexpr bool is_sync = Up::is_sync && !call::is_async;
  static_assert(!std::is_void_v<value_type>,
                "map() needs a function that returns something: tap()");

  map_stream(Up&& up, F&& fn) : up_(std::move(up)), fn_(std::move(fn)) {}

  void open(flow& f) { up_.open(f); }
  pulled pull(pump& p, std::optional<value_type>& out) {
    const auto emit = [&out](auto&& v) { out.emplace(std::forward<decltype(v)>(v)); };
    if constexpr (call::is_async) {
      if (!call_.busy()) {
        if (const pulled s = up_.pull(p, call_.item()); s != pulled::item) return s;
        call_.begin(fn_);
      }
      if (const pulled s = call_.advance(p); s != pulled::item) return s;
      return call_.finish(p.of(), emit) ? pulled::item : pulled::cut;
    } else {
      std::optional<input> in;
      if (const pulled s = up_.pull(p, in); s != pulled::item) return s;
      return call_now(p.of(), emit, fn_, std::move(*in)) ? pulled::item : pulled::cut;
    }
  }
  template <class Push>
  pulled drive(pump& p, std::size_t& left, Push push) {
    return up_.drive(p, left, [&](input&& in) {
      bool more = true;
      const auto emit = [&](auto&& v) { more = push(value_type(std::forward<decltype(v)>(v))); };
      return call_now(p.of(), emit, fn_, std::move(in)) && more;
    });
  }

 private:
  Up up_;
  F fn_;
  [[no_unique_address]] item_call<F, input> call_;
};

template <class F>
class map_stage : public stream_stage {
 public:
  explicit map_stage(F fn) : fn_(std::move(fn)) {}
  template <class Up>
  requires std::invocable<F&, typename Up::value_type>
  auto over(Up&& up) && { return map_stream<Up, F>(std::move(up), std::move(fn_)); }

 private:
  F fn_;
};
}  // namespace detail

/// Each item as `fn(item)`.
///
/// **Shape.** `-a-b-c-|` map(upper) `-A-B-C-|`; with a consumer that is busy for 3 ms: `abc|`
/// map(upper) `A--B--C--|`
/// **Parameters.** `fn` - from an item (an rvalue) to `T`, `result<T>`, or an awaitable of either.
/// Copied; on g++ 12 a temporary closure must be trivially copyable (`[&]` is): else name it.
/// **Errors.** an error or exception of `fn` is the stream's.
/// **Ordering.** emits when `fn` has ended; backpressures always: one item at a time; completes and
/// fails with the stream; cancels what `fn` awaits.
/// **Complexity.** a function that does not wait is fused with its neighbours; no allocation.
/// **Lifetime.** the item lives until what `fn` returned has ended.
/// **Example.** @snippet tests/stream/map_test.cpp map
template <class Fn>
[[nodiscard]] auto map(Fn&& fn) {
  detail::check_closure<Fn>();
  return detail::map_stage<std::decay_t<Fn>>(std::forward<Fn>(fn));
}

}  // namespace penstock
