// tests/support/open_files.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// `support::open_files()`: how many descriptors this process has.

#include <cstddef>
#include <filesystem>
#include <iterator>

namespace support {

inline std::size_t open_files() {
  const std::filesystem::directory_iterator all("/proc/self/fd");  // is one itself
  return static_cast<std::size_t>(std::distance(begin(all), end(all))) - 1;
}

}  // namespace support
