// tests/sync/mutex_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/sync/mutex.hpp>

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

static_assert(!std::is_move_constructible_v<mutex>);
static_assert(std::is_nothrow_move_constructible_v<mutex_lock>);
static_assert(sizeof(mutex_lock) == 16);
static_assert(std::is_same_v<await_result_t<mutex::lock_awaiter>, mutex_lock>);

namespace {
// [mutex]
struct account {
  mutex guard;
  long balance = 0;
};
task<> deposit(account& a, long amount) {
  auto lock = co_await a.guard.lock();
  const long before = a.balance;
  co_await sleep_for(1ms);  // write it down somewhere: others wait
  a.balance = before + amount;
}
// [/mutex]

template <class Mutex>
task<> exclusive(int tasks) {
  Mutex m;
  int inside = 0;
  std::vector<int> order;
  auto worker = [&](int id) -> task<> {
    auto lock = co_await m.lock();
    CHECK(lock.owns_lock());
    CHECK(++inside == 1);
    CHECK(m.locked());
    CHECK_FALSE(m.try_lock().has_value());
    co_await sleep_for(1ms);
    --inside;
    order.push_back(id);
  };
  co_await with_group([&](task_group& group) -> task<> {
    for (int i = 0; i < tasks; ++i) group.start(worker, i);
    co_return;
  });
  CHECK(order.size() == static_cast<std::size_t>(tasks));
  CHECK_FALSE(m.locked());
  CHECK(m.waiting() == 0);
}
}  // namespace

PENSTOCK_TEST("one task at a time holds a mutex") {
  account a;
  co_await when_all(deposit(a, 1), deposit(a, 10), deposit(a, 100));
  CHECK(a.balance == 111);
  co_await exclusive<mutex>(20);
  co_await exclusive<local::mutex>(20);
}

PENSTOCK_TEST("a mutex is handed to the first who waits: nobody barges in") {
  mutex m;
  std::vector<int> order;
  auto worker = [&](int id) -> task<> {
    co_await sleep_for(duration(id));
    auto lock = co_await m.lock();
    order.push_back(id);
    co_await sleep_for(1ms);
    lock.unlock();
    CHECK_FALSE(lock.owns_lock());
    CHECK(m.try_lock().has_value() == (id == 4));
  };
  co_await when_all(worker(1), worker(2), worker(3), worker(4));
  CHECK(order == std::vector<int>{1, 2, 3, 4});
}

PENSTOCK_TEST("who is stopped while it waits leaves the others in line") {
  mutex m;
  int got = 0;
  auto holder = [&]() -> task<> {
    auto lock = co_await m.lock();
    co_await sleep_for(5ms);
  };
  auto waiter = [&](duration patience) -> task<> {
    co_await sleep_for(1ns);
    auto lock = co_await with_timeout(patience, m.lock());
    if (lock) ++got;
  };
  co_await when_all(holder(), waiter(1ms), waiter(10ms), waiter(2ms), waiter(10ms));
  CHECK(got == 2);
  CHECK_FALSE(m.locked());
}

PENSTOCK_TEST("a lock moves, and is released once") {
  mutex m;
  auto first = co_await m.lock();
  mutex_lock second = std::move(first);
  CHECK_FALSE(first.owns_lock());
  CHECK(second.owns_lock());
  second = {};
  CHECK_FALSE(m.locked());
  second.unlock();
  CHECK(m.try_lock().has_value());
}

TEST_CASE("stopped at any moment a mutex is locked or it is not") {
  struct fixture {
    std::unique_ptr<mutex> m = std::make_unique<mutex>();
    mutex_lock held = std::move(*m->try_lock());
  };
  test::cancel_matrix([] { return fixture{}; }, [](fixture& f) { return f.m->lock(); },
                      [](fixture& f) { f.held.unlock(); },
                      [](fixture& f, auto& outcome, cancel_stage) -> std::string {
                        if (outcome.has_value() != f.m->locked()) return "the lock is lost";
                        return "";
                      });
}

TEST_CASE("locking allocates nothing, waiting neither") {
  if (!test::allocation_counter::available()) return;
  mutex m;
  auto often = [&]() -> task<> {
    for (int i = 0; i < 50; ++i) {
      auto lock = co_await m.lock();
      co_await sleep_for(0ms);
    }
  };
  sync_wait(when_all(often(), often()));  // frames are in the recycler now
  const test::allocation_counter count;
  sync_wait(when_all(often(), often()));
  CHECK(count.allocations() == 0);
}

TEST_CASE("destroying a mutex while tasks wait is a broken contract") {
  const auto message = support::stopped_with([] {
    test::test_runtime rt;
    auto m = std::make_unique<mutex>();
    auto holder = [&]() -> task<> {
      auto lock = co_await m->lock();
      co_await sleep_for(1ms);
      m.reset();
    };
    auto waiter = [](mutex& mine) -> task<> { static_cast<void>(co_await mine.lock()); };
    rt.run(when_all(holder(), waiter(*m)));
  });
  CHECK(message == "a semaphore or a mutex is destroyed while tasks wait");
}
