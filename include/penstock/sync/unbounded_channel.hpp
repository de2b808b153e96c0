// penstock/sync/unbounded_channel.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A channel without a bound: a send never waits, and memory is what gives way. For everything that
/// can wait use channel.hpp.

#include <penstock/base/assert.hpp>
#include <penstock/base/chunk_queue.hpp>
#include <penstock/base/owned.hpp>
#include <penstock/base/result.hpp>
#include <penstock/sync/detail/landing.hpp>
#include <penstock/sync/detail/waiter_list.hpp>
#include <penstock/sync/local.hpp>
#include <penstock/sync/thread_safe.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace penstock {

/// A queue of any number of values, for any number of senders and receivers.
///
/// **Shape.** open -> close() -> closed: what was sent is still received, then the end.
/// **Parameters.** `T` - as of `channel`.
/// **Ordering.** FIFO: of values and of waiting receivers.
/// **Thread-safety.** any thread, the same object too; also outside of any task.
/// **Memory order.** a send synchronises-with the receive of its value, close() with what sees it.
/// **Complexity.** O(1), one lock held for a few dozen instructions; one allocation of about 4 KiB
/// for every chunk of values, in `send`, without the lock. An empty chunk is kept.
/// **Lifetime.** as `channel`.
/// **Example.** @snippet tests/sync/unbounded_channel_test.cpp unbounded_channel
/// **See also.** `channel`, `oneshot`.
template <class T, class Policy>
class basic_unbounded_channel {
  static_assert(std::is_object_v<T> && std::is_nothrow_move_constructible_v<T>,
                "the values of a channel are moved without throwing: use a std::unique_ptr");
  static_assert(alignof(T) <= 16, "clang does not over-align coroutine frames: use a pointer");

 public:
  using value_type = T;
  class receive_awaiter;

  basic_unbounded_channel() noexcept : basic_unbounded_channel("unbounded_channel") {}
  /// **Parameters.** `name` - in dumps and errors; outlives the channel: a string literal.
  explicit basic_unbounded_channel(const char* name) noexcept : name_(name) {}
  basic_unbounded_channel(const basic_unbounded_channel&) = delete;
  basic_unbounded_channel& operator=(const basic_unbounded_channel&) = delete;
  ~basic_unbounded_channel() {
    lock_.lock();  // a close() that released the caller has left it by then
    PENSTOCK_ASSERT(receivers_.empty(), "a channel is destroyed while tasks wait: close() it");
  }

  /// Sends a value; never waits.
  ///
  /// **Errors.** the reason of `close`: it was not sent, and is destroyed. std::bad_alloc is thrown
  /// when there is no memory for it.
  result<> send(T value);

  /// Receives the oldest value.
  ///
  /// **Result.** `result<T>`.
  /// **Errors.** as `channel::receive`.
  /// **Suspends.** only while the channel is empty; resumes on the receiving task's loop.
  /// **Cancellation.** a stopped receive takes nothing: the value goes to the next one.
  [[nodiscard]] receive_awaiter receive() noexcept { return receive_awaiter(*this); }
  /// The oldest value, if there is one.
  [[nodiscard]] std::optional<T> try_receive() noexcept {
    detail::landing<T> value;
    {
      detail::wake_section section(lock_);
      get(value);
    }
    return value.take_if_there();
  }

  /// Refuses all later sends; values that were sent stay. The first reason counts.
  void close(error reason = errc::closed) noexcept;
  [[nodiscard]] bool closed() const noexcept {
    detail::wake_section section(lock_);
    return closed_;
  }
  /// Success while it is open; else the reason of `close`.
  [[nodiscard]] result<> status() const noexcept {
    detail::wake_section section(lock_);
    if (closed_) return tl::unexpected<error>(reason_.why());
    return {};
  }
  /// Values that were sent and not yet received.
  [[nodiscard]] std::size_t size() const noexcept {
    detail::wake_section section(lock_);
    return values_.size();
  }

 private:
  template <class, class>
  friend class basic_weighted_channel;

  // Moved from only when the result is success.
  result<> send_or_keep(T& value);
  // Under the lock.
  void get(detail::landing<T>& value) noexcept {
    if (values_.empty()) return;
    value.emplace(std::move(values_.front()));
    values_.drop_front();
  }

  mutable typename Policy::lock lock_;
  bool closed_ = false;  // this and all below guarded by lock_
  detail::chunk_queue<T> values_;
  detail::waiter_list receivers_;
  detail::refusal reason_;  // when closed_
  const char* name_;
};

#if PENSTOCK_ASAN && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
/// The awaiter of `receive()`.
template <class T, class Policy>
class [[nodiscard]] basic_unbounded_channel<T, Policy>::receive_awaiter
    : public detail::primitive_leaf<receive_awaiter> {
 public:
  explicit receive_awaiter(basic_unbounded_channel& c) noexcept : channel_(&c) {}
  receive_awaiter(receive_awaiter&& o) noexcept
      : detail::primitive_leaf<receive_awaiter>(), channel_(o.channel_) {}

  bool await_ready() noexcept { return this->try_locked(); }
  [[nodiscard]] result<T> await_resume() noexcept {
    this->end();
    return value_.take();
  }

 private:
  friend basic_unbounded_channel;
  friend detail::primitive_leaf<receive_awaiter>;

  bool try_now(detail::wake_list&) noexcept {
    channel_->get(value_);
    if (value_.has_value()) return true;
    if (!channel_->closed_) return false;
    value_.refuse(channel_->reason_.why());
    return true;
  }
  auto& lock() noexcept { return channel_->lock_; }
  detail::waiter_list& list() noexcept { return channel_->receivers_; }
  const char* what() const noexcept { return channel_->name_; }
  const void* object() const noexcept { return channel_; }

  basic_unbounded_channel* channel_;
  detail::landing<T> value_;
};
#if PENSTOCK_ASAN && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

template <class T, class Policy>
result<> basic_unbounded_channel<T, Policy>::send(T value) {
  return send_or_keep(value);
}
template <class T, class Policy>
result<> basic_unbounded_channel<T, Policy>::send_or_keep(T& value) {
  using chunk = typename detail::chunk_queue<T>::chunk;
  detail::owned<chunk> more;
  for (;;) {
    {
      detail::wake_section section(lock_);
      if (closed_) return tl::unexpected<error>(reason_.why());
      if (auto* const first = receivers_.pop_front()) {
        receive_awaiter::owner_of(*first).value_.emplace(std::move(value));
        section.wake.push(*first);
        return {};
      }
      if (more) more = values_.give(std::move(more));
      if (!values_.needs_chunk()) {
        values_.push_back(std::move(value));
        return {};
      }
    }
    more.reset(new chunk);
  }
}

template <class T, class Policy>
void basic_unbounded_channel<T, Policy>::close(error reason) noexcept {
  reason = detail::closing_reason(std::move(reason), name_);
  detail::wake_section section(lock_);
  if (closed_) return;
  closed_ = true;
  reason_.set(reason);
  while (auto* const first = receivers_.pop_front()) {
    receive_awaiter::owner_of(*first).value_.refuse(reason);
    section.wake.push(*first);
  }
}

/// The unbounded channel of tasks on any loops.
template <class T>
using unbounded_channel = basic_unbounded_channel<T, thread_safe>;
namespace local {
/// The unbounded channel of tasks of one loop.
template <class T>
using unbounded_channel = basic_unbounded_channel<T, one_loop>;
}  // namespace local

}  // namespace penstock
