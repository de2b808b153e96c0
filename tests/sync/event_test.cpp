// tests/sync/event_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/sync/event.hpp>

#include <penstock/core/sleep.hpp>
#include <penstock/core/sync_wait.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/with_group.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/test/allocation_counter.hpp>
#include <penstock/test/cancel_matrix.hpp>
#include <support/penstock_test.hpp>
#include <support/stopped.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using test::cancel_stage;

static_assert(!std::is_copy_constructible_v<event> && !std::is_move_constructible_v<event>);
static_assert(awaitable<event::wait_awaiter>);
static_assert(sizeof(event::wait_awaiter) <= 56, "a task that waits stays below 160 bytes");
static_assert(std::is_same_v<await_result_t<event::wait_awaiter>, void>);

namespace {
// [event]
task<> serve(event& ready, std::vector<int>& served, int id) {
  co_await ready.wait();
  served.push_back(id);
}
task<> start_up() {
  event ready;
  std::vector<int> served;
  co_await with_group([&](task_group& group) -> task<> {
    for (int id = 1; id <= 3; ++id) group.start(serve, std::ref(ready), std::ref(served), id);
    co_await sleep_for(5ms);  // connect, load, warm up
    CHECK(served.empty());
    ready.set();
  });
  CHECK(served.size() == 3);
  CHECK(ready.is_set());
}
// [/event]
}  // namespace

PENSTOCK_TEST("set() releases all who wait") { co_await start_up(); }

PENSTOCK_TEST("an event that is set lets pass without suspending") {
  event e;
  CHECK_FALSE(e.is_set());
  e.set();
  e.set();
  CHECK(e.is_set());
  const auto before = rt.steps();
  co_await e.wait();
  co_await e.wait();
  CHECK(rt.steps() == before);
}

PENSTOCK_TEST("waiters are released in the order in which they came") {
  event e;
  std::vector<int> order;
  co_await with_group([&](task_group& group) -> task<> {
    for (int i = 0; i < 4; ++i) {
      group.start(
          [](event& ev, std::vector<int>& o, int id) -> task<> {
            co_await ev.wait();
            o.push_back(id);
          },
          std::ref(e), std::ref(order), i);
      co_await sleep_for(1ms);
    }
    e.set();
  });
  REQUIRE(order.size() == 4);
  if (rt.seed() == 0) CHECK(order == std::vector<int>{0, 1, 2, 3});
}

PENSTOCK_TEST("who was released goes on, whatever a reset does before its turn") {
  event e;
  bool passed = false;
  auto waiter = [&]() -> task<> {
    co_await e.wait();
    passed = true;
  };
  auto pulse = [&]() -> task<> {
    co_await sleep_for(1ms);
    e.set();
    e.reset();
    CHECK_FALSE(e.is_set());
  };
  co_await when_all(waiter(), pulse());
  CHECK(passed);
  const auto again = co_await with_timeout(1ms, e.wait());
  CHECK(again.error() == errc::timed_out);
}

PENSTOCK_TEST("a waiter that is stopped leaves the others in line") {
  event e;
  int passed = 0;
  auto waiter = [&](duration patience) -> task<> {
    const auto r = co_await with_timeout(patience, e.wait());
    if (r) ++passed;
  };
  auto setter = [&]() -> task<> {
    co_await sleep_for(5ms);
    e.set();
  };
  co_await when_all(waiter(10ms), waiter(1ms), waiter(2ms), waiter(10ms), setter());
  CHECK(passed == 2);
}

PENSTOCK_TEST("a waiter may destroy the event as soon as it was released") {
  auto e = std::make_unique<event>();
  event* const raw = e.get();
  auto owner = [](std::unique_ptr<event> own) -> task<> { co_await own->wait(); };
  auto setter = [raw]() -> task<> {
    co_await sleep_for(1ms);
    raw->set();
  };
  co_await when_all(owner(std::move(e)), setter());
}

PENSTOCK_TEST("a group of one hundred tasks waits at no cost but their frames") {
  event e;
  std::size_t passed = 0;
  co_await with_group([&](task_group& group) -> task<> {
    auto one = [](event& ev, std::size_t& count) -> task<> {
      co_await ev.wait();
      ++count;
    };
    for (int i = 0; i < 100; ++i) group.start(one, std::ref(e), std::ref(passed));
    co_await sleep_for(1ms);
    e.set();
  });
  CHECK(passed == 100);
}

TEST_CASE("stopped at any moment a wait ends, or passes") {
  struct fixture {
    std::unique_ptr<event> e = std::make_unique<event>();
  };
  test::cancel_matrix([] { return fixture{}; }, [](fixture& f) { return f.e->wait(); },
                      [](fixture& f) { f.e->set(); },
                      [](fixture& f, const auto& outcome, cancel_stage stage) -> std::string {
                        if (!f.e->is_set()) return "the event is not set";
                        if (stage == cancel_stage::completion_first && !outcome)
                          return "a released waiter was stopped";
                        return "";
                      });
}

TEST_CASE("neither passing nor waiting allocates") {
  if (!test::allocation_counter::available()) return;
  event set_once, turn;
  set_once.set();
  auto wait_often = [&]() -> task<> {
    for (int i = 0; i < 100; ++i) co_await set_once.wait();
    for (int i = 0; i < 100; ++i) co_await turn.wait();
  };
  auto set_often = [&]() -> task<> {
    for (int i = 0; i < 100; ++i) {
      turn.set();
      co_await sleep_for(0ms);
      turn.reset();
      co_await sleep_for(0ms);
    }
    turn.set();
  };
  sync_wait(when_all(wait_often(), set_often()));  // frames are in the recycler now
  turn.reset();
  const test::allocation_counter count;
  sync_wait(when_all(wait_often(), set_often()));
  CHECK(count.allocations() == 0);
}

TEST_CASE("destroying an event while tasks wait is a broken contract") {
  const auto message = support::stopped_with([] {
    test::test_runtime rt;
    auto e = std::make_unique<event>();
    auto waiter = [](event& ev) -> task<> { co_await ev.wait(); };
    auto destroyer = [&]() -> task<> {
      co_await sleep_for(1ms);
      e.reset();
    };
    rt.run(when_all(waiter(*e), destroyer()));
  });
  CHECK(message == "an event is destroyed while tasks wait for it");
}
