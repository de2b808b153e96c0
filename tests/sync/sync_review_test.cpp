// tests/sync/sync_review_test.cpp
// SPDX-License-Identifier: BSL-1.0
// What reviews have found: each was wrong once.
#include <penstock/sync.hpp>

#include <penstock/core.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>

using namespace penstock;
using namespace std::chrono_literals;

namespace {
task<> hold_a_place(channel<int>& c, duration how_long) {
  auto slot = co_await c.reserve();
  CHECK(slot);
  co_await sleep_for(how_long);
}
task<> send_seven(channel<int>& c) {
  auto sent = co_await c.send(7);
  CHECK(sent);
}
task<> receive_into(channel<int>& c, int& got) {
  auto value = co_await c.receive();
  if (value) got = *value;
}
}  // namespace

PENSTOCK_TEST("channel: a value behind one who waits for a place goes to a receiver") {
  channel<int> c{1};
  int got = 0;
  auto place = co_await c.reserve();
  auto body = [&](task_group& g) -> task<> {
    g.start(hold_a_place(c, 3ms));
    co_await sleep_for(1ms);
    g.start(send_seven(c));
    co_await sleep_for(1ms);
    g.start(receive_into(c, got));
    co_await sleep_for(1ms);
    CHECK(got == 7);
    place->release();
  };
  co_await with_group(body);
  CHECK(c.size() == 0);
}
PENSTOCK_TEST("channel: one who waits for a place and is stopped lets what is behind it go on") {
  channel<int> c{1};
  int got = 0;
  auto place = co_await c.reserve();
  auto body = [&](task_group& g) -> task<> {
    auto gives_up = [&]() -> task<> {
      auto place_too = co_await with_timeout(4ms, c.reserve());
      CHECK(place_too.error() == errc::timed_out);
    };
    g.start(gives_up);
    co_await sleep_for(1ms);
    g.start(send_seven(c));
    co_await sleep_for(1ms);
    CHECK_FALSE(c.try_send(8));
    g.start(receive_into(c, got));
    co_await sleep_for(5ms);
  };
  co_await with_group(body);
  CHECK(got == 7);
}

PENSTOCK_TEST("semaphore: closed and gone before those that it has refused go on") {
  auto s = std::make_unique<semaphore>(1);
  auto all = co_await s->acquire();
  auto body = [&](task_group& g) -> task<> {
    auto wait = [](semaphore& of) -> task<> {
      auto refused = co_await of.acquire();
      CHECK(refused.error() == errc::closed);
      CHECK(refused.error().message() == "semaphore::acquire: closed");
    };
    g.start(wait, std::ref(*s));
    co_await sleep_for(1ms);
    s->close();
    all->release();
    s.reset();
  };
  co_await with_group(body);
}

PENSTOCK_TEST("condition: a wait that is stopped ends without the mutex, also before it waits") {
  mutex m;
  condition changed;
  bool owns = true;
  auto body = [&](task_group& g) -> task<> {
    g.request_stop();
    auto lock = co_await m.lock();
    const scope_exit at_end([&] { owns = lock.owns_lock(); });
    co_await changed.wait(lock, [] { return false; });
  };
  co_await with_group(body);
  CHECK(!owns);
  CHECK(!m.locked());
}

PENSTOCK_TEST("barrier: a phase that a drop ends tells one of those that wait") {
  barrier b{3};
  int told = 0, passed = 0;
  auto body = [&](task_group& g) -> task<> {
    auto arrive = [&]() -> task<> {
      const bool is_told = co_await b.arrive_and_wait();
      if (is_told) ++told;
      ++passed;
    };
    g.start(arrive);
    g.start(arrive);
    co_await sleep_for(1ms);
    b.drop();
    co_await sleep_for(1ms);
    CHECK(passed == 2);
    CHECK(told == 1);
  };
  co_await with_group(body);
}

TEST_CASE("watch: a change that throws is told: the value may be another") {
  watch<int> w{0};
  auto seen = w.subscribe();
  const auto throws = [](int& v) {
    v = 1;
    throw std::runtime_error("in the middle");
  };
  CHECK_THROWS_AS(w.modify(throws), std::runtime_error);
  CHECK(seen.has_changed());
  CHECK(seen.get() == 1);
  CHECK_FALSE(w.modify_if([](int&) { return false; }));
  CHECK_FALSE(seen.has_changed());
}

namespace {
struct moved_once {  // and not assigned
  explicit moved_once(int v) : value(v) {}
  moved_once(const moved_once&) = default;
  moved_once(moved_once&&) noexcept = default;
  moved_once& operator=(const moved_once&) = delete;
  const int value;
};
}  // namespace
PENSTOCK_TEST("broadcast and weighted_channel: values need not be assignable") {
  broadcast<moved_once> b{2};
  auto r = b.subscribe();
  for (int i = 0; i < 3; ++i) CHECK(b.send(moved_once(i)));
  CHECK(r.missed() == 0);
  auto lagged = co_await r.receive();
  CHECK(lagged.error() == errc::lagged);
  auto oldest = co_await r.receive();
  CHECK(oldest->value == 1);

  weighted_channel<moved_once> c{1, [](const moved_once&) { return std::size_t{1}; }};
  c.close();
  moved_once kept(3);
  CHECK_FALSE(c.try_send(std::move(kept)));
  CHECK(kept.value == 3);
}

PENSTOCK_TEST("topics: who was disconnected for being slow joins no room again") {
  topics<int> rooms;
  const subscriber_options o{.capacity = 1, .when_full = slow_consumer::disconnect};
  auto s = rooms.subscribe(o);
  CHECK(rooms.join(s, "a"));
  CHECK(rooms.publish("a", 1));
  CHECK(rooms.publish("a", 2));
  CHECK_FALSE(rooms.join(s, "b"));
  CHECK(rooms.members("b") == 0);
  co_return;
}

PENSTOCK_TEST("single_flight: it may go when all runs are over, whoever was the last") {
  auto flights = std::make_unique<single_flight<int, int>>();
  const auto load = []() -> task<result<int>> {
    co_await sleep_for(1ms);
    co_return 5;
  };
  auto body = [&](task_group& g) -> task<> {
    auto ask = [&]() -> task<> {
      auto value = co_await flights->run(1, load);
      CHECK(value.value_or(0) == 5);
    };
    g.start(ask);
    g.start(ask);
    co_return;
  };
  co_await with_group(body);
  CHECK(flights->in_flight() == 0);
  flights.reset();
}
