// tests/resilience/policy_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/resilience/attempt_timeout.hpp>
#include <penstock/resilience/call_outcome.hpp>
#include <penstock/resilience/detail/admitted_call.hpp>
#include <penstock/resilience/observer.hpp>
#include <penstock/resilience/policy.hpp>
#include <penstock/resilience/retry.hpp>

#include <penstock/core.hpp>
#include <penstock/test.hpp>
#include <support/penstock_test.hpp>
#include <support/stopped.hpp>

#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;

namespace {
// [own_policy]
// Writes down what passes it.
class traced : public policy_base<traced> {
 public:
  traced(std::string name, std::vector<std::string>& log) : name_(std::move(name)), log_(&log) {}

  template <policy_operation Fn>
  [[nodiscard]] auto run(Fn fn) const {
    return pass(*this, std::move(fn));
  }

 private:
  template <class Fn>
  static task<policy_result_t<Fn>> pass(const traced& self, Fn fn) {
    self.log_->push_back("+" + self.name_);
    auto answer = co_await fn();
    self.log_->push_back("-" + self.name_);
    co_return answer;
  }
  std::string name_;
  std::vector<std::string>* log_;
};
// [/own_policy]

task<result<int>> answer_after(duration d) {
  co_await sleep_for(d);
  co_return 42;
}

// A gate that writes down how its calls ended.
struct gate {
  struct permit {
    static constexpr bool exact_time = false;
    std::vector<call_outcome>* ended_;
    void ended(call_outcome o, time_point) noexcept { ended_->push_back(o); }
  };
  std::vector<call_outcome> outcomes;
  bool open = true;
  detail::decided<result<permit>> admit(const environment&) {
    if (!open) return result<permit>(fail(errc::circuit_open));
    return result<permit>(permit{&outcomes});
  }
};
template <class Fn>
task<result<int>> pass(gate& g, Fn fn) {
  return detail::admitted_call(g, default_classifier{}, std::move(fn));
}
}  // namespace

// [composed]
static task<result<int>> ask(std::vector<std::string>& log) {
  int calls = 0;
  auto flaky = [&]() -> task<result<int>> {
    co_await sleep_for(1ms);
    if (++calls < 2) co_return fail(errc::overloaded);
    co_return 42;
  };
  const traced outer("outer", log);
  const traced inner("inner", log);
  const auto guarded = outer | retry({.attempts = 3}) | inner | attempt_timeout(1s);
  co_return co_await guarded(idempotent(flaky));
}
// [/composed]

PENSTOCK_TEST("policies are composed outermost first") {
  std::vector<std::string> log;
  const auto answer = co_await ask(log);
  CHECK(answer.has_value());
  CHECK(log ==
        std::vector<std::string>{"+outer", "+inner", "-inner", "+inner", "-inner", "-outer"});
}

PENSTOCK_TEST("composition is associative, and a composed policy can be copied and kept") {
  std::vector<std::string> log;
  const traced a("a", log);
  const traced b("b", log);
  const traced c("c", log);
  const auto left = (a | b) | c;
  auto call = [] { return answer_after(1ms); };
  const auto first = co_await left(call);
  const auto written = std::exchange(log, {});
  const auto right = a | (b | c);
  const auto copy = right;
  const auto second = co_await copy(call);
  CHECK(first == second);
  CHECK(log == written);
}

PENSTOCK_TEST("a temporary policy lives as long as its call") {
  std::vector<std::string> log;
  auto call = [] { return answer_after(1ms); };
  auto pending = (traced("a", log) | traced("b", log) | attempt_timeout(1s))(call);
  const auto answer = co_await std::move(pending);
  CHECK(answer.has_value());
  CHECK(log.size() == 4);
  auto alone = attempt_timeout(1ms)([] { return answer_after(1s); });
  const auto late = co_await std::move(alone);
  CHECK(late.error() == errc::timed_out);
}

PENSTOCK_TEST("attempt_timeout ends each call in time") {
  auto slow = [] { return answer_after(3s); };
  const auto policy = retry({.attempts = 2, .backoff = constant(1s, {.jitter = jitter::none})}) |
                      attempt_timeout(2s);
  const auto late = co_await policy(idempotent(slow));
  CHECK(late.error() == errc::timed_out);
  CHECK(late.error().why() == retry_stop::attempts);
  CHECK(rt.now() == time_point(5s));
}

PENSTOCK_TEST("an admission is told once how its call ended") {
  gate g;
  auto good = [] { return answer_after(1ms); };
  auto bad = []() -> task<result<int>> { co_return fail(errc::overloaded); };
  auto wrong = []() -> task<result<int>> { co_return fail(errc::not_found); };
  auto throws = []() -> task<result<int>> {
    co_await sleep_for(1ms);
    throw std::runtime_error("no");
  };
  CHECK(co_await pass(g, good));
  CHECK(!co_await pass(g, bad));
  CHECK(!co_await pass(g, wrong));
  bool caught = false;
  try {
    static_cast<void>(co_await pass(g, throws));
  } catch (const std::runtime_error&) {
    caught = true;
  }
  CHECK(caught);
  g.open = false;
  const auto refused = co_await pass(g, good);
  CHECK(refused.error() == errc::circuit_open);
  CHECK(g.outcomes == std::vector<call_outcome>{call_outcome::success, call_outcome::failure,
                                                call_outcome::ignored, call_outcome::failure});
}

PENSTOCK_TEST(
    "a call that a deadline ends has failed, one that is stopped otherwise was canceled") {
  gate g;
  auto slow = [] { return answer_after(1h); };
  const auto late = co_await with_timeout(1ms, pass(g, slow));
  CHECK(late.error() == errc::timed_out);
  auto quick = []() -> task<result<int>> { co_return 1; };
  auto race = co_await when_any(pass(g, slow), quick());
  CHECK(race.index == 1);
  CHECK(g.outcomes == std::vector<call_outcome>{call_outcome::failure, call_outcome::canceled});
}

TEST_CASE("errors are classified as the table says") {
  CHECK(outcome_of(errc::timed_out) == call_outcome::failure);
  CHECK(outcome_of(errc::overloaded) == call_outcome::failure);
  CHECK(outcome_of(std::errc::connection_refused) == call_outcome::failure);
  CHECK(outcome_of(errc::canceled) == call_outcome::canceled);
  CHECK(outcome_of(errc::circuit_open) == call_outcome::ignored);
  CHECK(outcome_of(errc::rate_limited) == call_outcome::ignored);
  CHECK(outcome_of(errc::not_found) == call_outcome::ignored);
  CHECK(outcome_of(std::errc::permission_denied) == call_outcome::ignored);
  const auto odd_is_bad = [](auto&& what) {
    if constexpr (std::is_same_v<std::decay_t<decltype(what)>, int>)
      return what % 2 ? call_outcome::failure : call_outcome::success;
    return call_outcome::ignored;
  };
  CHECK(detail::classify(odd_is_bad, result<int>(3)) == call_outcome::failure);
  CHECK(detail::classify(odd_is_bad, result<int>(4)) == call_outcome::success);
  CHECK(detail::classify(odd_is_bad, result<int>(fail(errc::overloaded))) == call_outcome::ignored);
  const auto broken = [](const error&) -> call_outcome { throw 1; };
  CHECK(detail::classify(broken, result<>(fail(errc::overloaded))) == call_outcome::failure);
  CHECK(to_string(call_outcome::slow) == "slow");
}

TEST_CASE("what an observer throws changes nothing") {
  int told = 0;
  const observer<int> throws([&](const int& e) {
    told += e;
    throw std::runtime_error("no");
  });
  const auto level = set_log_level(log_level::off);
  throws(3);
  set_log_level(level);
  CHECK(told == 3);
  const observer<int> none;
  none(1);
  CHECK(!none);
}
