// penstock/adapters/brotli.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Umbrella of adapters/brotli/: compression with brotli. Link with -lbrotlienc -lbrotlidec
/// -lbrotlicommon.

// IWYU pragma: begin_exports
#include <penstock/adapters/brotli/brotli_codec.hpp>
#include <penstock/adapters/brotli/brotli_options.hpp>
#include <penstock/adapters/brotli/brotli_stream.hpp>
// IWYU pragma: end_exports
