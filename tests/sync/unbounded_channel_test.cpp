// tests/sync/unbounded_channel_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/sync/unbounded_channel.hpp>

#include <penstock/core/sleep.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/test/allocation_counter.hpp>
#include <penstock/test/cancel_matrix.hpp>
#include <penstock/test/lifetime_tracked.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <string>

using namespace penstock;
using namespace std::chrono_literals;
using test::cancel_stage;

static_assert(std::is_same_v<await_result_t<unbounded_channel<int>::receive_awaiter>, result<int>>);

namespace {
// [unbounded_channel]
void report(unbounded_channel<std::string>& events, const char* what) {
  static_cast<void>(events.send(what));  // from anywhere; never waits
}
task<std::string> collect_all(unbounded_channel<std::string>& events) {
  std::string all;
  while (auto event = co_await events.receive()) all += *event + "; ";
  co_return all;
}
// [/unbounded_channel]

template <class Channel>
task<> in_order(Channel& c) {
  constexpr int n = 5000;  // several chunks
  for (int i = 0; i < n; ++i) CHECK(c.send(i));
  CHECK(c.size() == static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i) CHECK(co_await c.receive() == i);
  CHECK(c.size() == 0);
  auto receiver = [&]() -> task<> {
    for (int i = 0; i < 100; ++i) CHECK(co_await c.receive() == i);
  };
  auto sender = [&]() -> task<> {
    for (int i = 0; i < 100; ++i) {
      if (i % 10 == 0) co_await sleep_for(1ms);
      CHECK(c.send(i));
    }
  };
  co_await when_all(receiver(), sender());
}
}  // namespace

PENSTOCK_TEST("a send never waits; all is received in order, then the end") {
  unbounded_channel<std::string> events;
  for (const char* what : {"start", "work", "stop"}) report(events, what);
  events.close();
  report(events, "late");
  CHECK(co_await collect_all(events) == "start; work; stop; ");
  CHECK(events.closed());
  unbounded_channel<int> any;
  co_await in_order(any);
  local::unbounded_channel<int> near;
  co_await in_order(near);
}

PENSTOCK_TEST("the reason of close comes after what was sent, and for senders at once") {
  unbounded_channel<int> c("readings");
  CHECK(c.send(1));
  c.close(error(errc::overloaded).with("sensor", "3"));
  c.close();
  CHECK(c.send(2).error().message() == "sensor '3': overloaded");
  CHECK(co_await c.receive() == 1);
  CHECK((co_await c.receive()).error() == errc::overloaded);
  unbounded_channel<int> plain("plain");
  auto waits = [&]() -> task<> {
    CHECK((co_await plain.receive()).error().message() == "plain: closed");
  };
  auto closes = [&]() -> task<> {
    co_await sleep_for(1ms);
    plain.close();
  };
  co_await when_all(waits(), waits(), closes());
}

TEST_CASE("values that nobody received are destroyed") {
  test::lifetime_log log;
  {
    unbounded_channel<test::lifetime_tracked> c;
    for (int i = 0; i < 1000; ++i) CHECK(c.send(test::lifetime_tracked(log, i)));
    for (int i = 0; i < 500; ++i) CHECK(c.try_receive().has_value());
  }
  CHECK(log.live() == 0);
}

TEST_CASE("large values have chunks of their own") {
  unbounded_channel<std::array<char, 3000>> c;
  for (char i = 0; i < 50; ++i) CHECK(c.send({i}));
  for (char i = 0; i < 50; ++i) CHECK(c.try_receive()->front() == i);
  CHECK_FALSE(c.try_receive().has_value());
}

TEST_CASE("a chunk that was emptied serves again: no allocation") {
  if (!test::allocation_counter::available()) return;
  unbounded_channel<int> c;
  CHECK(c.send(1));
  const test::allocation_counter count;
  for (int i = 0; i < 10'000; ++i) {
    CHECK(c.try_receive().has_value());
    CHECK(c.send(i));
  }
  CHECK(count.allocations() == 0);
}

TEST_CASE("stopped at any moment a receive loses nothing") {
  struct fixture {
    std::unique_ptr<unbounded_channel<int>> c = std::make_unique<unbounded_channel<int>>();
  };
  test::cancel_matrix([] { return fixture{}; }, [](fixture& f) { return f.c->receive(); },
                      [](fixture& f) { static_cast<void>(f.c->send(1)); },
                      [](fixture& f, const auto& outcome, cancel_stage) -> std::string {
                        if (outcome.has_value() == f.c->try_receive().has_value())
                          return "the value is lost, or there twice";
                        return "";
                      });
}
