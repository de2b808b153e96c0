// penstock/upload.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Umbrella of upload/: chunked, resumable uploads.

// IWYU pragma: begin_exports
#include <penstock/upload/journal_core.hpp>
#include <penstock/upload/part_planner.hpp>
#include <penstock/upload/upload.hpp>
#include <penstock/upload/upload_concepts.hpp>
#include <penstock/upload/upload_options.hpp>
// IWYU pragma: end_exports
