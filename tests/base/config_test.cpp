// tests/base/config_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/base/config.hpp>
// what these two promise is known to the preprocessor
#include <penstock/base/version.hpp>

#include <doctest/doctest.h>

#include <string>

#if PENSTOCK_VERSION < 100
#error "PENSTOCK_VERSION is not usable in #if"
#endif
#if PENSTOCK_ASAN != 0 && PENSTOCK_ASAN != 1
#error "PENSTOCK_ASAN is 0 or 1"
#endif
#if PENSTOCK_TSAN != 0 && PENSTOCK_TSAN != 1
#error "PENSTOCK_TSAN is 0 or 1"
#endif
#if PENSTOCK_TRAMPOLINE != 0 && PENSTOCK_TRAMPOLINE != 1
#error "PENSTOCK_TRAMPOLINE is 0 or 1"
#endif

TEST_CASE("the version's parts and its text agree") {
  using namespace penstock;
  CHECK(version_major * 10000 + version_minor * 100 + version_patch == PENSTOCK_VERSION);
  CHECK(std::to_string(version_major) + "." + std::to_string(version_minor) + "." +
            std::to_string(version_patch) ==
        version_string);
}
