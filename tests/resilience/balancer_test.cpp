// tests/resilience/balancer_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/resilience/balancer.hpp>

#include <penstock/core.hpp>
#include <penstock/resilience/retry.hpp>
#include <penstock/test.hpp>
#include <support/penstock_test.hpp>
#include <support/seeds.hpp>
#include <support/stopped.hpp>
#include <sync/two_loops.hpp>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;

namespace {
struct replica {
  std::string host;
  duration takes = 10ms;
  bool down = false;
  int calls = 0;
  task<result<std::string>> get() {
    ++calls;
    co_await sleep_for(takes);
    if (down) co_return fail(std::errc::connection_refused);
    co_return host;
  }
};
using replicas = balancer<std::shared_ptr<replica>>;
std::shared_ptr<replica> made(std::string host, duration takes = 10ms) {
  return std::make_shared<replica>(replica{.host = std::move(host), .takes = takes});
}
constexpr auto get = [](std::shared_ptr<replica>& r) { return r->get(); };
}  // namespace

// [balancer]
// Another replica when one has failed.
static task<result<std::string>> read_somewhere(const replicas& all) {
  auto read = all.operation([](std::shared_ptr<replica>& r) { return r->get(); });
  const auto guarded = retry({.attempts = 3, .backoff = constant(5ms)});
  co_return co_await guarded(idempotent(read));
}
// [/balancer]

PENSTOCK_TEST("round robin takes one after the other, least connections the one with the fewest") {
  const replicas turns({.how = balance::round_robin});
  for (const char* host : {"a", "b", "c"}) turns.add(made(host));
  std::string order;
  for (int i = 0; i < 6; ++i) {
    const auto host = co_await turns.call(get);
    order += *host;
  }
  CHECK(order == "abcabc");
  const replicas least({.how = balance::least_connections});
  for (const char* host : {"a", "b", "c"}) least.add(made(host));
  std::vector<replicas::lease> held;
  std::array<int, 3> counts{};
  for (int i = 0; i < 9; ++i) {
    auto one = least.pick();
    CHECK(one.has_value());
    ++counts[one->endpoint() - 1];
    held.push_back(*std::move(one));
  }
  CHECK(counts == std::array<int, 3>{3, 3, 3});
  held.clear();
  for (const endpoint_stats& s : least.stats()) CHECK(s.running == 0);
}

TEST_CASE("LB1: of four endpoints the one that is ten times as slow gets less than a twentieth") {
  for (const auto seed : support::seeds(5)) {
    CAPTURE(seed);
    test::test_runtime rt{{.seed = seed}};
    auto body = []() -> task<> {
      const replicas all;
      std::vector<std::shared_ptr<replica>> list{made("a"), made("b"), made("c"),
                                                 made("slow", 100ms)};
      for (const auto& r : list) all.add(r);
      auto client = [&]() -> task<> {
        for (int i = 0; i < 500; ++i) {
          const auto host = co_await all.call(get);
          CHECK(host.has_value());
        }
      };
      auto clients = [&](task_group& group) -> task<> {
        for (int i = 0; i < 8; ++i) group.start(client);
        co_return;
      };
      co_await with_group(clients);
      CHECK(list[3]->calls < 4000 / 20);
      for (int i = 0; i < 3; ++i) CHECK(list[static_cast<std::size_t>(i)]->calls > 4000 / 5);
    };
    rt.run(body());
  }
}

PENSTOCK_TEST("LB2: five failures in a row, and it is left out for 30 s, the next time for 60 s") {
  std::vector<balancer_event> told;
  const replicas all({.how = balance::round_robin}, "shards",
                     [&](const balancer_event& e) { told.push_back(e); });
  std::vector<std::shared_ptr<replica>> list;
  for (int i = 0; i < 4; ++i) {
    list.push_back(made(std::to_string(i), 1ms));
    all.add(list.back());
  }
  list[1]->down = true;
  for (int i = 0; i < 20; ++i) static_cast<void>(co_await all.call(get));
  CHECK(list[1]->calls == 5);
  CHECK(told.size() == 1);
  CHECK(told[0].endpoint == 2);
  CHECK(told[0].ejected_for == 30s);
  CHECK(all.stats()[1].ejected);
  for (int i = 0; i < 20; ++i) {
    const auto answer = co_await all.call(get);
    CHECK(answer.has_value());
  }
  CHECK(list[1]->calls == 5);
  co_await sleep_for(30s);
  CHECK_FALSE(all.stats()[1].ejected);
  for (int i = 0; i < 20; ++i) static_cast<void>(co_await all.call(get));
  CHECK(list[1]->calls == 10);
  CHECK(told.size() == 2);
  CHECK(told[1].ejected_for == 60s);
  CHECK(all.stats()[1].failures == 10);
}

PENSTOCK_TEST("at most a tenth is left out, but one always; when all are bad each is as good") {
  const replicas few({.how = balance::round_robin});
  std::vector<std::shared_ptr<replica>> list;
  for (int i = 0; i < 3; ++i) {
    list.push_back(made(std::to_string(i), 1ms));
    list.back()->down = true;
    few.add(list.back());
  }
  for (int i = 0; i < 60; ++i) static_cast<void>(co_await few.call(get));
  int out = 0;
  for (const endpoint_stats& s : few.stats()) out += s.ejected;
  CHECK(out == 1);
  const replicas one;
  auto only = made("only");
  only->down = true;
  one.add(only);
  for (int i = 0; i < 10; ++i) static_cast<void>(co_await one.call(get));
  CHECK(only->calls == 10);  // left out, and taken nevertheless
  const replicas none;
  const auto nothing = co_await none.call(get);
  CHECK(nothing.error() == errc::exhausted);
}

PENSTOCK_TEST("an attempt avoids the endpoint of the one before, if there is another") {
  for (int i = 0; i < 10; ++i) {
    const replicas all;
    auto bad = made("bad");
    bad->down = true;
    all.add(bad);
    all.add(made("good"));
    const auto host = co_await read_somewhere(all);
    CHECK(host == result<std::string>("good"));
    CHECK(bad->calls <= 1);
  }
}

PENSTOCK_TEST("an endpoint can be removed while it is called, and added") {
  const replicas all;
  const auto first = all.add(made("a", 10ms));
  auto remove = [&]() -> task<> {
    co_await sleep_for(1ms);
    CHECK(all.remove(first));
    CHECK_FALSE(all.remove(first));
    const auto none = all.pick();
    CHECK(none.error() == errc::exhausted);
    CHECK(all.add(made("b")) == first + 1);
  };
  auto [host, done] = co_await when_all_settled(all.call(get), remove());
  CHECK(host == result<std::string>("a"));
  const auto next = co_await all.call(get);
  CHECK(next == result<std::string>("b"));
}

PENSTOCK_TEST("a new endpoint gets its share slowly") {
  const replicas all({.how = balance::round_robin, .slow_start = 10s});
  auto a = made("a", 10ms);
  all.add(a);
  co_await sleep_for(20s);
  auto b = made("b", 10ms);
  all.add(b);
  for (int i = 0; i < 100; ++i) static_cast<void>(co_await all.call(get));  // one second
  CHECK(b->calls < 30);
  co_await sleep_for(20s);
  const int before = b->calls;
  for (int i = 0; i < 100; ++i) static_cast<void>(co_await all.call(get));
  CHECK(b->calls - before == 50);
}

PENSTOCK_TEST("what is stopped is not counted, what a deadline ends has failed, exceptions too") {
  const replicas all;
  all.add(made("a", 1h));
  auto quick = []() -> task<result<std::string>> { co_return "x"; };
  const auto race = co_await when_any(all.call(get), quick());
  CHECK(race.index == 1);
  CHECK(all.stats()[0].failures == 0);
  static_cast<void>(co_await with_timeout(1ms, all.call(get)));
  CHECK(all.stats()[0].failures == 1);
  auto throws = [](std::shared_ptr<replica>&) -> task<result<std::string>> {
    co_await sleep_for(1ms);
    throw std::runtime_error("no");
  };
  bool thrown = false;
  try {
    static_cast<void>(co_await all.call(throws));
  } catch (const std::runtime_error&) {
    thrown = true;
  }
  CHECK(thrown);
  CHECK(all.stats()[0].failures == 2);
  CHECK(all.stats()[0].running == 0);
}

TEST_CASE("two loops share a balancer") {
  const balancer<int> all({.how = balance::least_connections});
  for (int i = 0; i < 3; ++i) all.add(i, time_point(0s));
  support::on_two_loops([&](int) -> task<> {
    for (int i = 0; i < 300; ++i) {
      auto fn = [&](int&) -> task<result<int>> {
        co_await support::turns(1);
        co_return 1;
      };
      const auto one = co_await all.call(fn);
      CHECK(one.has_value());
    }
  });
  std::uint64_t calls = 0;
  for (const endpoint_stats& s : all.stats(time_point(0s))) {
    CHECK(s.running == 0);
    calls += s.calls;
  }
  CHECK(calls == 600);
}

TEST_CASE("options of a balancer are checked by name") {
  CHECK(validate(balancer_options{}));
  CHECK(validate(balancer_options{.decay = 0s}).error().object() == "decay is zero or less");
  CHECK(validate(balancer_options{.max_ejected = 2}).error().object() ==
        "max_ejected is not in [0, 1]");
}
