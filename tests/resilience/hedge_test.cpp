// tests/resilience/hedge_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/resilience/hedge.hpp>

#include <penstock/core.hpp>
#include <penstock/resilience/attempt_timeout.hpp>
#include <penstock/resilience/circuit_breaker.hpp>
#include <penstock/resilience/retry.hpp>
#include <penstock/test.hpp>
#include <support/penstock_test.hpp>
#include <support/seeds.hpp>
#include <support/stopped.hpp>
#include <sync/two_loops.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;

static_assert(policy<hedge> && hedge::needs_idempotent);

namespace {
struct answer {
  duration takes{};
  error with = {};  // code 0: it succeeds
  bool throws = false;
};
// Gives one answer after the other, and counts what is under way.
struct replica_set {
  std::vector<answer> answers;
  int begun = 0;
  int under_way = 0;
  int stopped = 0;
  task<result<int>> read() {
    const std::size_t i = static_cast<std::size_t>(begun++) % answers.size();
    ++under_way;
    bool done = false;
    const scope_exit end([&]() noexcept {
      --under_way;
      if (!done) ++stopped;
    });
    co_await sleep_for(answers[i].takes);
    done = true;
    if (answers[i].throws) throw std::runtime_error("thrown");
    if (answers[i].with.code()) co_return fail(answers[i].with);
    co_return static_cast<int>(i) + 1;
  }
};
}  // namespace

// [hedge]
// A read that takes longer than most do is asked for a second time.
static task<result<int>> read_soon(replica_set& replicas, const hedge& soon) {
  auto read = [&] { return replicas.read(); };
  co_return co_await soon(idempotent(read));
}
// [/hedge]

PENSTOCK_TEST("who is in time is not hedged") {
  replica_set replicas{.answers = {{.takes = 9ms}}};
  const hedge soon({.delay = 10ms});
  CHECK(co_await read_soon(replicas, soon) == result<int>(1));
  CHECK(replicas.begun == 1);
  CHECK(soon.stats().hedges == 0);
  CHECK(soon.stats().calls == 1);
}

PENSTOCK_TEST("the first success wins, the loser is stopped and waited for") {
  replica_set replicas{.answers = {{.takes = 1h}, {.takes = 5ms}}};
  const hedge soon({.delay = 10ms});
  CHECK(co_await read_soon(replicas, soon) == result<int>(2));
  CHECK(rt.now() == time_point(15ms));
  CHECK(replicas.under_way == 0);
  CHECK(replicas.stopped == 1);
  CHECK(soon.stats().won == 1);
  replica_set late{.answers = {{.takes = 12ms}, {.takes = 1h}}};
  CHECK(co_await read_soon(late, soon) == result<int>(1));
  CHECK(late.stopped == 1);
  CHECK(soon.stats().won == 1);
  CHECK(soon.stats().hedges == 2);
}

PENSTOCK_TEST("a failure begins the next at once; one that is not transient ends all") {
  replica_set replicas{.answers = {{.takes = 1ms, .with = errc::overloaded}, {.takes = 2ms}}};
  const hedge soon({.delay = 1h});
  CHECK(co_await read_soon(replicas, soon) == result<int>(2));
  CHECK(rt.now() == time_point(3ms));
  replica_set wrong{.answers = {{.takes = 20ms}, {.takes = 1ms, .with = errc::not_found}}};
  const hedge quick({.delay = 1ms});
  const auto missing = co_await read_soon(wrong, quick);
  CHECK(missing.error() == errc::not_found);
  CHECK(wrong.stopped == 1);
  replica_set down{.answers = {{.takes = 1ms, .with = errc::overloaded}}};
  const hedge thrice({.attempts = 2, .delay = 1h});
  const auto failed = co_await read_soon(down, thrice);
  CHECK(failed.error() == errc::overloaded);
  CHECK(down.begun == 3);
}

PENSTOCK_TEST("with no delay all begin at once; with none at all only after a failure") {
  replica_set replicas{.answers = {{.takes = 9ms}, {.takes = 7ms}, {.takes = 3ms}}};
  const hedge at_once({.attempts = 2, .delay = 0s});
  CHECK(co_await read_soon(replicas, at_once) == result<int>(3));
  CHECK(rt.now() == time_point(3ms));
  CHECK(replicas.stopped == 2);
  replica_set slow{.answers = {{.takes = 1h}}};
  const hedge never({.delay = (duration::max)()});
  CHECK(co_await read_soon(slow, never) == result<int>(1));
  CHECK(slow.begun == 1);
}

PENSTOCK_TEST("its budget bounds the hedges: ten, and one for twenty successes") {
  std::vector<std::string> told;
  const hedge soon({.delay = 1ms}, "reads", [&](const hedge_event& e) {
    told.push_back(std::string(to_string(e.step)));
    CHECK(e.name == "reads");
    CHECK(e.attempt == 2);
  });
  replica_set slow{.answers = {{.takes = 10ms, .with = errc::overloaded}}};
  for (int i = 0; i < 20; ++i) CHECK(!co_await read_soon(slow, soon));
  CHECK(soon.stats().hedges == 10);
  CHECK(soon.stats().refused >= 10);
  CHECK(std::count(told.begin(), told.end(), "began") == 10);
  CHECK(soon.stats().budget < 1);
  replica_set quick{.answers = {{.takes = 0s}}};
  for (int i = 0; i < 20; ++i) CHECK(co_await read_soon(quick, soon));
  CHECK(soon.stats().budget >= 1);
}

PENSTOCK_TEST("a shared budget decides for retries and hedges together") {
  const retry_budget budget{{.ratio = 0, .min_per_second = 0.2}};  // two in ten seconds
  const hedge soon({.delay = 1ms}, budget);
  replica_set slow{.answers = {{.takes = 5ms, .with = errc::overloaded}}};
  for (int i = 0; i < 5; ++i) CHECK(!co_await read_soon(slow, soon));
  CHECK(soon.stats().hedges == 2);
  CHECK(budget.stats().deposits == 5);
  CHECK(budget.stats().withdrawn == 2);
}

PENSTOCK_TEST("exceptions end all and pass through, unless one has succeeded") {
  replica_set replicas{.answers = {{.takes = 5ms, .throws = true}, {.takes = 1h}}};
  const hedge soon({.delay = 1ms});
  bool thrown = false;
  try {
    static_cast<void>(co_await read_soon(replicas, soon));
  } catch (const std::runtime_error&) {
    thrown = true;
  }
  CHECK(thrown);
  CHECK(replicas.under_way == 0);
  CHECK(replicas.stopped == 1);
}

TEST_CASE("a stop at any time ends all attempts, and none begins any more") {
  for (const auto seed : support::seeds(40)) {
    CAPTURE(seed);
    test::test_runtime rt{{.seed = seed}};
    const hedge soon({.attempts = 3, .delay = 2ms, .budget_capacity = 1000});
    replica_set replicas{.answers = {{.takes = 7ms},
                                     {.takes = 1ms, .with = errc::overloaded},
                                     {.takes = 3ms},
                                     {.takes = 0s, .with = errc::overloaded},
                                     {.takes = 2ms}}};
    auto one = [&]() -> task<> {
      random_engine& random = co_await this_task::random();
      const auto patience = std::chrono::microseconds(random.uniform_int(0, 9000));
      static_cast<void>(co_await with_timeout(patience, read_soon(replicas, soon)));
      const auto guarded =
          retry({.attempts = 2, .backoff = constant(1ms)}) | soon | attempt_timeout(4ms);
      auto read = [&] { return replicas.read(); };
      static_cast<void>(co_await with_timeout(patience, guarded(idempotent(read))));
    };
    auto all = [&](task_group& group) -> task<> {
      for (int i = 0; i < 20; ++i) group.start(one);
      co_return;
    };
    rt.run(with_group(all));
    REQUIRE(replicas.under_way == 0);
    const int begun = replicas.begun;
    rt.run(sleep_for(1s));
    REQUIRE(replicas.begun == begun);
  }
}

TEST_CASE(
    "R6: of a thousand calls a twentieth is ten times as slow: the slowest hundredth is not") {
  test::test_runtime rt{{.seed = 5}};
  std::vector<duration> took;
  std::uint64_t hedges = 0;
  auto body = [&]() -> task<> {
    const hedge soon({.percentile = 0.95, .budget_per_success = 0.05});
    random_engine& random = co_await this_task::random();
    auto read = [&]() -> task<result<int>> {
      const bool slow = random.uniform_int(0, 19) == 0;
      co_await sleep_for(std::chrono::microseconds(random.uniform_int(9000, 10'000)) *
                         (slow ? 10 : 1));
      co_return 1;
    };
    for (int i = 0; i < 1000; ++i) {
      const time_point begin = co_await this_task::now();
      CHECK(co_await soon(idempotent(read)));
      const time_point end = co_await this_task::now();
      took.push_back(end - begin);
    }
    hedges = soon.stats().hedges;
  };
  rt.run(body());
  std::sort(took.begin(), took.end());
  const duration p95 = took[949];
  const duration p99 = took[989];
  // Without hedges the slowest hundredth takes 90 to 100 ms. The delay is that of the twentieth: on
  // the edge between the quick ones and those that were hedged, which took twice as long.
  CHECK(p95 < 11ms);
  CHECK(p99 < p95 + 21ms);
  CHECK(hedges <= 60);  // a twentieth, and the ten at the start
}

TEST_CASE("a call that is hedged allocates nothing in steady state") {
  if (!test::allocation_counter::available()) return;
  test::test_runtime rt;
  auto body = []() -> task<> {
    const hedge soon({.delay = 1ms, .budget_capacity = 1e6});
    int n = 0;
    auto read = [&]() -> task<result<int>> {
      co_await sleep_for(++n % 2 == 1 ? 5ms : 1ms);
      co_return n;
    };
    static_cast<void>(co_await soon(idempotent(read)));
    const test::allocation_counter counted;
    for (int i = 0; i < 50; ++i) static_cast<void>(co_await soon(idempotent(read)));
    CHECK(counted.allocations() == 0);
    CHECK(soon.stats().won >= 50);
  };
  rt.run(body());
}

TEST_CASE("two loops share a hedge") {
  const hedge soon({.attempts = 2, .delay = 0s, .budget_capacity = 1e6});
  support::on_two_loops([&](int) -> task<> {
    for (int i = 0; i < 300; ++i) {
      auto read = [&]() -> task<result<int>> {
        co_await support::turns(2);
        co_return 1;
      };
      const auto one = co_await soon(idempotent(read));
      CHECK(one.has_value());
    }
  });
  CHECK(soon.stats().calls == 600);
}

TEST_CASE("options of a hedge are checked by name") {
  CHECK(validate(hedge_options{}));
  CHECK(validate(hedge_options{.attempts = 0}).error().object() == "attempts is not in [1, 100]");
  CHECK(validate(hedge_options{.delay = -1ns}).error().object() == "delay is negative");
  CHECK(validate(hedge_options{.percentile = 1}).error().object() == "percentile is not in [0, 1)");
  CHECK(validate(hedge_options{.min_data_points = 0}).error().object() == "min_data_points is 0");
}
