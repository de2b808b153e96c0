// tests/core/group_limit_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core/with_group.hpp>

#include <penstock/core/shield.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/core/yield.hpp>
#include <penstock/test/cancel_matrix.hpp>
#include <penstock/test/lifetime_tracked.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "probes.hpp"

using namespace penstock;
using namespace std::chrono_literals;
using test::cancel_stage;
using test::lifetime_log;
using test::lifetime_tracked;

PENSTOCK_TEST("max_running bounds what runs at once; start waits, first come first served") {
  int running = 0, most = 0;
  probes::log log;
  auto child = [&](int i) -> task<> {
    most = (std::max)(most, ++running);
    log.push_back(std::to_string(i));
    co_await sleep_for(1ms);
    --running;
  };
  co_await with_group({.max_running = 2}, [&](task_group& group) -> task<> {
    for (int i = 0; i < 6; ++i) {
      co_await group.start(child, i);
      CHECK(rt.now() == time_point((i < 2 ? 0 : i < 4 ? 1 : 2) * 1ms));
    }
  });
  CHECK(most == 2);
  CHECK(log.size() == 6);
  CHECK(rt.now() == time_point(3ms));
}

PENSTOCK_TEST("the body and tasks that wait in start count in no slot") {
  co_await with_group({.max_running = 1}, [&](task_group& group) -> task<> {
    auto child = []() -> task<> { co_await sleep_for(1ms); };
    auto starter = [&]() -> task<> {
      for (int i = 0; i < 3; ++i) co_await group.start(child);
    };
    co_await when_all(starter(), starter());
  });
  CHECK(rt.now() == time_point(6ms));
}

PENSTOCK_TEST("children start grandchildren under the same limit") {
  int ended = 0;
  co_await with_group({.max_running = 2}, [&](task_group& group) -> task<> {
    auto leafs = [&]() -> task<> {
      co_await yield();
      ++ended;
    };
    auto child = [&]() -> task<> {
      co_await group.start(leafs);
      ++ended;
    };
    co_await group.start(child);
  });
  CHECK(ended == 2);
}

PENSTOCK_TEST("a stop while start waits destroys the task unstarted, with what it was made of") {
  lifetime_log log;
  bool ran = false;
  auto child = [&](const lifetime_tracked&) -> task<> {
    ran = true;
    co_return;
  };
  auto outcome =
      co_await with_timeout(1ms, with_group({.max_running = 1}, [&](task_group& group) -> task<> {
                              co_await group.start([]() -> task<> { co_await sleep_for(1h); });
                              CHECK(group.size() == 2);
                              co_await group.start(child, lifetime_tracked(log));
                              FAIL_CHECK("started");
                            }));
  CHECK(outcome.error() == errc::timed_out);
  CHECK_FALSE(ran);
  CHECK(log.clean());
}

PENSTOCK_TEST("a timeout around start gives the slot to the next one that waits") {
  co_await with_group({.max_running = 1}, [&](task_group& group) -> task<> {
    auto child = []() -> task<> { co_await sleep_for(10ms); };
    co_await group.start(child);
    auto impatient = [&]() -> task<> {
      auto r = co_await with_timeout(1ms, group.start(child));
      CHECK(r.error() == errc::timed_out);
      CHECK(group.size() == 3);  // the body, the child that runs, the one that waits
    };
    auto patient = [&]() -> task<> {
      co_await group.start(child);
      CHECK(rt.now() == time_point(10ms));
    };
    co_await when_all(impatient(), patient());
  });
  CHECK(rt.now() == time_point(20ms));
}

// A slot that became free between start() and its co_await is seen.
PENSTOCK_TEST("start may be awaited later") {
  bool ran = false;
  co_await with_group({.max_running = 1}, [&](task_group& group) -> task<> {
    co_await group.start([]() -> task<> { co_await sleep_for(1ms); });
    auto child = [&]() -> task<> {
      ran = true;
      co_return;
    };
    auto later = group.start(child);
    co_await sleep_for(5ms);
    CHECK_FALSE(ran);
    co_await std::move(later);
  });
  CHECK(ran);
}

// The one that waits in start() need not be in the group: when it is stopped, the pending child may
// have been the last that the group waited for.
PENSTOCK_TEST("a group ends when the last pending start is given up from outside") {
  task_group* shared = nullptr;
  lifetime_log log;
  auto outsider = [&]() -> task<> {
    co_await sleep_for(1ms);
    auto idle = [](const lifetime_tracked&) -> task<> { co_return; };
    auto r = co_await with_timeout(1ms, shared->start(idle, lifetime_tracked(log)));
    CHECK(r.error() == errc::timed_out);
  };
  auto body = [&](task_group& group) -> task<> {
    shared = &group;
    // Ends in the very turn in which the outsider gives up, before or after it.
    co_await group.start([]() -> task<> { co_await shield(sleep_for(2ms)); });
  };
  co_await when_all(with_group({.max_running = 1}, body), outsider());
  CHECK(log.clean());
  CHECK(rt.now() == time_point(2ms));
}

PENSTOCK_TEST("an error ends those that wait in start") {
  auto outcome = co_await with_group({.max_running = 1}, [&](task_group& group) -> task<result<>> {
    co_await group.start([]() -> task<result<>> {
      co_await sleep_for(1ms);
      co_return fail(errc::closed);
    });
    co_await group.start([]() -> task<> { co_await sleep_for(1h); });
    FAIL_CHECK("started");
    co_return result<>();
  });
  CHECK(outcome.error() == errc::closed);
  CHECK(rt.now() == time_point(1ms));
}

namespace {
// The state of one run of the matrix below: a group with a slot that is taken until `first` opens.
struct limited {
  probes::gate first;
  probes::gate done;
  task_group* group = nullptr;
  lifetime_log log;
  int started = 0;
};
}  // namespace

TEST_CASE("start with max_running passes the cancel matrix") {
  test::cancel_matrix(
      [] { return limited(); },
      [](limited& f) -> task<int> {
        auto holder = [&f]() -> task<> { co_await shield(f.first.wait()); };
        auto counted = [&f](const lifetime_tracked&) -> task<> {
          ++f.started;
          co_return;
        };
        auto body = [&](task_group& group) -> task<int> {
          co_await group.start(holder);
          co_await group.start(counted, lifetime_tracked(f.log));
          co_return f.started;
        };
        auto r = co_await with_group({.max_running = 1}, body);
        co_return r.value();
      },
      [](limited& f) { f.first.set(); },
      [](limited& f, const std::optional<int>& outcome, cancel_stage) -> std::string {
        if (!f.log.clean()) return "a child's arguments are left";
        if (f.started > 1) return "started twice";
        if (outcome && f.started != 1) return "never started";
        return "";
      },
      {.stoppable = false});
}
