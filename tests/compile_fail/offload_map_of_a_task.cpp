// tests/compile_fail/offload_map_of_a_task.cpp
// SPDX-License-Identifier: BSL-1.0

// On the cpu pool nothing is awaited: a task would be made there and thrown away.
// expect-error: it returns a value, no task
#include <penstock/stream.hpp>

#include <vector>

using namespace penstock;

task<result<>> caller() {
  std::vector<int> numbers{1, 2, 3};
#ifdef MUST_FAIL
  auto later = [](int x) -> task<int> { co_return x; };
  co_return co_await (from(numbers) | offload_map(2, later) | drain());
#else
  auto now = [](int x) { return x; };
  co_return co_await (from(numbers) | offload_map(2, now) | drain());
#endif
}
