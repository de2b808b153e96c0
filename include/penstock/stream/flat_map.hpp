// penstock/stream/flat_map.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Many items from each: the lines of each file, the records of each page. Streams that are known
/// before: concat.hpp.

#include <penstock/stream/detail/await_slot.hpp>
#include <penstock/stream/detail/stage_call.hpp>
#include <penstock/stream/from.hpp>
#include <penstock/stream/stream.hpp>

#include <concepts>
#include <cstddef>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>

namespace penstock {
namespace detail {
// What a function of flat_map() gives, as a stream that is pulled.
template <class S>
auto inner_of(S&& s) {
  if constexpr (stream<S>)
    return pullable_of(std::remove_cvref_t<S>(std::forward<S>(s)));
  else
    return from(std::remove_cvref_t<S>(std::forward<S>(s)));
}

template <class Call, class T>
struct call_place_of {
  using type = std::optional<T>;
};
template <class Call, class T>
requires(Call::is_async) struct call_place_of<Call, T> {
  using type = await_slot<awaiter_t<typename Call::returned>, std::optional<T>>;
};
template <class Call, class T>
using call_place = typename call_place_of<Call, T>::type;

template <class Up, class F>
class flat_map_stream : public stream_interface<flat_map_stream<Up, F>> {
  using input = typename Up::value_type;
  using call = stage_call<F, input>;
  using inner = decltype(inner_of(std::declval<typename call::value>()));
  static_assert(!inner::is_eager, "an eager stage needs its pipeline: put it behind flat_map()");

 public:
  using value_type = typename inner::value_type;
  static constexpr bool is_eager = Up::is_eager;
  static constexpr bool is_sync = Up::is_sync && !call::is_async && inner::is_sync;

  flat_map_stream(Up&& up, F&& fn) : up_(std::move(up)), fn_(std::move(fn)) {}

  void open(flow& f) {
    up_.open(f);
    if (inner_) inner_->open(f);
  }
  pulled pull(pump& p, std::optional<value_type>& out) {
    for (;;) {
      if (inner_) {
        if (const pulled s = inner_->pull(p, out); s != pulled::end) return s;
        drop();
      }
      if (const pulled s = next_inner(p); s != pulled::item) return s;
      if (!p.spend()) return p.give_way();
    }
  }
  template <class Push>
  pulled drive(pump& p, std::size_t& left, Push push) {
    pulled last = drive_inner(p, left, push);
    if (last != pulled::end) return last;
    const pulled s = up_.drive(p, left, [&](input&& in) {
      item().emplace(std::move(in));
      last = pulled::cut;
      if (call_inner(p.of())) last = drive_inner(p, left, push);
      return last == pulled::end;
    });
    return last == pulled::end ? s : last;
  }

 private:
  // An item that gave no stream is dropped, after an exception too.
  struct item_guard {
    flat_map_stream* of;
    ~item_guard() {
      if (!of->inner_) of->item().reset();
    }
  };

  // `item`: there is an inner stream.
  pulled next_inner(pump& p) {
    if constexpr (call::is_async) {
      if (!call_.busy()) {
        if (const pulled s = up_.pull(p, item()); s != pulled::item) return s;
        begin();
      }
      if (const pulled s = call_.advance(p); s != pulled::item) return s;
      const item_guard guard{this};
      if (!open_result(p.of(), call_.take(), keep(p.of()))) return pulled::cut;
      return p.of().is_cut() ? pulled::cut : pulled::item;
    } else {
      if (const pulled s = up_.pull(p, item()); s != pulled::item) return s;
      return call_inner(p.of()) ? pulled::item : pulled::cut;
    }
  }
  void begin() {
    try {
      call_.set(std::invoke(fn_, std::move(*item())));
    } catch (...) {
      item().reset();
      throw;
    }
  }
  bool call_inner(flow& f) {
    const item_guard guard{this};
    return call_now(f, keep(f), fn_, std::move(*item())) && !f.is_cut();
  }
  // `end`: the inner stream is through, and more is wanted.
  template <class Push>
  pulled drive_inner(pump& p, std::size_t& left, Push& push) {
    if (!inner_) return pulled::end;
    bool more = true;  // a stream may end with the item that is one too many
    const auto hand_on = [&](value_type&& out) { return more = push(std::move(out)); };
    const pulled s = inner_->drive(p, left, hand_on);
    if (s != pulled::end) return s;
    drop();
    return more ? pulled::end : pulled::item;
  }
  auto keep(flow& f) noexcept {
    return [this, &f](auto&& next) {
      inner_.emplace(inner_of(std::forward<decltype(next)>(next)));
      inner_->open(f);
    };
  }
  std::optional<input>& item() noexcept {
    if constexpr (call::is_async)
      return call_.item();
    else
      return call_;
  }
  void drop() noexcept {
    inner_.reset();
    item().reset();
  }

  Up up_;
  F fn_;
  call_place<call, input> call_;  // the item, which the inner stream may refer to, and its call
  std::optional<inner> inner_;
};

template <class F>
class flat_map_stage : public stream_stage {
 public:
  explicit flat_map_stage(F fn) : fn_(std::move(fn)) {}
  template <class Up>
  requires std::invocable<F&, typename Up::value_type>
  auto over(Up&& up) && { return flat_map_stream<Up, F>(std::move(up), std::move(fn_)); }

 private:
  F fn_;
};
}  // namespace detail

/// All items of what `fn(item)` is, then those of the next one.
///
/// **Shape.** `-2-3-|` flat_map(x -> 1...x) `-(12)-(123)-|`
/// **Parameters.** `fn` - from an item (an rvalue) to a stream or a range, a `result` of one, or an
/// awaitable of either. Copied, as by `map`. What it returns is kept, not referred to; a stream
/// with an eager stage does not compile.
/// **Errors.** an error or exception of `fn` or of what it returned is the stream's.
/// **Ordering.** emits with the inner stream; backpressures always: `fn` is called when the stream
/// before is through; completes when the outer stream has, and the last inner one; fails with
/// either; cancels what `fn` and the inner stream await.
/// **Complexity.** where nothing waits, fused with its neighbours; no allocation of its own.
/// **Lifetime.** the item lives until the stream that `fn` gave for it has ended.
/// **Example.** @snippet tests/stream/flat_map_test.cpp flat_map
template <class Fn>
[[nodiscard]] auto flat_map(Fn&& fn) {
  detail::check_closure<Fn>();
  return detail::flat_map_stage<std::decay_t<Fn>>(std::forward<Fn>(fn));
}

}  // namespace penstock
