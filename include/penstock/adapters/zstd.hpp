// penstock/adapters/zstd.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Umbrella of adapters/zstd/: compression with zstd. Link with -lzstd.

// IWYU pragma: begin_exports
#include <penstock/adapters/zstd/zstd_codec.hpp>
#include <penstock/adapters/zstd/zstd_options.hpp>
#include <penstock/adapters/zstd/zstd_stream.hpp>
// IWYU pragma: end_exports
