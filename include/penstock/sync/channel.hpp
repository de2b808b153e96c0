// penstock/sync/channel.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A bounded queue of values between tasks. For a flag without a value use event.hpp; without a
/// bound unbounded_channel.hpp; bounded in bytes weighted_channel.hpp; for a stage of a pipeline,
/// streams.

#include <penstock/base/assert.hpp>
#include <penstock/base/result.hpp>
#include <penstock/sync/detail/landing.hpp>
#include <penstock/sync/detail/patience.hpp>
#include <penstock/sync/detail/ring.hpp>
#include <penstock/sync/detail/sequenced_ring.hpp>
#include <penstock/sync/detail/waiter_list.hpp>
#include <penstock/sync/local.hpp>
#include <penstock/sync/thread_safe.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace penstock {

template <class T, class Policy>
class basic_channel_slot;

namespace detail {
// Several operations that are waited for at once, of which one is done.
struct choice {
  atomic<bool> made{false};
};
// Whether the operation may be done, and is the one then. Null: it is waited for alone.
inline bool claim(choice* c) noexcept {
  return !c || !c->made.exchange(true, memory_order_acq_rel);
}
template <class... Arms>
class select_awaiter;
}  // namespace detail

/// A queue of at most `capacity` values, for any number of senders and receivers.
///
/// **Shape.** open -> close() -> closed: what was accepted is still received, then the end.
/// Capacity 0: a send and a receive meet.
/// **Parameters.** `T` - moved in and out, never copied. Its move constructor must not throw (a
/// value moves on behalf of a task that is not running, where nobody could catch): put anything
/// else in a `std::unique_ptr`. Likewise what is aligned to more than 16 bytes.
/// **Ordering.** FIFO: of values, of waiting senders and of waiting receivers. A value is handed to
/// the first waiting receiver, a free place to the first waiting sender; nobody passes them.
/// **Thread-safety.** any thread, the same object too.
/// **Memory order.** a send synchronises-with the receive of its value, close() with what sees it.
/// **Complexity.** O(1). While nobody waits and no slot is reserved, a send and a receive are one
/// atomic read-modify-write each (a sequenced ring, after D. Vyukov), else one lock held for a few
/// dozen instructions. One allocation, in the constructor, and one in close(). A waiter is 56 bytes
/// of its own frame, and its value.
/// **Lifetime.** destroying it while tasks wait asserts: `close()` first. Values that nobody
/// received are destroyed.
/// **Example.** @snippet tests/sync/channel_test.cpp channel
/// **See also.** `select`, `unbounded_channel`, `weighted_channel`, `broadcast`, `oneshot`.
template <class T, class Policy>
class basic_channel {
  static_assert(std::is_object_v<T> && std::is_nothrow_move_constructible_v<T>,
                "the values of a channel are moved without throwing: use a std::unique_ptr");
  static_assert(alignof(T) <= 16, "clang does not over-align coroutine frames: use a pointer");

 public:
  using value_type = T;
  using slot = basic_channel_slot<T, Policy>;
  class send_awaiter;
  class send_many_awaiter;
  class reserve_awaiter;
  class receive_awaiter;
  class receive_many_awaiter;

  /// **Parameters.** `name` - in dumps and errors; outlives the channel: a string literal.
  /// **Errors.** std::bad_alloc.
  explicit basic_channel(std::size_t capacity, const char* name = nullptr)
      : ring_(capacity), name_(name) {}
  basic_channel(const basic_channel&) = delete;
  basic_channel& operator=(const basic_channel&) = delete;
  ~basic_channel() {
    lock_.lock();  // a close() that released the caller has left it by then
    PENSTOCK_ASSERT(senders_.empty() && receivers_.empty(),
                    "a channel is destroyed while tasks wait: close() it");
    PENSTOCK_ASSERT(reserved_ == 0, "a channel is destroyed before its slots");
  }

  /// Sends a value.
  ///
  /// **Result.** `result<>`: the channel has accepted the value, or it has been received already.
  /// **Errors.** the reason of `close`: it was not, and is destroyed. Use `reserve` or `try_send`
  /// to keep it.
  /// **Suspends.** only while the channel is full, with capacity 0 until it is received; resumes on
  /// the sending task's loop.
  /// **Cancellation.** a stopped send was not accepted; its value is destroyed with the task.
  [[nodiscard]] send_awaiter send(T value) noexcept {
    return send_awaiter(*this, std::move(value));
  }
  /// Sends values, in order, moving them out of `values`.
  ///
  /// **Result.** `result<std::size_t>`: how many were accepted; fewer than all, and at least one,
  /// when the channel was closed in between.
  /// **Errors.** the reason of `close`, when none was accepted.
  /// **Suspends.** until all are accepted; others do not come between those that wait.
  /// **Cancellation.** a first part may have been accepted; the others are still in `values`.
  [[nodiscard]] send_many_awaiter send_many(std::span<T> values) noexcept {
    return send_many_awaiter(*this, values);
  }
  /// Waits for a free place, which is the caller's then: what is sent into it cannot be lost by a
  /// stop, nor refused for want of room.
  ///
  /// **Result.** `result<channel_slot<T>>`.
  /// **Errors.** the reason of `close`; `errc::never_satisfiable` when the capacity is 0.
  /// **Suspends.** as `send`. Values that are sent meanwhile may go straight to receivers.
  /// **Cancellation.** loses the place in the queue, nothing else.
  [[nodiscard]] reserve_awaiter reserve() noexcept { return reserve_awaiter(*this); }
  /// Receives the oldest value.
  ///
  /// **Result.** `result<T>`.
  /// **Errors.** the reason of `close`, `errc::closed` if none was given, once what was accepted is
  /// drained: `while (auto value = co_await c.receive())` ends there.
  /// **Suspends.** only while the channel is empty; resumes on the receiving task's loop.
  /// **Cancellation.** a stopped receive takes nothing: the value goes to the next one.
  [[nodiscard]] receive_awaiter receive() noexcept { return receive_awaiter(*this); }
  /// Receives at least one and at most `most` values, appending them to `to`.
  ///
  /// **Result.** `result<std::size_t>`: how many. It does not wait for more than the first.
  /// **Errors.** as `receive`. std::bad_alloc, here.
  /// **Suspends.** as `receive`.
  /// **Cancellation.** as `receive`.
  [[nodiscard]] receive_many_awaiter receive_many(std::vector<T>& to, std::size_t most) {
    return receive_many_awaiter(*this, to, most);
  }

  /// Sends `value` if that needs no waiting; moved from only when the result is true. False: full,
  /// or closed.
  [[nodiscard]] bool try_send(T&& value) noexcept;
  [[nodiscard]] bool try_send(const T& value) requires std::is_copy_constructible_v<T> {
    return try_send(T(value));
  }
  /// A free place, if there is one.
  [[nodiscard]] std::optional<slot> try_reserve() noexcept;
  /// The oldest value, if there is one.
  [[nodiscard]] std::optional<T> try_receive() noexcept;

  /// Refuses all later sends and those that wait; values that were accepted stay. The first reason
  /// counts.
  void close(error reason = errc::closed) noexcept;

  [[nodiscard]] bool closed() const noexcept {
    const detail::wake_section inside(lock_);
    return closed_;
  }
  /// Values that were accepted and not yet received.
  [[nodiscard]] std::size_t size() const noexcept { return ring_.size(); }
  [[nodiscard]] std::size_t capacity() const noexcept { return ring_.capacity(); }

 private:
  friend slot;
  class sending;  // what waits in senders_
  using ring = std::conditional_t<Policy::concurrent, detail::sequenced_ring<T>, detail::ring<T>>;
  enum class sent : unsigned char { accepted, full, closed };

  // All below under the lock, with the ring shut; settle() at the end opens it.
  [[nodiscard]] bool has_room() const noexcept {
    return ring_.size() + reserved_ < ring_.capacity();
  }
  // Receivers wait only while the ring is empty and no value waits; senders only while there is no
  // room, with values only while no receiver waits.
  bool hand_over(T& value, detail::wake_list& wake) noexcept {
    while (auto* const first = receivers_.pop_front()) {
      auto& receiver = receive_awaiter::owner_of(*first);
      if (!detail::claim(receiver.choice_)) continue;
      receiver.value_.emplace(std::move(value));
      patience_.served(first->who());
      wake.push(*first);
      return true;
    }
    return false;
  }
  sent put(T& value, detail::wake_list& wake) noexcept {
    ring_.shut();
    if (closed_) return sent::closed;
    if (hand_over(value, wake)) return sent::accepted;
    if (!has_room() || !senders_.empty()) return sent::full;
    ring_.push_back(std::move(value));
    return sent::accepted;
  }
  void get(detail::landing<T>& to, detail::wake_list& wake) noexcept {
    ring_.shut();
    if (!ring_.empty()) {
      ring_.pop_front(to);
      refill(wake);
    } else if (sending* const first = first_value()) {  // capacity 0, or all places are reserved
      first->hand_to(to, wake);
    }
  }
  void refill(detail::wake_list& wake) noexcept {
    while (has_room()) {
      sending* const first = first_sender();
      if (!first) return;
      first->take_place(wake);
    }
  }
  // The first that is still to be served.
  sending* first_sender() noexcept {
    while (auto* const first = senders_.front()) {
      auto& sender = sending::owner_of(*first);
      if (detail::claim(sender.choice_)) return &sender;
      senders_.erase(*first);
    }
    return nullptr;
  }
  // The first with a value: one who waits for a reserved place goes on waiting.
  sending* first_value() noexcept {
    for (auto at = senders_.begin(); at != senders_.end();) {
      auto& parked = *at;
      ++at;
      auto& sender = sending::owner_of(parked);
      if (sender.reserves()) continue;
      if (detail::claim(sender.choice_)) return &sender;
      senders_.erase(parked);
    }
    return nullptr;
  }
  void settle() noexcept {
    if (senders_.empty() && receivers_.empty() && reserved_ == 0 && !closed_) ring_.open();
  }
  // Without the lock's guard around it: of a slot.
  void leave_place(detail::wake_list& wake) noexcept {
    --reserved_;
    refill(wake);
    settle();
  }
  [[nodiscard]] const char* name(const char* operation) const noexcept {
    return name_ ? name_ : operation;
  }

  mutable typename Policy::lock lock_;
  bool closed_ = false;  // this and what follows guarded by lock_; the ring also by itself
  ring ring_;
  std::size_t reserved_ = 0;
  detail::waiter_list senders_;
  detail::waiter_list receivers_;
  detail::refusal reason_;  // when closed_
  detail::patience<Policy> patience_;
  const char* name_;
};

/// The channel of tasks on any loops.
template <class T>
using channel = basic_channel<T, thread_safe>;
namespace local {
/// The channel of tasks of one loop.
template <class T>
using channel = basic_channel<T, one_loop>;
}  // namespace local

}  // namespace penstock

#include <penstock/sync/detail/channel_awaiters.hpp>
