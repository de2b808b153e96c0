// tests/resilience/retry_extras_test.cpp
// SPDX-License-Identifier: BSL-1.0
// What retry tells, and what an operation can know of the retries around it.
#include <penstock/resilience/retry_event.hpp>

#include <penstock/core.hpp>
#include <penstock/resilience/retry.hpp>
#include <penstock/test.hpp>
#include <support/penstock_test.hpp>

#include <cstdint>
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
  int calls = 0;
  task<result<int>> call() {
    ++calls;
    if (calls <= failures) co_return fail(with);
    co_return 42;
  }
};
constexpr retry_options fixed{.attempts = 3, .backoff = constant(300ms, {.jitter = jitter::none})};

std::string text(const retry_event& e) {
  return std::to_string(e.attempt) + ": " + e.failure.message() + ", " +
         (e.why == retry_stop::none ? std::to_string(e.delay / 1ms) + " ms" : "the last");
}
int warnings = 0;
void count_warnings(const log_record& r) noexcept { warnings += r.level == log_level::warning; }
}  // namespace

// [events]
static task<result<int>> ask(server& s, std::vector<std::string>& log) {
  auto call = [&] { return s.call(); };
  auto told = [&](const retry_event& e) { log.push_back(text(e)); };
  auto patient = retry(fixed, on_retry(told));
  co_return co_await patient(idempotent(call));
}
// [/events]

// [attempt]
// An attempt can say which one it is, and finds out that another retry is around.
static task<result<std::string>> describe() {
  const auto attempt = co_await this_task::attempt();
  const auto retries = co_await this_task::retries_around();
  if (attempt < 3) co_return fail(errc::overloaded);
  co_return "attempt " + std::to_string(attempt) + ", retries " + std::to_string(retries);
}
// [/attempt]

PENSTOCK_TEST("an observer is told each failed attempt, and what comes then") {
  std::vector<std::string> log;
  server s{.failures = 1};
  CHECK(co_await ask(s, log));
  CHECK(log == std::vector<std::string>{"1: overloaded, 300 ms"});
  log.clear();
  server down{.failures = 9};
  CHECK_FALSE(co_await ask(down, log));
  CHECK(log == std::vector<std::string>{"1: overloaded, 300 ms", "2: overloaded, 300 ms",
                                        "3: overloaded, the last"});
}

PENSTOCK_TEST("extras come in any order, and their copies are the same") {
  int told = 0;
  const retry_budget budget;
  auto count = on_retry([&](const retry_event&) { ++told; });
  auto yes = [](const error&) { return true; };
  server s{.failures = 99};
  auto call = [&] { return s.call(); };
  const auto a = retry(fixed, budget, yes, count);
  const auto b = retry(fixed, count, budget, yes);
  const auto c = retry(unsafe_retry_options{.attempts = 2, .repeat = unsafe}, yes, count, budget);
  const auto copy = b;
  static_cast<void>(co_await a(idempotent(call)));
  static_cast<void>(co_await copy(idempotent(call)));
  static_cast<void>(co_await c(call));
  CHECK(s.calls == 8);
  CHECK(told == 8);
  CHECK(budget.stats().deposits == 3);
  CHECK(budget.stats().withdrawn == 5);
}

PENSTOCK_TEST("an observer that throws, or that calls the policy, changes nothing") {
  server s{.failures = 2};
  auto call = [&] { return s.call(); };
  auto throws = [](const retry_event&) { throw std::runtime_error("no"); };
  const auto policy = retry(fixed, on_retry(throws));
  const log_level before = set_log_level(log_level::off);
  const auto answer = co_await policy(idempotent(call));
  set_log_level(before);
  CHECK(answer);
  CHECK(s.calls == 3);
}

PENSTOCK_TEST("an attempt knows its number and the retries around it") {
  const auto outside = co_await this_task::attempt();
  CHECK(outside == 0);
  const auto policy = retry(fixed);
  const auto answer = co_await policy(idempotent(describe));
  CHECK(answer == std::string("attempt 3, retries 1"));
  const auto nested = policy | policy;
  const log_level before = set_log_level(log_level::off);
  const auto twice = co_await nested(idempotent(describe));
  set_log_level(before);
  CHECK(twice == std::string("attempt 3, retries 2"));
  // Also through scopes, and not behind the retry.
  auto in_time = [] { return with_timeout(1s, describe()); };
  const auto timed = co_await policy(idempotent(in_time));
  CHECK(timed == std::string("attempt 3, retries 1"));
  const auto behind = co_await this_task::retries_around();
  CHECK(behind == 0);
}

PENSTOCK_TEST("a retry inside of a retry tells it in its events, and warns once") {
  std::vector<std::uint32_t> around;
  auto told = on_retry([&](const retry_event& e) { around.push_back(e.around); });
  server s{.failures = 99};
  auto call = [&] { return s.call(); };
  const retry_options twice{.attempts = 2, .backoff = fixed.backoff};
  const auto nested = retry(twice, told) | retry(twice, told);
  warnings = 0;
  detail::nested_retry_told.store(false);
  const log_sink before = set_log_sink(&count_warnings);
  static_cast<void>(co_await nested(idempotent(call)));
  static_cast<void>(co_await nested(idempotent(call)));
  const auto plain = retry(twice);
  static_cast<void>(co_await plain(idempotent(call)));
  set_log_sink(before);
  CHECK(warnings == 1);
  CHECK(around == std::vector<std::uint32_t>{1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0});
  CHECK(s.calls == 10);
}

PENSTOCK_TEST("a retry that begins after one that failed is not inside of it") {
  auto told = 0U;
  server s{.failures = 99};
  auto call = [&] { return s.call(); };
  const auto policy = retry(fixed, on_retry([&](const retry_event& e) { told += e.around; }));
  static_cast<void>(co_await policy(idempotent(call)));
  static_cast<void>(co_await policy(idempotent(call)));
  CHECK(told == 0);
}
