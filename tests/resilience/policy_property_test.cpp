// tests/resilience/policy_property_test.cpp
// SPDX-License-Identifier: BSL-1.0
// Random compositions of policies around operations that succeed, fail, throw and take their time,
// stopped at any time: what policies took for a call they have back, and each call has one answer.
#include <penstock/resilience.hpp>

#include <penstock/core.hpp>
#include <penstock/test.hpp>
#include <support/seeds.hpp>

#include <functional>
#include <memory>
#include <stdexcept>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;

namespace {
using call = std::function<task<result<int>>()>;

// Any policy, for calls of that type.
class erased : public policy_base<erased> {
 public:
  template <class P>
  explicit erased(P p)
      : run_([policy = std::make_shared<const P>(std::move(p))](call fn) {
          return as_task((*policy)(idempotent(fn)));
        }) {}
  template <policy_operation Fn>
  [[nodiscard]] task<result<int>> run(Fn fn) const {
    return run_(call(std::move(fn)));
  }

 private:
  template <class A>
  static task<result<int>> as_task(A a) {
    if constexpr (std::is_same_v<A, task<result<int>>>) {
      return a;
    } else {
      return waited(std::move(a));
    }
  }
  template <class A>
  static task<result<int>> waited(A a) {
    co_return co_await a;
  }
  std::function<task<result<int>>(call)> run_;
};

// The shared objects of one world, and how calls of theirs end.
struct world {
  circuit_breaker breaker{
      {.failure_rate = 0.5, .window = 10, .min_calls = 5, .open_for = 20ms, .half_open_calls = 2}};
  bulkhead places{{.max_calls = 3, .max_waiting = 3, .max_wait = 5ms}};
  load_shed shed{{.running = 4, .waiting = 4, .target = 1ms, .interval = 8ms}};
  client_throttle throttle{{.window = 100ms}};
  retry_budget budget{{.ratio = 0.2, .min_per_second = 50}};
  gcra even{rate{1000, 1s}, 4};
  exact_window window{rate{30, 20ms}};
  hedge soon{{.attempts = 2, .delay = 1ms}};
  adaptive_limit adaptive{{.initial = 3, .max_waiting = 2, .window = 5ms, .min_calls = 2}};
  int under_way = 0;
  std::uint64_t begun = 0;

  task<result<int>> operation() {
    ++begun;
    ++under_way;
    const scope_exit ended([this]() noexcept { --under_way; });
    random_engine& random = co_await this_task::random();
    const auto kind = random.uniform_int(0, 9);
    if (kind > 1) co_await sleep_for(std::chrono::microseconds(random.uniform_int(0, 4000)));
    if (kind == 2) throw std::runtime_error("thrown");
    if (kind == 3) co_return fail(errc::overloaded);
    if (kind == 4) co_return fail(std::errc::connection_refused);
    if (kind == 5) co_return fail(errc::not_found);
    co_return 1;
  }
  erased random_policy(random_engine& random) const {
    switch (random.uniform_int(0, 12)) {
      case 0:
        return erased(retry({.attempts = 3, .backoff = exponential(1ms)}));
      case 7:
        return erased(retry({.attempts = 4, .backoff = exponential(1ms)}, budget));
      case 8:
        return erased(even);
      case 9:
        return erased(window);
      case 10:
        return erased(soon);
      case 12:
        return erased(adaptive);
      case 11: {
        auto instead = [](const error& e) -> result<int> {
          if (e == errc::overloaded) return 7;
          return fail(e);
        };
        return erased(fallback(instead));
      }
      case 1:
        return erased(breaker);
      case 2:
        return erased(places);
      case 3:
        return erased(shed.at(shed_priority::high));
      case 4:
        return erased(throttle);
      case 5:
        return erased(attempt_timeout(3ms));
      default:
        return erased(breaker | attempt_timeout(2ms));
    }
  }
  // What was taken is back.
  void check_at_rest() const {
    CHECK(under_way == 0);
    CHECK(breaker.stats().in_flight == 0);
    CHECK(places.stats().running == 0);
    CHECK(places.stats().waiting == 0);
    CHECK(shed.stats().running == 0);
    CHECK(shed.stats().waiting == 0);
    CHECK(adaptive.stats().running == 0);
    CHECK(adaptive.stats().waiting == 0);
    CHECK(even.stats().waiting == 0);
    CHECK(window.stats().waiting == 0);
  }
};

// Each call has at most one answer, and exactly one when nothing ended it from outside.
task<> one_call(world& w, const erased& policy, duration patience, int& answers) {
  auto operation = [&] { return w.operation(); };
  try {
    const auto answer = co_await with_timeout(patience, policy(idempotent(operation)));
    static_cast<void>(answer);
    ++answers;
  } catch (const std::runtime_error&) {
    ++answers;
  }
}
}  // namespace

TEST_CASE(
    "whatever policies stand around a call, and however it ends, they have back what they took") {
  std::uint64_t opened = 0, refused = 0, shed = 0, begun = 0;
  for (const auto seed : support::seeds(100)) {
    CAPTURE(seed);
    test::test_runtime rt{{.seed = seed}};
    world w;
    int answers = 0;
    auto all = [&](task_group& group) -> task<> {
      random_engine& random = co_await this_task::random();
      std::vector<erased> policies;
      policies.reserve(8);
      for (int i = 0; i < 8; ++i) {
        erased p = w.random_policy(random);
        for (auto more = random.uniform_int(0, 3); more > 0; --more)
          p = erased(w.random_policy(random) | p);
        policies.push_back(std::move(p));
      }
      auto calls = [&](task_group& inner) -> task<> {
        for (int i = 0; i < 60; ++i) {
          const auto which = static_cast<std::size_t>(random.uniform_int(0, 7));
          const auto patience = std::chrono::microseconds(random.uniform_int(1, 30'000));
          inner.start(one_call, std::ref(w), std::cref(policies[which]), duration(patience),
                      std::ref(answers));
          co_await sleep_for(std::chrono::microseconds(random.uniform_int(0, 800)));
        }
      };
      static_cast<void>(group);
      co_await with_group(calls);
      CHECK(answers == 60);
      w.check_at_rest();
      // And now all is stopped in the middle.
      const auto cut = std::chrono::microseconds(random.uniform_int(0, 40'000));
      static_cast<void>(co_await with_timeout(cut, with_group(calls)));
      w.check_at_rest();
    };
    rt.run(with_group(all));
    opened += w.breaker.stats().opened;
    refused += w.places.stats().refused_full + w.places.stats().refused_late;
    shed += w.shed.stats().refused_full + w.shed.stats().refused_late;
    begun += w.begun;
  }
  // It was not all quiet.
  CHECK(opened > 0);
  CHECK(refused > 0);
  CHECK(shed > 0);
  CHECK(begun > 1000);
}
