// penstock/runtime/driver/reactor.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The driver for kernels and containers without io_uring: sockets on epoll, files on the cpu pool.

#include <penstock/base/result.hpp>
#include <penstock/runtime/cpu_pool.hpp>
#include <penstock/runtime/driver.hpp>

#include <memory>

namespace penstock {

/// Makes a driver that needs nothing special of the kernel.
///
/// **Parameters.** `pool` - executes the operations on files; `options` - the buffers for sockets.
/// **Errors.** the errno of eventfd or epoll.
/// **Complexity.** 32 bytes for each descriptor up to the highest one in use; no allocation for an
/// operation.
/// **Lifetime.** `pool` must outlive it.
[[nodiscard]] result<std::unique_ptr<driver>> make_reactor_driver(
    cpu_pool& pool, const driver_options& options = {});

}  // namespace penstock

#ifndef PENSTOCK_SEPARATE
#include <penstock/runtime/driver/detail/reactor_impl.hpp>
#endif
