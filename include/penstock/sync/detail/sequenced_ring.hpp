// penstock/sync/detail/sequenced_ring.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A bounded queue that any number of threads use at once, until one of them makes it exclusive:
/// then all others find it shut and come to the lock that guards the exclusive use.
///
/// Each slot has a stamp that tells whose turn it is: a position is claimed with one
/// read-modify-write of the queue's end, and published with a store of its slot's stamp (D.
/// Vyukov's bounded queue; laps in the position as in crossbeam's ArrayQueue, so that any capacity
/// will do). Bit 0 of both ends says "shut". Whoever shuts it does so with a read-modify-write of
/// the words that all others claim with: nobody who claims later can miss it, and who had claimed
/// before publishes soon.

#include <penstock/base/atomic.hpp>
#include <penstock/base/lesser.hpp>
#include <penstock/base/spin_lock.hpp>
#include <penstock/sync/detail/landing.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace penstock::detail {

template <class T>
class sequenced_ring {
  static_assert(std::is_nothrow_move_constructible_v<T> && std::is_nothrow_destructible_v<T>);

 public:
  explicit sequenced_ring(std::size_t capacity) : capacity_(capacity) {
    while (lap_ < 2 * capacity) lap_ *= 2;
    if (capacity == 0) shut();
    slots_.reset(capacity ? new slot[capacity] : nullptr);
    for (std::size_t i = 0; i < capacity; ++i) slots_[i].stamp.store(2 * i, memory_order_relaxed);
  }
  sequenced_ring(const sequenced_ring&) = delete;
  sequenced_ring& operator=(const sequenced_ring&) = delete;
  ~sequenced_ring() {
    const std::uint64_t tail = position(tail_);
    for (std::uint64_t at = position(head_); at != tail; at = next(at))
      std::destroy_at(value_in(slots_[index(at)]));
  }

  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  // Exact when it is shut, or nobody uses it.
  [[nodiscard]] std::size_t size() const noexcept {
    const std::uint64_t head = position(head_);
    const std::uint64_t tail = position(tail_);
    if (tail <= head) return 0;
    // The ends are read one after the other.
    return lesser((tail / lap_ - head / lap_) * capacity_ + index(tail) - index(head), capacity_);
  }

  // Moves `value` in. False: it is full, or shut.
  bool try_push(T& value) noexcept {
    std::uint64_t at = tail_.value.load(memory_order_relaxed);
    while (!(at & shut_bit)) {
      slot& s = slots_[index(at)];
      const std::uint64_t stamp = s.stamp.load(memory_order_acquire);
      if (stamp == at) {
        if (tail_.value.compare_exchange_weak(at, next(at), memory_order_acquire,
                                              memory_order_relaxed)) {
          ::new (static_cast<void*>(s.bytes)) T(std::move(value));
          s.stamp.store(at | filled, memory_order_release);
          return true;
        }
      } else if (stamp < at) {  // of the lap before
        return false;
      } else {
        at = tail_.value.load(memory_order_relaxed);
      }
    }
    return false;
  }
  // Moves the oldest value out. False: it is empty, or shut.
  bool try_pop(landing<T>& to) noexcept {
    std::uint64_t at = head_.value.load(memory_order_relaxed);
    while (!(at & shut_bit)) {
      slot& s = slots_[index(at)];
      const std::uint64_t stamp = s.stamp.load(memory_order_acquire);
      if (stamp == (at | filled)) {
        if (head_.value.compare_exchange_weak(at, next(at), memory_order_acquire,
                                              memory_order_relaxed)) {
          take(s, at, to);
          return true;
        }
      } else if (stamp <= at) {
        return false;
      } else {
        at = head_.value.load(memory_order_relaxed);
      }
    }
    return false;
  }

  // All below by one thread at a time.
  void shut() noexcept {
    if (is_shut_) return;
    is_shut_ = true;
    tail_.value.fetch_or(shut_bit, memory_order_acq_rel);
    head_.value.fetch_or(shut_bit, memory_order_acq_rel);
  }
  void open() noexcept {
    if (!is_shut_ || capacity_ == 0) return;
    is_shut_ = false;
    head_.value.store(head_.value.load(memory_order_relaxed) & ~shut_bit, memory_order_release);
    tail_.value.store(tail_.value.load(memory_order_relaxed) & ~shut_bit, memory_order_release);
  }
  // These while it is shut.
  [[nodiscard]] bool empty() const noexcept { return position(head_) == position(tail_); }
  [[nodiscard]] bool full() const noexcept {
    return position(tail_) == position(head_) + (capacity_ ? lap_ : 0);
  }
  void push_back(T&& value) noexcept {
    const std::uint64_t at = position(tail_);
    slot& s = slots_[index(at)];
    await(s, at);
    ::new (static_cast<void*>(s.bytes)) T(std::move(value));
    s.stamp.store(at | filled, memory_order_release);
    tail_.value.store(next(at) | shut_bit, memory_order_release);
  }
  void pop_front(landing<T>& to) noexcept {
    const std::uint64_t at = position(head_);
    slot& s = slots_[index(at)];
    await(s, at | filled);
    take(s, at, to);
    head_.value.store(next(at) | shut_bit, memory_order_release);
  }

 private:
  static constexpr std::uint64_t shut_bit = 1;  // in the ends
  static constexpr std::uint64_t filled = 1;    // in a stamp

  struct slot {
    atomic<std::uint64_t> stamp{0};
    alignas(T) unsigned char bytes[sizeof(T)];
  };
  // On a cache line of its own. Not aligned: it may be in a coroutine's frame.
  struct end {
    atomic<std::uint64_t> value{0};
    unsigned char apart[56];
  };

  static std::uint64_t position(const end& e) noexcept {
    return e.value.load(memory_order_acquire) & ~shut_bit;
  }
  static T* value_in(slot& s) noexcept { return std::launder(reinterpret_cast<T*>(s.bytes)); }

  [[nodiscard]] std::size_t index(std::uint64_t at) const noexcept {
    return static_cast<std::size_t>(at & (lap_ - 1)) / 2;
  }
  [[nodiscard]] std::uint64_t next(std::uint64_t at) const noexcept {
    const std::uint64_t in_lap = at & (lap_ - 1);
    return in_lap + 2 < 2 * capacity_ ? at + 2 : at - in_lap + lap_;
  }
  void take(slot& s, std::uint64_t at, landing<T>& to) noexcept {
    T* const value = value_in(s);
    to.emplace(std::move(*value));
    std::destroy_at(value);
    s.stamp.store(at + lap_, memory_order_release);
  }
  // One who had claimed the slot before it was shut is about to leave it.
  static void await(slot& s, std::uint64_t stamp) noexcept {
    spin_wait waiting;
    while (s.stamp.load(memory_order_acquire) != stamp) waiting.once();
  }

  // What everybody reads comes behind the ends, which somebody writes all the time: in front of
  // them it could be in a cache line with one, and an item between two threads take 40 ns instead
  // of 14.
  end tail_;
  end head_;
  std::unique_ptr<slot[]> slots_;
  std::size_t capacity_;
  std::uint64_t lap_ = 2;  // twice a power of two that is not less than the capacity
  bool is_shut_ = false;
};

}  // namespace penstock::detail
