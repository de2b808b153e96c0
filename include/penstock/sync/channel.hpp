// penstock/sync/channel.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A bounded queue of values between tasks. For a flag without a value use event.hpp; for a stage
/// of a pipeline, streams.

#include <penstock/base/assert.hpp>
#include <penstock/base/result.hpp>
#include <penstock/sync/detail/landing.hpp>
#include <penstock/sync/detail/ring.hpp>
#include <penstock/sync/detail/waiter_list.hpp>
#include <penstock/sync/thread_safe.hpp>

#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

namespace penstock {

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
/// **Complexity.** O(1), one lock held for a few dozen instructions; one allocation, in the
/// constructor. A waiter is 56 bytes of its own frame, and its value.
/// **Lifetime.** destroying it while tasks wait asserts: `close()` first. Values that nobody
/// received are destroyed.
/// **Example.** @snippet tests/sync/channel_test.cpp channel
/// **See also.** `event`, `semaphore`.
template <class T, class Policy>
class basic_channel {
  static_assert(std::is_object_v<T> && std::is_nothrow_move_constructible_v<T>,
                "the values of a channel are moved without throwing: use a std::unique_ptr");
  static_assert(alignof(T) <= 16, "clang does not over-align coroutine frames: use a pointer");

 public:
  using value_type = T;
  class send_awaiter;
  class receive_awaiter;

  /// **Errors.** std::bad_alloc.
  explicit basic_channel(std::size_t capacity) : ring_(capacity) {}
  basic_channel(const basic_channel&) = delete;
  basic_channel& operator=(const basic_channel&) = delete;
  ~basic_channel() {
    lock_.lock();  // a close() that released the caller has left it by then
    PENSTOCK_ASSERT(senders_.empty() && receivers_.empty(),
                    "a channel is destroyed while tasks wait: close() it");
  }

  /// Sends a value.
  ///
  /// **Result.** `result<>`: the channel has accepted the value, or it has been received already.
  /// **Errors.** `errc::closed`: it was not, and is destroyed. Use `try_send` to keep it.
  /// **Suspends.** only while the channel is full, with capacity 0 until it is received; resumes on
  /// the sending task's loop.
  /// **Cancellation.** a stopped send was not accepted; its value is destroyed with the task.
  [[nodiscard]] send_awaiter send(T value) noexcept {
    return send_awaiter(*this, std::move(value));
  }
  /// Receives the oldest value.
  ///
  /// **Result.** `std::optional<T>`: empty when the channel is closed and drained, for ever.
  /// **Suspends.** only while the channel is empty; resumes on the receiving task's loop.
  /// **Cancellation.** a stopped receive takes nothing: the value goes to the next one.
  [[nodiscard]] receive_awaiter receive() noexcept { return receive_awaiter(*this); }

  /// Sends `value` if that needs no waiting; moved from only when the result is true. False: full,
  /// or closed.
  [[nodiscard]] bool try_send(T&& value) noexcept;
  [[nodiscard]] bool try_send(const T& value) requires std::is_copy_constructible_v<T> {
    return try_send(T(value));
  }
  /// The oldest value, if there is one.
  [[nodiscard]] std::optional<T> try_receive() noexcept;

  /// Refuses all later sends and those that wait; values that were accepted stay. Idempotent.
  void close() noexcept;

  [[nodiscard]] bool closed() const noexcept {
    const guard inside(lock_);
    return closed_;
  }
  /// Values that were accepted and not yet received.
  [[nodiscard]] std::size_t size() const noexcept {
    const guard inside(lock_);
    return ring_.size();
  }
  [[nodiscard]] std::size_t capacity() const noexcept { return ring_.capacity(); }

 private:
  enum class sent : unsigned char { accepted, full, closed };

  // Under the lock. Receivers wait only while the ring is empty, senders only while it is full.
  sent put(T& value, detail::wake_list& wake) noexcept {
    if (closed_) [[unlikely]]
      return sent::closed;
    if (auto* const first = receivers_.pop_front()) {
      receive_awaiter::owner_of(*first).value_.emplace(std::move(value));
      wake.push(*first);
      return sent::accepted;
    }
    if (ring_.full()) return sent::full;
    ring_.push_back(std::move(value));
    return sent::accepted;
  }
  // Under the lock.
  void get(detail::landing<T>& value, detail::wake_list& wake) noexcept {
    if (!ring_.empty()) {
      value.emplace(std::move(ring_.front()));
      ring_.drop_front();
      if (auto* const first = senders_.pop_front()) {
        ring_.push_back(std::move(send_awaiter::owner_of(*first).value_));
        wake.push(*first);
      }
    } else if (auto* const first = senders_.pop_front()) {
      value.emplace(std::move(send_awaiter::owner_of(*first).value_));
      wake.push(*first);
    }
  }

  class guard {
   public:
    explicit guard(typename Policy::lock& lock) noexcept : lock_(lock) { lock_.lock(); }
    guard(const guard&) = delete;
    guard& operator=(const guard&) = delete;
    ~guard() { lock_.unlock(); }

   private:
    typename Policy::lock& lock_;
  };

  mutable typename Policy::lock lock_;
  bool closed_ = false;  // this and all below guarded by lock_
  detail::ring<T> ring_;
  detail::waiter_list senders_;
  detail::waiter_list receivers_;
};

/// The awaiter of `send()`.
template <class T, class Policy>
class [[nodiscard]] basic_channel<T, Policy>::send_awaiter
    : public detail::primitive_leaf<send_awaiter> {
 public:
  send_awaiter(basic_channel& c, T&& value) noexcept : channel_(&c), value_(std::move(value)) {}

  bool await_ready() noexcept { return this->try_locked(); }
  [[nodiscard]] result<> await_resume() noexcept {
    this->end();
    if (refused_) [[unlikely]]
      return fail(errc::closed, "channel::send");
    return {};
  }

 private:
  friend basic_channel;
  friend detail::primitive_leaf<send_awaiter>;

  bool try_now(detail::wake_list& wake) noexcept {
    const sent answer = channel_->put(value_, wake);
    refused_ = answer == sent::closed;
    return answer != sent::full;
  }
  auto& lock() noexcept { return channel_->lock_; }
  detail::waiter_list& list() noexcept { return channel_->senders_; }
  static const char* what() noexcept { return "channel::send"; }
  const void* object() const noexcept { return channel_; }

  basic_channel* channel_;
  T value_;
  bool refused_ = false;
};

#if PENSTOCK_ASAN && !defined(__clang__)
// With the address sanitizer g++ 12 takes the empty value of an awaiter for one that is not
// initialised.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
/// The awaiter of `receive()`.
template <class T, class Policy>
class [[nodiscard]] basic_channel<T, Policy>::receive_awaiter
    : public detail::primitive_leaf<receive_awaiter> {
 public:
  explicit receive_awaiter(basic_channel& c) noexcept : channel_(&c) {}
  receive_awaiter(receive_awaiter&& o) noexcept
      : detail::primitive_leaf<receive_awaiter>(), channel_(o.channel_) {}

  bool await_ready() noexcept { return this->try_locked(); }
  [[nodiscard]] std::optional<T> await_resume() noexcept {
    this->end();
    return value_.take();
  }

 private:
  friend basic_channel;
  friend detail::primitive_leaf<receive_awaiter>;

  bool try_now(detail::wake_list& wake) noexcept {
    channel_->get(value_, wake);
    return value_.has_value() || channel_->closed_;
  }
  auto& lock() noexcept { return channel_->lock_; }
  detail::waiter_list& list() noexcept { return channel_->receivers_; }
  static const char* what() noexcept { return "channel::receive"; }
  const void* object() const noexcept { return channel_; }

  basic_channel* channel_;
  detail::landing<T> value_;
};

#if PENSTOCK_ASAN && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

template <class T, class Policy>
bool basic_channel<T, Policy>::try_send(T&& value) noexcept {
  detail::wake_section section(lock_);
  return put(value, section.wake) == sent::accepted;
}

template <class T, class Policy>
std::optional<T> basic_channel<T, Policy>::try_receive() noexcept {
  detail::landing<T> value;
  {
    detail::wake_section section(lock_);
    get(value, section.wake);
  }
  return value.take();
}

template <class T, class Policy>
void basic_channel<T, Policy>::close() noexcept {
  detail::wake_section section(lock_);
  closed_ = true;
  while (auto* const first = senders_.pop_front()) {
    send_awaiter::owner_of(*first).refused_ = true;
    section.wake.push(*first);
  }
  while (auto* const first = receivers_.pop_front()) section.wake.push(*first);
}

/// The channel of tasks on any loops.
template <class T>
using channel = basic_channel<T, thread_safe>;

}  // namespace penstock
