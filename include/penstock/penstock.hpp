// penstock/penstock.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Everything from base to upload: no liburing, no Asio, no optional library.

// IWYU pragma: begin_exports
#include <penstock/base.hpp>
#include <penstock/core.hpp>
#include <penstock/pool.hpp>
#include <penstock/resilience.hpp>
#include <penstock/stream.hpp>
#include <penstock/sync.hpp>
#include <penstock/upload.hpp>

// The paths that functions of io take are named with it.
#include <filesystem>
// IWYU pragma: end_exports
