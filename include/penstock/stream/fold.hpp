// penstock/stream/fold.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The sinks that keep one value: fold, count, drain. The value after each item: scan.hpp.

#include <penstock/stream/detail/accumulate.hpp>
#include <penstock/stream/detail/pipeline.hpp>
#include <penstock/stream/stream.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace penstock {
namespace detail {
template <class T, class Acc, class F>
class folder {
  using step_type = accumulator<T, Acc, F>;

 public:
  using result_type = Acc;
  static constexpr bool is_sync = !step_type::is_async;

  folder(Acc&& first, F&& fn) : step_(std::move(first), std::move(fn)) {}

  [[nodiscard]] bool busy() const noexcept {
    if constexpr (step_type::is_async)
      return call_.busy();
    else
      return false;
  }
  pulled push(pump& p, std::optional<T>& item) {
    if constexpr (step_type::is_async) {
      call_.item().emplace(*std::move(item));
      call_.begin(step_);
      return resume(p);
    } else {
      return call_now(p.of(), keep(), step_, *std::move(item)) ? pulled::item : pulled::cut;
    }
  }
  pulled resume(pump& p) {
    if constexpr (step_type::is_async) {
      if (const pulled s = call_.advance(p); s != pulled::item) return s;
      return call_.finish(p.of(), keep()) ? pulled::item : pulled::cut;
    } else {
      return pulled::item;
    }
  }
  template <class Up>
  pulled drive(Up& up, pump& p, std::size_t& left) {
    return step_.drive(up, p, left, [](const Acc&) { return true; });
  }
  Acc take() { return std::move(step_.value()); }

 private:
  auto keep() noexcept {
    return [this](auto&& next) { step_.set(std::forward<decltype(next)>(next)); };
  }

  step_type step_;
  [[no_unique_address]] item_call<step_type, T> call_;
};
template <class Acc, class F>
class fold_sink : public sink_base<fold_sink<Acc, F>> {
 public:
  fold_sink(Acc first, F fn) : first_(std::move(first)), fn_(std::move(fn)) {}
  template <class T>
  requires std::invocable<F&, Acc, T> folder<T, Acc, F> sink_for() && {
    return folder<T, Acc, F>(std::move(first_), std::move(fn_));
  }

 private:
  Acc first_;
  F fn_;
};
struct count_one {
  template <class T>
  constexpr std::size_t operator()(std::size_t n, const T&) const noexcept {
    return n + 1;
  }
};
}  // namespace detail

/// One value from all items: `value = fn(value, item)`, from `first` on.
///
/// **Shape.** `-1-2-3-|` fold(0, sum) `-------6`
/// **Parameters.** as for `scan`; nothing is copied for an item.
/// **Result.** `result<Acc>` of the pipeline: `first` for a stream without items.
/// **Errors.** those of the stream and of `fn`; an exception of `fn` passes through.
/// **Suspends.** as the stream and `fn` do.
/// **Cancellation.** stops `fn` and the stream, waits for what they have begun, drops the value.
/// **Ordering.** emits its result when the stream has ended; backpressures while `fn` works;
/// completes with the stream; fails with the stream or `fn`, at once; cancels the stream and what
/// `fn` awaits.
/// **Complexity.** a function that does not wait is fused with the stages; no allocation.
/// **Example.** @snippet tests/stream/scan_test.cpp fold
template <class Acc, class Fn>
[[nodiscard]] auto fold(Acc&& first, Fn&& fn) {
  detail::check_aggregate<Acc>();
  detail::check_closure<Fn>();
  return detail::fold_sink<std::decay_t<Acc>, std::decay_t<Fn>>(std::forward<Acc>(first),
                                                                std::forward<Fn>(fn));
}

/// How many items there are.
///
/// **Shape.** `-a-b-c-|` count() `-------3`
/// **Result.** `result<std::size_t>` of the pipeline.
/// **Errors.** those of the stream.
/// **Suspends.** as the stream does.
/// **Cancellation.** as `fold`.
/// **Ordering.** emits its result when the stream has ended; backpressures never; completes and
/// fails with the stream; cancels the stream.
/// **Example.** @snippet tests/stream/scan_test.cpp count
[[nodiscard]] inline auto count() { return fold(std::size_t{0}, detail::count_one()); }

}  // namespace penstock
