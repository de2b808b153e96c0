// benchmarks/baseline/hand_streams.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What pipelines are measured against: a loop, and the plainest generator.

#include <coroutine>
#include <cstdint>
#include <exception>
#include <utility>

namespace baseline {

/// A mixing step that no compiler sees through.
inline std::uint64_t mix(std::uint64_t x) noexcept {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  return x;
}
/// mix, filter, scan, map, fold as one loop.
[[gnu::noinline]] inline std::uint64_t five_stages(std::uint64_t n) noexcept {
  std::uint64_t sum = 0, total = 0;
  for (std::uint64_t i = 0; i < n; ++i) {
    const std::uint64_t x = mix(i);
    if ((x & 3) == 0) continue;
    sum += x;
    const std::uint64_t y = sum ^ (sum >> 7);
    total = total * 31 + y;
  }
  return total;
}

/// Yields numbers; cannot wait, fail or be stopped.
class generator {
 public:
  struct promise_type {
    std::uint64_t value = 0;
    generator get_return_object() noexcept {
      return generator(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    std::suspend_always yield_value(std::uint64_t x) noexcept {
      value = x;
      return {};
    }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };

  explicit generator(std::coroutine_handle<promise_type> h) noexcept : frame_(h) {}
  generator(generator&& o) noexcept : frame_(std::exchange(o.frame_, {})) {}
  generator& operator=(generator&&) = delete;
  ~generator() {
    if (frame_) frame_.destroy();
  }
  bool next() {
    frame_.resume();
    return !frame_.done();
  }
  [[nodiscard]] std::uint64_t value() const noexcept { return frame_.promise().value; }

 private:
  std::coroutine_handle<promise_type> frame_;
};

}  // namespace baseline
