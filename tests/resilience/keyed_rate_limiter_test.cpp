// tests/resilience/keyed_rate_limiter_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/resilience/keyed_rate_limiter.hpp>

#include <penstock/core.hpp>
#include <penstock/test.hpp>
#include <support/penstock_test.hpp>
#include <support/stopped.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;

namespace {

time_point at(duration d) { return time_point(d); }

template <class Limiter, class Key>
int take_all(const Limiter& l, const Key& key, time_point now) {
  int n = 0;
  while (l.try_acquire(key, now)) ++n;
  return n;
}

}  // namespace

TEST_CASE("RL3: premium users have 1000 in 15 minutes, others 100") {
  // [tiers]
  const auto tier = [](const std::string& user) {
    return exact_window_core(user.starts_with("premium:") ? rate{1000, 15min} : rate{100, 15min});
  };
  const exact_window_core standard(rate{100, 15min});
  const keyed_rate_limiter<std::string, exact_window_core> limits(standard, tier);
  // [/tiers]
  CHECK(take_all(limits, "premium:ann", at(0s)) == 1000);
  CHECK(take_all(limits, "bob", at(0s)) == 100);
  CHECK(take_all(limits, "carl", at(1s)) == 100);
  CHECK(take_all(limits, "bob", at(15min)) == 100);
  CHECK(limits.stats().made == 3);
}

TEST_CASE("RL3: the sixth log-in in 15 minutes is told to come when the first is 15 minutes old") {
  const keyed_rate_limiter<std::string, exact_window_core> logins(
      exact_window_core(rate{5, 15min}));
  for (std::uint32_t i = 0; i < 5; ++i)
    CHECK(logins.decide("10.0.0.1", at(1s * i)).remaining == 4 - i);
  const auto sixth = logins.decide("10.0.0.1", at(100s));
  CHECK(!sixth.admitted);
  CHECK(sixth.retry_after == 900s - 100s);
  CHECK(sixth.limit == 5);
  CHECK(!logins.try_acquire("10.0.0.1", at(900s - 1ns)));
  CHECK(logins.try_acquire("10.0.0.1", at(900s)));
}

TEST_CASE("RL4: chat: one message per second and user") {
  const keyed_rate_limiter<int> chat(gcra_core(per_second(1)));
  for (int user = 0; user < 100; ++user) {
    CHECK(chat.try_acquire(user, at(0s)));
    CHECK(!chat.try_acquire(user, at(999ms)));
    CHECK(chat.try_acquire(user, at(1s)));
  }
}

TEST_CASE("RL5: a million keys take no more memory than max_keys, and none gets free permits") {
  const keyed_rate_limiter<std::uint64_t> limits(gcra_core(per_minute(1)), {.max_keys = 10'000});
  for (std::uint64_t key = 0; key < 10'000; ++key) CHECK(limits.try_acquire(key, at(0s)));
  for (std::uint64_t key = 10'000; key < 1'000'000; ++key)
    REQUIRE(!limits.try_acquire(key, at(59s)));
  CHECK(limits.stats().keys == 10'000);
  CHECK(limits.stats().evicted == 0);
  CHECK(limits.stats().full == 990'000);
  const auto refused = limits.decide(1'000'000, at(59s));
  CHECK(refused.retry_after == 1s);
  // A minute later all are as new: they make room.
  std::uint64_t admitted = 0;
  for (std::uint64_t key = 10'000; key < 20'000; ++key)
    admitted += limits.try_acquire(key, at(1min));
  CHECK(admitted > 9'900);
  CHECK(limits.stats().keys == 10'000);
  CHECK(limits.stats().evicted == admitted);
}

TEST_CASE("RL5: keys without room share one limit, when asked for") {
  const keyed_rate_limiter<int> limits(gcra_core(per_minute(10), 10),
                                       {.max_keys = 2, .when_full = when_full::share});
  CHECK(take_all(limits, 1, at(0s)) == 10);
  CHECK(take_all(limits, 2, at(0s)) == 10);
  CHECK(limits.try_acquire(3, at(0s)));
  CHECK(limits.decide(4, at(0s)).remaining == 8);
  CHECK(take_all(limits, 5, at(0s)) == 8);
  CHECK(!limits.try_acquire(6, at(0s)));
  CHECK(limits.try_acquire(6, at(1min)));  // one of the others is as new
  CHECK(limits.stats().evicted == 1);
}

TEST_CASE("a key is evicted only when it is as new: a model that forgets nothing agrees") {
  random_engine random(7);
  const keyed_rate_limiter<int> limits(gcra_core(per_second(2), 3), {.max_keys = 50});
  std::unordered_map<int, gcra_core> model;
  time_point now{};
  std::uint64_t agreed = 0;
  for (int i = 0; i < 20'000; ++i) {
    const int key = static_cast<int>(random.uniform_int(0, 200));
    auto& core = model.try_emplace(key, gcra_core(per_second(2), 3)).first->second;
    const auto full = limits.stats().full;
    const bool admitted = limits.try_acquire(key, now);
    if (limits.stats().full == full) {
      REQUIRE(admitted == core.acquire(now).admitted);
      ++agreed;
    }
    now += duration(random.uniform_int(0, 40'000'000));
  }
  CHECK(agreed > 10'000);
  CHECK(limits.stats().keys <= 50);
  CHECK(limits.stats().evicted > 0);
}

TEST_CASE("keys that are objects are destroyed once, also when they move up for one that goes") {
  const auto counted = std::make_shared<int>(0);
  struct key_type {
    std::shared_ptr<int> alive;
    int number;
    bool operator==(const key_type& o) const { return number == o.number; }
  };
  struct hash {
    std::size_t operator()(const key_type& k) const {
      return static_cast<std::size_t>(k.number % 3);
    }
  };
  {
    using limiter = keyed_rate_limiter<key_type, gcra_core, hash>;
    const limiter limits(gcra_core(per_second(1)), {.max_keys = 20});
    for (int i = 0; i < 500; ++i) CHECK(limits.try_acquire(key_type{counted, i}, at(100ms * i)));
    CHECK(counted.use_count() == 21);
    CHECK(limits.stats().evicted == 480);
  }
  CHECK(counted.use_count() == 1);
}

PENSTOCK_TEST("tasks wait for their key, in order, and the line goes with the last") {
  const keyed_rate_limiter<std::string> limits(gcra_core(per_second(1)));
  std::vector<duration> times;
  auto one = [&](std::string key) -> task<> {
    CHECK(co_await limits.acquire(key));
    times.push_back(rt.now().time_since_epoch());
  };
  co_await when_all(one("a"), one("a"), one("a"), one("b"), one("b"));
  CHECK(times == std::vector<duration>{0s, 0s, 1s, 1s, 2s});
  CHECK(limits.stats().waited == 3);
  const auto late = co_await with_timeout(500ms, limits.acquire("a"));
  CHECK(late.error() == errc::rate_limited);
  CHECK(late.error().message().find("keyed_rate_limiter 'a'") != std::string::npos);
}

PENSTOCK_TEST("who gives up lets the next one of its key move up") {
  const keyed_rate_limiter<int> limits(gcra_core(per_second(1)));
  CHECK(limits.try_acquire(7, rt.now()));
  auto first = [&]() -> task<> { co_await when_any(limits.acquire(7), sleep_for(500ms)); };
  auto second = [&]() -> task<> {
    co_await sleep_for(1ms);
    CHECK(co_await limits.acquire(7));
    CHECK(rt.now() == at(1s));
  };
  co_await when_all(first(), second());
  CHECK(limits.stats().given_up == 1);
}

PENSTOCK_TEST(
    "a key that somebody waits for is not evicted, and one more than may wait is refused") {
  const keyed_rate_limiter<int> limits(gcra_core(per_second(1), 2),
                                       {.max_keys = 1, .max_waiting = 1});
  CHECK(limits.try_acquire(1, 2));
  CHECK(limits.decide(1).retry_after == 1s);
  int refused = 0;
  auto waits = [&]() -> task<> {
    const auto taken = co_await limits.acquire(1, 2);
    if (!taken) ++refused;
  };
  co_await when_all(waits(), waits());
  CHECK(refused == 1);
  CHECK(rt.now() == at(2s));
}

PENSTOCK_TEST("as a policy of one key; a 429 penalizes that key") {
  const keyed_rate_limiter<int> limits(gcra_core(per_second(10), 10));
  auto fine = []() -> task<result<>> { co_return result<>(); };
  auto busy = []() -> task<result<>> {
    co_return tl::unexpected<error>(error(errc::rate_limited).retry_after(5s));
  };
  const auto tenant = limits.of(1);
  CHECK(!co_await tenant(busy));
  CHECK(limits.stats().penalized == 1);
  CHECK(co_await limits.of(2)(fine));
  CHECK(rt.now() == at(0s));
  CHECK(co_await tenant(fine));
  CHECK(rt.now() == at(5s));
}

PENSTOCK_TEST("waiting where keys share a limit") {
  const keyed_rate_limiter<int> limits(gcra_core(per_second(1)),
                                       {.max_keys = 1, .when_full = when_full::share});
  CHECK(limits.try_acquire(1, rt.now()));
  auto waits = [&](int key) -> task<> { CHECK(co_await limits.acquire(key)); };
  co_await when_all(waits(2), waits(3), waits(1));
  CHECK(rt.now() == at(1s));
  CHECK(limits.stats().keys == 1);
}

PENSTOCK_TEST("close ends the waits of all keys") {
  const keyed_rate_limiter<int> limits(gcra_core(per_minute(1)));
  int closed = 0;
  auto waits = [&](int key) -> task<> {
    co_await limits.acquire(key);
    const auto taken = co_await limits.acquire(key);
    closed += taken.error() == errc::closed;
  };
  auto closes = [&]() -> task<> {
    co_await sleep_for(1s);
    limits.close();
  };
  co_await when_all(waits(1), waits(1), waits(2), waits(3), closes());
  CHECK(closed == 4);
  CHECK(!limits.try_acquire(9, at(1h)));
  CHECK(rt.now() == at(1s));
}

PENSTOCK_TEST("a tier function may ask the limiter; one that throws leaves nothing behind") {
  const keyed_rate_limiter<int>* self = nullptr;
  auto tier = [&](const int& key) {
    if (key < 0) throw std::runtime_error("no such user");
    if (key != 0) static_cast<void>(self->try_acquire(0, at(0s)));
    return gcra_core(per_second(1), static_cast<std::uint32_t>(key) + 1);
  };
  const keyed_rate_limiter<int> limits(gcra_core(per_second(1)), tier);
  self = &limits;
  CHECK(take_all(limits, 4, at(0s)) == 5);
  CHECK_THROWS_AS(static_cast<void>(limits.try_acquire(-1, at(0s))), std::runtime_error);
  CHECK(limits.stats().keys == 2);
  co_return;
}

TEST_CASE("acquire of a key in the cancel matrix") {
  struct fixture {
    std::unique_ptr<keyed_rate_limiter<int>> limits;
    int key = 7;
  };
  test::cancel_matrix(
      [] {
        fixture f;
        f.limits = std::make_unique<keyed_rate_limiter<int>>(gcra_core(per_hour(1)));
        static_cast<void>(f.limits->try_acquire(f.key, at(0s)));
        return f;
      },
      [](fixture& f) { return f.limits->acquire(f.key); },
      [](fixture& f) {
        const auto limit = f.limits->of(f.key);
        limit.asked().refund(at(0s), 1);
      },
      [](fixture& f, const auto& outcome, test::cancel_stage) -> std::string {
        if (outcome && !outcome->has_value()) return "refused";
        return f.limits->decide(f.key, at(0s), 0).remaining + (outcome ? 1 : 0) == 1
                   ? ""
                   : "a permit is lost, or there twice";
      });
}

TEST_CASE("a keyed limiter with invalid options stops the program, naming the option") {
  CHECK(support::stopped_with([] {
          keyed_rate_limiter<int> l(gcra_core(per_second(1)), {.max_keys = 0});
        }).find("max_keys") != std::string::npos);
}
