// benchmarks/support/ring.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Whether there is io_uring here: for the `missing` of a figure.

#include <liburing.h>

namespace bench {

/// Why there is none, or null.
inline const char* no_ring() {
  io_uring r{};
  if (::io_uring_queue_init(8, &r, 0) != 0) return "no io_uring";
  ::io_uring_queue_exit(&r);
  return nullptr;
}

}  // namespace bench
