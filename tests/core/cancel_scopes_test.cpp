// tests/core/cancel_scopes_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core.hpp>

#include <penstock/test/cancel_matrix.hpp>
#include <penstock/test/lifetime_tracked.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "probes.hpp"

using namespace penstock;
using namespace std::chrono_literals;
using test::cancel_stage;
using test::lifetime_tracked;

namespace {
// What the scopes have inside: children that wait at a gate, then give a value.
struct fixture {
  task<lifetime_tracked> child() {
    const lifetime_tracked local(log, 1);  // destroyed, however the child ends
    co_await gate.wait();
    co_return lifetime_tracked(log, 7);
  }
  task<result<lifetime_tracked>> checked() {
    co_await gate.wait();
    co_return lifetime_tracked(log, 7);
  }
  task<> clean_up() {
    co_await yield();
    ++cleaned;
  }
  probes::gate gate;
  probes::gate never;
  test::lifetime_log log;
  int cleaned = 0;
};

enum class when_completable {
  completes,     // the value that came before the stop, by whatever little, is delivered
  always,        // it yields something also when it is stopped
  not_stoppable  // no stop reaches it
};

// `values` is what an outcome holds. Whatever comes in between, as many are left in the end.
template <class Operation>
void pass_matrix(Operation operation, int values,
                 when_completable how = when_completable::completes,
                 std::function<bool(fixture&, bool)> more = {}) {
  test::cancel_matrix([] { return fixture(); }, operation, [](fixture& f) { f.gate.set(); },
                      [&](fixture& f, const auto& outcome, cancel_stage stage) -> std::string {
                        const auto held = f.log.values();
                        if (f.log.misuses() != 0) return "a value was misused";
                        if (f.gate.waiters() + f.never.waiters() != 0)
                          return "somebody still waits";
                        const bool sure = stage >= cancel_stage::completion_first;
                        if ((sure || how != when_completable::completes) && !outcome)
                          return "the outcome is lost";
                        if (sure && held != values) return "a value is lost, or there twice";
                        if (!outcome && held != 0) return "a value is left";
                        if (held != 0 && held != values) return "a part of the values is left";
                        if (how == when_completable::not_stoppable && held != values)
                          return "a stop got in";
                        return !more || more(f, outcome.has_value()) ? "" : "the clean-up";
                      },
                      {.stoppable = how == when_completable::completes});
}
}  // namespace

TEST_CASE("shield passes the cancel matrix: no stop gets in") {
  pass_matrix([](fixture& f) { return shield(f.child()); }, 1, when_completable::not_stoppable);
}

TEST_CASE("as_result passes the cancel matrix: a stop is a value") {
  pass_matrix([](fixture& f) { return as_result(f.child()); }, 1, when_completable::always);
}

TEST_CASE("named and must pass the cancel matrix") {
  pass_matrix([](fixture& f) { return named("child", f.child()); }, 1);
  pass_matrix([](fixture& f) { return must(f.checked()); }, 1);
}

TEST_CASE("finally passes the cancel matrix: one clean-up, whatever happens") {
  const auto cleaned_once = [](fixture& f, bool) { return f.cleaned == 1; };
  pass_matrix([](fixture& f) { return finally(f.child(), [&f] { return f.clean_up(); }); }, 1,
              when_completable::completes, cleaned_once);
}

TEST_CASE("with_timeout and with_deadline pass the cancel matrix") {
  pass_matrix([](fixture& f) { return with_timeout(1h, f.child()); }, 1);
  pass_matrix([](fixture& f) { return with_deadline(time_point(1h), f.checked()); }, 1);
}

TEST_CASE("when_all passes the cancel matrix") {
  pass_matrix([](fixture& f) { return when_all(f.child(), f.child()); }, 2);
  pass_matrix([](fixture& f) { return when_all(f.child(), f.checked()); }, 2);
  const auto range = [](fixture& f) {
    std::vector<task<lifetime_tracked>> all;
    for (int i = 0; i < 3; ++i) all.push_back(f.child());
    return when_all(std::move(all));
  };
  pass_matrix(range, 3);
}

TEST_CASE("when_all_settled passes the cancel matrix") {
  pass_matrix([](fixture& f) { return when_all_settled(f.child(), f.checked()); }, 2);
}

TEST_CASE("when_any passes the cancel matrix: losers are waited for") {
  pass_matrix([](fixture& f) { return when_any(f.child(), f.never.wait()); }, 1);
  const auto range = [](fixture& f) {
    std::vector<task<lifetime_tracked>> all;
    all.push_back(f.child());
    return when_any(std::move(all));
  };
  pass_matrix(range, 1);
}

TEST_CASE("with_group passes the cancel matrix") {
  const auto grouped = [](fixture& f) -> task<lifetime_tracked> {
    const auto sibling = [&f]() -> task<> { static_cast<void>(co_await f.child()); };
    const auto body = [&](task_group& group) -> task<lifetime_tracked> {
      group.start(sibling);
      co_return co_await f.child();
    };
    auto outcome = co_await with_group(body);
    co_return std::move(outcome).value();
  };
  pass_matrix(grouped, 1);
}

TEST_CASE("a drain point passes the cancel matrix: what had begun is finished") {
  const auto drained = [](fixture& f) -> task<bool> {
    const auto child = [&]() -> task<> {
      static_cast<void>(co_await f.child());
      ++f.cleaned;
    };
    const auto body = [&](task_group& group) -> task<> {
      group.start(child);
      co_await f.gate.wait();
    };
    co_await with_group({.grace = 1h}, body);
    co_return true;
  };
  pass_matrix(drained, 0, when_completable::always,
              [](fixture& f, bool) { return f.cleaned == 1; });
}

TEST_CASE("resume_on passes the cancel matrix") {
  pass_matrix([](fixture& f) { return resume_on(*scheduler::current(), f.child()); }, 1);
}

// It waits for nothing that a test could hold back, so the stages are made by hand: a stop before
// it, in the turn that it waits for, and after it.
TEST_CASE("yield passes the cancel matrix") {
  for (const auto seed : test::seeds()) {
    for (const auto stage :
         {cancel_stage::before_start, cancel_stage::parked, cancel_stage::after}) {
      CAPTURE(seed);
      CAPTURE(to_string(stage));
      int turns = 0;
      bool swallowed = false;
      const auto body = [&](task_group& group) -> task<> {
        const auto stopper = [&]() -> task<> {
          group.request_stop();
          co_return;
        };
        if (stage == cancel_stage::before_start) group.request_stop();
        if (stage == cancel_stage::parked) group.start(stopper);
        co_await yield();
        ++turns;
        if (stage == cancel_stage::after) group.request_stop();
        co_await sleep_for(1ns);  // long enough for the stopper
        swallowed = true;
      };
      test::test_runtime rt({.seed = seed});
      rt.run(with_group(body));
      CHECK(turns == (stage == cancel_stage::before_start ? 0 : 1));
      CHECK_FALSE(swallowed);
    }
  }
}
