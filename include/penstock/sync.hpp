// penstock/sync.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Umbrella of sync/: what tasks wait for and pass values through.

// IWYU pragma: begin_exports
#include <penstock/sync/channel.hpp>
#include <penstock/sync/event.hpp>
#include <penstock/sync/semaphore.hpp>
#include <penstock/sync/semaphore_permit.hpp>
#include <penstock/sync/thread_safe.hpp>
// IWYU pragma: end_exports
