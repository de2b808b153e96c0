// penstock/test.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Umbrella of test/: the test runtime and the tools of tests. One translation unit of a program
/// may include test/replace_new.hpp besides, which replaces operator new.

// IWYU pragma: begin_exports
#include <penstock/test/allocation_counter.hpp>
#include <penstock/test/cancel_matrix.hpp>
#include <penstock/test/dump.hpp>
#include <penstock/test/lifetime_tracked.hpp>
#include <penstock/test/memory_stream.hpp>
#include <penstock/test/seeds.hpp>
#include <penstock/test/test_runtime.hpp>
// IWYU pragma: end_exports
