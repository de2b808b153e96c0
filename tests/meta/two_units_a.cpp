// tests/meta/two_units_a.cpp
// SPDX-License-Identifier: BSL-1.0

// One of two translation units with every header; see two_units_b.cpp.
#include "all_headers.hpp"

int headers_of_unit_a();
int headers_of_unit_a() { return PENSTOCK_TEST_HEADER_COUNT; }
