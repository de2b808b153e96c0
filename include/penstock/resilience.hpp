// penstock/resilience.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Umbrella of resilience/: policies around operations.

// IWYU pragma: begin_exports
#include <penstock/resilience/repeatable.hpp>
#include <penstock/resilience/retry.hpp>
#include <penstock/resilience/retry_core.hpp>
// IWYU pragma: end_exports
