// tests/support/skip.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How a test case says that it cannot run here, as where the kernel has no io_uring:
/// `if (!can) return support::skip("no io_uring");`. It is counted and named as skipped.

#include <cstdio>

#include <doctest/doctest.h>

namespace support {

inline void skip(const char* reason) {
  std::printf("[skip] %s: %s\n", doctest::getContextOptions()->currentTest->m_name, reason);
  std::fflush(stdout);
}

}  // namespace support
