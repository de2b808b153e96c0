// tests/core/offload_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core/offload.hpp>

#include <penstock/core/ok.hpp>
#include <penstock/core/root.hpp>
#include <penstock/core/shield.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/test/cancel_matrix.hpp>
#include <penstock/test/lifetime_tracked.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

#include "manual_loop.hpp"
#include "probes.hpp"

using namespace penstock;
using namespace std::chrono_literals;
using probes::failure;

namespace {
template <class Fn>
using offload_t = await_result_t<decltype(offload(std::declval<Fn>()))>;
static_assert(std::is_trivially_copyable_v<offload_options>);
static_assert(std::is_same_v<offload_t<int (*)()>, int>);
static_assert(std::is_same_v<offload_t<int& (*)()>, int&>);
static_assert(std::is_void_v<offload_t<void (*)()>>);
static_assert(std::is_same_v<offload_t<result<int> (*)()>, result<int>>);

// A run of `t` on a loop that a test steps by hand.
class stepped {
 public:
  explicit stepped(task<> t) : root_(loop, detail::awaiter_of(std::move(t))) {
    loop.inside([this] { root_.start(); });
  }
  void stop() {
    loop.inside([this] { root_.request_stop(stop_reason::requested); });
  }
  bool over() {
    loop.run();
    return root_.over();
  }
  std::string outcome() {
    return probes::thrown_by([this] { root_.outcome(); });
  }
  probes::manual_loop loop;

 private:
  detail::root<detail::awaiter_t<task<>>> root_;
};
}  // namespace

PENSTOCK_TEST("offload gives what the function returns, and takes any callable") {
  CHECK(co_await offload([] { return 3; }) == 3);
  co_await offload([] {});
  int x = 0;
  int& r = co_await offload([&]() -> int& { return x; });
  CHECK(&r == &x);
  auto owner = [p = std::make_unique<int>(5)]() mutable { return std::move(p); };
  auto p = co_await offload(std::move(owner));
  CHECK(*p == 5);
  auto checked = co_await offload([]() -> result<int> { return fail(errc::closed); });
  CHECK(checked.error() == errc::closed);
}

PENSTOCK_TEST("an exception of the function is thrown where it is awaited") {
  std::string what;
  try {
    co_await offload([] { throw failure("fn"); });
  } catch (const failure& e) {
    what = e.what();
  }
  CHECK(what == "fn");
}

PENSTOCK_TEST("in a test runtime offload costs virtual time") {
  co_await offload([] {}, {.virtual_cost = 3ms});
  CHECK(rt.now() == time_point(3ms));
  bool ran = false;
  auto r = co_await with_timeout(1ms, offload([&] { ran = true; }, {.virtual_cost = 5ms}));
  CHECK(r.error() == errc::timed_out);
  CHECK_FALSE(ran);
  CHECK(rt.now() == time_point(8ms));
}

TEST_CASE("a stop while the work is queued: it is not run, and waited for") {
  bool ran = false;
  probes::log log;
  stepped run([](bool& r, probes::log& l) -> task<> {
    probes::noted n(l, "task");
    co_await offload([&] { r = true; });
    l.push_back("resumed");
  }(ran, log));
  REQUIRE(run.loop.offloaded.size() == 1);
  run.stop();
  CHECK_FALSE(run.over());
  CHECK(log.empty());
  std::thread([&] { run.loop.offloaded[0]->run(); }).join();
  CHECK(run.over());
  CHECK_FALSE(ran);
  CHECK(log == probes::log{"~task"});
  CHECK(run.outcome().find("canceled") != std::string::npos);
}

TEST_CASE("a stop while the work runs: it is waited for and its result is kept") {
  probes::log log;
  stepped* self = nullptr;
  stepped run([](stepped*& s, probes::log& l) -> task<> {
    const int got = co_await offload([&] {
      s->stop();  // as if it came while the function runs
      return 4;
    });
    CHECK(got == 4);
    l.push_back("resumed");
  }(self, log));
  self = &run;
  run.loop.offloaded.at(0)->run();
  CHECK(run.over());
  CHECK(log == probes::log{"resumed"});
  CHECK(run.outcome().empty());
}

TEST_CASE("a stop after the work, before the task continues, loses nothing") {
  probes::log log;
  stepped run([](probes::log& l) -> task<> {
    co_await offload([] {});
    l.push_back("resumed");
  }(log));
  run.loop.offloaded.at(0)->run();
  run.stop();
  CHECK(run.over());
  CHECK(log == probes::log{"resumed"});
}

TEST_CASE("under a stop nothing is offloaded") {
  probes::log log;
  stepped run([](probes::log& l) -> task<> {
    static_cast<void>(co_await as_result(sleep_for(1h)));
    l.push_back("stopped");
    co_await offload([] {});
    l.push_back("resumed");
  }(log));
  run.stop();
  CHECK(run.over());
  CHECK(run.loop.offloaded.empty());
  CHECK(log == probes::log{"stopped"});
}

TEST_CASE("many offloads on a thread of their own") {
  constexpr int count = 200;
  int sum = 0;
  stepped run([](int& s) -> task<> {
    for (int i = 0; i < count; ++i) s += co_await offload([i] { return i; });
  }(sum));
  while (!run.over()) {
    auto items = std::exchange(run.loop.offloaded, {});
    std::thread([&] {
      for (auto* item : items) item->run();
    }).join();
  }
  CHECK(sum == count * (count - 1) / 2);
}

TEST_CASE("offload passes the cancel matrix") {
  struct fixture {
    test::lifetime_log log;
  };
  // The work cannot be taken back while it costs time: the operation ends when that has passed.
  test::cancel_matrix([] { return fixture(); },
                      [](fixture& f) {
                        return offload([&f] { return test::lifetime_tracked(f.log); },
                                       {.virtual_cost = 1ms});
                      },
                      [](fixture&) { return shield(sleep_for(2ms)); },
                      [](fixture& f, const auto& outcome, test::cancel_stage) {
                        return f.log.values() == (outcome ? 1 : 0) && f.log.misuses() == 0;
                      },
                      {.stoppable = false});
}
