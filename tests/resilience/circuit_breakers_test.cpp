// tests/resilience/circuit_breakers_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/resilience/circuit_breakers.hpp>

#include <penstock/core.hpp>
#include <penstock/test.hpp>
#include <support/penstock_test.hpp>
#include <support/stopped.hpp>
#include <sync/two_loops.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;

namespace {
constexpr circuit_breaker_options touchy{.window = 1, .open_for = 1min};

task<result<int>> ask(int shard, bool down) {
  co_await yield();
  if (down) co_return fail(errc::overloaded, "ask");
  co_return shard;
}
template <class Key>
void fail_once(const circuit_breakers<Key>& breakers, const Key& key, time_point now) {
  const auto breaker = breakers.of(key, now);
  auto permit = breaker.try_acquire(now);
  if (permit) permit->ended(call_outcome::failure, now);
}
template <class Key>
breaker_state state_of(const circuit_breakers<Key>& breakers, const Key& key, time_point now) {
  return breakers.of(key, now).state();
}
}  // namespace

// [of]
static task<result<int>> ask_shard(const circuit_breakers<int>& breakers, int shard, bool down) {
  auto call = [&] { return ask(shard, down); };
  co_return co_await breakers.of(shard)(call);
}
// [/of]

PENSTOCK_TEST("T10: a shard that fails closes the door to itself only") {
  std::vector<std::string> told;
  auto note = [&](const breaker_event& e) { told.push_back(std::string(e.key)); };
  const circuit_breakers<int> breakers({.each = touchy}, "shards", note);
  CHECK(!co_await ask_shard(breakers, 3, true));
  const auto refused = co_await ask_shard(breakers, 3, false);
  CHECK(refused.error() == errc::circuit_open);
  CHECK(refused.error().message().find("shards '3'") != std::string::npos);
  const auto other = co_await ask_shard(breakers, 4, false);
  CHECK(other == 4);
  CHECK(told == std::vector<std::string>{"3"});
  CHECK(breakers.stats().keys == 2);
  CHECK(breakers.stats().open == 1);
}

TEST_CASE("a key has the same breaker each time, also in copies") {
  const circuit_breakers<std::string> breakers({.each = touchy});
  const auto same = breakers;
  fail_once<std::string>(breakers, "a", time_point(1s));
  CHECK(state_of<std::string>(same, "a", time_point(1s)) == breaker_state::open);
  CHECK(same.stats().made == 1);
  int seen = 0;
  same.for_each([&](const std::string& key, const circuit_breaker& b) {
    CHECK(key == "a");
    CHECK(b.state() == breaker_state::open);
    ++seen;
  });
  CHECK(seen == 1);
}

TEST_CASE("a new key takes the place of the one that was asked for least recently") {
  const circuit_breakers<int> breakers({.max_keys = 3, .each = touchy});
  const time_point now(1s);
  for (const int key : {1, 2, 3, 1, 4}) static_cast<void>(breakers.of(key, now));
  std::vector<int> keys;
  breakers.for_each([&](int key, const circuit_breaker&) { keys.push_back(key); });
  CHECK(keys.size() == 3);
  CHECK(std::find(keys.begin(), keys.end(), 2) == keys.end());
  CHECK(breakers.stats().evicted == 1);
}

TEST_CASE("what is open goes after all that is closed, however long ago it was asked for") {
  const circuit_breakers<int> breakers({.max_keys = 10, .each = touchy});
  const time_point now(1s);
  for (int key = 0; key < 5; ++key) fail_once(breakers, key, now);
  for (int key = 100; key < 1100; ++key) static_cast<void>(breakers.of(key, now));
  CHECK(breakers.stats().keys == 10);
  CHECK(breakers.stats().open == 5);
  CHECK(breakers.stats().evicted_open == 0);
  for (int key = 0; key < 20; ++key) fail_once(breakers, key, now);
  CHECK(breakers.stats().keys == 10);
  CHECK(breakers.stats().open == 10);
  CHECK(breakers.stats().evicted_open == 10);
}

TEST_CASE("one that nobody asks for goes, unless it is open") {
  const circuit_breakers<int> breakers({.idle_ttl = 10s, .each = touchy});
  fail_once(breakers, 1, time_point(0s));
  for (int key = 2; key < 12; ++key) static_cast<void>(breakers.of(key, time_point(0s)));
  for (int i = 0; i < 20; ++i) static_cast<void>(breakers.of(100 + i, time_point(11s)));
  auto s = breakers.stats();
  CHECK(s.idle == 10);
  CHECK(s.open == 1);
  for (int i = 0; i < 20; ++i) static_cast<void>(breakers.of(100 + i, time_point(2min)));
  static_cast<void>(breakers.of(200, time_point(2min)));  // its time is over
  s = breakers.stats();
  CHECK(s.open == 0);
  CHECK(s.idle == 11);
}

TEST_CASE("a breaker whose place was taken lives on in the handles that were given") {
  const circuit_breakers<int> breakers({.max_keys = 1, .each = touchy});
  const time_point now(1s);
  const circuit_breaker first = breakers.of(1, now);
  auto permit = first.try_acquire(now);
  static_cast<void>(breakers.of(2, now));
  permit->ended(call_outcome::failure, now);
  CHECK(first.state() == breaker_state::open);
  CHECK(state_of(breakers, 1, now) == breaker_state::closed);
}

PENSTOCK_TEST("a call keeps the breaker that it began with") {
  const circuit_breakers<int> breakers({.max_keys = 1, .each = touchy});
  auto slow = []() -> task<result<int>> {
    co_await sleep_for(1s);
    co_return 1;
  };
  auto others = [&]() -> task<> {
    co_await sleep_for(1ms);
    for (int key = 2; key < 9; ++key) static_cast<void>(breakers.of(key));
  };
  auto call = [&]() -> task<> { CHECK(co_await breakers.of(1)(slow)); };
  co_await when_all(call(), others());
  CHECK(breakers.stats().keys == 1);
}

TEST_CASE("two loops share breakers of more keys than there is room for") {
  const circuit_breakers<std::uint64_t> breakers(
      {.max_keys = 8, .each = {.window = 2, .open_for = duration(1000)}});
  auto worker = [&](std::uint64_t id) -> task<> {
    random_engine random(id);
    for (int i = 0; i < 1000; ++i) {
      const auto breaker = breakers.of(static_cast<std::uint64_t>(random.uniform_int(0, 20)));
      auto permit = co_await breaker.acquire();
      if (i % 7 == 0) co_await yield();
      if (!permit) continue;
      if (random.uniform_int(0, 1) == 0)
        permit->failure();
      else
        permit->success();
    }
  };
  support::on_two_loops([&](std::uint64_t loop) -> task<> {
    co_await when_all(worker(2 * loop), worker(2 * loop + 1));
  });
  const auto s = breakers.stats();
  CHECK(s.keys == 8);
  CHECK(s.made == s.keys + s.evicted + s.idle);
}

TEST_CASE("breakers with invalid options stop the program, naming the option") {
  CHECK(support::stopped_with([] { circuit_breakers<int> b({.max_keys = 0}); }).find("max_keys") !=
        std::string::npos);
  CHECK(support::stopped_with([] { circuit_breakers<int> b({.idle_ttl = 0s}); }).find("idle_ttl") !=
        std::string::npos);
  CHECK(support::stopped_with([] {
          circuit_breakers<int> b({.each = {.open_for = 0s}});
        }).find("open_for") != std::string::npos);
}
