// tests/sync/broadcast_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/sync/broadcast.hpp>

#include <penstock/core/sleep.hpp>
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

namespace {
// [broadcast]
task<std::string> listen(broadcast_receiver<std::string> news) {
  std::string heard;
  for (;;) {
    auto item = co_await news.receive();
    if (item)
      heard += *item + "; ";
    else if (item.error() == errc::lagged)
      heard += "missed " + std::to_string(news.missed()) + "; ";
    else
      co_return heard;  // closed
  }
}
// [/broadcast]
task<> tell(broadcast<std::string>& news, int items, duration pace) {
  for (int i = 1; i <= items; ++i) {
    CHECK(news.send(std::to_string(i)));
    if (pace != duration::zero()) co_await sleep_for(pace);
  }
  news.close();
}
}  // namespace

PENSTOCK_TEST("each receiver hears everything, in order, then the end") {
  broadcast<std::string> news{4};
  auto [a, b, nothing] =
      co_await when_all(listen(news.subscribe()), listen(news.subscribe()), tell(news, 5, 1ms));
  static_cast<void>(nothing);
  CHECK(a == "1; 2; 3; 4; 5; ");
  CHECK(b == a);
  CHECK(news.receivers() == 0);
  CHECK(news.closed());
  CHECK(news.send("late").error() == errc::closed);
}

PENSTOCK_TEST("who is too slow is told how many were missed, and goes on with the oldest") {
  broadcast<int> numbers{3};  // four
  CHECK(numbers.capacity() == 4);
  CHECK(numbers.send(0) == 0u);  // nobody there
  auto slow = numbers.subscribe();
  CHECK_FALSE(slow.has_value());
  for (int i = 1; i <= 10; ++i) CHECK(numbers.send(i) == 1u);
  CHECK(slow.has_value());
  const auto lag = co_await slow.receive();
  CHECK(lag.error() == errc::lagged);
  CHECK(lag.error().message() == "broadcast '6 values missed': lagged behind");
  CHECK(slow.missed() == 6);
  for (int i = 7; i <= 10; ++i) CHECK(co_await slow.receive() == i);
  CHECK(numbers.send(11));
  CHECK(co_await slow.receive() == 11);
  CHECK(slow.missed() == 6);
  numbers.close(error(errc::overloaded).with("feed"));
  CHECK((co_await slow.receive()).error() == errc::overloaded);
}

PENSTOCK_TEST("one that is stuck does not disturb the others") {
  local::broadcast<int> numbers{8};
  auto stuck = numbers.subscribe();
  long sum = 0;
  auto receiver = [&]() -> task<> {
    auto mine = numbers.subscribe();
    while (auto n = co_await mine.receive()) sum += *n;
  };
  auto sender = [&]() -> task<> {
    co_await sleep_for(1ms);
    for (int i = 1; i <= 100; ++i) {
      CHECK(numbers.send(i));
      co_await sleep_for(1us);
    }
    numbers.close();
  };
  co_await with_group([&](task_group& group) -> task<> {
    for (int i = 0; i < 100; ++i) group.start(receiver);
    group.start(sender);
    co_return;
  });
  CHECK(sum == 100 * 5050);
  CHECK((co_await stuck.receive()).error() == errc::lagged);
  CHECK(stuck.missed() == 92);
}

TEST_CASE("stopped at any moment a receive leaves the value") {
  struct fixture {
    std::unique_ptr<broadcast<int>> b = std::make_unique<broadcast<int>>(2);
    std::unique_ptr<broadcast_receiver<int>> r =
        std::make_unique<broadcast_receiver<int>>(b->subscribe());
  };
  test::cancel_matrix([] { return fixture{}; }, [](fixture& f) { return f.r->receive(); },
                      [](fixture& f) { static_cast<void>(f.b->send(1)); },
                      [](fixture& f, const auto& outcome, cancel_stage) -> std::string {
                        if (outcome.has_value() == f.r->has_value())
                          return "the value is lost, or there twice";
                        return "";
                      });
}

PENSTOCK_TEST("sending and receiving do not allocate") {
  if (!test::allocation_counter::available()) co_return;
  broadcast<int> b{2};
  auto r = b.subscribe();
  const test::allocation_counter count;
  const auto sent = b.send(1);
  const auto got = co_await r.receive();
  CHECK(count.allocations() == 0);
  CHECK(sent == 1u);
  CHECK(got == 1);
}

TEST_CASE("a broadcast without room, or that goes before its receivers") {
  CHECK(support::stopped_with([] { broadcast<int> none{0}; }) == "broadcast: a capacity of 0");
  CHECK(support::stopped_with([] {
          auto b = std::make_unique<broadcast<int>>(1);
          auto r = std::make_unique<broadcast_receiver<int>>(b->subscribe());
          static_cast<void>(r.release());
          b.reset();
        }) == "a broadcast is destroyed before its receivers");
}
