// tests/sync/two_loops.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Tasks on the loops of two threads, and how they pass the time.

#include <penstock/core.hpp>

#include <cstdint>
#include <thread>

namespace support {

/// Runs fn(0) and fn(1), each a task on a loop of its own thread.
template <class Fn>
void on_two_loops(Fn fn) {
  std::thread other([&] { penstock::sync_wait(fn(1)); });
  penstock::sync_wait(fn(0));
  other.join();
}

/// Lets the others of its loop go first so many times.
inline penstock::task<> turns(std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) co_await penstock::yield();
}

}  // namespace support
