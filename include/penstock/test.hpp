// penstock/test.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Umbrella of test/: the test runtime and the tools of tests.

// IWYU pragma: begin_exports
#include <penstock/test/dump.hpp>
#include <penstock/test/test_runtime.hpp>
// IWYU pragma: end_exports
