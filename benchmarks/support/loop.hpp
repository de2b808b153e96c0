// benchmarks/support/loop.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The loop that the subjects run on.

#include <penstock/core.hpp>

#include <utility>

namespace bench {

template <class Task>
auto in_loop(Task&& task) {
  return penstock::sync_wait(std::forward<Task>(task));
}

}  // namespace bench
