// tests/support/separate.cpp
// SPDX-License-Identifier: BSL-1.0

// The one unit of a test program built with PENSTOCK_SEPARATE that compiles the large bodies.
#include <penstock/src.hpp>
