// penstock/runtime/driver/uring.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The driver on io_uring: one ring a loop, single issuer, task work deferred to the wait.

#include <penstock/base/result.hpp>
#include <penstock/runtime/detail/uring_reason.hpp>
#include <penstock/runtime/driver/detail/uring_driver.hpp>

#include <memory>

namespace penstock {

/// Makes a driver on io_uring, for the calling thread.
///
/// **Parameters.** `pool` - for the few operations that an older kernel does not know.
/// **Errors.** the errno of io_uring, with the likely reason; any failure of the first no-op.
/// **Thread-safety.** used on the calling thread only; destroyed anywhere after leave().
/// **Complexity.** a ring of 256 entries, 4096 completions; about 330 KiB.
/// **Lifetime.** `pool` must outlive it.
[[nodiscard]] inline result<std::unique_ptr<driver>> make_uring_driver(
    cpu_pool& pool, driver_options options = {}) {
  auto made = std::make_unique<detail::uring_driver>(pool, options);
  if (const int r = made->start(); r < 0) return fail(detail::uring_error(-r));
  return made;
}

}  // namespace penstock
