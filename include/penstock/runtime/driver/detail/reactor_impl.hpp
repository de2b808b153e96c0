// penstock/runtime/driver/detail/reactor_impl.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Body of reactor.hpp.

#include <penstock/runtime/driver/detail/reactor_driver.hpp>
#include <penstock/runtime/driver/reactor.hpp>

namespace penstock::detail {

PENSTOCK_ONCE owned<driver> start_reactor(cpu_pool& pool, const driver_options& options,
                                          error& why) {
  auto* const made = new reactor_driver(pool, options);
  owned<driver> owner(made);
  if (const int r = made->start(); r < 0) {
    why = errno_error(-r).with("start the reactor");
    owner.reset();
  }
  return owner;
}

}  // namespace penstock::detail
