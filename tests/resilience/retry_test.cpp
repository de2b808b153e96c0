// tests/resilience/retry_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/resilience/retry.hpp>

#include <penstock/core.hpp>
#include <penstock/sync/event.hpp>
#include <penstock/sync/semaphore.hpp>
#include <penstock/test.hpp>
#include <support/penstock_test.hpp>
#include <support/stopped.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;

namespace {
struct server {
  int failures = 0;
  error with = errc::overloaded;
  duration takes{};
  int calls = 0;
  task<result<int>> call() {
    ++calls;
    co_await sleep_for(takes);
    if (calls <= failures) co_return fail(with);
    co_return 42;
  }
};
constexpr retry_options fixed{.attempts = 3, .backoff = constant(300ms, {.jitter = jitter::none})};
}  // namespace

// [retry]
static task<result<int>> ask(server& s) {
  auto call = [&] { return s.call(); };
  auto patient = retry({.attempts = 5, .backoff = exponential(100ms)});
  co_return co_await patient(idempotent(call));
}
// [/retry]

// [timeouts]
// Two seconds for each attempt, ten for all of them and the delays between.
static task<result<int>> ask_in_time(server& s) {
  auto attempt = [&] { return with_timeout(2s, s.call()); };
  auto patient = retry({.attempts = 5});
  co_return co_await with_timeout(10s, patient(idempotent(attempt)));
}
// [/timeouts]

// [predicate]
static task<result<int>> ask_while_overloaded(server& s) {
  auto call = [&] { return s.call(); };
  auto worth_it = [](const error& e) { return e == errc::overloaded; };  // else: is_transient
  auto patient = retry({.attempts = 5}, worth_it);
  co_return co_await patient(idempotent(call));
}
// [/predicate]

PENSTOCK_TEST("an operation is tried until it succeeds, with delays between, none after the last") {
  server s{.failures = 2};
  auto call = [&] { return s.call(); };
  auto policy = retry(fixed);
  const auto value = co_await policy(idempotent(call));
  CHECK(value.has_value());
  CHECK(s.calls == 3);
  CHECK(rt.now() == time_point(600ms));
  server down{.failures = 100};
  auto other = [&] { return down.call(); };
  const auto failed = co_await policy(idempotent(other));
  CHECK(!failed);
  if (!failed) CHECK(failed.error().why() == retry_stop::attempts);
  CHECK(down.calls == 3);
  CHECK(rt.now() == time_point(1200ms));
  server again{.failures = 4};
  CHECK(co_await ask(again));
}

PENSTOCK_TEST("a timeout inside is of one attempt, one around is of all") {
  server slow{.takes = 3s};
  const auto late = co_await ask_in_time(slow);
  CHECK(late.error() == errc::timed_out);
  CHECK(late.error().why() == retry_stop::none);  // it did not end: it was ended
  CHECK(rt.now() == time_point(10s));
  CHECK(slow.calls == 5);
  server quick{.failures = 2, .takes = 1s};
  CHECK(co_await ask_in_time(quick));
}

PENSTOCK_TEST("a predicate decides what is worth another attempt") {
  server busy{.failures = 2};
  CHECK(co_await ask_while_overloaded(busy));
  server late{.failures = 2, .with = errc::timed_out};
  const auto outcome = co_await ask_while_overloaded(late);
  CHECK(outcome.error() == errc::timed_out);
  CHECK(outcome.error().why() == retry_stop::non_retryable);
  CHECK(late.calls == 1);
}

PENSTOCK_TEST("R3: a stop during the delay ends it at once, no attempt follows") {
  server s{.failures = 100};
  auto call = [&] { return s.call(); };
  auto policy = retry(fixed);
  const auto outcome =
      co_await as_result(with_timeout(1h, with_deadline(time_point(100ms), sleep_for(1h))));
  CHECK(!outcome);
  auto stop = [&](task_group& group) -> task<result<>> {
    auto run = [&]() -> task<> { static_cast<void>(co_await policy(idempotent(call))); };
    group.start(run);
    co_await sleep_for(150ms);
    group.request_stop();
    co_return {};
  };
  static_cast<void>(co_await with_group(stop));
  CHECK(s.calls == 1);
  CHECK(rt.now() == time_point(250ms));
}

PENSTOCK_TEST("R4: a delay that would end after the deadline is not waited for") {
  server s{.failures = 100, .takes = 400ms};
  auto call = [&] { return s.call(); };
  auto policy =
      retry(retry_options{.attempts = 10, .backoff = constant(300ms, {.jitter = jitter::none})});
  const auto outcome = co_await with_timeout(1s, policy(idempotent(call)));
  CHECK(!outcome);
  CHECK(s.calls == 2);
  // The second attempt began in time, and was cut off.
  if (!outcome) CHECK(outcome.error() == errc::timed_out);
  CHECK(rt.now() == time_point(1s));

  server quicker{.failures = 100, .takes = 200ms};
  auto other = [&] { return quicker.call(); };
  const auto early = co_await with_timeout(1s, policy(idempotent(other)));
  CHECK(!early);
  if (!early) CHECK(early.error() == errc::overloaded);
  if (!early) CHECK(early.error().why() == retry_stop::deadline);
  CHECK(quicker.calls == 2);
  CHECK(rt.now() == time_point(1700ms));  // a third attempt would begin at the deadline
}

PENSTOCK_TEST("what nobody has marked is repeated with .repeat = unsafe") {
  server s{.failures = 2};
  auto call = [&] { return s.call(); };
  const unsafe_retry_options o{
      .attempts = 4, .backoff = constant(300ms, {.jitter = jitter::none}), .repeat = unsafe};
  auto policy = retry(o);
  CHECK(co_await policy(call));
  CHECK(s.calls == 3);
  CHECK(rt.now() == time_point(600ms));
  server marked{.failures = 9};
  auto other = [&] { return marked.call(); };
  const auto failed = co_await policy(idempotent(other));
  CHECK(!failed);
  CHECK(marked.calls == 4);
  server never{.failures = 9};
  auto third = [&] { return never.call(); };
  auto nothing = retry(o, [](const error&) { return false; });
  CHECK(!co_await nothing(third));
  CHECK(never.calls == 1);
}

PENSTOCK_TEST("max_delay cuts the backoff, and is the longest that a server may ask for") {
  const retry_options o{
      .attempts = 4, .backoff = exponential(100ms, {.jitter = jitter::none}), .max_delay = 150ms};
  server s{.failures = 3};
  auto call = [&] { return s.call(); };
  auto policy = retry(o);
  CHECK(co_await policy(idempotent(call)));
  CHECK(rt.now() == time_point(100ms + 150ms + 150ms));
  server patient{.failures = 1, .with = error(errc::rate_limited).retry_after(151ms)};
  auto other = [&] { return patient.call(); };
  const auto outcome = co_await policy(idempotent(other));
  CHECK(!outcome);
  if (!outcome) CHECK(outcome.error() == errc::rate_limited);
  if (!outcome) CHECK(outcome.error().why() == retry_stop::pushback);
  CHECK(patient.calls == 1);
  CHECK(rt.now() == time_point(400ms));
}

PENSTOCK_TEST("an attempt that was canceled is the last one") {
  server s{.failures = 9, .with = errc::canceled};
  auto call = [&] { return s.call(); };
  auto always = retry(fixed, [](const error&) { return true; });
  const auto outcome = co_await always(idempotent(call));
  CHECK(!outcome);
  if (!outcome) CHECK(outcome.error().why() == retry_stop::canceled);
  CHECK(s.calls == 1);
  CHECK(rt.now() == time_point{});
}

PENSTOCK_TEST("behind a delay that was asked for the backoff begins anew") {
  int calls = 0;
  std::vector<duration> at;
  auto call = [&]() -> task<result<int>> {
    at.push_back((co_await this_task::now()).time_since_epoch());
    ++calls;
    if (calls == 3) co_return fail(error(errc::rate_limited).retry_after(1s));
    if (calls <= 5) co_return fail(errc::overloaded);
    co_return 42;
  };
  auto policy =
      retry(retry_options{.attempts = 6, .backoff = exponential(100ms, {.jitter = jitter::none})});
  CHECK(co_await policy(idempotent(call)));
  CHECK(at == std::vector<duration>{0ms, 100ms, 300ms, 1300ms, 1400ms, 1600ms});
}

PENSTOCK_TEST("R5: the delay that the server asks for is kept, within the deadline") {
  server s{.failures = 1, .with = error(errc::rate_limited).retry_after(3s)};
  auto call = [&] { return s.call(); };
  auto policy = retry(fixed);
  CHECK(co_await policy(idempotent(call)));
  CHECK(rt.now() == time_point(3s));
  server hard{.failures = 1, .with = error(errc::rate_limited).retry_after(3s)};
  auto other = [&] { return hard.call(); };
  const auto outcome = co_await with_timeout(1s, policy(idempotent(other)));
  CHECK(!outcome);
  if (!outcome) CHECK(outcome.error().why() == retry_stop::deadline);
  CHECK(rt.now() == time_point(3s));
}

PENSTOCK_TEST("R7: what is not retryable, and a predicate that throws, end it") {
  server s{.failures = 5, .with = error(errc::invalid_option)};
  auto call = [&] { return s.call(); };
  auto policy = retry(fixed);
  const auto refused = co_await policy(idempotent(call));
  CHECK(!refused);
  if (!refused) CHECK(refused.error().why() == retry_stop::non_retryable);
  CHECK(s.calls == 1);
  server t{.failures = 5};
  auto other = [&] { return t.call(); };
  auto throws = [](const error&) -> bool { throw std::runtime_error("no"); };
  auto odd = retry(fixed, throws);
  const auto outcome = co_await odd(idempotent(other));
  CHECK(!outcome);
  CHECK(t.calls == 1);
}

TEST_CASE("options are checked by name") {
  CHECK(validate(retry_options{}));
  CHECK(!validate(retry_options{.attempts = 0}));
  CHECK(validate(retry_options{.max_delay = 0s}));
  const auto refused = validate(retry_options{.max_delay = -1ns});
  REQUIRE(!refused);
  CHECK(refused.error() == errc::invalid_option);
  CHECK(refused.error().message() == "retry_options 'max_delay is negative': invalid option");
  CHECK(!validate(unsafe_retry_options{.attempts = 0, .repeat = unsafe}));
  CHECK(!validate(unsafe_retry_options{.max_delay = -1ns, .repeat = unsafe}));
  CHECK(support::stopped_with([] { static_cast<void>(retry({.max_delay = -1ns})); }) ==
        "retry_options 'max_delay is negative': invalid option");
}

TEST_CASE("stopped at every step a retry begins no attempt and gives back what it holds") {
  for (auto seed : test::seeds(3)) {
    for (std::uint64_t step = 1;; ++step) {
      CAPTURE(seed);
      CAPTURE(step);
      test::test_runtime rt({.seed = seed, .stop_at_step = step});
      semaphore gate{1};
      int calls = 0, begun_late = 0;
      auto call = [&]() -> task<result<int>> {
        const auto stop = co_await this_task::stop_token();
        if (stop.stop_requested()) ++begun_late;
        ++calls;
        auto permit = co_await ok(gate.acquire());
        co_await sleep_for(10ms);
        if (calls < 3) co_return fail(errc::overloaded);
        co_return calls;
      };
      auto policy = retry(fixed);
      const auto outcome = rt.run(policy(idempotent(call)));
      CHECK(gate.available() == 1);
      CHECK(gate.waiting() == 0);
      if (outcome) {
        CHECK(*outcome == 3);
        CHECK(calls == 3);
      } else {
        CHECK(outcome.error() == errc::canceled);
        CHECK(begun_late == 0);
      }
      if (rt.steps() < step) break;
    }
  }
}

TEST_CASE("stopped at any moment of an attempt or of a delay, a retry ends, or gives its result") {
  struct fixture {
    std::unique_ptr<event> up = std::make_unique<event>();
    std::unique_ptr<int> calls = std::make_unique<int>(0);
  };
  const auto attempt = [](fixture& f) {
    return [&f]() -> task<result<int>> {
      ++*f.calls;
      co_await f.up->wait();
      co_return 42;
    };
  };
  test::cancel_matrix([] { return fixture{}; },
                      [&](fixture& f) {
                        auto call = attempt(f);
                        return retry(fixed)(idempotent(call));
                      },
                      [](fixture& f) { f.up->set(); },
                      [](fixture& f, const auto& outcome, test::cancel_stage) -> std::string {
                        if (outcome && (!outcome->has_value() || **outcome != 42))
                          return "no result";
                        return *f.calls <= 1 ? "" : "another attempt began";
                      });
}
