// penstock/runtime.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Umbrella of runtime/: event loops, drivers, the cpu pool. Includes liburing, unless
/// PENSTOCK_SEPARATE is defined.

// IWYU pragma: begin_exports
#include <penstock/runtime/cpu_pool.hpp>
#include <penstock/runtime/driver.hpp>
#include <penstock/runtime/driver/reactor.hpp>
#include <penstock/runtime/driver/uring.hpp>
#include <penstock/runtime/event_loop.hpp>
#include <penstock/runtime/lease_store.hpp>
#include <penstock/runtime/operation.hpp>
#include <penstock/runtime/runtime.hpp>
#include <penstock/runtime/timer_wheel.hpp>
// IWYU pragma: end_exports
