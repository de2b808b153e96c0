// tests/sync/barrier_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/sync/barrier.hpp>

#include <penstock/core/sleep.hpp>
#include <penstock/core/when_all.hpp>
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
// [barrier]
task<> simulate(barrier& step, std::vector<int>& cells, std::size_t mine, int& steps) {
  for (int i = 0; i < 5; ++i) {
    cells[mine] += 1;
    const bool last = co_await step.arrive_and_wait();
    if (last) ++steps;  // one of them, once a step
  }
}
// [/barrier]
}  // namespace

PENSTOCK_TEST("nobody begins a step before all have ended the last") {
  barrier step{3};
  std::vector<int> cells(3);
  int steps = 0;
  co_await when_all(simulate(step, cells, 0, steps), simulate(step, cells, 1, steps),
                    simulate(step, cells, 2, steps));
  CHECK(steps == 5);
  CHECK(cells == std::vector<int>{5, 5, 5});
  local::barrier two{2};
  int phase = 0;
  auto party = [&](duration pace) -> task<> {
    for (int i = 0; i < 10; ++i) {
      co_await sleep_for(pace);
      CHECK(phase / 2 == i);
      ++phase;
      co_await two.arrive_and_wait();
    }
  };
  co_await when_all(party(1ms), party(3ms));
}

PENSTOCK_TEST("a party that leaves for good is waited for no more") {
  barrier step{3};
  int passed = 0;
  auto party = [&]() -> task<> {
    co_await step.arrive_and_wait();
    ++passed;
  };
  auto leaver = [&]() -> task<> {
    co_await sleep_for(1ms);
    step.drop();
  };
  co_await when_all(party(), party(), leaver());
  CHECK(passed == 2);
  CHECK(step.parties() == 2);
  co_await when_all(party(), party());
  CHECK(passed == 4);
}

PENSTOCK_TEST("a stopped party has not arrived") {
  barrier step{2};
  const auto gone = co_await with_timeout(1ms, step.arrive_and_wait());
  CHECK(gone.error() == errc::timed_out);
  const auto alone = co_await with_timeout(1ms, step.arrive_and_wait());
  CHECK(alone.error() == errc::timed_out);
  auto [a, b] = co_await when_all(step.arrive_and_wait(), step.arrive_and_wait());
  CHECK(a != b);
}

TEST_CASE("stopped at any moment a party has arrived, or not") {
  struct fixture {
    std::unique_ptr<barrier> b = std::make_unique<barrier>(2);
    std::unique_ptr<test::test_runtime> rt;
    bool ended = false;
  };
  test::cancel_matrix([] { return fixture{}; }, [](fixture& f) { return f.b->arrive_and_wait(); },
                      [](fixture& f) {
                        f.b->drop();  // the phase ends with it if the other is there
                        f.ended = true;
                      },
                      [](fixture& f, const auto& outcome, cancel_stage stage) -> std::string {
                        if (stage == cancel_stage::completion_first && !outcome)
                          return "it was let go and stopped";
                        if (f.ended && f.b->parties() != 1) return "parties are lost";
                        return "";
                      });
}

TEST_CASE("a barrier of nobody, and one party too many") {
  CHECK(support::stopped_with([] { barrier none{0}; }) == "barrier: 0 parties");
  CHECK(support::stopped_with([] {
          barrier one{1};
          one.drop();
          one.drop();
        }) == "more parties are dropped than there are");
}
