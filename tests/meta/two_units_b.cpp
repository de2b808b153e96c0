// tests/meta/two_units_b.cpp
// SPDX-License-Identifier: BSL-1.0

// Linked with two_units_a.cpp. That the program exists is the test, of each header once.
#include "all_headers.hpp"

#include <cstdio>

int headers_of_unit_a();

int main() {
  if (headers_of_unit_a() != PENSTOCK_TEST_HEADER_COUNT) return 1;
  std::printf("[cases] %d passed, 0 failed, 0 skipped\n", PENSTOCK_TEST_HEADER_COUNT);
}
