// penstock/runtime/driver/reactor.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The driver for kernels and containers without io_uring: sockets on epoll, files on the cpu pool.

#include <penstock/base/owned.hpp>
#include <penstock/base/result.hpp>
#include <penstock/runtime/cpu_pool.hpp>
#include <penstock/runtime/driver.hpp>

#include <memory>
#include <utility>

namespace penstock {
namespace detail {
// Null: `why` says why not.
owned<driver> start_reactor(cpu_pool& pool, const driver_options& options, error& why);
}  // namespace detail

/// Makes a driver that needs nothing special of the kernel.
///
/// **Parameters.** `pool` - executes the operations on files; `options` - the buffers for sockets.
/// **Errors.** the errno of eventfd or epoll.
/// **Complexity.** 32 bytes for each descriptor up to the highest one in use; no allocation for an
/// operation.
/// **Lifetime.** `pool` must outlive it.
template <class Driver = driver>  // a template: a runtime has no use for the result
[[nodiscard]] result<std::unique_ptr<Driver>> make_reactor_driver(
    cpu_pool& pool, const driver_options& options = {}) {
  error why;
  std::unique_ptr<Driver> made(detail::start_reactor(pool, options, why).release());
  if (!made) return fail(std::move(why));
  return made;
}

}  // namespace penstock

#ifndef PENSTOCK_SEPARATE
#include <penstock/runtime/driver/detail/reactor_impl.hpp>
#endif
