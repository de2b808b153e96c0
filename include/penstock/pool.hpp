// penstock/pool.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Umbrella of pool/: buffers and bytes in bounded numbers.

// IWYU pragma: begin_exports
#include <penstock/pool/buffer_pool.hpp>
#include <penstock/pool/memory_budget.hpp>
// IWYU pragma: end_exports
