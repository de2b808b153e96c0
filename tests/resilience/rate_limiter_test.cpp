// tests/resilience/rate_limiter_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/resilience/rate_limiter.hpp>

#include <penstock/core.hpp>
#include <penstock/resilience/retry.hpp>
#include <penstock/test.hpp>
#include <support/penstock_test.hpp>
#include <support/stopped.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;

static_assert(policy<gcra> && policy<exact_window> && policy<fixed_window>);

namespace {

time_point at(duration d) { return time_point(d); }

template <class Limiter>
int take_all(const Limiter& l, time_point now) {
  int n = 0;
  while (l.try_acquire(now)) ++n;
  return n;
}

}  // namespace

TEST_CASE("RL2: a burst of 90, and when number 91 comes, differ by the limiter's type") {
  const gcra even(per_minute(90), 90);
  const exact_window exact(per_minute(90));
  const fixed_window fixed(per_minute(90));
  CHECK(take_all(even, at(0s)) == 90);
  CHECK(take_all(exact, at(0s)) == 90);
  CHECK(take_all(fixed, at(0s)) == 90);
  CHECK(!even.try_acquire(at(666'666'666ns)));
  CHECK(even.try_acquire(at(666'666'667ns)));
  CHECK(!exact.try_acquire(at(60s - 1ns)));
  CHECK(exact.try_acquire(at(60s)));
  CHECK(!fixed.try_acquire(at(60s - 1ns)));
  CHECK(fixed.try_acquire(at(60s)));
  CHECK(fixed.stats().refused == 2);
}

TEST_CASE("RL2: 90 per minute do not drift: the 90,000th comes after 1000 minutes") {
  const gcra even(per_minute(90), 1);
  time_point now{};
  for (int i = 1; i <= 90'000; ++i) {
    REQUIRE(even.try_acquire(now));
    // The next whole nanosecond at or after i times two thirds of a second.
    const time_point next = at(duration((2'000'000'000LL * i + 2) / 3));
    REQUIRE(!even.try_acquire(next - 1ns));
    now = next;
  }
  CHECK(now == at(1000min));
}

TEST_CASE("12.6: 90 per minute by bursts of 1, 10 and 90") {
  struct row {
    std::uint32_t burst;
    duration number_90, number_91;
    int in_a_minute;  // both ends included
  };
  for (const row& r : {row{1, 59'333'333'334ns, 60s, 91}, row{10, 53'333'333'334ns, 54s, 100},
                       row{90, 0s, 666'666'667ns, 180}}) {
    const gcra limiter(per_minute(90), r.burst);
    std::vector<rate_reservation> all;
    while (all.empty() || all.back().at() <= at(60s)) {
      auto next = limiter.reserve(at(0s));
      REQUIRE(next);
      all.push_back(std::move(*next));
    }
    CHECK(all[89].at() == at(r.number_90));
    CHECK(all[90].at() == at(r.number_91));
    CHECK(static_cast<int>(all.size()) - 1 == r.in_a_minute);
  }
}

TEST_CASE("RL4: a chat message per second: at 0 yes, at 0.999 no, at 1.000 yes") {
  const gcra chat(per_second(1), 1);
  CHECK(chat.try_acquire(at(0s)));
  CHECK(!chat.try_acquire(at(999ms)));
  CHECK(chat.try_acquire(at(1s)));
}

// [policy]
static task<result<int>> ask(const gcra& limiter, int& calls) {
  auto call = [&]() -> task<result<int>> { co_return ++calls; };
  const auto limited = retry({.attempts = 2}) | limiter;
  co_return co_await limited(idempotent(call));
}
// [/policy]

PENSTOCK_TEST("as a policy it makes calls wait for their turn") {
  const gcra limiter(per_second(10), 1);
  int calls = 0;
  for (int i = 1; i <= 11; ++i) {
    const auto answer = co_await ask(limiter, calls);
    CHECK(answer == i);
  }
  CHECK(rt.now() == at(1s));
  CHECK(limiter.stats().waited == 10);
  CHECK(limiter.stats().waiting == 0);
}

PENSTOCK_TEST("as a policy that refuses it says when") {
  const gcra limiter(per_second(10), 1, {.when_limited = when_limited::refuse}, "api");
  int calls = 0;
  auto call = [&]() -> task<result<int>> { co_return ++calls; };
  CHECK(co_await limiter(call));
  const auto refused = co_await limiter(call);
  CHECK(refused.error() == errc::rate_limited);
  CHECK(refused.error().retry_after() == 100ms);
  CHECK(refused.error().message().find("api") != std::string::npos);
  CHECK(calls == 1);
  CHECK(rt.now() == at(0s));
}

PENSTOCK_TEST("a retry around one that refuses comes again when it says") {
  const gcra limiter(per_second(1), 1, {.when_limited = when_limited::refuse});
  int calls = 0;
  auto call = [&]() -> task<result<int>> { co_return ++calls; };
  const auto patient = retry({.attempts = 2}) | limiter;
  CHECK(co_await patient(idempotent(call)));
  CHECK(co_await patient(idempotent(call)));
  CHECK(calls == 2);
  CHECK(rt.now() == at(1s));
  CHECK(limiter.stats().refused == 1);
}

PENSTOCK_TEST("those who wait come one by one, first come first served") {
  const gcra limiter(per_second(1), 2);
  std::vector<int> order;
  std::vector<duration> times;
  auto one = [&](int i) -> task<> {
    co_await sleep_for(duration(i));  // their order
    CHECK(co_await limiter.acquire());
    order.push_back(i);
    times.push_back((co_await this_task::now()).time_since_epoch());
  };
  co_await with_group([&](task_group& group) -> task<> {
    for (int i = 0; i < 5; ++i) group.start(one(i));
    co_return;
  });
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4});
  CHECK(times == std::vector<duration>{0ns, 1ns, 1s, 2s, 3s});
}

PENSTOCK_TEST("nobody passes one who waits, not for fewer permits and not without waiting") {
  const gcra limiter(per_second(1), 4);
  CHECK(limiter.try_acquire(3));
  auto large = [&]() -> task<> {
    CHECK(co_await limiter.acquire(4));
    CHECK(rt.now() == at(3s));
  };
  auto small_one = [&]() -> task<> {
    co_await sleep_for(1ms);
    CHECK(!limiter.try_acquire());  // there is one, and it is spoken for
    CHECK(limiter.decide(at(1ms)).remaining == 0);
    CHECK(co_await limiter.acquire());
    CHECK(rt.now() == at(4s));
  };
  co_await when_all(large(), small_one());
}

PENSTOCK_TEST("many who wait make one timer, and a permit wakes one of them") {
  const fixed_window limiter(rate{1, 1s}, {.max_waiting = 1000});
  CHECK(limiter.try_acquire());
  int passed = 0;
  auto one = [&]() -> task<> {
    CHECK(co_await limiter.acquire());
    ++passed;
  };
  auto watch = [&]() -> task<> {
    co_await sleep_for(1ms);
    CHECK(limiter.stats().waiting == 1000);
    for (int s = 1; s <= 10; ++s) {
      co_await sleep_until(at(1s * s + 1ms));
      CHECK(passed == s);
    }
  };
  const auto all = [&]() -> task<> {
    co_await with_group([&](task_group& group) -> task<> {
      for (int i = 0; i < 1000; ++i) group.start(one());
      co_return;
    });
  };
  co_await when_any(when_all(all(), watch()), sleep_for(11s - 1ms));
  CHECK(limiter.stats().waiting == 0);
  CHECK(limiter.stats().given_up == 1000 - 10);
}

PENSTOCK_TEST("a wait that the deadline forbids fails at once") {
  const gcra limiter(per_minute(1), 1);
  CHECK(limiter.try_acquire());
  const auto late = co_await with_timeout(59s, limiter.acquire());
  CHECK(late.error() == errc::rate_limited);
  CHECK(late.error().retry_after() == 60s);
  CHECK(rt.now() == at(0s));
  CHECK(co_await with_timeout(60s, limiter.acquire()));
  CHECK(rt.now() == at(60s));
}

PENSTOCK_TEST("the deadline counts those who wait before, whatever the limiter") {
  const auto check = [&](const auto& limiter) -> task<> {
    const time_point begin = rt.now();
    while (limiter.try_acquire()) {
    }
    auto first = [&]() -> task<> { CHECK(co_await limiter.acquire(2)); };
    auto second = [&]() -> task<> {
      co_await sleep_for(1ms);
      const auto late = co_await with_timeout(20s, limiter.acquire());
      CHECK(late.error() == errc::rate_limited);
      CHECK(rt.now() == begin + 1ms);
    };
    co_await when_all(first(), second());
    co_await sleep_for(1h);
  };
  const gcra even(rate{2, 20s}, 2);
  const exact_window exact(rate{2, 20s});
  const fixed_window fixed(rate{2, 20s});
  co_await check(even);
  co_await check(exact);
  co_await check(fixed);
}

PENSTOCK_TEST("more than may wait are refused") {
  const gcra limiter(per_second(1), 1, {.max_waiting = 2});
  int refused = 0;
  auto one = [&]() -> task<> {
    const auto taken = co_await limiter.acquire();
    if (taken) co_return;
    CHECK(taken.error() == errc::rate_limited);
    CHECK(taken.error().retry_after() == 3s);
    ++refused;
  };
  co_await when_all(one(), one(), one(), one());
  CHECK(refused == 1);
  CHECK(rt.now() == at(2s));
}

PENSTOCK_TEST("a cost above the burst is never satisfiable") {
  const gcra limiter(per_second(1), 3, {}, "api");
  const auto never = co_await limiter.acquire(4);
  CHECK(never.error() == errc::never_satisfiable);
  CHECK(limiter.reserve(4).error() == errc::never_satisfiable);
  CHECK(limiter.decide(4).retry_after == (duration::max)());
}

PENSTOCK_TEST("RL6: who gives up takes nothing, and the next one moves up") {
  const gcra limiter(per_second(1), 1);
  CHECK(limiter.try_acquire());
  auto first = [&]() -> task<> {
    auto waiting = limiter.acquire();
    const auto given_up = co_await when_any(std::move(waiting), sleep_for(500ms));
    CHECK(given_up.index == 1);
  };
  auto second = [&]() -> task<> {
    co_await sleep_for(1ms);
    CHECK(co_await limiter.acquire());
    CHECK(rt.now() == at(1s));
  };
  co_await when_all(first(), second());
}

PENSTOCK_TEST("RL6: a reservation that is canceled lets the next one move up") {
  const auto check = [&](const auto& limiter) -> task<> {
    const time_point begin = rt.now();
    while (limiter.try_acquire()) {
    }
    auto reserved = limiter.reserve();
    CHECK(reserved);
    const duration first = reserved->at() - begin;
    auto waits = [&]() -> task<> {
      CHECK(co_await limiter.acquire());
      CHECK(rt.now() == begin + first);
    };
    auto cancels = [&]() -> task<> {
      co_await sleep_for(1ms);
      CHECK(reserved->cancel());
      CHECK(!reserved->cancel());
    };
    co_await when_all(waits(), cancels());
    CHECK(limiter.stats().canceled == 1);
    co_await sleep_for(1h);
  };
  const gcra even(per_second(1), 1);
  const exact_window exact(per_second(2));
  const fixed_window fixed(per_second(2));
  co_await check(even);
  co_await check(exact);
  co_await check(fixed);
}

// [reserve]
static task<> send_later(const gcra& limiter) {
  auto slot = limiter.reserve();
  if (!slot) co_return;
  co_await sleep_until(slot->at());  // stopped here, the permit is given back
  // send
}
// [/reserve]

PENSTOCK_TEST("a reservation is given back when its task is stopped before its time") {
  const gcra limiter(per_second(1), 1);
  CHECK(limiter.try_acquire());
  CHECK(!co_await with_timeout(500ms, send_later(limiter)));
  CHECK(limiter.stats().canceled == 1);
  CHECK(co_await limiter.acquire());
  CHECK(rt.now() == at(1s));
}

TEST_CASE("a reservation takes its place behind others, and nobody passes it") {
  const exact_window limiter(per_minute(10));
  for (int i = 0; i < 8; ++i) CHECK(limiter.try_acquire(at(0s)));
  auto five = limiter.reserve(at(1s), 5);
  REQUIRE(five);
  CHECK(five->at() == at(60s));
  CHECK(!limiter.try_acquire(at(1s)));  // though two are there
  auto one = limiter.reserve(at(2s), 1);
  REQUIRE(one);
  CHECK(one->at() == at(60s));
  CHECK(!limiter.reserve(at(2s), 5, at(1h)));  // above the count
  CHECK(!five->cancel(at(60s)));               // too late
  CHECK(take_all(limiter, at(60s)) == 4);
}

TEST_CASE("what does not grow back while a reservation waits for its time is not promised twice") {
  const gcra limiter(per_second(1), 3);
  CHECK(limiter.try_acquire(at(0s), 3));
  auto first = limiter.reserve(at(0s), 3);
  const auto second = limiter.reserve(at(0s), 3);
  CHECK(second->at() == at(6s));
  CHECK(first->cancel(at(0s)));
  // From 3 s to 6 s the burst is full: those permits are lost.
  CHECK(limiter.reserve(at(0s), 3)->at() == at(9s));
}

TEST_CASE("a reservation is not earlier than one before it, also when there is room again") {
  const gcra limiter(per_second(10), 5);
  CHECK(limiter.try_acquire(at(0s), 5));
  auto first = limiter.reserve(at(0s), 5);
  const auto second = limiter.reserve(at(0s));
  CHECK(second->at() == at(600ms));
  CHECK(first->cancel(at(0s)));
  CHECK(limiter.reserve(at(0s))->at() == at(600ms));
}

TEST_CASE("there are not more reservations than tasks that may wait") {
  const gcra limiter(per_second(1), 1, {.max_waiting = 2});
  CHECK(limiter.try_acquire(at(0s)));
  auto first = limiter.reserve(at(0s)), second = limiter.reserve(at(0s));
  const auto third = limiter.reserve(at(0s));
  CHECK(third.error() == errc::rate_limited);
  CHECK(third.error().retry_after() == 3s);
  CHECK(first->cancel(at(0s)));
  CHECK(limiter.reserve(at(0s)));
}

TEST_CASE("reservations are not later than asked for") {
  const gcra limiter(per_second(1), 1);
  CHECK(limiter.try_acquire(at(0s)));
  CHECK(limiter.reserve(at(0s), 1, at(999ms)).error() == errc::rate_limited);
  CHECK(limiter.reserve(at(0s), 1, at(1s))->at() == at(1s));
}

PENSTOCK_TEST("penalize: nothing passes before its end, and those who wait wait longer") {
  const gcra limiter(per_second(10), 5, {.max_penalty = 1min});
  auto waits = [&]() -> task<> {
    CHECK(co_await limiter.acquire(5));
    CHECK(co_await limiter.acquire());
    CHECK(rt.now() == at(30s));
  };
  auto asks = [&]() -> task<> {
    co_await sleep_for(1ms);
    limiter.penalize(at(30s));
    limiter.penalize(at(20s));  // is over before
    CHECK(!limiter.try_acquire());
    CHECK(limiter.decide(at(1s)).retry_after == 29s);
  };
  co_await when_all(waits(), asks());
  CHECK(limiter.stats().penalized == 1);
  limiter.penalize(at(100h));
  CHECK(co_await limiter.acquire());
  CHECK(rt.now() == at(90s));
}

PENSTOCK_TEST("a 429 of the other side penalizes, a refusal by another limiter does not") {
  const gcra outer(per_second(100), 100);
  const gcra inner(per_second(1), 1, {.when_limited = when_limited::refuse});
  auto fine = []() -> task<result<>> { co_return result<>(); };
  auto busy = []() -> task<result<>> {
    co_return tl::unexpected<error>(error(errc::rate_limited).retry_after(7s));
  };
  const auto both = outer | inner;
  CHECK(co_await both(fine));
  CHECK(!co_await both(fine));  // the inner one refuses
  CHECK(outer.stats().penalized == 0);
  CHECK(!co_await outer(busy));
  CHECK(outer.stats().penalized == 1);
  CHECK(co_await outer(fine));
  CHECK(rt.now() == at(7s));
}

PENSTOCK_TEST("close ends all waits") {
  const gcra limiter(per_minute(1), 1, {}, "api");
  CHECK(limiter.try_acquire());
  int closed = 0;
  auto waits = [&]() -> task<> {
    const auto taken = co_await limiter.acquire();
    closed += taken.error() == errc::closed;
  };
  auto closes = [&]() -> task<> {
    co_await sleep_for(1s);
    limiter.close();
    limiter.close();
  };
  co_await when_all(waits(), waits(), waits(), closes());
  CHECK(closed == 3);
  CHECK(rt.now() == at(1s));
  const auto later = co_await limiter.acquire();
  CHECK(later.error() == errc::closed);
  CHECK(!limiter.try_acquire(at(1h)));
}

TEST_CASE("what a server tells its callers") {
  // [headers]
  const fixed_window limiter(rate{100, 15min});
  const rate_decision d = limiter.decide(at(10s), 30);
  const rate_limit_headers headers(d);
  CHECK(headers.limit() == "100");     // RateLimit-Limit
  CHECK(headers.remaining() == "70");  // RateLimit-Remaining
  CHECK(headers.reset() == "900");     // RateLimit-Reset
  CHECK(headers.retry_after() == "");  // Retry-After, when it is refused
  // [/headers]
  const rate_decision refused = limiter.decide(at(100'500ms), 71);
  CHECK(!refused.admitted);
  CHECK(refused.remaining == 70);
  CHECK(rate_limit_headers(refused).retry_after() == "810");
  CHECK(rate_limit_headers(limiter.decide(at(1h), 101)).retry_after() == "");
}

PENSTOCK_TEST("events are told without a lock: an observer may ask the limiter, and may throw") {
  std::vector<rate_limiter_event::kind> told;
  const gcra* self = nullptr;
  auto note = [&](const rate_limiter_event& e) {
    told.push_back(e.what);
    static_cast<void>(self->stats());
    static_cast<void>(self->try_acquire(at(0s)));
    throw 1;
  };
  const gcra limiter(per_second(1), 1, {.max_waiting = 1}, "api", note);
  self = &limiter;
  const auto level = set_log_level(log_level::off);
  CHECK(limiter.try_acquire());
  auto waits = [&]() -> task<> { static_cast<void>(co_await limiter.acquire()); };
  co_await when_all(waits(), waits());
  limiter.penalize(rt.now() + 1s);
  limiter.close();
  set_log_level(level);
  using kind = rate_limiter_event::kind;
  CHECK(told == std::vector<kind>{kind::waits, kind::refused, kind::penalized, kind::closed});
}

TEST_CASE("a clock that goes back, or another loop's that is behind, gives nothing away") {
  const auto check = [](const auto& limiter) {
    CHECK(take_all(limiter, at(1h)) == 10);
    for (const duration d : {duration(59min), duration(1min), duration(0), duration(-1h)})
      CHECK(!limiter.try_acquire(at(d)));
    CHECK(!limiter.try_acquire(at(1h)));
    CHECK(limiter.try_acquire(at(1h + 1min)));
  };
  check(gcra(per_minute(10), 10));
  check(exact_window(per_minute(10)));
  check(fixed_window(per_minute(10)));
}

TEST_CASE("a clock that jumps ahead gives the burst, and no more") {
  const auto check = [](const auto& limiter) {
    CHECK(take_all(limiter, at(1s)) == 10);
    CHECK(take_all(limiter, at(24h * 365 * 50)) == 10);
    CHECK(!limiter.try_acquire(at(24h * 365 * 50)));
  };
  check(gcra(per_minute(10), 10));
  check(exact_window(per_minute(10)));
  check(fixed_window(per_minute(10)));
}

TEST_CASE("acquire in the cancel matrix") {
  struct fixture {
    std::unique_ptr<gcra> limiter;
  };
  test::cancel_matrix(
      [] {
        fixture f;
        f.limiter = std::make_unique<gcra>(per_hour(1), 1);
        static_cast<void>(f.limiter->try_acquire(at(0s)));
        return f;
      },
      [](fixture& f) { return f.limiter->acquire(); },
      [](fixture& f) { f.limiter->asked().door().refund(at(0s), 1); },
      [](fixture& f, const auto& outcome, test::cancel_stage) -> std::string {
        if (outcome && !outcome->has_value()) return "refused";
        if (f.limiter->decide(at(0s), 0).remaining + (outcome ? 1 : 0) != 1)
          return "a permit is lost, or there twice";
        return f.limiter->stats().waiting == 0 ? "" : "somebody still waits";
      });
  test::cancel_matrix(
      [] {
        fixture f;
        f.limiter = std::make_unique<gcra>(per_hour(1), 1);
        static_cast<void>(f.limiter->try_acquire(at(0s)));
        return f;
      },
      [](fixture& f) { return f.limiter->acquire(); }, [](fixture& f) { f.limiter->close(); },
      [](fixture& f, const auto& outcome, test::cancel_stage) -> std::string {
        if (outcome && outcome->error() != errc::closed) return "not closed";
        return f.limiter->stats().waiting == 0 ? "" : "somebody still waits";
      });
}

TEST_CASE("a limiter with invalid options stops the program, naming the option") {
  CHECK(support::stopped_with([] {
          gcra l(per_second(1), 1, {.max_penalty = -1s});
        }).find("max_penalty") != std::string::npos);
  CHECK(support::stopped_with([] { gcra l(per_second(0), 1); }).find("rate") != std::string::npos);
  CHECK(support::stopped_with([] { gcra l(per_second(1), 0); }).find("burst") != std::string::npos);
}
