// tests/sync/auto_reset_event_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/sync/auto_reset_event.hpp>

#include <penstock/core/sleep.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/test/allocation_counter.hpp>
#include <penstock/test/cancel_matrix.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using test::cancel_stage;

namespace {
// [auto_reset_event]
task<> write_behind(auto_reset_event& dirty, std::vector<int>& pending, int& written) {
  for (;;) {
    co_await dirty.wait();
    written += static_cast<int>(pending.size());  // all that came since the last time
    if (!pending.empty() && pending.back() < 0) co_return;
    pending.clear();
  }
}
task<> change_things(auto_reset_event& dirty, std::vector<int>& pending) {
  for (int i = 0; i < 10; ++i) {
    pending.push_back(i);
    dirty.set();
    if (i % 3 == 2) co_await sleep_for(1ms);
  }
  pending.push_back(-1);
  dirty.set();
}
// [/auto_reset_event]
}  // namespace

PENSTOCK_TEST("signals that come before anybody waits are one") {
  auto_reset_event dirty;
  std::vector<int> pending;
  int written = 0;
  co_await when_all(write_behind(dirty, pending, written), change_things(dirty, pending));
  CHECK(written == 11);
}

PENSTOCK_TEST("a signal lets one pass, the first who waits") {
  local::auto_reset_event e;
  std::vector<int> passed;
  auto waiter = [&](int id) -> task<> {
    co_await sleep_for(duration(id));
    co_await e.wait();
    passed.push_back(id);
  };
  auto signals = [&]() -> task<> {
    co_await sleep_for(1ms);
    for (std::size_t i = 1; i <= 3; ++i) {
      e.set();
      co_await sleep_for(1ms);
      CHECK(passed.size() == i);
    }
  };
  co_await when_all(waiter(1), waiter(2), waiter(3), signals());
  CHECK(passed == std::vector<int>{1, 2, 3});
  e.set();
  CHECK(e.is_set());
  CHECK(e.try_wait());
  CHECK_FALSE(e.try_wait());
  e.set();
  e.reset();
  const auto none = co_await with_timeout(1ms, e.wait());
  CHECK(none.error() == errc::timed_out);
}

TEST_CASE("stopped at any moment a wait takes the signal or leaves it") {
  struct fixture {
    std::unique_ptr<auto_reset_event> e = std::make_unique<auto_reset_event>();
  };
  test::cancel_matrix([] { return fixture{}; }, [](fixture& f) { return f.e->wait(); },
                      [](fixture& f) { f.e->set(); },
                      [](fixture& f, const auto& outcome, cancel_stage) -> std::string {
                        if (outcome.has_value() == f.e->is_set()) return "the signal is lost";
                        return "";
                      });
}
