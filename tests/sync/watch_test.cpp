// tests/sync/watch_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/sync/watch.hpp>

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
// [watch]
task<> follow(watch<int>& level, std::vector<int>& seen) {
  auto watcher = level.subscribe();
  seen.push_back(watcher.get());
  while (auto told = co_await watcher.changed()) seen.push_back(watcher.get());
}
task<> change(watch<int>& level) {
  for (int i = 1; i <= 3; ++i) {
    co_await sleep_for(1ms);
    level.set(i);
  }
  level.close();
}
// [/watch]
}  // namespace

PENSTOCK_TEST("watchers are told of the newest value") {
  watch<int> level{0};
  std::vector<int> seen, also;
  co_await when_all(follow(level, seen), follow(level, also), change(level));
  CHECK(seen == std::vector<int>{0, 1, 2, 3});
  CHECK(also == seen);
  CHECK(level.version() == 3);
  CHECK(level.closed());
  CHECK(level.get() == 3);
}

PENSTOCK_TEST("changes that nobody looked at are one change") {
  local::watch<std::string> name{"a"};
  auto watcher = name.subscribe();
  CHECK_FALSE(watcher.has_changed());
  name.set("b");
  name.modify([](std::string& s) { s += "c"; });
  CHECK_FALSE(name.modify_if([](std::string&) { return false; }));
  CHECK(name.modify_if([](std::string& s) {
    s += "d";
    return true;
  }));
  CHECK(watcher.has_changed());
  auto copy = watcher;
  CHECK(co_await watcher.changed());
  CHECK_FALSE(watcher.has_changed());
  CHECK(watcher.get() == "bcd");
  CHECK(copy.has_changed());
  CHECK(copy.get() == "bcd");
  CHECK_FALSE(copy.has_changed());
  const auto nothing = co_await with_timeout(1ms, watcher.changed());
  CHECK(nothing.error() == errc::timed_out);
}

PENSTOCK_TEST("a change before the end is told, then the end") {
  watch<int> level{0, "level"};
  auto watcher = level.subscribe();
  level.set(1);
  level.close();
  CHECK(co_await watcher.changed());
  CHECK((co_await watcher.changed()).error().message() == "level: closed");
}

TEST_CASE("stopped at any moment a change stays to be seen") {
  struct fixture {
    std::unique_ptr<watch<int>> w = std::make_unique<watch<int>>(0);
    basic_watcher<int, thread_safe> watcher = w->subscribe();
  };
  test::cancel_matrix([] { return fixture{}; }, [](fixture& f) { return f.watcher.changed(); },
                      [](fixture& f) { f.w->set(1); },
                      [](fixture& f, const auto& outcome, cancel_stage) -> std::string {
                        if (outcome.has_value() == f.watcher.has_changed())
                          return "the change is lost";
                        return "";
                      });
}

PENSTOCK_TEST("watching does not allocate") {
  if (!test::allocation_counter::available()) co_return;
  watch<int> level{0};
  auto watcher = level.subscribe();
  const test::allocation_counter count;
  level.set(1);
  const auto told = co_await watcher.changed();
  const int now = watcher.get();
  CHECK(count.allocations() == 0);
  CHECK(told);
  CHECK(now == 1);
}
