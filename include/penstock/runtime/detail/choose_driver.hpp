// penstock/runtime/detail/choose_driver.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Which driver a runtime gets: what its options say, else what PENSTOCK_DRIVER says, else the best
/// that starts.

#include <penstock/base/atomic.hpp>
#include <penstock/base/error.hpp>
#include <penstock/base/owned.hpp>
#include <penstock/runtime/driver.hpp>

namespace penstock {
class cpu_pool;
}  // namespace penstock

namespace penstock::detail {

// Whether the log has it that there is no io_uring: once in a process.
inline constinit atomic<bool> said_fallback{false};

// Null: `why` says why not.
owned<driver> make_driver(driver_kind kind, cpu_pool& pool, const driver_options& o, error& why);
// PENSTOCK_DRIVER decides where the program did not.
error driver_from_environment(driver_kind& kind);
owned<driver> start_driver(driver_kind asked, cpu_pool& pool, const driver_options& o, error& why);

}  // namespace penstock::detail

#ifndef PENSTOCK_SEPARATE
#include <penstock/runtime/detail/choose_driver_impl.hpp>
#endif
