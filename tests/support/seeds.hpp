// tests/support/seeds.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// `support::seeds` is `penstock::test::seeds`. A test file that includes this, or
/// penstock_test.hpp, is repeated with new seeds by `scripts/test --deep`.

#include <penstock/test/seeds.hpp>

namespace support {
using penstock::test::seeds;
}  // namespace support
