// penstock/base/version.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The version of the library, for `#if` and for programs.

/// major * 10000 + minor * 100 + patch, usable in `#if`.
#define PENSTOCK_VERSION 100

namespace penstock {

inline constexpr int version_major = PENSTOCK_VERSION / 10000;
inline constexpr int version_minor = PENSTOCK_VERSION / 100 % 100;
inline constexpr int version_patch = PENSTOCK_VERSION % 100;
inline constexpr char version_string[] = "0.1.0";

}  // namespace penstock
