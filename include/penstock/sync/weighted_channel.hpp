// penstock/sync/weighted_channel.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A channel that is bounded by what its values weigh, as bytes, instead of by their number: for
/// values of very different sizes. For equal ones use channel.hpp.

#include <penstock/sync/semaphore.hpp>
#include <penstock/sync/unbounded_channel.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <optional>
#include <utility>

namespace penstock {

/// A queue of values of at most `capacity` weight together.
///
/// **Shape.** as `channel`. A value heavier than the capacity counts as the capacity: it goes
/// alone.
/// **Parameters.** `T` - as of `channel`.
/// **Ordering.** room is given first come, first served: a heavy value that waits is not passed by
/// light ones. Values are received in the order in which their senders go on: on one loop as they
/// came.
/// **Thread-safety.** any thread, the same object too.
/// **Memory order.** a send synchronises-with the receive of its value, close() with what sees it.
/// **Complexity.** as a `semaphore` and an `unbounded_channel` together; its memory is what the
/// values and 16 bytes for each take, in chunks of about 4 KiB.
/// **Lifetime.** as `channel`; outlives its sends, also those that close() has refused.
/// **Example.** @snippet tests/sync/weighted_channel_test.cpp weighted_channel
/// **See also.** `channel`, `memory_budget`.
template <class T, class Policy>
class basic_weighted_channel {
 public:
  using value_type = T;
  /// What a value weighs; called once for each, by its sender.
  using weigher = std::size_t (*)(const T&);
  class send_awaiter;
  class receive_awaiter;

  /// **Parameters.** `capacity` - in the unit of `weigh`, at least 1. `name` - in dumps and errors;
  /// outlives the channel: a string literal.
  explicit basic_weighted_channel(std::size_t capacity, weigher weigh,
                                  const char* name = "weighted_channel") noexcept
      : room_(capacity, {.name = name}), weigh_(weigh), queue_(name) {}
  basic_weighted_channel(const basic_weighted_channel&) = delete;
  basic_weighted_channel& operator=(const basic_weighted_channel&) = delete;
  ~basic_weighted_channel() { closing_.lock(); }  // a close() that released the caller has left it

  /// Sends a value.
  ///
  /// **Result.** `result<>`: the channel has accepted the value.
  /// **Errors.** the reason of `close`: it was not, and is destroyed. std::bad_alloc is thrown.
  /// **Suspends.** until there is room for its weight; resumes on the sending task's loop.
  /// **Cancellation.** a stopped send was not accepted; its value is destroyed with the task.
  [[nodiscard]] send_awaiter send(T value) noexcept {
    return send_awaiter(*this, std::move(value));
  }
  /// Receives the oldest value; its weight is free then.
  ///
  /// **Result.** `result<T>`.
  /// **Errors.** as `channel::receive`.
  /// **Suspends.** only while the channel is empty; resumes on the receiving task's loop.
  /// **Cancellation.** a stopped receive takes nothing: the value goes to the next one.
  [[nodiscard]] receive_awaiter receive() noexcept { return receive_awaiter(queue_); }

  /// Sends `value` if that needs no waiting; moved from only when the result is true.
  [[nodiscard]] bool try_send(T&& value) {
    auto permit = room_.try_acquire(weight_of(value));
    if (!permit) return false;
    item sent{std::move(*permit), std::move(value)};
    if (queue_.send_or_keep(sent)) return true;
    std::destroy_at(std::addressof(value));  // it need not be assignable
    ::new (static_cast<void*>(std::addressof(value))) T(std::move(sent.value));
    return false;
  }
  /// The oldest value, if there is one.
  [[nodiscard]] std::optional<T> try_receive() noexcept {
    auto found = queue_.try_receive();
    if (!found) return std::nullopt;
    return std::optional<T>(std::move(found->value));
  }

  /// Refuses all later sends and those that wait; values that were accepted stay. The first reason
  /// counts.
  void close(error reason = errc::closed) noexcept {
    closing_.lock();
    queue_.close(std::move(reason));
    room_.close();
    closing_.unlock();
  }
  [[nodiscard]] bool closed() const noexcept { return queue_.closed(); }
  /// Values that were accepted and not yet received.
  [[nodiscard]] std::size_t size() const noexcept { return queue_.size(); }
  /// What they weigh; more while a send is about to go on.
  [[nodiscard]] std::size_t weight() const noexcept { return room_.capacity() - room_.available(); }
  [[nodiscard]] std::size_t capacity() const noexcept { return room_.capacity(); }

 private:
  // The weight comes back when the value was taken.
  struct item {
    basic_semaphore_permit<Policy> weight;
    T value;
  };
  [[nodiscard]] std::size_t weight_of(const T& value) const {
    return std::clamp(weigh_(value), std::size_t{1}, room_.capacity());
  }

  basic_semaphore<Policy> room_;  // outlives the weights in the queue
  weigher weigh_;
  typename Policy::lock closing_;
  basic_unbounded_channel<item, Policy> queue_;
};

/// The awaiter of `send()`.
template <class T, class Policy>
class [[nodiscard]] basic_weighted_channel<T, Policy>::send_awaiter
    : public basic_semaphore<Policy>::acquire_awaiter {
  using base = typename basic_semaphore<Policy>::acquire_awaiter;

 public:
  send_awaiter(basic_weighted_channel& c, T&& value) noexcept
      : base(c.room_, c.weight_of(value)), channel_(&c), value_(std::move(value)) {}

  [[nodiscard]] result<> await_resume() {
    auto permit = base::await_resume();
    if (!permit) return channel_->queue_.status();
    return channel_->queue_.send({std::move(*permit), std::move(value_)});
  }

 private:
  basic_weighted_channel* channel_;
  T value_;
};

/// The awaiter of `receive()`.
template <class T, class Policy>
class [[nodiscard]] basic_weighted_channel<T, Policy>::receive_awaiter
    : public basic_unbounded_channel<item, Policy>::receive_awaiter {
  using base = typename basic_unbounded_channel<item, Policy>::receive_awaiter;

 public:
  using base::base;
  [[nodiscard]] result<T> await_resume() noexcept {
    auto taken = base::await_resume();
    if (!taken) return tl::unexpected<error>(std::move(taken).error());
    return std::move(taken->value);
  }
};

/// The weighted channel of tasks on any loops.
template <class T>
using weighted_channel = basic_weighted_channel<T, thread_safe>;
namespace local {
/// The weighted channel of tasks of one loop.
template <class T>
using weighted_channel = basic_weighted_channel<T, one_loop>;
}  // namespace local

}  // namespace penstock
