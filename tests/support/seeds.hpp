// tests/support/seeds.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// `support::seeds` is `penstock::test::seeds`.

#include <penstock/test/seeds.hpp>

namespace support {
using penstock::test::seeds;
}
