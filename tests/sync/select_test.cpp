// tests/sync/select_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/sync/select.hpp>

#include <penstock/core/sleep.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/with_group.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/test/allocation_counter.hpp>
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

static_assert(awaitable<decltype(select(std::declval<channel<int>&>().receive()))>);

namespace {
// [select]
task<std::string> serve(channel<int>& orders, channel<std::string>& commands) {
  std::string log;
  for (;;) {
    auto next = co_await select(commands.receive(), orders.receive());
    if (next.index == 0) {
      const auto& command = std::get<0>(next.value);
      if (!command) break;  // closed
      log += *command + "; ";
    } else if (const auto& order = std::get<1>(next.value)) {
      log += "order " + std::to_string(*order) + "; ";
    }
  }
  co_return log;
}
// [/select]
}  // namespace

PENSTOCK_TEST("select takes what comes first") {
  channel<int> orders{4};
  channel<std::string> commands{4};
  auto client = [&]() -> task<> {
    co_await must(orders.send(1));
    co_await sleep_for(1ms);
    co_await must(commands.send("pause"));
    co_await sleep_for(1ms);
    co_await must(orders.send(2));
    co_await sleep_for(1ms);
    commands.close();
  };
  auto [log, nothing] = co_await when_all(serve(orders, commands), client());
  static_cast<void>(nothing);
  CHECK(log == "order 1; pause; order 2; ");
}

PENSTOCK_TEST("a select sends where there is room, or receives") {
  channel<int> in{1}, out{1};
  auto done = co_await select(in.receive(), out.send(7));
  CHECK(done.index == 1);
  CHECK(out.try_receive() == 7);
  CHECK(out.try_send(1));
  auto later = [&]() -> task<> {
    co_await sleep_for(1ms);
    CHECK(out.try_receive() == 1);  // makes room
  };
  auto chooser = [&]() -> task<std::size_t> {
    auto r = co_await select(in.receive(), out.send(8));
    co_return r.index;
  };
  auto [which, nothing] = co_await when_all(chooser(), later());
  static_cast<void>(nothing);
  CHECK(which == 1);
  CHECK(out.try_receive() == 8);
}

PENSTOCK_TEST("of several that are ready each has its turn") {
  channel<int> a{64}, b{64};
  int from_a = 0;
  for (int i = 0; i < 64; ++i) {
    CHECK(a.try_send(1));
    CHECK(b.try_send(2));
  }
  for (int i = 0; i < 64; ++i) {
    auto r = co_await select(a.receive(), b.receive());
    if (r.index == 0) ++from_a;
    CHECK(*r.value == (r.index == 0 ? 1 : 2));
  }
  CHECK(from_a > 8);
  CHECK(from_a < 56);
  CHECK(a.size() + b.size() == 64);
}

PENSTOCK_TEST("one select of many takes each value, and none is lost") {
  channel<int> a{0}, b{2};
  std::map<int, int> seen;
  auto taker = [&]() -> task<> {
    for (;;) {
      auto r = co_await select(a.receive(), b.receive());
      if (!r.value) break;
      ++seen[*r.value];
    }
  };
  auto giver = [&](int base) -> task<> {
    for (int i = 0; i < 100; ++i) {
      auto r = co_await select(a.send(base + i), b.send(base + i));
      CHECK(r.value.has_value());
      if (i % 7 == 0) co_await sleep_for(1ms);
    }
  };
  auto close_after = [&]() -> task<> {
    co_await when_all(giver(1000), giver(2000), giver(3000));
    a.close();
    b.close();
  };
  co_await when_all(taker(), taker(), taker(), close_after());
  while (auto left = b.try_receive()) ++seen[*left];
  CHECK(seen.size() == 300);
  for (const auto& [value, times] : seen) CHECK(times == 1);
}

PENSTOCK_TEST("selects over the same channels in any order do not wait for each other") {
  channel<int> a{1}, b{1}, c{1};
  int received = 0;
  auto one = [&]() -> task<> {
    for (;;) {
      auto r = co_await select(a.receive(), b.receive(), c.receive());
      if (!r.value) break;
      ++received;
    }
  };
  auto other = [&]() -> task<> {
    for (;;) {
      auto r = co_await select(c.receive(), b.receive(), a.receive(), a.receive());
      if (!r.value) break;
      ++received;
    }
  };
  auto feed = [&]() -> task<> {
    for (int i = 0; i < 60; ++i) {
      channel<int>& to = i % 3 == 0 ? a : i % 3 == 1 ? b : c;
      co_await must(to.send(i));
    }
    a.close();
    b.close();
    c.close();
  };
  co_await when_all(one(), other(), feed());
  while (a.try_receive() || b.try_receive() || c.try_receive()) ++received;
  CHECK(received == 60);
}

TEST_CASE("stopped at any moment a select loses nothing") {
  struct fixture {
    std::unique_ptr<channel<int>> a = std::make_unique<channel<int>>(1);
    std::unique_ptr<channel<int>> b = std::make_unique<channel<int>>(1);
  };
  test::cancel_matrix([] { return fixture{}; },
                      [](fixture& f) { return select(f.a->receive(), f.b->receive()); },
                      [](fixture& f) { static_cast<void>(f.b->try_send(1)); },
                      [](fixture& f, const auto& outcome, cancel_stage) -> std::string {
                        const bool left = f.b->try_receive().has_value();
                        if (outcome && left) return "received and still there";
                        if (!outcome && !left) return "the value is lost";
                        if (!f.a->try_send(1) || f.a->try_receive() != 1)
                          return "the other channel is not as it was";
                        return "";
                      });
  test::cancel_matrix(
      [] {
        fixture f;
        static_cast<void>(f.a->try_send(1));
        static_cast<void>(f.b->try_send(1));
        return f;
      },
      [](fixture& f) { return select(f.a->send(2), f.b->send(2)); },
      [](fixture& f) { static_cast<void>(f.a->try_receive()); },
      [](fixture& f, const auto& outcome, cancel_stage) -> std::string {
        const auto a = f.a->try_receive();
        const auto b = f.b->try_receive();
        const int sent = (a == 2) + (b == 2);
        if (outcome && sent != 1) return "it was sent " + std::to_string(sent) + " times";
        if (!outcome && sent != 0) return "a stopped send was accepted";
        return "";
      });
}

PENSTOCK_TEST("a select does not allocate") {
  if (!test::allocation_counter::available()) co_return;
  channel<int> a{4}, b{4};
  CHECK(a.try_send(1));
  const test::allocation_counter count;
  auto r = co_await select(a.receive(), b.receive());
  CHECK(count.allocations() == 0);
  CHECK(r.value == 1);
}
