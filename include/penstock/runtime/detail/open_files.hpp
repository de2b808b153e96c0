// penstock/runtime/detail/open_files.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The limit of open files: raised to what this process may have.

#include <penstock/base/config.hpp>

namespace penstock::detail {

// Says so once when it stays low.
void raise_open_files();

}  // namespace penstock::detail

#ifndef PENSTOCK_SEPARATE
#include <penstock/runtime/detail/open_files_impl.hpp>
#endif
