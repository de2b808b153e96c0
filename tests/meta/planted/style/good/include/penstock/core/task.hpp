// penstock/core/task.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A task.

#define PENSTOCK_TASK 1
#define LOCAL 1
#undef LOCAL
namespace penstock {
inline namespace literals {}
}  // namespace penstock
