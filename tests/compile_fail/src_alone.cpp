// tests/compile_fail/src_alone.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: define PENSTOCK_SEPARATE in every unit of the program
#ifdef MUST_FAIL
#include <penstock/src.hpp>
#else
#define PENSTOCK_SEPARATE
#include <penstock/src.hpp>
#endif
