// tests/runtime/runtime_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/runtime/runtime.hpp>

#include <penstock/base/log.hpp>
#include <penstock/core.hpp>
#include <support/child.hpp>
#include <support/each_driver.hpp>
#include <support/stopped.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;

static_assert(!std::is_copy_constructible_v<runtime>);
static_assert(!std::is_move_constructible_v<runtime>);
static_assert(std::is_trivially_copyable_v<runtime_options>);

namespace {
task<result<int>> gives(int value) {
  co_await yield();
  co_return value;
}
task<result<int>> fails() {
  co_await yield();
  co_return fail(errc::not_found, "look", "nothing");
}
task<> throws() {
  co_await yield();
  throw std::runtime_error("thrown");
}
task<std::thread::id> where() { co_return std::this_thread::get_id(); }
}  // namespace

// [run]
static task<result<std::string>> greet(std::string name) {
  co_await sleep_for(1ms);
  const std::string text = co_await offload([&] { return "hello, " + name; });
  co_return text;
}

static std::string run_greet() {
  runtime rt{{.cpu_threads = 1}};
  result<std::string> text = rt.run(greet("world"));
  return text ? *text : text.error().message();
}
// [/run]

TEST_CASE("the example greets") { CHECK(run_greet() == "hello, world"); }

TEST_CASE("run gives what the task gives, again and again") {
  support::on_each_driver([](runtime& rt) {
    for (int i = 0; i < 20; ++i) {
      const auto r = rt.run(gives(i));
      REQUIRE(r);
      CHECK(*r == i);
    }
    const auto e = rt.run(fails());
    REQUIRE_FALSE(e);
    CHECK(e.error().message() == "look 'nothing': not found");
    CHECK_THROWS_WITH(rt.run(throws()), "thrown");
    CHECK(rt.run(where()) == std::this_thread::get_id());
  });
}

TEST_CASE("a stop that reaches the top is canceled: a value of a result, else thrown") {
  support::on_each_driver([](runtime& rt) {
    const auto forever = [&]() -> task<result<>> {
      rt.request_stop();
      co_await sleep_for(1h);
      co_return result<>{};
    };
    const auto r = rt.run(forever());
    REQUIRE_FALSE(r);
    CHECK(r.error() == errc::canceled);
    const auto forever_void = [&]() -> task<> {
      rt.request_stop();
      co_await sleep_for(1h);
    };
    CHECK_THROWS_AS(rt.run(forever_void()), std::system_error);
  });
}

TEST_CASE("request_stop from another thread stops the run; between runs it does nothing") {
  support::on_each_driver([](runtime& rt) {
    for (int i = 0; i < 20; ++i) {
      rt.request_stop();
      std::atomic<bool> runs{false};
      std::thread stopper([&] {
        while (!runs) std::this_thread::yield();
        rt.request_stop();
      });
      const auto body = [&]() -> task<result<>> {
        co_await yield();
        runs = true;
        co_await sleep_for(1h);
        co_return result<>{};
      };
      CHECK(rt.run(body()).error() == errc::canceled);
      stopper.join();
    }
  });
}

TEST_CASE("background work of objects is stopped and joined before run returns") {
  support::on_each_driver([](runtime& rt) {
    bool ended = false;
    struct at_end {
      bool& flag;
      ~at_end() { flag = true; }
    };
    const auto background = [&]() -> task<> {
      const at_end mark{ended};
      co_await sleep_for(1h);
    };
    const auto main = [&]() -> task<int> {
      task_group& services = co_await this_task::services();
      services.start(background);
      co_await yield();
      co_return 1;
    };
    CHECK(rt.run(main()) == 1);
    CHECK(ended);
  });
}

TEST_CASE("an error of background work is logged, and the run goes on") {
  static std::vector<std::string> lines;
  support::on_each_driver([](runtime& rt) {
    lines.clear();
    const auto before =
        set_log_sink([](const log_record& r) noexcept { lines.emplace_back(r.message); });
    const auto main = []() -> task<int> {
      task_group& services = co_await this_task::services();
      services.start(named("lookup", fails()));
      co_await sleep_for(1ms);
      co_return 1;
    };
    CHECK(rt.run(main()) == 1);
    set_log_sink(before);
    CHECK(lines == std::vector<std::string>{"background task 'lookup': look 'nothing': not found"});
  });
}

TEST_CASE("runs may come from different threads, one at a time") {
  support::on_each_driver([](runtime& rt) {
    for (int i = 0; i < 3; ++i) {
      std::thread other([&] {
        const auto id = rt.run(where());
        CHECK(id == std::this_thread::get_id());
        CHECK(rt.run(gives(i)) == i);
      });
      other.join();
      CHECK(rt.run(gives(7)) == 7);
    }
  });
}

TEST_CASE("runs may come from new threads one after the other, whose ids are used again") {
  support::on_each_driver([](runtime& rt) {
    for (int i = 0; i < 4; ++i) {
      std::thread other([&] { CHECK(rt.run(gives(i)) == i); });
      other.join();
    }
  });
}

TEST_CASE("a stop may be asked for while a run begins on another thread") {
  support::on_each_driver(
      [](runtime&) {
        for (auto kind : {driver_kind::automatic, driver_kind::reactor}) {
          for (int i = 0; i < 50; ++i) {
            runtime rt({.driver = kind, .handle_signals = false});
            std::atomic<bool> over{false};
            std::thread other([&] {
              const auto body = []() -> task<result<>> {
                co_await sleep_for(1h);
                co_return result<>();
              };
              CHECK(rt.run(body()).error() == errc::canceled);
              over = true;
            });
            while (!over) {
              rt.request_stop();
              CHECK(rt.driver_name() != "");
            }
            other.join();
          }
        }
      },
      {});
}

TEST_CASE("a loop's thread that cannot be created is the outcome of the run") {
  if (PENSTOCK_ASAN || PENSTOCK_TSAN) return support::skip("the sanitizer needs address space");
  const auto child = support::in_child([] {
    unsigned long pages = 0;
    if (std::FILE* const f = std::fopen("/proc/self/statm", "r")) {
      if (std::fscanf(f, "%lu", &pages) != 1) pages = 0;
      std::fclose(f);
    }
    const rlim_t room = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + (150u << 20);
    const rlimit l{room, room};  // for some stacks
    ::setrlimit(RLIMIT_AS, &l);
    runtime rt({.threads = 256, .driver = driver_kind::reactor});
    const auto body = []() -> task<result<int>> { co_return 1; };
    const auto outcome = rt.run(body());
    if (!outcome) std::fprintf(stderr, "%s", outcome.error().message().c_str());
    return 0;
  });
  CHECK(child.status == 0);
  CHECK(child.output.find("start a loop's thread: ") != std::string::npos);
}

TEST_CASE("several runtimes at once do not disturb each other") {
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&, t] {
      runtime rt({.threads = 2, .cpu_threads = 1});
      const auto body = [&]() -> task<result<int>> {
        int sum = 0;
        for (int i = 0; i < 50; ++i) {
          const int there = co_await ok(resume_on(rt.loop(1), gives(t)));
          const int here = co_await offload([there] { return there; });
          sum += here;
        }
        co_return sum;
      };
      if (rt.run(body()) == 50 * t) ++good;
    });
  for (auto& t : threads) t.join();
  CHECK(good == 3);
}

TEST_CASE("resume_on runs a task on the other loop's thread and comes back") {
  runtime_options options;
  options.threads = 3;
  support::on_each_driver(
      [](runtime& rt) {
        CHECK(rt.size() == 3);
        const auto body = [&]() -> task<> {
          const auto home = co_await where();
          std::thread::id first{};
          for (int i = 0; i < 500; ++i) {
            const auto there = co_await resume_on(rt.loop(1), where());
            if (i == 0) first = there;
            CHECK(there == first);
            CHECK(there != home);
          }
          const auto third = co_await resume_on(rt.loop(2), where());
          CHECK(third != first);
          const auto back = co_await where();
          CHECK(back == home);
        };
        rt.run(body());
      },
      options);
}

TEST_CASE("many tasks hop between the loops, the cpu pool and timers at once") {
  runtime_options options;
  options.threads = 2;
  options.cpu_threads = 2;
  support::on_each_driver(
      [](runtime& rt) {
        int done = 0;
        const auto nap = []() -> task<> { co_await sleep_for(1ms); };
        const auto hop = [&](int n) -> task<> {
          for (int i = 0; i < 20; ++i) {
            if (n % 3 == 0) {
              co_await resume_on(rt.loop(1), nap());
            } else if (n % 3 == 1) {
              co_await offload([] {});
            } else {
              co_await resume_on(rt.loop(1), where());
            }
          }
          ++done;
        };
        const auto all = [&](task_group& group) -> task<> {
          for (int n = 0; n < 60; ++n) group.start(hop, n);
          co_return;
        };
        rt.run(with_group(all));
        CHECK(done == 60);
      },
      options);
}

TEST_CASE("run_on_each_loop runs on every loop's thread, with services, and gives success") {
  runtime_options options;
  options.threads = 3;
  support::on_each_driver(
      [](runtime& rt) {
        for (int round = 0; round < 5; ++round) {
          std::mutex mutex;
          std::vector<std::thread::id> threads;
          std::atomic<int> background{0};
          const auto serve = [&]() -> task<> {
            ++background;
            co_await sleep_for(1h);
          };
          const auto outcome = rt.run_on_each_loop([&]() -> task<result<>> {
            task_group& services = co_await this_task::services();
            services.start(serve);
            co_await sleep_for(1ms);
            const std::lock_guard lock(mutex);
            threads.push_back(std::this_thread::get_id());
            co_return result<>{};
          });
          CHECK(outcome);
          CHECK(background == 3);
          CHECK(threads.size() == 3);
          CHECK(std::set(threads.begin(), threads.end()).size() == 3);
        }
        CHECK(rt.run(gives(1)) == 1);
      },
      options);
}

TEST_CASE("the first error of a loop stops the others and is the outcome") {
  runtime_options options;
  options.threads = 3;
  support::on_each_driver(
      [](runtime& rt) {
        std::atomic<int> started{0};
        const auto fn = [&]() -> task<result<>> {
          const int mine = ++started;
          while (started < 3) co_await yield();
          if (mine == 2) co_return fail(errc::corrupt, "second");
          co_await sleep_for(1h);
          co_return result<>{};
        };
        const auto outcome = rt.run_on_each_loop(fn);
        REQUIRE_FALSE(outcome);
        CHECK(outcome.error() == errc::corrupt);
        started = 0;
        const auto throwing = [&]() -> task<result<>> {
          const int mine = ++started;
          while (started < 3) co_await yield();
          if (mine == 2) throw std::runtime_error("second");
          co_await sleep_for(1h);
          co_return result<>{};
        };
        CHECK_THROWS_WITH(rt.run_on_each_loop(throwing), "second");
        started = 0;
        const auto stopping = [&]() -> task<result<>> {
          if (++started == 3) rt.request_stop();
          co_await sleep_for(1h);
          co_return result<>{};
        };
        CHECK(rt.run_on_each_loop(stopping).error() == errc::canceled);
      },
      options);
}

TEST_CASE("invalid options stop the program with the option's name") {
  CHECK(support::stopped_with([] { runtime rt({.threads = 0}); }) ==
        "runtime 'threads': invalid option");
  CHECK(support::stopped_with([] { runtime rt({.cpu_threads = 5000}); }) ==
        "runtime 'cpu_threads': invalid option");
  CHECK(support::stopped_with([] { runtime rt({.spin = -1ns}); }) ==
        "runtime 'spin': invalid option");
  CHECK(validate(runtime_options{}));
}

TEST_CASE("a run inside a run is a broken contract") {
  CHECK(support::stopped_with([] {
          runtime rt;
          const auto inner = [&]() -> task<> {
            rt.run(yield());
            co_return;
          };
          rt.run(inner());
        }) == "a runtime runs one task at a time");
}
