// penstock/runtime/driver/detail/reactor_impl.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Body of reactor.hpp.

#include <penstock/runtime/driver/detail/reactor_driver.hpp>
#include <penstock/runtime/driver/reactor.hpp>

namespace penstock {

PENSTOCK_ONCE result<std::unique_ptr<driver>> make_reactor_driver(cpu_pool& pool,
                                                                  const driver_options& options) {
  auto* const made = new detail::reactor_driver(pool, options);
  std::unique_ptr<driver> owner(made);
  if (const int r = made->start(); r < 0) return fail(errno_error(-r), "start the reactor");
  return owner;
}

}  // namespace penstock
