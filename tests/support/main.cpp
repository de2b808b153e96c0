// tests/support/main.cpp
// SPDX-License-Identifier: BSL-1.0

// The only doctest implementation, and the counting operator new: every test program of the project
// is linked with this file.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <penstock/test/replace_new.hpp>
