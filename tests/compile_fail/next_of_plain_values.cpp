// tests/compile_fail/next_of_plain_values.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: an awaitable, of result<std::optional<T>>
#include <penstock/core.hpp>
#include <penstock/stream.hpp>

#include <optional>

using namespace penstock;

class countdown {
 public:
  explicit countdown(int n) : left_(n) {}
#ifdef MUST_FAIL
  task<std::optional<int>> next() {
#else
  task<result<std::optional<int>>> next() {
#endif
    if (left_ == 0) co_return std::nullopt;
    co_return left_--;
  }

 private:
  int left_;
};
task<result<>> run() { co_return co_await (countdown(3) | drain()); }
