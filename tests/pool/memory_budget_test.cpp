// tests/pool/memory_budget_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/pool/memory_budget.hpp>

#include <penstock/core.hpp>
#include <penstock/test.hpp>
#include <support/penstock_test.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;

// [memory_budget]
static task<result<>> process(memory_budget& budget, std::size_t bytes) {
  budget_lease lease = co_await ok(budget.reserve(bytes));  // waits until there is room
  co_await sleep_for(1ms);
  co_return {};
}
// [/memory_budget]

PENSTOCK_TEST("P9: 10,000 items of 1 MB in 512 MB: at most 512 in flight") {
  memory_budget budget{{.bytes = 512'000'000}};
  int in_flight = 0, peak = 0;
  auto item = [&]() -> task<result<>> {
    auto lease = co_await ok(budget.reserve(1'000'000));
    peak = std::max(peak, ++in_flight);
    co_await sleep_for(1ms);
    --in_flight;
    co_return {};
  };
  co_await with_group([&](task_group& group) -> task<> {
    for (int i = 0; i < 10'000; ++i) group.start(item);
    co_return;
  });
  CHECK(peak == 512);
  CHECK(budget.stats().reserved == 0);
}

PENSTOCK_TEST("P9: an item above the budget runs alone, or is refused") {
  memory_budget alone{{.bytes = 512}};
  auto small = co_await must(alone.reserve(1));
  auto waits = co_await with_timeout(1ms, alone.reserve(600));
  CHECK(!waits);
  small.release();
  auto big = co_await must(alone.reserve(600));
  CHECK(alone.stats().reserved >= 512);
  CHECK(!alone.try_reserve(1));
  big.release();
  memory_budget strict{{.bytes = 512, .oversize = oversize::reject}};
  auto refused = co_await strict.reserve(600);
  CHECK(!refused);
  if (!refused) {
    CHECK(refused.error() == errc::never_satisfiable);
    CHECK(refused.error().message() ==
          "memory_budget::reserve '600 of 512 bytes': can never be satisfied");
  }
  CHECK(co_await process(strict, 512));
  strict.close();
  auto late = co_await strict.reserve(1);
  CHECK(late.error().message() == "memory_budget::reserve: closed");
}

PENSTOCK_TEST("a lease shrinks to what is needed and lets the next one in") {
  memory_budget budget{{.bytes = 100}};
  auto lease = co_await must(budget.reserve(90));
  lease.shrink_to(30);
  CHECK(lease.bytes() == 30);
  auto next = co_await must(budget.reserve(70));
  CHECK(budget.stats().reserved == 100);
}

TEST_CASE("options are checked by name") {
  CHECK(validate(memory_budget_options{}));
  CHECK(!validate(memory_budget_options{.bytes = 0}));
  CHECK(!validate(memory_budget_options{.high_water = 0}));
  CHECK(!validate(memory_budget_options{.high_water = 1.5}));
}

TEST_CASE("stopped at any moment a reserve takes no bytes, or gives them to its caller") {
  struct fixture {
    std::unique_ptr<memory_budget> budget =
        std::make_unique<memory_budget>(memory_budget_options{.bytes = 100});
    std::optional<budget_lease> held = budget->try_reserve(60);
  };
  for (std::size_t bytes : {50u, 100u, 300u}) {
    CAPTURE(bytes);
    test::cancel_matrix(
        [] { return fixture{}; }, [bytes](fixture& f) { return f.budget->reserve(bytes); },
        [](fixture& f) { f.held.reset(); },
        [bytes](fixture& f, const auto& outcome, test::cancel_stage) -> std::string {
          if (outcome && (!outcome->has_value() || (*outcome)->bytes() != bytes)) return "no lease";
          if (f.budget->reserved() != (outcome ? bytes : 0)) return "bytes are lost";
          if (!outcome && !f.budget->try_reserve(100)) return "the permits of bytes are lost";
          return f.budget->stats().waiting == 0 ? "" : "somebody still waits";
        });
  }
}
