// penstock/runtime/driver/detail/uring_impl.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Body of uring.hpp.

#include <penstock/runtime/detail/uring_reason.hpp>
#include <penstock/runtime/driver/detail/uring_driver.hpp>
#include <penstock/runtime/driver/uring.hpp>

namespace penstock::detail {

PENSTOCK_ONCE owned<driver> start_uring(cpu_pool& pool, const driver_options& options, error& why) {
  auto* const made = new uring_driver(pool, options);
  owned<driver> owner(made);
  if (const int r = made->start(); r < 0) {
    why = uring_error(-r);
    owner.reset();
  }
  return owner;
}

}  // namespace penstock::detail
