// penstock/base.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// All of base: errors and results, time, buffers, checksums, backoff, limiter cores, randomness.

#include <penstock/base/assert.hpp>
#include <penstock/base/atomic.hpp>
#include <penstock/base/backoff.hpp>
#include <penstock/base/backoff_presets.hpp>
#include <penstock/base/buffer.hpp>
#include <penstock/base/buffer_slicer.hpp>
#include <penstock/base/checksum.hpp>
#include <penstock/base/chunk_queue.hpp>
#include <penstock/base/clock.hpp>
#include <penstock/base/config.hpp>
#include <penstock/base/deadline.hpp>
#include <penstock/base/errc.hpp>
#include <penstock/base/error.hpp>
#include <penstock/base/exact_window_core.hpp>
#include <penstock/base/fixed_vector.hpp>
#include <penstock/base/fixed_window_core.hpp>
#include <penstock/base/format.hpp>
#include <penstock/base/gcra_core.hpp>
#include <penstock/base/gcra_pace.hpp>
#include <penstock/base/intrusive_list.hpp>
#include <penstock/base/lesser.hpp>
#include <penstock/base/limiter_core.hpp>
#include <penstock/base/literals.hpp>
#include <penstock/base/log.hpp>
#include <penstock/base/owned.hpp>
#include <penstock/base/random.hpp>
#include <penstock/base/rate.hpp>
#include <penstock/base/registered_memory.hpp>
#include <penstock/base/result.hpp>
#include <penstock/base/scope_exit.hpp>
#include <penstock/base/spin_lock.hpp>
#include <penstock/base/taken.hpp>
#include <penstock/base/unique_function.hpp>
#include <penstock/base/version.hpp>
