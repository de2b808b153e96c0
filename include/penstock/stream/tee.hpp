// penstock/stream/tee.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Several sinks for one stream. Something on the way to one sink: tap.hpp.

#include <penstock/stream/detail/pipeline.hpp>

#include <cstddef>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace penstock {
namespace detail {
template <class Sink>
using tee_part = std::conditional_t<std::is_void_v<typename Sink::result_type>, std::monostate,
                                    typename Sink::result_type>;

template <class T, class Indices, class... Sinks>
class tee_of;
template <class T, std::size_t... Index, class... Sinks>
class tee_of<T, std::index_sequence<Index...>, Sinks...> {
 public:
  using result_type = std::tuple<tee_part<Sinks>...>;
  static constexpr bool is_sync = false;

  explicit tee_of(Sinks&&... sinks) : sinks_(std::move(sinks)...) {}

  void open(flow& f) { (open_one(std::get<Index>(sinks_), f), ...); }
  [[nodiscard]] bool busy() const noexcept { return (std::get<Index>(sinks_).busy() || ...); }
  // Each gets the item, the last one itself; then those that wait are waited for.
  pulled push(pump& p, std::optional<T>& item) {
    pulled all = pulled::item;
    static_cast<void>((push_one<Index>(p, item, all) && ...));
    return all;
  }
  pulled resume(pump& p) {
    pulled all = pulled::item;
    static_cast<void>((resume_one(std::get<Index>(sinks_), p, all) && ...));
    return all;
  }
  pulled finish(pump& p) {
    pulled all = pulled::item;
    static_cast<void>((finish_one<Index>(p, all) && ...));
    return all;
  }
  void abort(const error* why) noexcept { (abort_one(std::get<Index>(sinks_), why), ...); }
  result_type take() { return result_type(take_one(std::get<Index>(sinks_))...); }

 private:
  // `all` is what all have said: the worst. False: it is over.
  static bool joined(pulled one, pulled& all) noexcept {
    if (one == pulled::cut) all = one;
    if (one == pulled::wait && all == pulled::item) all = one;
    return all != pulled::cut;
  }
  template <std::size_t Nth>
  bool push_one(pump& p, std::optional<T>& item, pulled& all) {
    if constexpr (Nth + 1 == sizeof...(Sinks)) {
      return joined(std::get<Nth>(sinks_).push(p, item), all);
    } else {
      std::optional<T> copy(std::as_const(*item));
      return joined(std::get<Nth>(sinks_).push(p, copy), all);
    }
  }
  template <class Sink>
  static bool resume_one(Sink& s, pump& p, pulled& all) {
    return !s.busy() || joined(s.resume(p), all);
  }
  template <std::size_t Nth>
  bool finish_one(pump& p, pulled& all) {
    if constexpr (requires { std::get<Nth>(sinks_).finish(p); }) {
      if (finished_[Nth]) return true;
      const pulled one = std::get<Nth>(sinks_).finish(p);
      finished_[Nth] = one == pulled::item;
      return joined(one, all);
    } else {
      return true;
    }
  }
  template <class Sink>
  static void open_one(Sink& s, flow& f) {
    if constexpr (requires { s.open(f); }) s.open(f);
  }
  template <class Sink>
  static void abort_one(Sink& s, const error* why) noexcept {
    if constexpr (requires { s.abort(why); }) s.abort(why);
  }
  template <class Sink>
  static tee_part<Sink> take_one(Sink& s) {
    if constexpr (std::is_void_v<typename Sink::result_type>)
      return {};
    else
      return s.take();
  }

  std::tuple<Sinks...> sinks_;
  bool finished_[sizeof...(Sinks)] = {};
};
template <class Description, class T>
concept is_sink_for = requires(Description&& d) {
  std::move(d).template sink_for<T>();
};
template <class... Descriptions>
class tee_sink : public sink_base<tee_sink<Descriptions...>> {
 public:
  static constexpr need needs = need::copies;

  explicit tee_sink(Descriptions&&... d) : all_(std::move(d)...) {}
  template <class T>
  requires(std::copy_constructible<T> && (... && is_sink_for<Descriptions, T>)) auto sink_for() && {
    return std::apply(
        [](auto&... d) {
          return tee_of<T, std::index_sequence_for<Descriptions...>,
                        decltype(std::move(d).template sink_for<T>())...>(
              std::move(d).template sink_for<T>()...);
        },
        all_);
  }

 private:
  std::tuple<Descriptions...> all_;
};
}  // namespace detail

/// Gives each item to all sinks.
///
/// **Shape.** `-1-2-|` tee(fold(0, sum), count()) `-----[32]`
/// **Parameters.** `sinks` - two or more. Items are copied for all but the last.
/// **Result.** `result<std::tuple<...>>` of the pipeline: the results of the sinks,
/// `std::monostate` of one that has none.
/// **Errors.** those of the stream and of the sinks: the first ends all, and each sink aborts. At
/// the end of the stream each ends by itself: a channel that is closed then, a file that is there,
/// stays so when another sink fails.
/// **Suspends.** until all sinks have taken an item, and as the stream does: the slowest sets the
/// pace. `buffered` in front lets the stream go on meanwhile.
/// **Cancellation.** stops all.
/// **Ordering.** emits its result when all sinks have theirs; backpressures while one of them does;
/// completes with the stream; fails with the stream or the first sink that does, at once; cancels
/// the stream and all sinks.
/// **Complexity.** no allocation but those of copies; a `buffer` is copied as a reference.
/// **Example.** @snippet tests/stream/to_channel_test.cpp tee
template <class... Sinks>
requires(sizeof...(Sinks) > 1 && (detail::sink<Sinks> && ...))
    [[nodiscard]] auto tee(Sinks&&... sinks) {
  return detail::tee_sink<std::decay_t<Sinks>...>(
      std::decay_t<Sinks>(std::forward<Sinks>(sinks))...);
}

}  // namespace penstock
