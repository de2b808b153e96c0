// tests/upload/part_planner_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/upload/part_planner.hpp>

#include <doctest/doctest.h>

using namespace penstock;

namespace {
constexpr std::uint64_t mib = 1 << 20, gib = 1 << 30;
struct row {
  std::uint64_t length, asked, size, count;
};
}  // namespace

TEST_CASE("parts are of the size asked for, or as large as 10,000 of them need") {
  const row table[] = {
      {0, 8 * mib, 8 * mib, 0},
      {1, 8 * mib, 8 * mib, 1},
      {1, 5 * mib, 5 * mib, 1},
      {100'000'000, 8 * mib, 8 * mib, 12},
      {100'000'000, 5 * mib, 5 * mib, 20},
      {100 * mib, 8 * mib, 8 * mib, 13},
      {100 * mib, 5 * mib, 5 * mib, 20},
      {52'428'800'000, 8 * mib, 8 * mib, 6250},
      {52'428'800'000, 5 * mib, 5 * mib, 10'000},
      {52'428'800'001, 8 * mib, 8 * mib, 6251},
      {52'428'800'001, 5 * mib, 5'242'881, 10'000},
      {83'886'080'001, 8 * mib, 8'388'609, 10'000},
      {83'886'080'001, 5 * mib, 8'388'609, 10'000},
      {100 * gib, 8 * mib, 10'737'419, 10'000},
      {100 * gib, 5 * mib, 10'737'419, 10'000},
      {5 * 1024 * gib, 8 * mib, 549'755'814, 10'000},
      {53'687'091'200'000, 8 * mib, 5 * gib, 10'000},
      {53'687'091'200'000, 5 * mib, 5 * gib, 10'000},
  };
  for (const row& r : table) {
    CAPTURE(r.length);
    CAPTURE(r.asked);
    const auto plan = plan_parts(r.length, r.asked);
    REQUIRE(plan);
    CHECK(plan->part_size == r.size);
    CHECK(plan->count == r.count);
    std::uint64_t sum = 0;
    for (std::uint32_t i = 0; i < plan->count; ++i) {
      const auto part = plan->part(i);
      CHECK(part.offset == sum);
      CHECK(part.size >= 1);
      sum += part.size;
    }
    CHECK(sum == r.length);
  }
}

TEST_CASE("what cannot be planned is an error that says why") {
  CHECK(plan_parts(53'687'091'200'001, 8 * mib).error() == errc::never_satisfiable);
  CHECK(plan_parts(53'687'091'200'001, 5 * mib).error() == errc::never_satisfiable);
  CHECK(plan_parts(1, 0).error() == errc::invalid_option);
  CHECK(plan_parts(1, 5 * gib + 1).error() == errc::invalid_option);
}

TEST_CASE("a part size that the planner chooses is aligned, one that was asked for is kept") {
  const part_limits page{.alignment = 4096};
  auto plan = plan_parts(100 * gib, 5 * mib, page);
  REQUIRE(plan);
  CHECK(plan->part_size == 10'739'712);  // 10,737,419 rounded up
  CHECK(plan->part_size % 4096 == 0);
  CHECK(plan->count == 9'998);
  plan = plan_parts(1'000'000, 70'001, page);
  REQUIRE(plan);
  CHECK(plan->part_size == 70'001);
  CHECK(plan_parts(53'687'091'200'000, 5 * mib, page)->part_size == 5 * gib);
  CHECK(plan_parts(200, 10, {.max_parts = 2, .max_part_size = 100, .alignment = 64}).error() ==
        errc::never_satisfiable);
  CHECK(plan_parts(200, 100, {.max_parts = 2, .max_part_size = 100, .alignment = 64}));
}

TEST_CASE("limits of one's own are checked, and named") {
  const auto message = [](const result<part_plan>& p) { return p.error().message(); };
  for (const std::uint64_t none : {std::uint64_t{0}, std::uint64_t{1} << 32, ~std::uint64_t{0}}) {
    const auto plan = plan_parts(100, 10, {.max_parts = none});
    REQUIRE(!plan);
    CHECK(plan.error() == errc::invalid_option);
    CHECK(message(plan).find("max_parts") != std::string::npos);
  }
  CHECK(plan_parts(100, 10, {.alignment = 0}).error() == errc::invalid_option);
  const part_limits all{.max_parts = 0xffffffff, .max_part_size = ~std::uint64_t{0}};
  CHECK(plan_parts(0xffffffff, 1, all)->count == 0xffffffff);
  CHECK(plan_parts(~std::uint64_t{0}, 1, all)->part_size == (std::uint64_t{1} << 32) + 1);
  const auto large = plan_parts(100, 10, {.max_parts = 2, .max_part_size = 20});
  CHECK(large.error() == errc::never_satisfiable);
  CHECK(message(large).find("2 parts of 20 bytes") != std::string::npos);
  CHECK(message(plan_parts(1, 21, {.max_part_size = 20})).find("1 .. 20") != std::string::npos);
}
