// benchmarks/baseline/generator.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The least that a generator can be: a frame that is resumed for each item, and a pointer to what
/// it yields. It awaits nothing.

#include <coroutine>
#include <exception>
#include <memory>
#include <utility>

namespace baseline {

template <class T>
class generator {
 public:
  struct promise_type {
    generator get_return_object() {
      return generator(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    std::suspend_always final_suspend() const noexcept { return {}; }
    std::suspend_always yield_value(T&& item) noexcept {
      value = std::addressof(item);
      return {};
    }
    void return_void() const noexcept {}
    void unhandled_exception() { exception = std::current_exception(); }

    T* value = nullptr;
    std::exception_ptr exception;
  };

  generator(generator&& o) noexcept : self_(std::exchange(o.self_, {})) {}
  generator& operator=(generator&&) = delete;
  ~generator() {
    if (self_) self_.destroy();
  }

  /// The next item, or null at the end.
  T* next() {
    self_.resume();
    if (!self_.done()) return self_.promise().value;
    if (self_.promise().exception) std::rethrow_exception(self_.promise().exception);
    return nullptr;
  }

 private:
  explicit generator(std::coroutine_handle<promise_type> self) : self_(self) {}
  std::coroutine_handle<promise_type> self_;
};

}  // namespace baseline
