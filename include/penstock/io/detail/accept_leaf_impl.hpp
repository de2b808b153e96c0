// penstock/io/detail/accept_leaf_impl.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Bodies of accept_leaf.hpp.

#include <penstock/base/log.hpp>
#include <penstock/io/detail/accept_leaf.hpp>

#include <cstdint>
#include <new>

namespace penstock::detail {

PENSTOCK_NOINLINE PENSTOCK_ONCE void say_pause(time_point now, int number,
                                               const open_socket& s) noexcept {
  constexpr std::int64_t minute = 60'000'000'000;
  const std::int64_t t = now.time_since_epoch().count() + 1;  // 0: never
  std::int64_t before = pause_said.load(memory_order_relaxed);
  if (before != 0 && t >= before && t - before < minute) return;
  if (!pause_said.compare_exchange_strong(before, t, memory_order_relaxed)) return;
  try {
    log(log_level::warning, socket_error(-number, "accept", s).message() + ": trying again");
  } catch (const std::bad_alloc&) {
    log(log_level::warning, "accept: out of memory: trying again");
  }
}

}  // namespace penstock::detail
