// penstock/runtime/driver/detail/uring_impl.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Body of uring.hpp.

#include <penstock/runtime/detail/uring_reason.hpp>
#include <penstock/runtime/driver/detail/uring_driver.hpp>
#include <penstock/runtime/driver/uring.hpp>

namespace penstock {

PENSTOCK_ONCE result<std::unique_ptr<driver>> make_uring_driver(cpu_pool& pool,
                                                                driver_options options) {
  auto* const made = new detail::uring_driver(pool, options);
  std::unique_ptr<driver> owner(made);
  if (const int r = made->start(); r < 0) return fail(detail::uring_error(-r));
  return owner;
}

}  // namespace penstock
