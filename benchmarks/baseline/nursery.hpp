// benchmarks/baseline/nursery.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The least that a group of tasks can be: children go through the ready queue, free their own
/// frames, and the last one to end resumes the one that joins. The first exception is kept for it.

#include "ready_queue.hpp"

#include <cstddef>
#include <exception>
#include <utility>

namespace baseline {

class nursery;

class [[nodiscard]] child {
 public:
  struct promise_type;
  using handle = std::coroutine_handle<promise_type>;

  struct leave {
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(handle self) const noexcept;
    void await_resume() const noexcept {}
  };
  struct promise_type : pooled_frame, ready_node {
    child get_return_object() { return child(handle::from_promise(*this)); }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    leave final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() noexcept;

    nursery* home;
  };

  child(child&& o) noexcept : self_(std::exchange(o.self_, {})) {}
  child& operator=(child&&) = delete;
  ~child() {
    if (self_) self_.destroy();
  }

 private:
  friend nursery;
  explicit child(handle self) : self_(self) {}
  handle self_;
};

class nursery {
 public:
  void start(child c) noexcept {
    const child::handle h = std::exchange(c.self_, {});
    child::promise_type& p = h.promise();
    p.home = this;
    p.frame = h.address();
    ++live_;
    ready.push(p);
  }

  struct join_awaiter {
    nursery& home;
    bool await_ready() const noexcept { return home.live_ == 0; }
    void await_suspend(std::coroutine_handle<> h) const noexcept { home.joiner_ = h; }
    void await_resume() const {
      if (home.exception_) [[unlikely]]
        std::rethrow_exception(home.exception_);
    }
  };
  join_awaiter join() noexcept { return {*this}; }

 private:
  friend child;
  std::size_t live_ = 0;
  std::coroutine_handle<> joiner_ = std::noop_coroutine();
  std::exception_ptr exception_;
};

inline std::coroutine_handle<> child::leave::await_suspend(handle self) const noexcept {
  nursery& home = *self.promise().home;
  self.destroy();
  if (--home.live_ != 0) return std::noop_coroutine();
  return home.joiner_;
}
inline void child::promise_type::unhandled_exception() noexcept {
  if (!home->exception_) home->exception_ = std::current_exception();
}

}  // namespace baseline
