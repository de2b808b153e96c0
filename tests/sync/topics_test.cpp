// tests/sync/topics_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/sync/topics.hpp>

#include <penstock/core/sleep.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/with_group.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/test/allocation_counter.hpp>
#include <penstock/test/cancel_matrix.hpp>
#include <support/penstock_test.hpp>
#include <support/stopped.hpp>
#include <sync/two_loops.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using test::cancel_stage;

namespace {
// [topics]
task<std::string> listen(subscriber<std::string> mine) {
  std::string heard;
  for (;;) {
    auto message = co_await mine.receive();
    if (message)
      heard += **message + "; ";
    else if (message.error() == errc::lagged)
      heard += "(some are missing); ";
    else
      co_return heard;  // closed, or it was too slow
  }
}
task<std::string> chat(topics<std::string>& rooms) {
  auto ann = rooms.subscribe();
  auto bob = rooms.subscribe({.capacity = 16, .when_full = slow_consumer::disconnect});
  rooms.join(ann, "lobby");
  rooms.join(bob, "lobby");
  rooms.join(bob, "kitchen");
  (void)rooms.publish("lobby", "ann: hello", {.except = &ann});
  (void)rooms.publish("kitchen", "the tea is ready");
  rooms.close();
  co_return co_await listen(std::move(bob));
}
// [/topics]

// Everything that waits.
template <class Subscriber>
std::string all_of(Subscriber& s) {
  std::string text;
  while (auto next = s.try_receive()) {
    if (*next)
      text += std::to_string(***next) + ' ';
    else if (next->error() == errc::lagged)
      text += '(' + next->error().message() + ") ";
    else
      return text + next->error().message();
  }
  return text;
}
}  // namespace

PENSTOCK_TEST("who has joined a room receives what is published there, but not from itself") {
  topics<std::string> rooms;
  CHECK(co_await chat(rooms) == "ann: hello; the tea is ready; ");
  CHECK(rooms.publish("lobby", "late").error() == errc::closed);
  CHECK(rooms.closed());
}

PENSTOCK_TEST("a subscriber in several rooms receives each message once, in order, and may leave") {
  topics<int> rooms;
  auto s = rooms.subscribe();
  CHECK(rooms.join(s, "a"));
  CHECK(rooms.join(s, "b"));
  CHECK_FALSE(rooms.join(s, "a"));
  CHECK(rooms.publish("a", 1) == 1u);
  CHECK(rooms.publish("b", 2) == 1u);
  CHECK(rooms.publish("c", 3) == 0u);
  CHECK(rooms.leave(s, "a"));
  CHECK_FALSE(rooms.leave(s, "a"));
  CHECK_FALSE(rooms.leave(s, "c"));
  CHECK(rooms.publish("a", 4) == 0u);
  CHECK(rooms.publish("b", 5) == 1u);
  CHECK(s.size() == 3);
  CHECK(all_of(s) == "1 2 5 ");
  CHECK_FALSE(s.try_receive());
  co_return;
}

PENSTOCK_TEST("a room is gone with its last member, whether it leaves or ends") {
  topics<int> rooms;
  CHECK(rooms.stats().rooms == 0);
  {
    auto a = rooms.subscribe();
    auto b = rooms.subscribe();
    auto c = rooms.subscribe();
    for (auto* s : {&a, &b, &c}) CHECK(rooms.join(*s, "x"));
    CHECK(rooms.join(b, "y"));
    CHECK(rooms.stats().rooms == 2);
    CHECK(rooms.members("x") == 3);
    CHECK(rooms.leave(a, "x"));  // the last takes its place
    CHECK(rooms.leave(c, "x"));
    CHECK(rooms.members("x") == 1);
    CHECK(rooms.publish("x", 1) == 1u);
    CHECK(all_of(b) == "1 ");
    auto moved = std::move(b);
    CHECK(rooms.leave(moved, "x"));
    CHECK(rooms.stats().rooms == 1);
    CHECK(rooms.stats().subscribers == 3);
    a = std::move(moved);
    CHECK(rooms.stats().subscribers == 2);
    CHECK(rooms.members("y") == 1);
  }
  CHECK(rooms.stats().rooms == 0);
  CHECK(rooms.stats().subscribers == 0);
  co_return;
}

PENSTOCK_TEST("drop_oldest: the gap comes first, with how many are missing") {
  topics<int> rooms;
  auto s = rooms.subscribe({.capacity = 3, .name = "dashboard"});
  CHECK(rooms.join(s, "r"));
  for (int i = 1; i <= 5; ++i) CHECK(rooms.publish("r", i) == 1u);
  CHECK(s.missed() == 2);
  CHECK(all_of(s) == "(dashboard '2 messages missed': lagged behind) 3 4 5 ");
  for (int i = 6; i <= 10; ++i) CHECK(rooms.publish("r", i) == 1u);
  CHECK(all_of(s) == "(dashboard '2 messages missed': lagged behind) 8 9 10 ");
  CHECK(s.missed() == 4);
  const auto stats = rooms.stats();
  CHECK(stats.published == 10);
  CHECK(stats.delivered == 10);
  CHECK(stats.dropped == 4);
  co_return;
}

PENSTOCK_TEST("drop_new: the gap is where the messages would have been") {
  topics<int> rooms;
  auto s = rooms.subscribe({.capacity = 2, .when_full = slow_consumer::drop_new});
  CHECK(rooms.join(s, "r"));
  for (int i = 1; i <= 4; ++i) CHECK(rooms.publish("r", i) == (i <= 2 ? 1u : 0u));
  CHECK(*must(*s.try_receive()) == 1);
  CHECK(rooms.publish("r", 5) == 1u);
  CHECK(all_of(s) == "2 (subscriber '2 messages missed': lagged behind) 5 ");
  for (int i = 6; i <= 8; ++i) CHECK(rooms.publish("r", i));
  CHECK(all_of(s) == "6 7 (subscriber '1 messages missed': lagged behind) ");
  CHECK(s.missed() == 3);
  co_return;
}

PENSTOCK_TEST("disconnect: what it has is received, then it is told, and is in no room any more") {
  topics<int> rooms;
  auto slow = rooms.subscribe({.capacity = 2, .when_full = slow_consumer::disconnect});
  auto other = rooms.subscribe();
  for (auto* s : {&slow, &other}) CHECK(rooms.join(*s, "r"));
  CHECK(rooms.join(slow, "alone"));
  CHECK(rooms.publish("r", 1) == 2u);
  CHECK(rooms.publish("r", 2) == 2u);
  CHECK(rooms.publish("r", 3) == 1u);
  CHECK(slow.closed());
  CHECK(rooms.members("r") == 1);
  CHECK(rooms.members("alone") == 0);
  CHECK(all_of(slow) == "1 2 subscriber 'slow consumer: 2 messages wait': overloaded");
  CHECK((co_await slow.receive()).error() == errc::overloaded);
  CHECK(all_of(other) == "1 2 3 ");
  CHECK(rooms.stats().disconnected == 1);
}

PENSTOCK_TEST("conflate: a message replaces the one with its key, in its place") {
  topics<int> prices;
  auto s = prices.subscribe({.capacity = 3, .when_full = slow_consumer::conflate});
  CHECK(prices.join(s, "r"));
  CHECK(prices.publish("r", 10, {.key = 1}) == 1u);
  CHECK(prices.publish("r", 20, {.key = 2}) == 1u);
  CHECK(prices.publish("r", 11, {.key = 1}) == 1u);
  CHECK(prices.publish("r", 30) == 1u);
  CHECK(prices.publish("r", 12, {.key = 1}) == 1u);
  CHECK(all_of(s) == "12 20 30 ");
  for (int i = 1; i <= 4; ++i) CHECK(prices.publish("r", i) == 1u);  // no keys
  CHECK(all_of(s) == "(subscriber '1 messages missed': lagged behind) 2 3 4 ");
  co_return;
}

PENSTOCK_TEST("10,000 subscribers: one that is stuck disturbs nobody, and learns what it missed") {
  local::topics<int> rooms;
  constexpr int all = 10'000;
  std::vector<local::topics<int>::subscriber> others;
  auto stuck = rooms.subscribe({.capacity = 8});
  CHECK(rooms.join(stuck, "news"));
  for (int i = 1; i < all; ++i) {
    others.push_back(rooms.subscribe({.capacity = 2}));
    REQUIRE(rooms.join(others.back(), "news"));
  }
  bool good = true;
  for (int n = 1; n <= 20; ++n) {
    good = good && rooms.publish("news", n) == static_cast<std::size_t>(all);
    for (auto& s : others) {
      const auto got = co_await s.receive();
      good = good && got && **got == n;
    }
  }
  CHECK(good);
  CHECK(stuck.missed() == 12);
  const auto lag = co_await stuck.receive();
  CHECK(lag.error().message() == "subscriber '12 messages missed': lagged behind");
  CHECK(*must(co_await stuck.receive()) == 13);
}

PENSTOCK_TEST("a message is stored once, for all") {
  topics<std::string> rooms;
  auto a = rooms.subscribe();
  auto b = rooms.subscribe();
  for (auto* s : {&a, &b}) CHECK(rooms.join(*s, "r"));
  const auto message = std::make_shared<const std::string>("once");
  CHECK(rooms.publish_shared("r", message) == 2u);
  CHECK(must(co_await a.receive()).get() == message.get());
  CHECK(must(co_await b.receive()).get() == message.get());
}

PENSTOCK_TEST("a receive waits for a message, a close or its timeout") {
  topics<int> rooms;
  auto s = rooms.subscribe();
  CHECK(rooms.join(s, "r"));
  CHECK((co_await with_timeout(1ms, s.receive())).error() == errc::timed_out);
  auto late = [&]() -> task<> {
    co_await sleep_for(1ms);
    CHECK(rooms.publish("r", 7) == 1u);
    co_await sleep_for(1ms);
    rooms.close(error(errc::overloaded).with("maintenance"));
  };
  auto receive = [&]() -> task<> {
    CHECK(*must(co_await s.receive()) == 7);
    CHECK((co_await s.receive()).error().message() == "maintenance: overloaded");
  };
  co_await when_all(late(), receive());
  auto after = rooms.subscribe();
  CHECK(after.closed());
  CHECK_FALSE(rooms.join(after, "r"));
}

TEST_CASE("stopped at any moment a receive leaves the message") {
  struct fixture {
    std::unique_ptr<topics<int>> t = std::make_unique<topics<int>>();
    std::unique_ptr<subscriber<int>> s = std::make_unique<subscriber<int>>(t->subscribe());
    fixture() { t->join(*s, "r"); }
    fixture(fixture&&) = default;
  };
  test::cancel_matrix([] { return fixture{}; }, [](fixture& f) { return f.s->receive(); },
                      [](fixture& f) { static_cast<void>(f.t->publish("r", 1)); },
                      [](fixture& f, const auto& outcome, cancel_stage) -> std::string {
                        if (outcome.has_value() == (f.s->size() != 0))
                          return "the message is lost, or there twice";
                        return "";
                      });
}

TEST_CASE("who joins and leaves while others publish loses nothing of the rest") {
  topics<int> rooms;
  auto steady = rooms.subscribe({.capacity = 4096});
  REQUIRE(rooms.join(steady, "r"));
  std::atomic<bool> over{false};
  support::on_two_loops([&](int loop) -> task<> {
    if (loop == 0) {
      for (int i = 0; i < 2000; ++i) {
        static_cast<void>(rooms.publish("r", i));
        if (i % 16 == 0) co_await yield();
      }
      over = true;
    } else {
      while (!over) {
        auto guest = rooms.subscribe({.capacity = 2, .when_full = slow_consumer::disconnect});
        rooms.join(guest, "r");
        rooms.join(guest, "s");
        if (auto got = guest.try_receive(); got && *got) co_await yield();
        rooms.leave(guest, "r");
        co_await yield();
      }
    }
  });
  int expected = 0;
  while (auto next = steady.try_receive()) CHECK(*must(*next) == expected++);
  CHECK(expected == 2000);
  CHECK(rooms.stats().rooms == 1);
}

PENSTOCK_TEST("a message that is shared already is published and received without allocation") {
  if (!test::allocation_counter::available()) co_return;
  topics<int> rooms;
  auto s = rooms.subscribe();
  CHECK(rooms.join(s, "r"));
  const auto message = std::make_shared<const int>(1);
  CHECK(rooms.publish_shared("r", message) == 1u);  // now the list of members is there
  const test::allocation_counter count;
  const auto reached = rooms.publish_shared("r", message);
  const auto first = co_await s.receive();
  const auto second = co_await s.receive();
  CHECK(count.allocations() == 0);
  CHECK(reached == 1u);
  CHECK(first.has_value());
  CHECK(second.has_value());
}

TEST_CASE("a mailbox without room, or topics that go before their subscribers") {
  CHECK(support::stopped_with([] {
          topics<int> t;
          auto s = t.subscribe({.capacity = 0});
        }) == "topics: a subscriber with a capacity of 0");
  CHECK(support::stopped_with([] {
          auto t = std::make_unique<topics<int>>();
          auto s = std::make_unique<subscriber<int>>(t->subscribe());
          static_cast<void>(s.release());
          t.reset();
        }) == "topics are destroyed before their subscribers");
}
