// penstock/runtime/driver/uring.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The driver on io_uring: one ring a loop, single issuer, task work deferred to the wait.

#include <penstock/base/owned.hpp>
#include <penstock/base/result.hpp>
#include <penstock/runtime/cpu_pool.hpp>
#include <penstock/runtime/driver.hpp>

#include <memory>
#include <utility>

namespace penstock {
namespace detail {
// Null: `why` says why not.
owned<driver> start_uring(cpu_pool& pool, const driver_options& options, error& why);
}  // namespace detail

/// Makes a driver on io_uring, for the calling thread.
///
/// **Parameters.** `pool` - for the few operations that an older kernel does not know.
/// **Errors.** the errno of io_uring, with the likely reason; any failure of the first no-op.
/// **Thread-safety.** used on the calling thread only; destroyed anywhere after leave().
/// **Complexity.** a ring of 256 entries, 4096 completions; about 330 KiB.
/// **Lifetime.** `pool` must outlive it.
template <class Driver = driver>  // a template: a runtime has no use for the result
[[nodiscard]] result<std::unique_ptr<Driver>> make_uring_driver(
    cpu_pool& pool, const driver_options& options = {}) {
  error why;
  std::unique_ptr<Driver> made(detail::start_uring(pool, options, why).release());
  if (!made) return fail(std::move(why));
  return made;
}

}  // namespace penstock

#ifndef PENSTOCK_SEPARATE
#include <penstock/runtime/driver/detail/uring_impl.hpp>
#endif
