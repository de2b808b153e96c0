// tests/base/literals_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/base/literals.hpp>

#include <doctest/doctest.h>

#include <type_traits>

namespace {

using namespace penstock::literals;

static_assert(std::is_same_v<decltype(1_KiB), std::size_t>);
static_assert(64_KiB == 65'536 && 5_MiB == 5'242'880 && 2_GiB == 2'147'483'648);
static_assert(1_TiB == 1'099'511'627'776);
static_assert(1_KB == 1'000 && 1_MB == 1'000'000 && 1_GB == 1'000'000'000);
static_assert(1_TB == 1'000'000'000'000);
static_assert(0_KiB == 0 && 16'777'215_TiB == 0xffffff0000000000);

TEST_CASE("sizes read as they are meant") { CHECK(100_MiB / 5_MiB == 20); }

}  // namespace
