// tests/compile_fail/idempotent_task.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: a callable that makes the task, not the task
#include <penstock/core.hpp>
#include <penstock/resilience/retry.hpp>

#include <utility>

using namespace penstock;

task<result<>> store(int value);

task<result<>> run(int value) {
  const auto persistent = retry({.attempts = 3});
#ifdef MUST_FAIL
  co_return co_await persistent(idempotent(store(value)));
#else
  co_return co_await persistent(idempotent([&] { return store(value); }));
#endif
}
