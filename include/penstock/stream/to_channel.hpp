// penstock/stream/to_channel.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The sink that sends to a channel; its receivers may be on other loops. The other direction:
/// receive.hpp.

#include <penstock/stream/detail/await_slot.hpp>
#include <penstock/stream/detail/pipeline.hpp>

#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>

namespace penstock {

/// Options of `to_channel`.
struct to_channel_options {
  bool keep_open = false;  ///< else the end of the stream, or its error, closes the channel
};

namespace detail {
template <class Channel, class T>
class channel_sink_of {
  using sent = decltype(std::declval<Channel&>().send(std::declval<T>()));
  static constexpr bool waits = awaitable<sent>;  // not that of an unbounded one
  struct nothing {};

 public:
  using result_type = void;
  static constexpr bool is_sync = false;

  channel_sink_of(Channel& to, bool keep_open) noexcept : to_(&to), keep_open_(keep_open) {}

  [[nodiscard]] bool busy() const noexcept {
    if constexpr (waits)
      return sending_.busy();
    else
      return false;
  }
  pulled push(pump& p, std::optional<T>& item) {
    if constexpr (waits) {
      sending_.set(to_->send(*std::move(item)));
      return resume(p);
    } else {
      return judge(p, to_->send(*std::move(item)));
    }
  }
  pulled resume(pump& p) {
    if constexpr (waits) {
      if (const pulled s = sending_.advance(p); s != pulled::item) return s;
      return judge(p, sending_.take());
    } else {
      return pulled::item;
    }
  }
  pulled finish(pump&) {
    if (!keep_open_) to_->close();
    return pulled::item;
  }
  void abort(const error* why) noexcept {
    if (keep_open_) return;
    if (why)
      to_->close(*why);
    else
      to_->close(errc::canceled);
  }
  static void take() noexcept {}

 private:
  static pulled judge(pump& p, result<>&& outcome) {
    if (outcome) return pulled::item;
    p.of().fail(std::move(outcome.error()));
    return pulled::cut;
  }

  Channel* to_;
  bool keep_open_;
  [[no_unique_address]] std::conditional_t<waits, await_slot<sent>, nothing> sending_;
};
template <class Channel>
class to_channel_sink : public sink_base<to_channel_sink<Channel>> {
 public:
  static constexpr need needs = need::channel;

  to_channel_sink(Channel& to, to_channel_options o) noexcept : to_(&to), options_(o) {}
  template <class T>
  requires std::convertible_to<T, typename Channel::value_type>
  auto sink_for() && {
    return channel_sink_of<Channel, typename Channel::value_type>(*to_, options_.keep_open);
  }

 private:
  Channel* to_;
  to_channel_options options_;
};
}  // namespace detail

/// Sends all items to `to`, and closes it at the end.
///
/// **Shape.** what a receiver of c sees: `-a-b-|` to_channel(c) `-a-b-|`; one that is busy for 2
/// ms: `(abcd)|` to_channel(c) `a-b-c-d-|`
/// **Parameters.** `to` - a `channel` or `unbounded_channel`, of any policy; outlives the pipeline.
/// `o` - see there.
/// **Result.** `result<>` of the pipeline.
/// **Errors.** those of the stream: the channel's receivers get the same one, behind what was sent;
/// the channel's reason when it was closed by others.
/// **Suspends.** while the channel is full, and as the stream does.
/// **Cancellation.** an item whose send was stopped was not sent; the channel is closed with
/// `errc::canceled`. An exception of the stream closes it so, too.
/// **Ordering.** emits its result when the last item was sent; backpressures while the channel is
/// full; completes with the stream; fails with the stream, or when others have closed the channel;
/// cancels the stream and the send that waits.
/// **Complexity.** no allocation of its own.
/// **Example.** @snippet tests/stream/to_channel_test.cpp to_channel
template <class Channel>
[[nodiscard]] auto to_channel(Channel& to, to_channel_options o = {}) noexcept {
  return detail::to_channel_sink<Channel>(to, o);
}

}  // namespace penstock
