// penstock/adapters/zlib.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Umbrella of adapters/zlib/: compression with gzip, by zlib. Link with -lz.

// IWYU pragma: begin_exports
#include <penstock/adapters/zlib/gzip_codec.hpp>
#include <penstock/adapters/zlib/gzip_options.hpp>
#include <penstock/adapters/zlib/gzip_stream.hpp>
// IWYU pragma: end_exports
