// benchmarks/baseline/lazy_task.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The least that a lazy task can be: pooled frame, symmetric transfer both ways, a value or an
/// exception. No stop, no environment, no error channel.

#include "frame_pool.hpp"

#include <coroutine>
#include <exception>
#include <utility>

namespace baseline {

template <class T>
class [[nodiscard]] lazy_task {
 public:
  struct promise_type;
  using handle = std::coroutine_handle<promise_type>;

  struct back_to_parent {
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(handle self) const noexcept {
      return self.promise().parent;
    }
    void await_resume() const noexcept {}
  };
  struct promise_type : pooled_frame {
    lazy_task get_return_object() { return lazy_task(handle::from_promise(*this)); }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    back_to_parent final_suspend() const noexcept { return {}; }
    void return_value(T v) { value = std::move(v); }
    void unhandled_exception() { exception = std::current_exception(); }

    std::coroutine_handle<> parent;
    T value;
    std::exception_ptr exception;
  };

  lazy_task(lazy_task&& o) noexcept : self_(std::exchange(o.self_, {})) {}
  lazy_task& operator=(lazy_task&&) = delete;
  ~lazy_task() {
    if (self_) self_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> parent) noexcept {
    self_.promise().parent = parent;
    return self_;
  }
  T await_resume() {
    promise_type& p = self_.promise();
    if (p.exception) [[unlikely]]
      std::rethrow_exception(p.exception);
    return std::move(p.value);
  }

 private:
  explicit lazy_task(handle self) : self_(self) {}
  handle self_;
};

}  // namespace baseline
