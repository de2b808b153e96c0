// tests/sync/condition_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/sync/condition.hpp>

#include <penstock/core/shield.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/sync_wait.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/sync/shared_mutex.hpp>
#include <penstock/test/allocation_counter.hpp>
#include <penstock/test/cancel_matrix.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using test::cancel_stage;

namespace {
// [condition]
struct stock {
  mutex guard;
  condition changed;
  int items = 0;
};
task<> take(stock& s, int wanted) {
  auto lock = co_await s.guard.lock();
  co_await s.changed.wait(lock, [&] { return s.items >= wanted; });
  s.items -= wanted;
}
task<> put(stock& s, int more) {
  auto lock = co_await s.guard.lock();
  s.items += more;
  s.changed.notify_all();
}
// [/condition]
}  // namespace

PENSTOCK_TEST("a wait goes on when what it waits for holds, with the mutex locked") {
  stock s;
  auto supplier = [&]() -> task<> {
    for (int i = 0; i < 6; ++i) {
      co_await sleep_for(1ms);
      co_await put(s, 1);
    }
  };
  co_await when_all(take(s, 3), take(s, 1), take(s, 2), supplier());
  CHECK(s.items == 0);
  CHECK_FALSE(s.guard.locked());
}

PENSTOCK_TEST("what holds already is not waited for") {
  stock s;
  s.items = 1;
  auto lock = co_await s.guard.lock();
  const auto before = rt.steps();
  co_await s.changed.wait(lock, [&] { return s.items == 1; });
  CHECK(rt.steps() == before);
  CHECK(lock.owns_lock());
}

PENSTOCK_TEST("the mutex is free while a task waits, and its own again after") {
  local::mutex m;
  local::condition c;
  bool ready = false;
  auto waiter = [&]() -> task<> {
    auto lock = co_await m.lock();
    co_await c.wait(lock, [&] { return ready; });
    CHECK(lock.owns_lock());
    CHECK(m.locked());
  };
  auto setter = [&]() -> task<> {
    co_await sleep_for(1ms);
    auto lock = co_await m.lock();
    ready = true;
    c.notify_one();
    co_await sleep_for(1ms);  // told, and waits for the mutex
  };
  co_await when_all(waiter(), setter());
  CHECK_FALSE(m.locked());
}

PENSTOCK_TEST("a writer of a shared mutex waits with it") {
  shared_mutex m;
  condition c;
  bool ready = false;
  auto waiter = [&]() -> task<> {
    auto lock = co_await m.lock();
    co_await c.wait(lock, [&] { return ready; });
    CHECK_FALSE(m.try_lock_shared().has_value());
  };
  auto setter = [&]() -> task<> {
    co_await sleep_for(1ms);
    auto lock = co_await m.lock();
    ready = true;
    c.notify_all();
  };
  co_await when_all(waiter(), setter());
  CHECK(m.try_lock().has_value());
}

PENSTOCK_TEST("a stopped wait ends without the mutex, also while it waits for it") {
  stock s;
  auto patient = [&](duration patience) -> task<> {
    auto waits = [&]() -> task<> {
      auto lock = co_await s.guard.lock();
      co_await s.changed.wait(lock, [] { return false; });
    };
    const auto r = co_await with_timeout(patience, waits());
    CHECK(r.error() == errc::timed_out);
  };
  auto holder = [&]() -> task<> {
    co_await sleep_for(1ms);
    auto lock = co_await s.guard.lock();
    s.changed.notify_all();
    co_await sleep_for(5ms);  // they wait for the mutex now
  };
  co_await when_all(patient(500us), patient(3ms), patient(20ms), holder());
  CHECK_FALSE(s.guard.locked());
}

PENSTOCK_TEST("a notification that a stopped task was given goes to the next") {
  stock s;
  int served = 0;
  auto consumer = [&](duration patience) -> task<> {
    auto waits = [&]() -> task<> {
      auto lock = co_await s.guard.lock();
      co_await s.changed.wait(lock, [&] { return s.items > 0; });
      --s.items;
      ++served;
    };
    static_cast<void>(co_await with_timeout(patience, waits()));
  };
  auto producer = [&]() -> task<> {
    co_await sleep_for(1ms);
    auto lock = co_await s.guard.lock();
    s.items = 1;
    s.changed.notify_one();
    co_await sleep_for(2ms);  // the first, told, is stopped while it waits for the mutex
  };
  co_await when_all(consumer(2ms), consumer(1s), producer());
  CHECK(served == 1);
  CHECK(co_await this_task::now() < time_point(100ms));
}

PENSTOCK_TEST("an exception of the predicate passes through, with the mutex locked") {
  stock s;
  bool bad = false;
  auto waiter = [&]() -> task<> {
    auto lock = co_await s.guard.lock();
    bool caught = false;
    try {
      co_await s.changed.wait(lock, [&]() -> bool {
        if (bad) throw std::runtime_error("bad");
        return false;
      });
    } catch (const std::runtime_error&) {
      caught = true;
    }
    CHECK(caught);
    CHECK(lock.owns_lock());
  };
  auto setter = [&]() -> task<> {
    co_await sleep_for(1ms);
    auto lock = co_await s.guard.lock();
    bad = true;
    s.changed.notify_one();
  };
  co_await when_all(waiter(), setter());
}

TEST_CASE("stopped at any moment a wait has the mutex back, or nobody has it") {
  struct fixture {
    std::unique_ptr<stock> s = std::make_unique<stock>();
    std::unique_ptr<mutex_lock> lock =
        std::make_unique<mutex_lock>(std::move(*s->guard.try_lock()));
  };
  const auto wait = [](fixture& f) {
    stock* const s = f.s.get();
    return s->changed.wait(*f.lock, [s] { return s->items > 0; });
  };
  test::cancel_matrix([] { return fixture{}; }, wait,
                      [](fixture& f) {
                        f.s->items = 1;
                        f.s->changed.notify_one();
                      },
                      [](fixture& f, const auto& outcome, cancel_stage) -> std::string {
                        if (outcome && !f.lock->owns_lock()) return "it goes on without the mutex";
                        f.lock->unlock();
                        if (f.s->guard.locked()) return "somebody else has the mutex";
                        return "";
                      });
}

TEST_CASE("waiting for a condition does not allocate") {
  if (!test::allocation_counter::available()) return;
  stock s;
  auto often = [&]() -> task<> {
    for (int i = 0; i < 20; ++i) co_await take(s, 1);
  };
  auto supplier = [&]() -> task<> {
    for (int i = 0; i < 20; ++i) {
      co_await sleep_for(0ms);
      co_await put(s, 1);
    }
  };
  sync_wait(when_all(often(), supplier()));
  const test::allocation_counter count;
  sync_wait(when_all(often(), supplier()));
  CHECK(count.allocations() == 0);
}
