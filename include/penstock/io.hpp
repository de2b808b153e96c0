// penstock/io.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Umbrella of io/: files.

// IWYU pragma: begin_exports
#include <penstock/io/file.hpp>
#include <penstock/io/file_status.hpp>
#include <penstock/io/file_system.hpp>
#include <penstock/io/open_mode.hpp>
#include <penstock/io/read_chunks.hpp>
// IWYU pragma: end_exports
