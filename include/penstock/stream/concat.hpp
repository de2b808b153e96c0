// penstock/stream/concat.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Several streams one after the other. Streams that come as items: flat_map.hpp.

#include <penstock/stream/stream.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <tuple>
#include <utility>

namespace penstock {
namespace detail {
template <class... Ups>
class concat_stream : public stream_interface<concat_stream<Ups...>> {
  static constexpr std::size_t count = sizeof...(Ups);

 public:
  using value_type = typename std::tuple_element_t<0, std::tuple<Ups...>>::value_type;
  static constexpr bool is_eager = (Ups::is_eager || ...);
  static constexpr bool is_sync = (Ups::is_sync && ...);

  explicit concat_stream(Ups&&... ups) : ups_(std::move(ups)...) {}

  void open(flow& f) {
    current([&f](auto& up) {
      up.open(f);
      return pulled::item;
    });
  }
  pulled pull(pump& p, std::optional<value_type>& out) {
    for (;;) {
      const pulled s = current([&](auto& up) { return up.pull(p, out); });
      if (s != pulled::end || !go_on(p.of())) return s;
    }
  }
  template <class Push>
  pulled drive(pump& p, std::size_t& left, Push push) {
    for (;;) {
      bool more = true;  // a stream may end with the item that is one too many
      const auto hand_on = [&](value_type&& item) { return more = push(std::move(item)); };
      const pulled s = current([&](auto& up) { return up.drive(p, left, hand_on); });
      if (s != pulled::end) return s;
      if (!more) return pulled::item;
      if (!go_on(p.of())) return pulled::end;
    }
  }

 private:
  // Opens the next one, if there is one.
  bool go_on(flow& f) {
    if (at_ + 1 == count) return false;
    ++at_;
    open(f);
    return true;
  }
  template <std::size_t Index = 0, class Use>
  pulled current(Use&& use) {
    if constexpr (Index + 1 < count) {
      if (at_ != Index) return current<Index + 1>(use);
    }
    return use(std::get<Index>(ups_));
  }

  std::tuple<Ups...> ups_;
  std::size_t at_ = 0;
};
}  // namespace detail

/// The items of `first`, then those of the next stream, and so on.
///
/// **Shape.** concat(`-1-2|`, `-3|`) `-1-2-3|`; concat(`-1-#`, `-3|`) `-1-#`
/// **Parameters.** streams of one type of items. One that is an lvalue is read where it is.
/// **Errors.** those of the streams; those behind one that fails are not asked.
/// **Suspends.** as the stream whose turn it is.
/// **Cancellation.** as that stream.
/// **Ordering.** emits with the stream whose turn it is; backpressures always: none is opened or
/// asked before its turn; completes with the last; fails with the first that fails; cancels the one
/// whose turn it is.
/// **Complexity.** streams that do not wait are fused with what follows; no allocation.
/// **Example.** @snippet tests/stream/concat_test.cpp concat
template <stream First, stream... Others>
requires(std::same_as<stream_value_t<First>, stream_value_t<Others>>&&...)
    [[nodiscard]] auto concat(First&& first, Others&&... others) {
  detail::check_aggregate<First>();
  (detail::check_aggregate<Others>(), ...);
  return detail::concat_stream<detail::pullable_t<First>, detail::pullable_t<Others>...>(
      detail::pullable_of(std::forward<First>(first)),
      detail::pullable_of(std::forward<Others>(others))...);
}

}  // namespace penstock
