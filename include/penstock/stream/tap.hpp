// penstock/stream/tap.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Looks at each item and passes it on: counters, checksums, progress.

#include <penstock/stream/detail/stage_call.hpp>
#include <penstock/stream/stream.hpp>

namespace penstock {
namespace detail {
template <class Up, class F>
class tap_stream : public stream_interface<tap_stream<Up, F>> {
 public:
  using value_type = typename Up::value_type;
  static constexpr bool is_eager = Up::is_eager;

  tap_stream(Up&& up, F&& fn) : up_(std::move(up)), fn_(std::move(fn)) {}

  void open(flow& f) { up_.open(f); }
  pulled pull(pump& p, std::optional<value_type>& out) {
    if constexpr (call::is_async) {
      if (!call_.busy()) {
        if (const pulled s = up_.pull(p, call_.item()); s != pulled::item) return s;
        call_.begin(fn_);
      }
      if (const pulled s = call_.advance(p); s != pulled::item) return s;
      const auto emit = [&](auto&&...) { out.emplace(std::move(*call_.item())); };
      return call_.finish(p.of(), emit) ? pulled::item : pulled::cut;
    } else {
      if (const pulled s = up_.pull(p, out); s != pulled::item) return s;
      return call_now(
                 p.of(), [](auto&&...) {}, fn_, std::as_const(*out))
                 ? pulled::item
                 : pulled::cut;
    }
  }

 private:
  using call = stage_call<F, const value_type&>;
  Up up_;
  F fn_;
  [[no_unique_address]] item_call<F, value_type, const value_type&> call_;
};

template <class F>
class tap_stage : public stream_stage {
 public:
  explicit tap_stage(F fn) : fn_(std::move(fn)) {}
  template <class Up>
  requires std::invocable<F&, const typename Up::value_type&>
  auto over(Up&& up) && { return tap_stream<Up, F>(std::move(up), std::move(fn_)); }

 private:
  F fn_;
};
}  // namespace detail

/// Calls `fn(item)` for each item and passes the item on unchanged.
///
/// **Shape.** `-a-b-|` tap(see) `-a-b-|`, with see(a) before a
/// **Parameters.** `fn` - from `const T&` to nothing or `result<>`, or an awaitable of either; what
/// else it returns is ignored. Copied, as by `map`.
/// **Errors.** an error or exception of `fn` is the stream's.
/// **Ordering.** emits when `fn` has ended; backpressures always; completes and fails with the
/// stream; cancels what `fn` awaits.
/// **Complexity.** a function that does not wait is fused with its neighbours; no allocation.
template <class Fn>
[[nodiscard]] auto tap(Fn&& fn) {
  detail::check_closure<Fn>();
  return detail::tap_stage<std::decay_t<Fn>>(std::forward<Fn>(fn));
}

}  // namespace penstock
