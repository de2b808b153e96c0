// penstock/adapters/file.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Umbrella of adapters/file/: a folder as upload target, a file as upload journal.

// IWYU pragma: begin_exports
#include <penstock/adapters/file/directory_session.hpp>
#include <penstock/adapters/file/directory_target.hpp>
#include <penstock/adapters/file/file_journal.hpp>
// IWYU pragma: end_exports
