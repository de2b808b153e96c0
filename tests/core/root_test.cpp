// tests/core/root_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core/root.hpp>

#include <penstock/base/log.hpp>
#include <penstock/base/scope_exit.hpp>
#include <penstock/core/ok.hpp>
#include <penstock/core/shield.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/sync_wait.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/core/yield.hpp>
#include <penstock/test/test_runtime.hpp>

#include <doctest/doctest.h>

#include <string>

#include "probes.hpp"

using namespace penstock;
using namespace std::chrono_literals;
using probes::failure;
using probes::noted;

namespace {
// [services]
// Works in the background, from its first use in a run to the run's end.
class upkeep {
 public:
  explicit upkeep(probes::log& l) : log_(&l) {}
  task<> use() {
    auto& services = co_await this_task::services();
    if (&services != in_) {
      in_ = &services;
      log_->push_back("started");
      services.start(named("upkeep", work()));
    }
  }
  int rounds = 0;

 private:
  task<> work() {
    scope_exit ended([this] {
      in_ = nullptr;
      log_->push_back("ended");
    });
    for (;;) {
      co_await sleep_for(1ms);
      ++rounds;
    }
  }
  probes::log* log_;
  task_group* in_ = nullptr;
};
// [/services]
}  // namespace

TEST_CASE("services start lazily, are stopped and joined last, and start again in a later run") {
  test::test_runtime rt;
  probes::log log;
  upkeep service(log);
  auto main_task = [&]() -> task<int> {
    noted n(log, "main");
    co_await service.use();
    co_await service.use();
    co_await sleep_for(3500us);
    co_return 1;
  };
  CHECK(rt.run([]() -> task<int> { co_return 0; }()) == 0);
  CHECK(log.empty());
  CHECK(rt.run(main_task()) == 1);
  CHECK(log == probes::log{"started", "~main", "ended"});
  CHECK(service.rounds == 3);
  log.clear();
  CHECK(rt.run(main_task()) == 1);
  CHECK(log == probes::log{"started", "~main", "ended"});
  CHECK(service.rounds == 6);
  log.clear();
  CHECK(sync_wait(main_task()) == 1);
  CHECK(log == probes::log{"started", "~main", "ended"});
}

TEST_CASE(
    "a service outlives the scope that used it first, and its own shielded end is waited for") {
  test::test_runtime rt;
  probes::log log;
  auto run = [&]() -> task<> {
    auto& services = co_await this_task::services();
    static_cast<void>(co_await with_timeout(1ms, [&]() -> task<> {
      services.start([&]() -> task<> {
        static_cast<void>(co_await as_result(sleep_for(1h)));
        co_await shield(sleep_for(5ms));
        log.push_back("service");
      });
      co_await sleep_for(1h);
    }()));
    co_await sleep_for(1ms);
    log.push_back("main");
  };
  rt.run(run());
  CHECK(log == probes::log{"main", "service"});
  CHECK(rt.now() == time_point(7ms));
}

TEST_CASE("an exception of a service is thrown by run, after the main task's own") {
  test::test_runtime rt;
  auto run = [](bool main_throws) -> task<> {
    auto& services = co_await this_task::services();
    services.start([]() -> task<> {
      co_await yield();
      throw failure("service");
    });
    co_await sleep_for(1ms);
    if (main_throws) throw failure("main");
  };
  CHECK(probes::thrown_by([&] { rt.run(run(false)); }) == "service");
  CHECK(probes::thrown_by([&] { rt.run(run(true)); }) == "main");
}

namespace {
// Keeps the library's messages while it lives.
class log_lines {
 public:
  log_lines() {
    kept().clear();
    before_ = set_log_sink([](const log_record& r) noexcept {
      kept().push_back(std::string(to_string(r.level)) + ": " + std::string(r.message));
    });
  }
  ~log_lines() { set_log_sink(before_); }
  static probes::log& kept() {
    static probes::log lines;
    return lines;
  }

 private:
  log_sink before_ = nullptr;
};
}  // namespace

TEST_CASE("an error that a service returns is logged with its name, and is not run's outcome") {
  const log_lines lines;
  auto fails = [](duration after) -> task<result<>> {
    co_await sleep_for(after);
    co_return fail(errc::closed, "flush", "a");
  };
  auto throws = []() -> task<> {
    co_await sleep_for(3ms);
    throw failure("service");
  };
  auto run = [&](bool with_exception) -> task<result<int>> {
    auto& services = co_await this_task::services();
    services.start(named("upkeep", fails(1ms)));
    services.start(fails, duration(2ms));
    if (with_exception) services.start(throws);
    co_await sleep_for(4ms);
    co_return 7;
  };
  const probes::log both = {"warning: background task 'upkeep': flush 'a': closed",
                            "warning: background task: flush 'a': closed"};
  test::test_runtime rt;
  CHECK(rt.run(run(false)).value() == 7);
  CHECK(lines.kept() == both);
  lines.kept().clear();
  CHECK(sync_wait(run(false)).value() == 7);
  CHECK(lines.kept() == both);
  // An error does not hide what another one throws.
  CHECK(probes::thrown_by([&] { static_cast<void>(rt.run(run(true))); }) == "service");
}

TEST_CASE(
    "a service's own group takes its errors, and being stopped is no failure: nothing is logged") {
  const log_lines lines;
  auto run = []() -> task<> {
    auto& services = co_await this_task::services();
    services.start([]() -> task<result<>> { co_return co_await as_result(sleep_for(1h)); });
    services.start([]() -> task<> {
      auto child = []() -> task<result<>> { co_return fail(errc::closed); };
      auto body = [&](task_group& group) -> task<result<>> {
        group.start(child);
        co_return {};
      };
      const auto outcome = co_await with_group(body);
      CHECK(outcome.error() == errc::closed);
    });
    co_await sleep_for(1ms);
  };
  test::test_runtime rt;
  rt.run(run());
  CHECK(lines.kept().empty());
}

TEST_CASE("a stop that reached the top is canceled: as a value of a result, else thrown") {
  auto sleeper = []() -> task<result<int>> {
    co_await sleep_for(1h);
    co_return 1;
  };
  CHECK(test::test_runtime({.stop_at_step = 1}).run(sleeper()).error() == errc::canceled);
  auto thrown = [] {
    test::test_runtime rt({.stop_at_step = 1});
    rt.run([]() -> task<int> {
      co_await yield();
      co_await yield();
      co_return 1;
    }());
  };
  CHECK(probes::thrown_by(thrown).find("canceled") != std::string::npos);
  test::test_runtime rt({.stop_at_step = 1});
  CHECK_THROWS_AS(rt.run(sleep_for(1h)), std::system_error);
}

// The main task failed by ok(): its locals are gone when the services end, as after a return.
TEST_CASE("the main task's locals end before the services do, however it ended") {
  test::test_runtime rt;
  for (int how = 0; how < 4; ++how) {
    probes::log log;
    auto run = [&](int h) -> task<result<>> {
      auto& services = co_await this_task::services();
      services.start([&]() -> task<> {
        noted n(log, "service");
        co_await sleep_for(1h);
      });
      co_await yield();
      noted n(log, "main");
      if (h == 1) co_await ok(result<>(fail(errc::closed)));
      if (h == 2) throw failure("main");
      if (h == 3) {
        rt.request_stop();
        co_await sleep_for(1h);
      }
      co_return result<>();
    };
    std::string what;
    what = probes::thrown_by([&] {
      auto r = rt.run(run(how));
      CHECK(r.has_value() == (how == 0));
    });
    CHECK(what == (how == 2 ? "main" : ""));
    CHECK(log == probes::log{"~main", "~service"});
  }
}

TEST_CASE("run takes leaves and scopes, and must() of a stopped task is unwound too") {
  test::test_runtime rt;
  rt.run(sleep_for(2ms));
  CHECK(rt.now() == time_point(2ms));
  CHECK(rt.run(with_timeout(1ms, sleep_for(1h))).error() == errc::timed_out);
  probes::log log;
  auto sleeper = [&]() -> task<result<int>> {
    noted n(log, "task");
    co_await yield();
    rt.request_stop();
    co_await sleep_for(1h);
    co_return 1;
  };
  CHECK_THROWS_AS(rt.run(must(sleeper())), std::system_error);
  CHECK(log == probes::log{"~task"});
}
