// penstock/sync/broadcast.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Every value to every receiver; who is too slow misses some and is told. Only the newest value is
/// a watch.hpp; each value to one receiver a channel.hpp.

#include <penstock/base/assert.hpp>
#include <penstock/base/result.hpp>
#include <penstock/base/taken.hpp>
#include <penstock/sync/detail/landing.hpp>
#include <penstock/sync/detail/waiter_list.hpp>
#include <penstock/sync/local.hpp>
#include <penstock/sync/thread_safe.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace penstock {

template <class T, class Policy>
class basic_broadcast_receiver;

/// A ring of the newest values, from which each receiver takes a copy of each at its own pace.
///
/// **Shape.** open -> close() -> closed: what is in the ring is still received, then the end.
/// **Parameters.** `T` - copied to each receiver, under a lock: what is large, or slow to copy,
/// goes into a `std::shared_ptr<const T>`.
/// **Ordering.** all receivers see the values in the order of their sends; a receiver sees those
/// that are sent after it subscribed.
/// **Thread-safety.** any thread, the same object too; also outside of any task.
/// **Memory order.** a send synchronises-with the receives of its value.
/// **Complexity.** send is O(receivers that wait), and never waits itself, whoever is slow; receive
/// O(1). One allocation, in the constructor, and one in close().
/// **Lifetime.** outlives its receivers.
/// **Example.** @snippet tests/sync/broadcast_test.cpp broadcast
/// **See also.** `watch`, `channel`. After tokio's `sync::broadcast`.
template <class T, class Policy>
class basic_broadcast {
  static_assert(std::is_copy_constructible_v<T> && std::is_nothrow_move_constructible_v<T>,
                "the values of a broadcast are copied, and moved without throwing");

 public:
  using value_type = T;
  using receiver = basic_broadcast_receiver<T, Policy>;

  /// **Parameters.** `capacity` - values that are kept for the slow, at least 1; rounded up to a
  /// power of two. `name` - in dumps and errors; outlives the broadcast: a string literal.
  /// **Errors.** std::bad_alloc. No capacity stops the program.
  explicit basic_broadcast(std::size_t capacity, const char* name = "broadcast");
  basic_broadcast(const basic_broadcast&) = delete;
  basic_broadcast& operator=(const basic_broadcast&) = delete;
  ~basic_broadcast() {
    lock_.lock();
    PENSTOCK_ASSERT(receivers_ == 0, "a broadcast is destroyed before its receivers");
  }

  /// Sends a value to all receivers; never waits.
  ///
  /// **Result.** `result<std::size_t>`: how many receivers there are; 0 is no error.
  /// **Errors.** the reason of `close`.
  result<std::size_t> send(T value);
  /// One who receives what is sent from now on.
  [[nodiscard]] receiver subscribe() noexcept {
    detail::wake_section section(lock_);
    ++receivers_;
    return receiver(*this, tail());
  }

  /// There will be no other value. The first reason counts.
  void close(error reason = errc::closed) noexcept;
  [[nodiscard]] bool closed() const noexcept {
    detail::wake_section section(lock_);
    return reason_.there();
  }
  [[nodiscard]] std::size_t capacity() const noexcept { return mask_ + 1; }
  /// How many receive.
  [[nodiscard]] std::size_t receivers() const noexcept {
    detail::wake_section section(lock_);
    return receivers_;
  }

 private:
  friend receiver;

  [[nodiscard]] std::uint64_t tail() const noexcept {
    return tail_.load(detail::memory_order_acquire);
  }
  std::optional<T>& slot(std::uint64_t position) noexcept {
    return slots_[static_cast<std::size_t>(position) & mask_];
  }

  std::unique_ptr<std::optional<T>[]> slots_;  // guarded by lock_, as what follows
  std::size_t mask_ = 0;
  mutable typename Policy::lock lock_;
  typename Policy::template atomic<std::uint64_t> tail_{0};  // written under the lock
  std::size_t receivers_ = 0;
  detail::waiter_list waiters_;
  detail::refusal reason_;
  const char* name_;
};

/// One who receives all values of a broadcast.
///
/// **Thread-safety.** distinct: safe; same object: one task.
/// **Complexity.** 24 bytes.
/// **Lifetime.** the broadcast outlives it, and it outlives its wait.
template <class T, class Policy>
class basic_broadcast_receiver {
 public:
  class receive_awaiter;

  basic_broadcast_receiver(basic_broadcast_receiver&& o) noexcept
      : from_(detail::taken(o.from_)), position_(o.position_), missed_(o.missed_) {}
  basic_broadcast_receiver& operator=(basic_broadcast_receiver&&) = delete;
  ~basic_broadcast_receiver() {
    if (!from_) return;
    detail::wake_section section(from_->lock_);
    --from_->receivers_;
  }

  /// Receives the next value.
  ///
  /// **Result.** `result<T>`, a copy.
  /// **Errors.** `errc::lagged` when values were overwritten before they were received, naming how
  /// many: the next receive gives the oldest that there is. The reason of `close` at the end.
  /// **Suspends.** only while there is no value; resumes on the receiving task's loop.
  /// **Cancellation.** takes nothing: the value is there for the next receive.
  [[nodiscard]] receive_awaiter receive() noexcept { return receive_awaiter(*this); }
  /// Values that this receiver has missed so far.
  [[nodiscard]] std::uint64_t missed() const noexcept { return missed_; }
  /// Whether a receive would not have to wait for a value.
  [[nodiscard]] bool has_value() const noexcept { return position_ != from_->tail(); }

 private:
  friend basic_broadcast<T, Policy>;
  basic_broadcast_receiver(basic_broadcast<T, Policy>& b, std::uint64_t position) noexcept
      : from_(&b), position_(position) {}
  result<T> take();

  basic_broadcast<T, Policy>* from_;
  std::uint64_t position_;  // of the next value
  std::uint64_t missed_ = 0;
};

/// The awaiter of `receive()`.
template <class T, class Policy>
class [[nodiscard]] basic_broadcast_receiver<T, Policy>::receive_awaiter
    : public detail::primitive_leaf<receive_awaiter> {
 public:
  explicit receive_awaiter(basic_broadcast_receiver& r) noexcept : receiver_(&r) {}

  bool await_ready() const noexcept { return receiver_->has_value(); }
  [[nodiscard]] result<T> await_resume() {
    this->end();
    return receiver_->take();
  }

 private:
  friend detail::primitive_leaf<receive_awaiter>;

  bool try_now(detail::wake_list&) const noexcept {
    return receiver_->has_value() || receiver_->from_->reason_.there();
  }
  auto& lock() noexcept { return receiver_->from_->lock_; }
  detail::waiter_list& list() noexcept { return receiver_->from_->waiters_; }
  const char* what() const noexcept { return receiver_->from_->name_; }
  const void* object() const noexcept { return receiver_->from_; }

  basic_broadcast_receiver* receiver_;
};

template <class T, class Policy>
basic_broadcast<T, Policy>::basic_broadcast(std::size_t capacity, const char* name) : name_(name) {
  if (capacity == 0) detail::stop_program("broadcast: a capacity of 0");
  std::size_t size = 1;
  while (size < capacity) size *= 2;
  slots_ = std::make_unique<std::optional<T>[]>(size);
  mask_ = size - 1;
}

template <class T, class Policy>
result<std::size_t> basic_broadcast<T, Policy>::send(T value) {
  std::optional<T> old(std::move(value));  // what it replaces goes without the lock
  detail::wake_section section(lock_);
  if (reason_.there()) return tl::unexpected<error>(reason_.why());
  const std::uint64_t at = tail();
  auto& place = slot(at);
  std::optional<T> next(std::move(old));  // moved only: swap would ask for more
  old.reset();
  if (place) old.emplace(*std::move(place));
  place.emplace(*std::move(next));
  tail_.store(at + 1, detail::memory_order_release);
  while (auto* const first = waiters_.pop_front()) section.wake.push(*first);
  return receivers_;
}

template <class T, class Policy>
void basic_broadcast<T, Policy>::close(error reason) noexcept {
  reason = detail::closing_reason(std::move(reason), name_);
  detail::wake_section section(lock_);
  if (reason_.there()) return;
  reason_.set(reason);
  while (auto* const first = waiters_.pop_front()) section.wake.push(*first);
}

template <class T, class Policy>
result<T> basic_broadcast_receiver<T, Policy>::take() {
  auto& from = *from_;
  std::uint64_t lost = 0;
  {
    detail::wake_section section(from.lock_);
    const std::uint64_t behind = from.tail() - position_;
    if (behind == 0) return tl::unexpected<error>(from.reason_.why());
    if (behind <= from.capacity()) {
      result<T> copy(*from.slot(position_));
      ++position_;
      return copy;
    }
    lost = behind - from.capacity();
    position_ += lost;
    missed_ += lost;
  }
  char text[48];
  std::snprintf(text, sizeof text, "%llu values missed", static_cast<unsigned long long>(lost));
  return fail(errc::lagged, from.name_, text);
}

/// The broadcast of tasks on any loops.
template <class T>
using broadcast = basic_broadcast<T, thread_safe>;
template <class T>
using broadcast_receiver = basic_broadcast_receiver<T, thread_safe>;
namespace local {
/// The broadcast of tasks of one loop.
template <class T>
using broadcast = basic_broadcast<T, one_loop>;
}  // namespace local

}  // namespace penstock
