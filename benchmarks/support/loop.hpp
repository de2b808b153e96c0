// benchmarks/support/loop.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The loop that the subjects run on: a runtime's first, made once.

#include <penstock/runtime.hpp>

#include <utility>

namespace bench {

/// Runs a task to its end on the loop of this thread, and gives what it yields.
template <class Task>
auto in_loop(Task&& task) {
  static penstock::runtime runtime({.handle_signals = false});
  return runtime.run(std::forward<Task>(task));
}

}  // namespace bench
