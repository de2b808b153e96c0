// tests/resilience/load_shed_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/resilience/load_shed.hpp>

#include <penstock/core.hpp>
#include <penstock/test.hpp>
#include <support/penstock_test.hpp>
#include <support/seeds.hpp>
#include <support/stopped.hpp>
#include <sync/two_loops.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;

static_assert(policy<load_shed>);

namespace {
task<result<int>> work(duration d) {
  co_await sleep_for(d);
  co_return 1;
}
// The refusal, or "done".
task<> note(const load_shed& shed, duration d, std::string name, std::vector<std::string>& log) {
  auto call = [d] { return work(d); };
  const auto answer = co_await shed(call);
  if (answer)
    log.push_back(name);
  else
    log.push_back(name + ": " + std::string(answer.error().object()));
}
std::size_t running(const load_shed& shed) { return shed.stats().running; }
}  // namespace

// [load_shed]
static task<result<int>> serve(const load_shed& shed, bool is_health_check) {
  auto call = [] { return work(10ms); };
  if (is_health_check) co_return co_await shed.at(shed_priority::critical)(call);
  co_return co_await shed(call);  // or errc::overloaded, soon
}
// [/load_shed]

TEST_CASE("a queue stands when even its shortest wait of an interval was too long") {
  detail::codel_core core(5ms, 100ms);
  const auto at = [](duration d) { return time_point(d); };
  CHECK(core.waited(0ms, at(0ms)));
  for (int t = 1; t < 100; ++t)
    CHECK(core.waited(50ms, at(t * 1ms)));  // a burst: one was served at once
  CHECK(core.waited(50ms, at(100ms)));
  CHECK_FALSE(core.standing());
  for (int t = 101; t < 200; ++t) CHECK(core.waited(50ms, at(t * 1ms)));
  CHECK_FALSE(core.waited(50ms, at(200ms)));  // an interval without a short wait
  CHECK(core.standing());
  CHECK(core.waited(10ms, at(201ms)));
  CHECK_FALSE(core.waited(10ms + 1ns, at(202ms)));
  CHECK(core.waited(5ms, at(203ms)));  // a short one: the next interval is good
  CHECK_FALSE(core.waited(11ms, at(299ms)));
  CHECK(core.waited(11ms, at(300ms)));
  CHECK_FALSE(core.standing());
}

TEST_CASE("nobody waits longer than an interval, and after a pause a queue is a new one") {
  detail::codel_core core(5ms, 100ms);
  CHECK_FALSE(core.waited(101ms, time_point(0s)));
  CHECK_FALSE(core.waited(20ms, time_point(150ms)));
  CHECK(core.standing());
  CHECK(core.waited(20ms, time_point(1s)));
  CHECK_FALSE(core.standing());
  detail::codel_core narrow(80ms, 100ms);  // twice the target would be more than the interval
  for (int t = 0; t <= 100; ++t) CHECK(narrow.waited(90ms, time_point(t * 1ms)));
  CHECK(narrow.standing());
  CHECK_FALSE(narrow.waited(101ms, time_point(101ms)));
}

PENSTOCK_TEST("so many run at once, others wait, who finds the queue full is refused at once") {
  const load_shed shed({.running = 2, .waiting = 1}, "api");
  std::vector<std::string> log;
  auto later = [&]() -> task<> {
    co_await sleep_for(1ms);
    CHECK(running(shed) == 2);
    co_await note(shed, 1ms, "third", log);
  };
  auto last = [&]() -> task<> {
    co_await sleep_for(2ms);
    CHECK(shed.stats().waiting == 1);
    auto call = [] { return work(1ms); };
    const auto refused = co_await shed(call);
    CHECK(refused.error() == errc::overloaded);
    CHECK(refused.error().operation() == "api");
    CHECK(rt.now() == time_point(2ms));
  };
  co_await when_all(note(shed, 10ms, "first", log), note(shed, 20ms, "second", log), later(),
                    last());
  CHECK(log == std::vector<std::string>{"first", "third", "second"});
  const auto s = shed.stats();
  CHECK(s.running == 0);
  CHECK(s.waiting == 0);
  CHECK(s.admitted == 3);
  CHECK(s.waited == 1);
  CHECK(s.refused_full == 1);
  CHECK(s.refused[2] == 1);
  CHECK(co_await serve(shed, true));
  CHECK(co_await serve(shed, false));
}

PENSTOCK_TEST("the important ones go first, within one priority who came first") {
  const load_shed shed({.running = 1});
  std::vector<std::string> log;
  auto all = [&](task_group& group) -> task<> {
    group.start(note(shed, 5ms, "running", log));
    co_await sleep_for(1us);
    for (const char* name : {"low1", "low2", "high1", "normal1", "critical1", "high2"}) {
      const std::string text(name);
      shed_priority p = shed_priority::normal;
      if (text[0] == 'l') p = shed_priority::low;
      if (text[0] == 'h') p = shed_priority::high;
      if (text[0] == 'c') p = shed_priority::critical;
      group.start([](load_shed mine, std::string n,
                     std::vector<std::string>& l) -> task<> { co_await note(mine, 1ms, n, l); },
                  shed.at(p), text, std::ref(log));
      co_await sleep_for(1us);
    }
  };
  co_await with_group(all);
  CHECK(log == std::vector<std::string>{"running", "critical1", "high1", "high2", "normal1", "low1",
                                        "low2"});
}

PENSTOCK_TEST("in a full queue the important take the place of the last of the least important") {
  const load_shed shed({.running = 1, .waiting = 2});
  const load_shed low = shed.at(shed_priority::low);
  const load_shed high = shed.at(shed_priority::high);
  std::vector<std::string> log;
  auto all = [&](task_group& group) -> task<> {
    group.start(note(shed, 5ms, "running", log));
    co_await sleep_for(1us);
    group.start(note(low, 1ms, "low1", log));
    co_await sleep_for(1us);
    group.start(note(low, 1ms, "low2", log));
    co_await sleep_for(1us);
    group.start(note(high, 1ms, "high1", log));
    co_await sleep_for(1us);
    group.start(note(low, 1ms, "low3", log));
  };
  co_await with_group(all);
  CHECK(log == std::vector<std::string>{"low2: the queue is full", "low3: the queue is full",
                                        "running", "high1", "low1"});
}

PENSTOCK_TEST("who waits in vain is refused after an interval") {
  const load_shed shed({.running = 1});
  auto hang = [] { return work(10s); };
  auto one = [&]() -> task<> { static_cast<void>(co_await shed(hang)); };
  auto other = [&]() -> task<> {
    co_await sleep_for(1ms);
    auto quick = [] { return work(1ms); };
    const auto refused = co_await shed(quick);
    CHECK(refused.error() == errc::overloaded);
    CHECK(refused.error().object() == "waited too long");
    CHECK(rt.now() == time_point(101ms));
  };
  co_await when_all(one(), other());
  CHECK(shed.stats().refused_late == 1);
}

// Calls of 10 ms each come to a server of ten places, one each `gap`, for `how_long`.
namespace {
struct load {
  int good = 0;
  int refused = 0;
  duration longest{};
  task<> one(const load_shed& shed) {
    const auto begin = co_await this_task::now();
    auto call = [] { return work(10ms); };
    const auto answer = co_await shed(call);
    ++(answer ? good : refused);
    const auto end = co_await this_task::now();
    if (answer) longest = (std::max)(longest, end - begin);
  }
  task<> come(const load_shed& shed, duration gap, duration how_long) {
    auto all = [&](task_group& group) -> task<> {
      for (duration t{}; t < how_long; t += gap) {
        group.start(one(shed));
        co_await sleep_for(gap);
      }
    };
    co_await with_group(all);
  }
};
}  // namespace

PENSTOCK_TEST("under twice the load it can bear, a server answers what it can, and soon") {
  std::vector<bool> told;
  auto listen = [&](const load_shed_event& e) {
    told.push_back(e.overloaded);
    CHECK(e.name == "load_shed");
  };
  const load_shed shed({.running = 10}, "load_shed", listen);
  load twice;
  co_await twice.come(shed, 500us, 10s);
  CHECK(twice.good + twice.refused == 20'000);
  CHECK(twice.good >= 9'900);
  CHECK(twice.longest <= 110ms);
  CHECK(told.front());
  load standing;  // the queue stands already
  co_await standing.come(shed, 500us, 1s);
  load light;
  co_await light.come(shed, 2ms, 1s);
  load lighter;
  co_await lighter.come(shed, 2ms, 1s);
  CHECK(lighter.refused == 0);
  CHECK(lighter.longest == 10ms);
  CHECK_FALSE(shed.stats().overloaded);
  CHECK_FALSE(told.back());
}

PENSTOCK_TEST("a burst that passes is served, all of it") {
  const load_shed shed({.running = 10});
  load burst;
  auto all = [&](task_group& group) -> task<> {
    for (int i = 0; i < 90; ++i) group.start(burst.one(shed));
    co_return;
  };
  co_await with_group(all);
  CHECK(burst.good == 90);
  CHECK(burst.longest == 90ms);
}

PENSTOCK_TEST("under overload the low ones are refused, the critical ones are not") {
  const load_shed shed({.running = 10});
  load critical;
  load low;
  auto vip = shed.at(shed_priority::critical);
  auto rest = shed.at(shed_priority::low);
  co_await when_all(critical.come(vip, 2ms, 2s), low.come(rest, 500us, 2s));
  CHECK(critical.refused == 0);
  CHECK(critical.longest <= 20ms);
  CHECK(low.refused > 1000);
  CHECK(shed.stats().refused[3] == static_cast<std::uint64_t>(low.refused));
}

PENSTOCK_TEST("close ends all waits, and later calls, with closed") {
  const load_shed shed({.running = 1});
  auto hang = [] { return work(50ms); };
  auto first = [&]() -> task<> { CHECK(co_await shed(hang)); };
  auto second = [&]() -> task<> {
    co_await sleep_for(1ms);
    const auto answer = co_await shed(hang);
    CHECK(answer.error() == errc::closed);
    CHECK(rt.now() == time_point(2ms));
  };
  auto closer = [&]() -> task<> {
    co_await sleep_for(2ms);
    shed.close();
    const auto answer = co_await shed(hang);
    CHECK(answer.error() == errc::closed);
  };
  co_await when_all(first(), second(), closer());
}

TEST_CASE("stopped at any moment, a wait for a place takes none, or gives it to its caller") {
  struct fixture {
    std::unique_ptr<load_shed> shed =
        std::make_unique<load_shed>(load_shed_options{.running = 1, .interval = 1h});
    std::optional<detail::shed_permit> held;
    detail::shed_awaiter admit() {
      environment env;
      env.sched = scheduler::current();
      return shed->admit(env);
    }
  };
  test::cancel_matrix([] { return fixture{}; },
                      [](fixture& f) {
                        auto first = f.admit();
                        CHECK(first.await_ready());
                        f.held.emplace(std::move(*first.await_resume()));
                        return f.admit();
                      },
                      [](fixture& f) { f.held.reset(); },
                      [](fixture& f, const auto& outcome, test::cancel_stage) -> std::string {
                        if (outcome && !outcome->has_value()) return "no place";
                        if (f.shed->stats().waiting != 0) return "somebody still waits";
                        return running(*f.shed) == (outcome ? 1u : 0u) ? "" : "places are lost";
                      });
}

TEST_CASE("schedules: load_shed") {
  for (auto seed : test::seeds(500)) {
    CAPTURE(seed);
    test::test_runtime rt({.seed = seed});
    const std::size_t places = seed % 3 + 1;
    const load_shed shed(
        {.running = places, .waiting = seed % 4, .target = duration(2), .interval = duration(10)});
    std::size_t inside = 0;
    std::uint64_t done = 0, refused = 0, given_up = 0;
    auto actor = [&](std::uint64_t id) -> task<> {
      random_engine random(seed * 6 + id);
      const load_shed mine = shed.at(static_cast<shed_priority>(random.uniform_int(0, 3)));
      for (int n = 0; n < 8; ++n) {
        const auto takes = duration(random.uniform_int(0, 6));
        auto call = [&inside, places, takes]() -> task<result<int>> {
          CHECK(++inside <= places);
          scope_exit over([&inside] { --inside; });
          co_await sleep_for(takes);
          co_return 1;
        };
        const auto patience = duration(random.uniform_int(1, 12));
        const auto answer = co_await with_timeout(patience, mine(call));
        if (answer)
          ++done;
        else if (answer.error() == errc::overloaded)
          ++refused;
        else
          ++given_up;
        co_await sleep_for(duration(random.uniform_int(0, 3)));
      }
    };
    rt.run(with_group([&](task_group& group) -> task<> {
      for (std::uint64_t i = 0; i < 6; ++i) group.start(actor(i));
      co_return;
    }));
    const auto s = shed.stats();
    CHECK(s.running == 0);
    CHECK(s.waiting == 0);
    CHECK(done + refused + given_up == 48);
    CHECK(s.refused_full + s.refused_late >= refused);
  }
}

TEST_CASE("two loops share the places of a load_shed") {
  const load_shed shed({.running = 2, .waiting = 3});
  std::atomic<int> inside{0};
  std::atomic<int> wrong{0};
  auto worker = [&](std::uint64_t id) -> task<> {
    random_engine random(id);
    const load_shed mine = shed.at(static_cast<shed_priority>(id % 4));
    for (int i = 0; i < 500; ++i) {
      auto call = [&]() -> task<result<int>> {
        if (++inside > 2) ++wrong;
        co_await yield();
        --inside;
        co_return 1;
      };
      if (random.uniform_int(0, 3) == 0)
        static_cast<void>(co_await when_any(mine(call), support::turns(3)));
      else
        static_cast<void>(co_await mine(call));
    }
  };
  support::on_two_loops([&](std::uint64_t loop) -> task<> {
    co_await when_all(worker(3 * loop), worker(3 * loop + 1), worker(3 * loop + 2));
  });
  CHECK(shed.stats().running == 0);
  CHECK(shed.stats().waiting == 0);
}

PENSTOCK_TEST("a call that gets a place, at once or after a wait, allocates nothing") {
  const load_shed shed({.running = 1});
  auto call = [] { return work(1ms); };
  auto some = [&]() -> task<> {
    for (int i = 0; i < 50; ++i) static_cast<void>(co_await shed(call));
  };
  co_await when_all(some(), some());
  const test::allocation_counter count;
  co_await when_all(some(), some());
  CHECK(count.allocations() == 0);
}

TEST_CASE("a load_shed with invalid options stops the program, naming the option") {
  const auto why = [](const load_shed_options& o) {
    return support::stopped_with([&] { load_shed shed(o); });
  };
  CHECK(why({.running = 0}).find("running") != std::string::npos);
  CHECK(why({.target = 0s}).find("target") != std::string::npos);
  CHECK(why({.target = 2s}).find("interval") != std::string::npos);
}
