// penstock/stream/recover.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What becomes of the errors of a stream: another item in the place of the one that failed, none,
/// or the end. To begin the source again: retry_source.hpp.

#include <penstock/stream/detail/eager.hpp>
#include <penstock/stream/detail/guarded.hpp>
#include <penstock/stream/detail/stage_call.hpp>

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace penstock {
namespace detail {
template <class Up, class F>
class recover_stream : public eager_stream<recover_stream<Up, F>, typename Up::value_type>, pump {
  using T = typename Up::value_type;
  using base = eager_stream<recover_stream, T>;
  using call = stage_call<F, error>;
  static_assert(!Up::is_eager,
                "recover() goes on with a stream after an error: put it before eager stages");
  static_assert(std::is_same_v<typename call::value, std::optional<T>>,
                "the function of recover() returns a result<std::optional<T>>, T the item's type");
  friend base;
  friend guarded<recover_stream, Up>;

 public:
  recover_stream(Up&& up, F&& fn) : up_(std::move(up)), fn_(std::move(fn)) {}
  recover_stream(recover_stream&& o)
      : base(), pump(), up_(std::move(o.up_)), fn_(std::move(o.fn_)) {}

  void open(flow& f) {
    this->open_stage(f);
    pump::attach(f);
    up_.open(*this, f);
  }

 private:
  static void fill() noexcept {}
  bool take(std::optional<T>& out) {
    for (;;) {
      if (handling()) {
        if (!handled(out)) return false;
        if (out) return true;
        if (!spend()) return rest();
      }
      switch (up_.pull(out)) {
        case guarded_pull::item:
          return true;
        case guarded_pull::end:
          ended_ = true;
          return false;
        case guarded_pull::wait:
          return false;
        case guarded_pull::failed:
          break;
      }
      auto why = up_.take_error();
      if (!why) return false;
      if constexpr (call::is_async) {
        call_.item().emplace(*std::move(why));
        call_.begin(fn_);
      } else {
        if (!call_now(base::of(), keep(out), fn_, *std::move(why))) return false;
        up_.resume();
        if (out) return true;
        if (!spend()) return rest();
      }
    }
  }
  // Errors that were dropped without a wait: it is time for others.
  bool rest() {
    static_cast<void>(give_way());
    return false;
  }
  [[nodiscard]] bool finished() const noexcept { return ended_; }

  [[nodiscard]] bool handling() const noexcept {
    if constexpr (call::is_async)
      return call_.busy();
    else
      return false;
  }
  // Whether the function is over, and the stream goes on.
  bool handled(std::optional<T>& out) {
    if constexpr (call::is_async) {
      const pulled s = call_.advance(*this);
      if (s != pulled::item || !call_.finish(base::of(), keep(out))) return false;
      up_.resume();
    }
    return true;
  }
  static auto keep(std::optional<T>& out) noexcept {
    return [&out](std::optional<T>&& instead) { out = std::move(instead); };
  }
  step wake() noexcept override { return this->news(); }

  guarded<recover_stream, Up> up_;
  F fn_;
  bool ended_ = false;
  [[no_unique_address]] item_call<F, error> call_;
};
template <class F>
class recover_stage : public stream_stage {
 public:
  explicit recover_stage(F fn) : fn_(std::move(fn)) {}
  template <class Up>
  requires std::invocable<F&, error>
  auto over(Up&& up) && { return recover_stream<Up, F>(std::move(up), std::move(fn_)); }

 private:
  F fn_;
};
}  // namespace detail

/// Goes on after an error of the stream, as `fn(error)` says.
///
/// **Shape.** `-a-#-c-|` recover(x) `-a-x-c-|`; `-a-#-c-|` recover(nothing) `-a---c-|`
/// **Parameters.** `fn` - from the error to `result<std::optional<T>>`, or an awaitable of it: an
/// item in the place of the one that failed; none, and that one is left out; or the error that the
/// stream fails with: the same one, or another. It may send what failed to a channel of dead
/// letters first. Copied, as by `map`.
/// **Errors.** those that `fn` returns; exceptions of the stream pass through.
/// **Ordering.** emits, backpressures and completes with the stream; fails when `fn` says so;
/// cancels the stream and what `fn` awaits. What the stream can do after an error is its own
/// affair: a stage whose function has failed goes on with the next item, a file that cannot be read
/// fails again.
/// **Complexity.** eager: needs a sink; what comes before it is not. No allocation.
/// **Example.** @snippet tests/stream/recover_test.cpp recover
template <class Fn>
[[nodiscard]] auto recover(Fn&& fn) {
  detail::check_closure<Fn>();
  return detail::recover_stage<std::decay_t<Fn>>(std::forward<Fn>(fn));
}

}  // namespace penstock
