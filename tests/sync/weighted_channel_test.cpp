// tests/sync/weighted_channel_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/sync/weighted_channel.hpp>

#include <penstock/core/sleep.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/test/cancel_matrix.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>

using namespace penstock;
using namespace std::chrono_literals;
using test::cancel_stage;

namespace {
std::size_t bytes_of(const std::string& s) { return s.size(); }

// [weighted_channel]
task<> produce(weighted_channel<std::string>& blocks) {
  for (std::size_t size : {100u, 400u, 50u, 900u, 5000u}) {
    const auto sent = co_await blocks.send(std::string(size, 'x'));
    if (!sent) co_return;
  }
  blocks.close();
}
task<std::size_t> consume(weighted_channel<std::string>& blocks) {
  std::size_t bytes = 0;
  while (auto block = co_await blocks.receive()) bytes += block->size();
  co_return bytes;
}
// [/weighted_channel]
}  // namespace

PENSTOCK_TEST("a channel is bounded by the weight of its values") {
  weighted_channel<std::string> blocks(1000, bytes_of);
  auto both = [&]() -> task<> {
    auto [nothing, bytes] = co_await when_all(produce(blocks), consume(blocks));
    static_cast<void>(nothing);
    CHECK(bytes == 6450);
  };
  std::size_t most = 0;
  auto watch = [&]() -> task<> {
    for (int i = 0; i < 20; ++i) {
      most = (std::max)(most, blocks.weight());
      co_await sleep_for(0ms);
    }
  };
  co_await when_all(both(), watch());
  CHECK(most <= 1000);
  CHECK(blocks.weight() == 0);
  CHECK(blocks.capacity() == 1000);
  CHECK(blocks.closed());
}

PENSTOCK_TEST("a heavy value waits for room, and light ones do not pass it") {
  local::weighted_channel<std::string> c(10, bytes_of);
  CHECK(c.try_send(std::string(6, 'a')));
  CHECK_FALSE(c.try_send(std::string(5, 'b')));
  std::string order;
  auto heavy = [&]() -> task<> {
    CHECK(co_await c.send(std::string(8, 'h')));
    order += 'h';
  };
  auto light = [&]() -> task<> {
    co_await sleep_for(1ms);
    CHECK_FALSE(c.try_send("l"));
    CHECK(co_await c.send("l"));
    order += 'l';
  };
  auto receiver = [&]() -> task<> {
    co_await sleep_for(2ms);
    CHECK(order.empty());
    CHECK(co_await c.receive() == "aaaaaa");
    const auto first = *co_await c.receive();
    const auto second = *co_await c.receive();
    CHECK(first + second == (first == "l" ? "lhhhhhhhh" : "hhhhhhhhl"));
    if (rt.seed() == 0) CHECK(second == "l");
  };
  co_await when_all(heavy(), light(), receiver());
  CHECK(c.size() == 0);
  CHECK(c.try_send(std::string(1000, 'x')));  // alone
  CHECK_FALSE(c.try_send("y"));
  CHECK(c.try_receive()->size() == 1000);
  CHECK(c.try_send(""));
  CHECK(c.weight() == 1);
}

PENSTOCK_TEST("the reason of close comes to senders that wait, and to receivers at the end") {
  weighted_channel<std::string> c(4, bytes_of, "blocks");
  CHECK(c.try_send("abcd"));
  auto sender = [&]() -> task<> {
    CHECK((co_await c.send("e")).error().message() == "disk 'sda': overloaded");
  };
  auto closer = [&]() -> task<> {
    co_await sleep_for(1ms);
    c.close(error(errc::overloaded).with("disk", "sda"));
  };
  co_await when_all(sender(), closer());
  CHECK_FALSE(c.try_send("f"));
  CHECK(co_await c.receive() == "abcd");
  CHECK((co_await c.receive()).error() == errc::overloaded);
}

TEST_CASE("stopped at any moment nothing of the weight is lost") {
  struct fixture {
    std::unique_ptr<weighted_channel<std::string>> c =
        std::make_unique<weighted_channel<std::string>>(4, bytes_of);
  };
  test::cancel_matrix(
      [] {
        fixture f;
        static_cast<void>(f.c->try_send("abc"));
        return f;
      },
      [](fixture& f) { return f.c->send("de"); },
      [](fixture& f) { static_cast<void>(f.c->try_receive()); },
      [](fixture& f, const auto& outcome, cancel_stage) -> std::string {
        const bool there = f.c->try_receive() == "de";
        if (outcome.has_value() != there) return "it was sent and stopped, or lost";
        if (!f.c->try_receive() && f.c->weight() != 0) return "weight is lost";
        return "";
      });
  test::cancel_matrix([] { return fixture{}; }, [](fixture& f) { return f.c->receive(); },
                      [](fixture& f) { static_cast<void>(f.c->try_send("abcd")); },
                      [](fixture& f, const auto& outcome, cancel_stage) -> std::string {
                        if (outcome.has_value() == f.c->try_receive().has_value())
                          return "the value is lost, or there twice";
                        return f.c->weight() == 0 ? "" : "weight is lost";
                      });
}
