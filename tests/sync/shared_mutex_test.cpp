// tests/sync/shared_mutex_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/sync/shared_mutex.hpp>

#include <penstock/core/sleep.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/test/cancel_matrix.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using test::cancel_stage;

static_assert(std::is_same_v<await_result_t<shared_mutex::lock_awaiter>, mutex_lock>);
static_assert(std::is_same_v<await_result_t<shared_mutex::lock_shared_awaiter>, shared_lock>);

namespace {
// [shared_mutex]
struct routes {
  shared_mutex guard;
  std::map<std::string, int> table;
};
task<int> find(routes& r, std::string name) {
  auto lock = co_await r.guard.lock_shared();
  co_await sleep_for(1ms);  // ask somebody, reading the table meanwhile
  const auto at = r.table.find(name);
  co_return at == r.table.end() ? -1 : at->second;
}
task<> add(routes& r, std::string name, int port) {
  auto lock = co_await r.guard.lock();
  co_await sleep_for(1ms);
  r.table[name] = port;
}
// [/shared_mutex]
}  // namespace

PENSTOCK_TEST("readers together, a writer alone") {
  routes r;
  co_await add(r, "a", 1);
  const auto started = co_await this_task::now();
  auto [x, y, z] = co_await when_all(find(r, "a"), find(r, "a"), find(r, "b"));
  CHECK(x == 1);
  CHECK(y == 1);
  CHECK(z == -1);
  CHECK(co_await this_task::now() - started == 1ms);
  int readers = 0, writers = 0;
  auto reader = [&](int id) -> task<> {
    co_await sleep_for(duration(id));
    auto lock = co_await r.guard.lock_shared();
    ++readers;
    CHECK(writers == 0);
    co_await sleep_for(1ms);
    --readers;
  };
  auto writer = [&](int id) -> task<> {
    co_await sleep_for(duration(id));
    auto lock = co_await r.guard.lock();
    CHECK(++writers == 1);
    CHECK(readers == 0);
    CHECK_FALSE(r.guard.try_lock_shared().has_value());
    co_await sleep_for(1ms);
    --writers;
  };
  co_await when_all(reader(1), writer(2), reader(3), writer(4), reader(5), reader(6));
  CHECK(r.guard.waiting() == 0);
}

PENSTOCK_TEST("a writer that waits is not passed by readers that come later") {
  shared_mutex m;
  std::string order;
  auto reader = [&](duration at, char name) -> task<> {
    co_await sleep_for(at);
    auto lock = co_await m.lock_shared();
    order += name;
    co_await sleep_for(10ms);
  };
  auto writer = [&](duration at) -> task<> {
    co_await sleep_for(at);
    CHECK_FALSE(m.try_lock().has_value());
    auto lock = co_await m.lock();
    order += 'W';
    co_await sleep_for(10ms);
  };
  co_await when_all(reader(0ms, 'a'), writer(1ms), reader(2ms, 'b'), reader(3ms, 'c'));
  CHECK(order.substr(0, 2) == "aW");
  CHECK(order.size() == 4);
}

PENSTOCK_TEST("a writer becomes a reader, and other readers come in") {
  local::shared_mutex m;
  auto writer = co_await m.lock();
  CHECK_FALSE(m.try_lock_shared().has_value());
  auto reader = m.downgrade(std::move(writer));
  CHECK(reader.owns_lock());
  CHECK(m.try_lock_shared().has_value());
  CHECK_FALSE(m.try_lock().has_value());
  reader.unlock();
  CHECK(m.try_lock().has_value());
}

PENSTOCK_TEST("a writer that gives up lets the readers behind it in") {
  shared_mutex m;
  int entered = 0;
  auto first = co_await m.lock_shared();
  auto writer = [&]() -> task<> {
    auto lock = co_await with_timeout(2ms, m.lock());
    CHECK_FALSE(lock.has_value());
  };
  auto reader = [&]() -> task<> {
    co_await sleep_for(1ms);
    auto lock = co_await with_timeout(5ms, m.lock_shared());
    if (lock) ++entered;
  };
  co_await when_all(writer(), reader(), reader());
  CHECK(entered == 2);
}

TEST_CASE("stopped at any moment a shared mutex is as free as before") {
  struct fixture {
    std::unique_ptr<shared_mutex> m = std::make_unique<shared_mutex>();
    mutex_lock held = std::move(*m->try_lock());
  };
  const auto check = [](fixture& f, auto& outcome, cancel_stage) -> std::string {
    if (outcome.has_value() == f.m->try_lock().has_value()) return "the lock is lost";
    return "";
  };
  const auto make = [] { return fixture{}; };
  const auto unlock = [](fixture& f) { f.held.unlock(); };
  test::cancel_matrix(
      make, [](fixture& f) { return f.m->lock(); }, unlock, check);
  test::cancel_matrix(
      make, [](fixture& f) { return f.m->lock_shared(); }, unlock, check);
}
