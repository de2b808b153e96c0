// tests/sync/latch_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/sync/latch.hpp>

#include <penstock/core/sleep.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/with_group.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/test/cancel_matrix.hpp>
#include <support/penstock_test.hpp>
#include <support/stopped.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using test::cancel_stage;

namespace {
// [latch]
task<> load(latch& loaded, int shard) {
  co_await sleep_for(std::chrono::milliseconds(shard));
  loaded.count_down();
}
task<> serve_when_loaded() {
  latch loaded{3};
  auto serve = [&]() -> task<> { co_await loaded.wait(); };
  co_await when_all(serve(), load(loaded, 1), load(loaded, 2), load(loaded, 3));
  CHECK(loaded.try_wait());
}
// [/latch]
}  // namespace

PENSTOCK_TEST("a latch opens at zero, for ever") {
  co_await serve_when_loaded();
  CHECK(co_await this_task::now() == time_point(3ms));
  local::latch two{2};
  two.count_down(0);
  CHECK_FALSE(two.try_wait());
  auto arrives = [&]() -> task<> { co_await two.arrive_and_wait(); };
  co_await when_all(arrives(), arrives());
  co_await two.wait();
  latch open{0};
  co_await open.wait();
}

TEST_CASE("a latch below zero is a broken contract") {
  CHECK(support::stopped_with([] {
          latch one{1};
          one.count_down(2);
        }) == "a latch is counted down below 0");
}

TEST_CASE("stopped at any moment a wait for a latch ends, or passes") {
  struct fixture {
    std::unique_ptr<latch> l = std::make_unique<latch>(1);
  };
  test::cancel_matrix([] { return fixture{}; }, [](fixture& f) { return f.l->wait(); },
                      [](fixture& f) { f.l->count_down(); },
                      [](fixture& f, const auto&, cancel_stage) -> std::string {
                        return f.l->try_wait() ? "" : "the latch is not open";
                      });
}
