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
static_assert(std::is_same_v<await_result_t<channel<int>::receive_awaiter>, std::optional<int>>);

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
    CHECK(r.error().message() == "channel::send: closed");
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
  CHECK(co_await c.receive() == std::nullopt);
  CHECK(co_await c.receive() == std::nullopt);
  CHECK_FALSE(c.try_receive().has_value());

  channel<int> empty{0};
  auto receiver = [&]() -> task<> { CHECK(co_await empty.receive() == std::nullopt); };
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
      const auto* first = std::get_if<std::optional<int>>(&winner.value);
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
          if (r && !*r) break;
          if (r) received += (*r)->value();
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
        if (co_await c.receive()) ++received;
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
