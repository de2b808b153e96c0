// benchmarks/baseline/ready_queue.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// An intrusive first-in first-out queue of suspended coroutines, and what a program of one thread
/// needs around it: yield(), and coroutines that start at once and free themselves.

#include "frame_pool.hpp"

#include <coroutine>
#include <exception>

namespace baseline {

/// In the awaiter, in the waiting coroutine's frame.
struct ready_node {
  ready_node() noexcept {}  // nothing is zeroed: that would be two stores a turn

  ready_node* next;
  void* frame;
};

class ready_queue {
 public:
  void push(ready_node& n) noexcept {
    n.next = nullptr;
    *tail_ = &n;
    tail_ = &n.next;
  }
  void run() {
    while (ready_node* n = head_) {
      head_ = n->next;
      if (!head_) tail_ = &head_;
      std::coroutine_handle<>::from_address(n->frame).resume();
    }
  }

 private:
  ready_node* head_ = nullptr;
  ready_node** tail_ = &head_;
};
/// The one loop of the program.
inline ready_queue ready;

struct yield : ready_node {
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) noexcept {
    frame = h.address();
    ready.push(*this);
  }
  void await_resume() const noexcept {}
};

struct eager_task {
  struct promise_type : pooled_frame {
    eager_task get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const { std::terminate(); }
  };
};

}  // namespace baseline
