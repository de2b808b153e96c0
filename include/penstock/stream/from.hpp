// penstock/stream/from.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A stream of the elements of a range that is there already. For a file see io/read_chunks.hpp.

#include <penstock/stream/stream.hpp>

#include <iterator>

namespace penstock {
namespace detail {
// R is Range& or Range.
template <class R>
class from_stream : public stream_interface<from_stream<R>> {
  using plain = std::remove_reference_t<R>;
  using iterator = decltype(std::begin(std::declval<plain&>()));
  using sentinel = decltype(std::end(std::declval<plain&>()));
  static constexpr bool owns = !std::is_reference_v<R>;

 public:
  using value_type = std::iter_value_t<iterator>;
  static constexpr bool is_eager = false;
  static constexpr bool is_sync = true;

  explicit from_stream(R&& range) : range_(std::forward<R>(range)) {}
  // Iterators of some ranges do not survive a move: they are taken where the stream stays.
  from_stream(from_stream&& o) : range_(std::forward<R>(o.range_)) {
    PENSTOCK_ASSERT(!o.at_, "a stream is moved only before it is read");
  }

  void open(flow&) {
    if (at_) return;
    at_.emplace(std::begin(range_));
    end_.emplace(std::end(range_));
  }
  pulled pull(pump&, std::optional<value_type>& out) {
    if (*at_ == *end_) return pulled::end;
    out.emplace(take(*at_));
    ++*at_;
    return pulled::item;
  }
  template <class Push>
  pulled drive(pump&, std::size_t& left, Push push) {
    struct position {  // where it is goes back, by an exception too
      from_stream& of;
      iterator at;
      ~position() { of.at_.emplace(std::move(at)); }
    } now{*this, std::move(*at_)};
    for (; left != 0; --left) {
      if (now.at == *end_) return pulled::end;
      value_type item(take(now.at));
      ++now.at;
      if (!push(std::move(item))) return pulled::item;
    }
    return pulled::wait;
  }

 private:
  static decltype(auto) take(iterator& at) {
    if constexpr (owns)
      return std::ranges::iter_move(at);
    else
      return *at;
  }

  R range_;
  std::optional<iterator> at_;
  std::optional<sentinel> end_;
};
}  // namespace detail

/// The elements of `range`, one after the other.
///
/// **Shape.** of "abc": `(abc|)`; with a consumer that is busy for 2 ms: `a-b-c-|`
/// **Parameters.** `range` - anything that a `for` loop takes. An lvalue is referred to and copied
/// from; an rvalue is kept and moved from.
/// **Errors.** none of its own; what the iterators throw passes through.
/// **Suspends.** never.
/// **Ordering.** emits when pulled, all in one turn; backpressures always: it is read only when
/// pulled; completes after the last element; fails never, but for what an iterator throws; cancels
/// nothing: there is no wait in it.
/// **Complexity.** no allocation.
/// **Lifetime.** a range that is an lvalue must outlive the stream.
/// **Example.** @snippet tests/stream/from_test.cpp from
template <class Range>
requires requires(std::remove_reference_t<Range>& r) { std::begin(r) != std::end(r); }
[[nodiscard]] auto from(Range&& range) {
  return detail::from_stream<Range>(std::forward<Range>(range));
}

}  // namespace penstock
