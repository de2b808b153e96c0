// tests/support/slowly.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A stage that waits before each item: what stands behind it is pulled instead of driven.

#include <penstock/core/sleep.hpp>
#include <penstock/core/task.hpp>
#include <penstock/stream/map.hpp>

#include <chrono>
#include <utility>

namespace support {

struct wait_then_pass {
  template <class T>
  penstock::task<T> operator()(T item) const {
    co_await penstock::sleep_for(std::chrono::milliseconds(1));
    co_return std::move(item);
  }
};
inline auto slowly() { return penstock::map(wait_then_pass()); }

}  // namespace support
