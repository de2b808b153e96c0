// tests/sync/channel_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/sync/channel.hpp>

#include <penstock/core/ok.hpp>
#include <penstock/core/shield.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/sync_wait.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/when_any.hpp>
#include <penstock/core/with_group.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/core/yield.hpp>
#include <penstock/test/allocation_counter.hpp>
#include <penstock/test/cancel_matrix.hpp>
#include <penstock/test/lifetime_tracked.hpp>
#include <support/penstock_test.hpp>
#include <support/seeds.hpp>
#include <support/stopped.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using test::cancel_stage;
using test::lifetime_log;
using test::lifetime_tracked;

static_assert(!std::is_move_constructible_v<channel<int>>);
static_assert(awaitable<channel<int>::send_awaiter> && awaitable<channel<int>::receive_awaiter>);
static_assert(std::is_same_v<await_result_t<channel<int>::send_awaiter>, result<>>);
static_assert(std::is_same_v<await_result_t<channel<int>::receive_awaiter>, result<int>>);

namespace {
// [channel]
task<result<>> produce(channel<std::string>& lines) {
  for (int i = 1; i <= 3; ++i) {
    auto line = "line " + std::to_string(i);
    co_await ok(lines.send(std::move(line)));  // waits while the channel is full
  }
  lines.close();
  co_return {};
}
task<std::string> consume(channel<std::string>& lines) {
  std::string all;
  while (auto line = co_await lines.receive()) all += *line + "; ";
  co_return all;  // closed, and nothing is left
}
// [/channel]

task<result<>> send_range(channel<int>& c, int from, int to) {
  for (int i = from; i < to; ++i) co_await ok(c.send(i));
  co_return {};
}
task<std::vector<int>> receive_all(channel<int>& c) {
  std::vector<int> all;
  while (auto v = co_await c.receive()) all.push_back(*v);
  co_return all;
}
}  // namespace

PENSTOCK_TEST("what is sent is received in order, then the end") {
  channel<std::string> lines{2};
  std::string all;
  auto sender = [&]() -> task<> { co_await must(produce(lines)); };
  auto receiver = [&]() -> task<> { all = co_await consume(lines); };
  co_await when_all(sender(), receiver());
  CHECK(all == "line 1; line 2; line 3; ");
}

PENSTOCK_TEST("any capacity carries any number of values, also capacity 0") {
  for (std::size_t capacity : {0u, 1u, 2u, 3u, 64u}) {
    CAPTURE(capacity);
    channel<int> c{capacity};
    CHECK(c.capacity() == capacity);
    std::vector<int> got;
    auto sender = [&]() -> task<> {
      co_await must(send_range(c, 0, 200));
      c.close();
    };
    auto receiver = [&]() -> task<> { got = co_await receive_all(c); };
    co_await when_all(sender(), receiver());
    REQUIRE(got.size() == 200);
    for (int i = 0; i < 200; ++i) CHECK(got[static_cast<std::size_t>(i)] == i);
  }
}

PENSTOCK_TEST("a full channel makes senders wait, an empty one receivers") {
  channel<int> c{2};
  CHECK(c.try_send(1));
  CHECK(c.try_send(2));
  CHECK_FALSE(c.try_send(3));
  CHECK(c.size() == 2);
  auto late = co_await with_timeout(1ms, c.send(3));
  CHECK(late.error() == errc::timed_out);
  CHECK(c.size() == 2);
  CHECK(c.try_receive() == 1);
  CHECK(c.try_receive() == 2);
  CHECK(c.try_receive() == std::nullopt);
  auto nothing = co_await with_timeout(1ms, c.receive());
  CHECK(nothing.error() == errc::timed_out);
}

PENSTOCK_TEST("with capacity 0 a send ends when its value is received") {
  channel<int> c{0};
  CHECK_FALSE(c.try_send(1));
  CHECK_FALSE(c.try_receive().has_value());
  time_point sent{};
  auto sender = [&]() -> task<> {
    co_await must(c.send(7));
    sent = rt.now();
  };
  auto receiver = [&]() -> task<> {
    co_await sleep_for(5ms);
    CHECK(co_await c.receive() == 7);
  };
  co_await when_all(sender(), receiver());
  CHECK(sent == time_point(5ms));
  auto waits = [&]() -> task<> { CHECK(co_await c.receive() == 8); };
  auto tries = [&]() -> task<> {
    co_await sleep_for(1ms);
    CHECK(c.try_send(8));
    CHECK_FALSE(c.try_send(9));
  };
  co_await when_all(waits(), tries());
  auto offers = [&]() -> task<> { co_await must(c.send(10)); };
  auto takes = [&]() -> task<> {
    co_await sleep_for(1ms);
    CHECK(c.try_receive() == 10);
  };
  co_await when_all(offers(), takes());
}

PENSTOCK_TEST("senders that wait are served in order, and nobody passes them") {
  channel<int> c{1};
  CHECK(c.try_send(0));
  auto sender = [&](int v) -> task<> {
    co_await sleep_for(v * 1ms);
    co_await must(c.send(v));
  };
  std::vector<int> got;
  auto receiver = [&]() -> task<> {
    co_await sleep_for(10ms);
    CHECK_FALSE(c.try_send(99));
    got.push_back(*co_await c.receive());
    CHECK_FALSE(c.try_send(99));  // the place was given to the first that waits
    for (int i = 0; i < 3; ++i) got.push_back(*co_await c.receive());
  };
  co_await when_all(sender(1), sender(2), sender(3), receiver());
  CHECK(got == std::vector<int>{0, 1, 2, 3});
}

PENSTOCK_TEST("receivers that wait are served in order, and nobody passes them") {
  channel<int> c{4};
  std::vector<int> got(4, -1);
  auto receiver = [&](int id) -> task<> {
    co_await sleep_for(id * 1ms);
    got[static_cast<std::size_t>(id)] = *co_await c.receive();
  };
  auto sender = [&]() -> task<> {
    co_await sleep_for(10ms);
    for (int i = 0; i < 4; ++i) CHECK(c.try_send(i));
    CHECK_FALSE(c.try_receive().has_value());  // they are handed over already
    CHECK(c.size() == 0);
  };
  co_await when_all(receiver(0), receiver(1), receiver(2), receiver(3), sender());
  CHECK(got == std::vector<int>{0, 1, 2, 3});
}

PENSTOCK_TEST("close() keeps what was accepted, refuses the rest, and ends who waits") {
  channel<int> c{2};
  co_await must(send_range(c, 1, 3));
  std::string log;
  auto sender = [&]() -> task<> {
    const auto r = co_await c.send(3);
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error() == errc::closed);
    CHECK(r.error().message() == "channel: closed");
  };
  auto closer = [&]() -> task<> {
    co_await sleep_for(1ms);
    CHECK_FALSE(c.closed());
    c.close();
    c.close();
    CHECK(c.closed());
  };
  co_await when_all(sender(), sender(), closer());
  CHECK_FALSE(c.try_send(4));
  CHECK((co_await c.send(4)).error() == errc::closed);
  CHECK(c.size() == 2);
  CHECK(co_await c.receive() == 1);
  CHECK(c.try_receive() == 2);
  CHECK((co_await c.receive()).error() == errc::closed);
  CHECK((co_await c.receive()).error() == errc::closed);
  CHECK_FALSE(c.try_receive().has_value());

  channel<int> empty{0};
  auto receiver = [&]() -> task<> { CHECK((co_await empty.receive()).error() == errc::closed); };
  auto close_it = [&]() -> task<> {
    co_await sleep_for(1ms);
    empty.close();
  };
  co_await when_all(receiver(), receiver(), close_it());
}

PENSTOCK_TEST("values are moved, never copied, and destroyed once") {
  lifetime_log log;
  {
    channel<lifetime_tracked> c{2};
    co_await must(c.send(lifetime_tracked(log, 1)));
    co_await must(c.send(lifetime_tracked(log, 2)));
    auto dies = co_await with_timeout(1ms, c.send(lifetime_tracked(log, 3)));
    CHECK_FALSE(dies.has_value());
    CHECK(log.values() == 2);
    auto waits = [&]() -> task<> { co_await must(c.send(lifetime_tracked(log, 4))); };
    auto receive = [&]() -> task<> {
      co_await sleep_for(1ms);
      const auto v = co_await c.receive();
      CHECK(v->value() == 1);
    };
    co_await when_all(waits(), receive());
    CHECK(log.values() == 2);
    CHECK(c.try_receive()->value() == 2);
    // 4 is still inside
  }
  CHECK(log.clean());
  CHECK(log.copies() == 0);
}

PENSTOCK_TEST("try_send moves only when it accepts") {
  channel<std::unique_ptr<int>> c{1};
  auto one = std::make_unique<int>(1);
  auto two = std::make_unique<int>(2);
  CHECK(c.try_send(std::move(one)));
  CHECK(one == nullptr);
  CHECK_FALSE(c.try_send(std::move(two)));
  REQUIRE(two != nullptr);
  CHECK(**co_await c.receive() == 1);
  c.close();
  CHECK_FALSE(c.try_send(std::move(two)));
  CHECK(two != nullptr);
  channel<std::string> text{1};
  const std::string kept = "kept";
  CHECK(text.try_send(kept));
  CHECK(kept == "kept");
}

PENSTOCK_TEST("what a race's loser received is in its result: nothing is lost") {
  channel<int> c{1};
  int sum = 0, sent = 0;
  for (int i = 1; i <= 50; ++i) {
    auto race = [&]() -> task<> {
      auto winner = co_await when_any(c.receive(), sleep_for(1ms));
      const auto* first = std::get_if<result<int>>(&winner.value);
      if (first) sum += **first;
      if (const auto& late = std::get<0>(winner.losers)) sum += **late;
    };
    auto sender = [&]() -> task<> {
      co_await sleep_for(1ms);
      if (c.try_send(i)) sent += i;
    };
    co_await when_all(race(), sender());
    while (auto left = c.try_receive()) sum += *left;
  }
  CHECK(sum == sent);
}

TEST_CASE("many senders and receivers: everything arrives once, each sender's in order") {
  for (auto seed : test::seeds(10)) {
    CAPTURE(seed);
    test::test_runtime rt({.seed = seed});
    channel<int> c{seed % 4};
    std::vector<std::vector<int>> got(3);
    auto sender = [&](int who) -> task<> {
      for (int i = 0; i < 50; ++i) {
        co_await must(c.send(who * 1000 + i));
        if (i % 5 == 0) co_await yield();
      }
    };
    auto receiver = [&](std::vector<int>& mine) -> task<> { mine = co_await receive_all(c); };
    auto senders = [&]() -> task<> {
      co_await when_all(sender(0), sender(1), sender(2), sender(3));
      c.close();
    };
    rt.run(when_all(senders(), receiver(got[0]), receiver(got[1]), receiver(got[2])));
    std::vector<int> all;
    for (const auto& one : got) {
      int last[4] = {-1, -1, -1, -1};
      for (int v : one) {
        CHECK(v % 1000 > last[v / 1000]);
        last[v / 1000] = v % 1000;
        all.push_back(v);
      }
    }
    std::sort(all.begin(), all.end());
    CHECK(all.size() == 200);
    CHECK(std::unique(all.begin(), all.end()) == all.end());
  }
}

TEST_CASE("with sends and receives stopped at random nothing that was accepted is lost") {
  for (auto seed : test::seeds(20)) {
    CAPTURE(seed);
    test::test_runtime rt({.seed = seed});
    lifetime_log log;
    {
      channel<lifetime_tracked> c{seed % 3};
      long accepted = 0, received = 0;
      int senders = 5;
      auto patience = [](random_engine& random) {
        return random.uniform_int(0, 9) < 4 ? duration(random.uniform_int(0, 20)) : duration(1000);
      };
      auto sender = [&](int who) -> task<> {
        random_engine& random = co_await this_task::random();
        for (int i = 0; i < 40; ++i) {
          const int value = who * 100 + i;
          const auto wait = patience(random);
          const auto r = co_await with_timeout(wait, c.send(lifetime_tracked(log, value)));
          if (r) accepted += value;
          if (random.uniform_int(0, 3) == 0) co_await sleep_for(duration(random.uniform_int(0, 9)));
        }
        if (--senders == 0) c.close();
      };
      auto receiver = [&]() -> task<> {
        random_engine& random = co_await this_task::random();
        for (;;) {
          const auto wait = patience(random);
          auto r = co_await with_timeout(wait, c.receive());
          if (!r && r.error() == errc::closed) break;
          if (r) received += r->value();
          if (random.uniform_int(0, 3) == 0) co_await sleep_for(duration(random.uniform_int(0, 9)));
        }
      };
      rt.run(with_group([&](task_group& group) -> task<> {
        for (int i = 0; i < 5; ++i) group.start(sender, i);
        for (int i = 0; i < 4; ++i) group.start(receiver);
        co_return;
      }));
      CHECK(accepted == received);
      CHECK(log.values() == 0);
    }
    CHECK(log.clean());
    CHECK(log.copies() == 0);
  }
}

TEST_CASE("stopped at any moment a receive takes nothing, or its caller has the value") {
  struct fixture {
    std::unique_ptr<lifetime_log> log = std::make_unique<lifetime_log>();
    std::unique_ptr<channel<lifetime_tracked>> c;
  };
  test::cancel_matrix(
      [] {
        fixture f;
        f.c = std::make_unique<channel<lifetime_tracked>>(1);
        return f;
      },
      [](fixture& f) { return f.c->receive(); },
      [](fixture& f) { static_cast<void>(f.c->try_send(lifetime_tracked(*f.log, 7))); },
      [](fixture& f, const auto& outcome, cancel_stage) -> std::string {
        const bool got = outcome && outcome->has_value() && (*outcome)->value() == 7;
        if (outcome && !got) return "a wrong value";
        if (f.c->size() + (got ? 1 : 0) != 1) return "the value is lost, or there twice";
        return f.log->misuses() == 0 ? "" : "the value was misused";
      });
}

TEST_CASE("stopped at any moment a send was not accepted, or its value arrives") {
  struct fixture {
    std::unique_ptr<channel<int>> c;
    std::optional<int> got;
  };
  for (std::size_t capacity : {0u, 1u}) {
    test::cancel_matrix(
        [&] {
          fixture f;
          f.c = std::make_unique<channel<int>>(capacity);
          if (capacity) static_cast<void>(f.c->try_send(1));
          return f;
        },
        [](fixture& f) { return f.c->send(2); }, [](fixture& f) { f.got = f.c->try_receive(); },
        [capacity](fixture& f, const auto& outcome, cancel_stage) -> std::string {
          const bool accepted = outcome && outcome->has_value();
          if (outcome && !accepted) return "refused";
          if (capacity) {
            if (f.got != 1) return "the first value is lost";
            f.got = f.c->try_receive();
          }
          return accepted == (f.got == 2) ? "" : "accepted and received differ";
        });
  }
}

TEST_CASE("stopped at any step, senders and receivers lose nothing that was accepted") {
  for (std::uint64_t step = 1;; ++step) {
    CAPTURE(step);
    test::test_runtime rt({.seed = 5, .stop_at_step = step});
    channel<int> c{1};
    int accepted = 0, received = 0;
    auto sender = [&]() -> task<> {
      for (int i = 0; i < 4; ++i) {
        co_await must(c.send(1));
        ++accepted;
      }
    };
    auto receiver = [&]() -> task<> {
      for (int i = 0; i < 4; ++i) {
        const auto r = co_await c.receive();
        if (r) ++received;
      }
    };
    auto outcome = rt.run(as_result(when_all(sender(), sender(), receiver(), receiver())));
    while (c.try_receive()) ++received;
    CHECK(accepted == received);
    if (outcome && rt.steps() < step) break;
  }
}

TEST_CASE("only the constructor allocates") {
  if (!test::allocation_counter::available()) return;
  test::allocation_counter count;
  channel<std::unique_ptr<int>> c{8};
  CHECK(count.allocations() <= 1);
  auto sender = [&](int n) -> task<> {
    for (int i = 0; i < n; ++i) co_await must(c.send(nullptr));
  };
  auto receiver = [&](int n) -> task<> {
    for (int i = 0; i < n; ++i) static_cast<void>(co_await c.receive());
  };
  auto all = [&] { sync_wait(when_all(sender(100), receiver(50), sender(100), receiver(150))); };
  all();  // frames are in the recycler now
  count.reset();
  all();
  CHECK(count.allocations() == 0);
}

namespace {
// [reserve]
task<result<>> forward(channel<std::string>& from, channel<std::string>& to) {
  for (;;) {
    auto place = co_await ok(to.reserve());  // first the place: a stop here loses nothing
    auto line = co_await from.receive();
    if (!line) co_return result<>{};
    place.send(std::move(*line));
  }
}
// [/reserve]
}  // namespace

PENSTOCK_TEST("a reserved place is nobody else's, and comes back unused") {
  channel<int> c{2};
  auto place = co_await must(c.reserve());
  CHECK(c.try_send(1));
  CHECK_FALSE(c.try_send(2));
  CHECK(c.size() == 1);
  CHECK_FALSE(c.try_reserve().has_value());
  CHECK(place.send(3));
  CHECK_FALSE(static_cast<bool>(place));
  CHECK(co_await c.receive() == 1);
  CHECK(co_await c.receive() == 3);
  {
    auto first = c.try_reserve();
    auto second = c.try_reserve();
    REQUIRE(first.has_value());
    REQUIRE(second.has_value());
    *first = std::move(*second);  // one place comes back
    CHECK(c.try_send(4));
    CHECK_FALSE(c.try_send(5));
  }
  CHECK(c.try_send(5));
  CHECK(co_await c.receive() == 4);
  CHECK(co_await c.receive() == 5);
}

PENSTOCK_TEST("a place that comes back goes to the first who waits for one") {
  channel<int> c{1};
  auto place = co_await must(c.reserve());
  std::vector<int> order;
  auto sender = [&](int id) -> task<> {
    co_await sleep_for(duration(id));
    CHECK(co_await c.send(id));
    order.push_back(id);
  };
  auto reserver = [&](int id) -> task<> {
    co_await sleep_for(duration(id));
    auto mine = co_await must(c.reserve());
    order.push_back(id);
    CHECK(mine.send(id));
  };
  auto receiver = [&]() -> task<> {
    co_await sleep_for(1ms);
    place.release();
    CHECK(co_await c.receive() == 1);
    const int a = *co_await c.receive();  // what waits may pass a place that is not used yet
    const int b = *co_await c.receive();
    CHECK(a + b == 5);
  };
  co_await when_all(sender(1), reserver(2), sender(3), receiver());
  CHECK(order.size() == 3);
}

PENSTOCK_TEST("a receiver that waits is served from a place too; after close it is refused") {
  channel<int> c{1};
  auto place = co_await must(c.reserve());
  auto receiver = [&]() -> task<> { CHECK(co_await c.receive() == 7); };
  auto sender = [&]() -> task<> {
    co_await sleep_for(1ms);
    CHECK(place.send(7));
  };
  co_await when_all(receiver(), sender());
  auto late = co_await must(c.reserve());
  c.close();
  CHECK_FALSE(late.send(8));
  CHECK((co_await c.reserve()).error() == errc::closed);
  channel<int> none{0};
  CHECK((co_await none.reserve()).error() == errc::never_satisfiable);
  CHECK_FALSE(none.try_reserve().has_value());
}

PENSTOCK_TEST("what is forwarded by way of a place is not lost by a stop") {
  channel<std::string> from{8}, to{1};
  int received = 0;
  for (int i = 0; i < 8; ++i) CHECK(from.try_send(std::to_string(i)));
  auto forwarder = [&]() -> task<> {
    for (int i = 0; i < 20; ++i) static_cast<void>(co_await with_timeout(1ms, forward(from, to)));
  };
  auto receiver = [&]() -> task<> {
    while (received < 8) {
      co_await sleep_for(1500us);
      if (to.try_receive()) ++received;
    }
  };
  co_await when_all(forwarder(), receiver());
  CHECK(received == 8);
  CHECK(from.size() + to.size() == 0);
}

PENSTOCK_TEST("many values at once, in order, past a full channel") {
  channel<int> c{4};
  std::vector<int> values(10);
  std::iota(values.begin(), values.end(), 0);
  std::vector<int> got;
  auto sender = [&]() -> task<> {
    CHECK(co_await c.send_many(values) == 10u);
    CHECK(co_await c.send_many({}) == 0u);
    c.close();
    CHECK((co_await c.send_many(values)).error() == errc::closed);
  };
  auto receiver = [&]() -> task<> {
    for (;;) {
      const auto n = co_await c.receive_many(got, 3);
      if (!n) break;
      CHECK(*n >= 1);
      CHECK(*n <= 3);
    }
  };
  co_await when_all(sender(), receiver());
  CHECK(got == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
}

PENSTOCK_TEST("others do not come between values that wait together") {
  channel<int> c{1};
  std::vector<int> many{1, 2, 3}, got;
  auto all = [&]() -> task<> { CHECK(co_await c.send_many(many) == 3u); };
  auto other = [&]() -> task<> {
    co_await sleep_for(1ms);
    CHECK_FALSE(c.try_send(8));
    CHECK(co_await c.send(9));
  };
  auto receiver = [&]() -> task<> {
    co_await sleep_for(2ms);
    for (int i = 0; i < 4; ++i) got.push_back(*co_await c.receive());
  };
  co_await when_all(all(), other(), receiver());
  CHECK(got == std::vector<int>{1, 2, 3, 9});
}

PENSTOCK_TEST("how many were sent before the channel was closed") {
  channel<int> c{2};
  std::vector<int> values{1, 2, 3};
  auto sender = [&]() -> task<> { CHECK(co_await c.send_many(values) == 2u); };
  auto closer = [&]() -> task<> {
    co_await sleep_for(1ms);
    c.close();
  };
  co_await when_all(sender(), closer());
}

PENSTOCK_TEST(
    "the reason of close comes to receivers after what was accepted, to senders at once") {
  channel<int> c{2, "readings"};
  CHECK(c.try_send(1));
  c.close(error(errc::source_changed).with("sensor", "3"));
  c.close(errc::corrupt);
  CHECK((co_await c.send(2)).error().message() == "sensor '3': source changed");
  CHECK(co_await c.receive() == 1);
  CHECK((co_await c.receive()).error() == errc::source_changed);
  channel<int> named{1, "readings"};
  named.close();
  CHECK((co_await named.receive()).error().message() == "readings: closed");
}

PENSTOCK_TEST("the channel of one loop does the same") {
  local::channel<int> c{2};
  std::vector<int> got;
  auto sender = [&]() -> task<> {
    for (int i = 0; i < 20; ++i) {
      if (i % 6 == 0) co_await sleep_for(1ms);
      CHECK(co_await c.send(i));
    }
    c.close();
  };
  auto receiver = [&]() -> task<> {
    while (auto v = co_await c.receive()) {
      got.push_back(*v);
      if (*v % 5 == 0) co_await sleep_for(1ms);
    }
  };
  co_await when_all(sender(), receiver());
  CHECK(got.size() == 20);
  CHECK(std::ranges::is_sorted(got));
  CHECK(c.size() == 0);
}

TEST_CASE("stopped at any moment a reservation is made or it is not") {
  struct fixture {
    std::unique_ptr<channel<int>> c = std::make_unique<channel<int>>(1);
    channel_slot<int> taken = std::move(*c->try_reserve());
  };
  test::cancel_matrix([] { return fixture{}; }, [](fixture& f) { return f.c->reserve(); },
                      [](fixture& f) { f.taken.release(); },
                      [](fixture& f, const auto&, cancel_stage stage) -> std::string {
                        if (stage == cancel_stage::parked) f.taken.release();
                        return "";
                      });
  test::cancel_matrix(
      [] {
        fixture f;
        f.taken.release();
        static_cast<void>(f.c->try_send(1));
        return f;
      },
      [](fixture& f) { return f.c->reserve(); },
      [](fixture& f) { static_cast<void>(f.c->try_receive()); },
      [](fixture& f, const auto& outcome, cancel_stage) -> std::string {
        const bool taken = outcome && outcome->has_value();
        if (taken == f.c->try_send(2)) return "the place is lost, or there twice";
        return "";
      });
}

TEST_CASE("stopped at any moment a batch is sent or received, or it is not") {
  struct fixture {
    std::unique_ptr<channel<int>> c = std::make_unique<channel<int>>(1);
    std::unique_ptr<std::vector<int>> values = std::make_unique<std::vector<int>>(1, 5);
  };
  test::cancel_matrix(
      [] {
        fixture f;
        static_cast<void>(f.c->try_send(1));
        return f;
      },
      [](fixture& f) { return f.c->send_many(*f.values); },
      [](fixture& f) { static_cast<void>(f.c->try_receive()); },
      [](fixture& f, const auto& outcome, cancel_stage) -> std::string {
        const bool there = f.c->try_receive() == 5;
        if (outcome.has_value() != there) return "it was sent and stopped, or lost";
        return "";
      });
  test::cancel_matrix(
      [] { return fixture{}; }, [](fixture& f) { return f.c->receive_many(*f.values, 4); },
      [](fixture& f) { static_cast<void>(f.c->try_send(6)); },
      [](fixture& f, const auto& outcome, cancel_stage) -> std::string {
        const bool received = f.values->size() == 2;
        if (outcome.has_value() != received || received == f.c->try_receive().has_value())
          return "the value is lost, or there twice";
        return "";
      });
}

TEST_CASE("destroying a channel while tasks wait is a broken contract") {
  const auto message = support::stopped_with([] {
    test::test_runtime rt;
    auto c = std::make_unique<channel<int>>(1);
    auto waiter = [](channel<int>& ch) -> task<> { static_cast<void>(co_await ch.receive()); };
    auto destroyer = [&]() -> task<> {
      co_await sleep_for(1ms);
      c.reset();
    };
    rt.run(when_all(waiter(*c), destroyer()));
  });
  CHECK(message == "a channel is destroyed while tasks wait: close() it");
}
