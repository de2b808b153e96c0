// penstock/stream/receive.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What comes out of a channel, as a stream: the end of a hand-over between tasks, as the source of
/// a pipeline.

#include <penstock/stream/detail/await_slot.hpp>
#include <penstock/stream/stream.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace penstock {
namespace detail {
template <class C>
using received_t = await_result_t<decltype(std::declval<C&>().receive())>;

// C is Channel& or Channel.
template <class C>
class receive_stream : public stream_interface<receive_stream<C>> {
  using plain = std::remove_reference_t<C>;

 public:
  using value_type = typename received_t<plain>::value_type;
  static constexpr bool is_eager = false;

  explicit receive_stream(C&& from) : from_(std::forward<C>(from)) {}
  receive_stream(receive_stream&& o)
      : stream_interface<receive_stream>(), from_(std::forward<C>(o.from_)) {}  // before it is read

  void open(flow&) noexcept {}
  pulled pull(pump& p, std::optional<value_type>& out) {
    if (!slot_.busy()) slot_.set(from_.receive());
    if (const pulled s = slot_.advance(p); s != pulled::item) return s;
    auto received = slot_.take();
    if (received) {
      out.emplace(*std::move(received));
      return pulled::item;
    }
    if (received.error() == errc::closed) return pulled::end;
    p.of().fail(std::move(received).error());
    return pulled::cut;
  }

 private:
  C from_;
  await_slot<awaiter_t<decltype(std::declval<plain&>().receive())>> slot_;
};
}  // namespace detail

/// What `from.receive()` gives, until it is closed.
///
/// **Shape.** of what is sent: `-a-b-|` receive(c) `-a-b-|`; with a consumer that is busy for 2 ms:
/// `(abcd)|` receive(c) `a-b-c-d-|`
/// **Parameters.** `from` - a `channel`, `unbounded_channel` or `weighted_channel` of either
/// policy, a `broadcast_receiver`, a `subscriber`, or what else has `receive()` with a `result`. An
/// lvalue is referred to; an rvalue (`receive(news.subscribe())`) is kept.
/// **Errors.** the reason of `close`, unless it is `errc::closed`, which is the end; `errc::lagged`
/// of those who miss items: who reads on by `next()` gets the next one.
/// **Suspends.** as `receive()`.
/// **Cancellation.** as `receive()`: a stop while it waits takes nothing.
/// **Ordering.** emits when a value is received; backpressures always: it receives only when
/// pulled; completes when it is closed and drained; fails with another reason of `close`; cancels
/// the wait, which takes nothing.
/// **Complexity.** as `receive()`; no allocation of its own.
/// **Lifetime.** a channel that is an lvalue must outlive the stream.
/// **Example.** @snippet tests/stream/receive_test.cpp receive
template <class From>
requires is_result_v<detail::received_t<std::remove_reference_t<From>>>
[[nodiscard]] auto receive(From&& from) {
  return detail::receive_stream<From>(std::forward<From>(from));
}

}  // namespace penstock
