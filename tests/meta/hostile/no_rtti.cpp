// tests/meta/hostile/no_rtti.cpp
// SPDX-License-Identifier: BSL-1.0

// Every header without run-time type information.
#include "all_headers.hpp"
