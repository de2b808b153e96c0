// benchmarks/baseline/event.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The least that waiting for an event can be: a node in the frame, on a list.

#include "ready_queue.hpp"

#include <utility>

namespace baseline {

class event {
 public:
  struct wait_awaiter : ready_node {
    explicit wait_awaiter(event& e) noexcept : home(e) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) noexcept {
      frame = h.address();
      next = std::exchange(home.first_, this);
    }
    void await_resume() const noexcept {}
    event& home;
  };
  wait_awaiter wait() noexcept { return wait_awaiter(*this); }
  void set() {
    while (ready_node* n = first_) {
      first_ = n->next;
      ready.push(*n);
    }
  }

 private:
  ready_node* first_ = nullptr;
};

}  // namespace baseline
