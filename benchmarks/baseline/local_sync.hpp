// benchmarks/baseline/local_sync.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A semaphore and a channel for coroutines of one thread, as one writes them by hand: no atomics,
/// no cancellation, waiters linked through their awaiters, values handed over directly.

#include "ready_queue.hpp"

#include <cstddef>
#include <memory>

namespace baseline {

/// First in, first out.
class waiter_queue {
 public:
  void push(ready_node& n) noexcept {
    n.next = nullptr;
    (head_ ? tail_->next : head_) = &n;
    tail_ = &n;
  }
  ready_node* pop() noexcept {
    ready_node* const n = head_;
    if (n) head_ = n->next;
    return n;
  }

 private:
  ready_node* head_ = nullptr;
  ready_node* tail_;
};

class local_semaphore {
 public:
  explicit local_semaphore(long permits) : permits_(permits) {}

  struct acquire_awaiter : ready_node {
    explicit acquire_awaiter(local_semaphore& s) noexcept : semaphore(s) {}
    bool await_ready() const noexcept {
      if (semaphore.permits_ == 0) return false;
      --semaphore.permits_;
      return true;
    }
    void await_suspend(std::coroutine_handle<> h) noexcept {
      frame = h.address();
      semaphore.waiting_.push(*this);
    }
    void await_resume() const noexcept {}

    local_semaphore& semaphore;
  };
  acquire_awaiter acquire() noexcept { return acquire_awaiter(*this); }
  void release() noexcept {
    if (ready_node* const n = waiting_.pop())
      ready.push(*n);
    else
      ++permits_;
  }
  [[nodiscard]] long permits() const noexcept { return permits_; }

 private:
  long permits_;
  waiter_queue waiting_;
};

class local_channel {
 public:
  explicit local_channel(std::size_t capacity)
      : slots_(std::make_unique<long[]>(capacity)), capacity_(capacity) {}

  struct value_node : ready_node {
    long value;
  };
  struct send_awaiter : value_node {
    send_awaiter(local_channel& c, long v) noexcept : channel(c) { value = v; }
    bool await_ready() noexcept {
      if (ready_node* const n = channel.receivers_.pop()) {
        static_cast<value_node*>(n)->value = value;
        ready.push(*n);
        return true;
      }
      if (channel.size_ == channel.capacity_) return false;
      channel.put(value);
      return true;
    }
    void await_suspend(std::coroutine_handle<> h) noexcept {
      frame = h.address();
      channel.senders_.push(*this);
    }
    void await_resume() const noexcept {}

    local_channel& channel;
  };
  struct receive_awaiter : value_node {
    explicit receive_awaiter(local_channel& c) noexcept : channel(c) {}
    bool await_ready() noexcept {
      if (channel.size_ == 0) return false;
      value = channel.take();
      if (ready_node* const n = channel.senders_.pop()) {
        channel.put(static_cast<value_node*>(n)->value);
        ready.push(*n);
      }
      return true;
    }
    void await_suspend(std::coroutine_handle<> h) noexcept {
      frame = h.address();
      channel.receivers_.push(*this);
    }
    long await_resume() const noexcept { return value; }

    local_channel& channel;
  };
  send_awaiter send(long value) noexcept { return {*this, value}; }
  receive_awaiter receive() noexcept { return receive_awaiter(*this); }

 private:
  void put(long value) noexcept {
    std::size_t at = first_ + size_++;
    if (at >= capacity_) at -= capacity_;
    slots_[at] = value;
  }
  long take() noexcept {
    const long value = slots_[first_];
    if (++first_ == capacity_) first_ = 0;
    --size_;
    return value;
  }

  std::unique_ptr<long[]> slots_;
  std::size_t capacity_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
  waiter_queue senders_, receivers_;
};

}  // namespace baseline
