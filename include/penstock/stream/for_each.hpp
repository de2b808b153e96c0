// penstock/stream/for_each.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The sink that calls a function for each item: the body of the loop that a pipeline is.

#include <penstock/stream/detail/pipeline.hpp>
#include <penstock/stream/detail/stage_call.hpp>
#include <penstock/stream/stream.hpp>

namespace penstock {
namespace detail {
template <class T, class F>
class each_caller {
  using call = stage_call<F, T>;

 public:
  using result_type = void;
  static constexpr bool is_sync = !call::is_async;

  explicit each_caller(F&& fn) : fn_(std::move(fn)) {}

  [[nodiscard]] bool busy() const noexcept {
    if constexpr (call::is_async)
      return call_.busy();
    else
      return false;
  }
  pulled push(pump& p, std::optional<T>& item) {
    if constexpr (call::is_async) {
      call_.item().emplace(*std::move(item));
      call_.begin(fn_);
      return resume(p);
    } else {
      return call_now(
                 p.of(), [](auto&&...) {}, fn_, std::move(*item))
                 ? pulled::item
                 : pulled::cut;
    }
  }
  pulled resume(pump& p) {
    if constexpr (call::is_async) {
      if (const pulled s = call_.advance(p); s != pulled::item) return s;
      return call_.finish(p.of(), [](auto&&...) {}) ? pulled::item : pulled::cut;
    } else {
      return pulled::item;
    }
  }
  template <class Up>
  pulled drive(Up& up, pump& p, std::size_t& left) {
    return up.drive(p, left, [&](T&& item) {
      return call_now(
          p.of(), [](auto&&...) {}, fn_, std::move(item));
    });
  }
  static void take() noexcept {}

 private:
  F fn_;
  [[no_unique_address]] item_call<F, T> call_;
};
template <class F>
class for_each_sink : public sink_base<for_each_sink<F>> {
 public:
  explicit for_each_sink(F fn) : fn_(std::move(fn)) {}
  template <class T>
  requires std::invocable<F&, T> each_caller<T, F> sink_for() && {
    return each_caller<T, F>(std::move(fn_));
  }

 private:
  F fn_;
};
}  // namespace detail

/// Calls `fn(item)` for each item, one after the other.
///
/// **Shape.** calls of f, and the end: `-a-b-|` for_each(f) `-a-b-|`; with f of 2 ms: `abc|`
/// for_each(f) `a-b-c-|`
/// **Parameters.** `fn` - from an item (an rvalue) to nothing or `result<>`, or an awaitable of
/// either; what else it returns is ignored. Copied, as by `map`.
/// **Result.** `result<>` of the pipeline.
/// **Errors.** those of the stream and of `fn`; an exception of `fn` passes through.
/// **Suspends.** as the stream and `fn` do. Eager stages go on while `fn` waits.
/// **Cancellation.** stops `fn` and the stream and waits for what they have begun.
/// **Ordering.** emits its result when the stream has ended and the last call; backpressures while
/// `fn` works; completes with the stream; fails with the stream or `fn`, at once; cancels the
/// stream and what `fn` awaits.
/// **Lifetime.** the item lives until what `fn` returned has ended.
/// **Example.** @snippet tests/stream/for_each_test.cpp for_each
template <class Fn>
[[nodiscard]] auto for_each(Fn&& fn) {
  detail::check_closure<Fn>();
  return detail::for_each_sink<std::decay_t<Fn>>(std::forward<Fn>(fn));
}

}  // namespace penstock
