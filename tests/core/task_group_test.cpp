// tests/core/task_group_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core/task_group.hpp>

#include <penstock/base/scope_exit.hpp>
#include <penstock/core/shield.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/with_group.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/core/yield.hpp>
#include <penstock/test/lifetime_tracked.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "probes.hpp"

using namespace penstock;
using namespace std::chrono_literals;
using probes::failure;
using test::lifetime_log;
using test::lifetime_tracked;

PENSTOCK_TEST("children start in the next turn, in order, and may start others") {
  probes::log log;
  co_await with_group([&](task_group& group) -> task<> {
    auto grandchild = [&log]() -> task<> {
      log.push_back("grandchild");
      co_return;
    };
    group.start(
        [](task_group& g, probes::log& l, auto fn) -> task<> {
          l.push_back("child");
          g.start(fn);
          co_return;
        },
        std::ref(group), std::ref(log), grandchild);
    log.push_back("body");
    co_return;
  });
  CHECK(log == probes::log{"body", "child", "grandchild"});
}

PENSTOCK_TEST("size counts the body and the children that have not ended") {
  co_await with_group([](task_group& group) -> task<> {
    CHECK(group.size() == 1);
    group.start([]() -> task<> { co_await sleep_for(1ms); });
    CHECK(group.size() == 2);
    co_await sleep_for(2ms);
    CHECK(group.size() == 1);
  });
}

PENSTOCK_TEST("callable and arguments live until the child has ended, then go") {
  lifetime_log log;
  lifetime_tracked value(log, 3);
  lifetime_tracked captured(log, 4);
  auto fn = [captured](const lifetime_tracked& x, lifetime_tracked& y,
                       lifetime_tracked z) -> task<> {
    co_await yield();
    CHECK(captured.value() == 4);
    CHECK(x.value() == 3);
    CHECK(y.value() == 3);
    CHECK(z.value() == 3);
  };
  CHECK(log.live() == 3);
  co_await with_group([&](task_group& group) -> task<> {
    group.start(fn, value, std::ref(value), lifetime_tracked(log, 3));
    CHECK(log.live() > 3);
    co_await sleep_for(1ms);
    CHECK(log.live() == 3);
  });
  CHECK(log.misuses() == 0);
}

PENSTOCK_TEST("arguments arrive as rvalues of their decayed copies") {
  co_await with_group([](task_group& group) -> task<> {
    const std::string text = "text";
    group.start(
        [](std::string&& s, std::unique_ptr<int> p, const char* c) -> task<> {
          co_await yield();
          CHECK(s == "text");
          CHECK(*p == 1);
          CHECK(std::string(c) == "abc");
        },
        text, std::make_unique<int>(1), "abc");
    co_return;
  });
}

// An argument that the call converts is kept too: the parameter may refer to it.
PENSTOCK_TEST("what a parameter was converted from lives as long as the child") {
  co_await with_group([](task_group& group) -> task<> {
    group.start(
        [](std::string_view s) -> task<> {
          co_await sleep_for(1ms);
          CHECK(s == "a text that is too long for the small buffer");
        },
        std::string("a text that is too long for the small buffer"));
    group.start(
        +[](std::string_view s) -> task<> {
          co_await sleep_for(1ms);
          CHECK(s == "another text that is too long for it");
        },
        std::string("another text that is too long for it"));
    co_return;
  });
}

namespace {
task<> free_function(int& sum, int x) {
  co_await yield();
  sum += x;
}
task<> takes_values(std::unique_ptr<int> p, long x) {
  co_await yield();
  CHECK(*p == x);
}
struct object {
  int sum = 0;
  task<> add(int x) {
    co_await yield();
    sum += x;
  }
  task<> operator()(int x) && = delete;
  task<> operator()(int x) & {
    co_await yield();
    sum += x;
  }
};
}  // namespace

PENSTOCK_TEST("functions, members and function objects can be started") {
  int sum = 0;
  object o;
  co_await with_group([&](task_group& group) -> task<> {
    group.start(free_function, std::ref(sum), 1);
    group.start(takes_values, std::make_unique<int>(2), 2);
    group.start(&object::add, &o, 4);
    group.start(std::ref(o), 8);
    group.start(o, 16);  // a copy
    group.start(free_function(sum, 32));
    co_return;
  });
  CHECK(sum == 33);
  CHECK(o.sum == 12);
}

// [named]
static task<> tell_name(std::string& names) {
  names += co_await this_task::name();
  names += ' ';
}
static task<std::string> names_of_children() {
  std::string names;
  auto body = [&](task_group& group) -> task<> {
    group.start(named("reader", tell_name(names)));
    group.start(named("writer", tell_name(names)));
    co_return;
  };
  co_await with_group(body);
  co_return names;
}
// [/named]

PENSTOCK_TEST("a child can have a name, and only that child has it") {
  const std::string both = co_await names_of_children();
  CHECK((both == "reader writer " || both == "writer reader "));
  std::string names;
  co_await named("outer", with_group({.max_running = 1}, [&](task_group& group) -> task<> {
                   for (int i = 0; i < 2; ++i)
                     co_await group.start(named("inner", tell_name(names)));
                   co_await group.start(tell_name(names));
                   co_await group.start(named("scope", with_timeout(1s, tell_name(names))));
                   co_await group.start(named("a", named("b", tell_name(names))));
                 }));
  CHECK(names == "inner inner outer scope b ");
}

TEST_CASE("a deadlock's dump shows the names of children") {
  test::test_runtime rt;
  probes::gate never;
  auto wait = [&]() -> task<> { co_await never.wait(); };
  auto body = [&](task_group& group) -> task<> {
    group.start(named("reader", wait()));
    group.start(named("leaf", never.wait()));
    co_return;
  };
  std::string report;
  try {
    rt.run(with_group(body));
    FAIL("no deadlock");
  } catch (const test::deadlock& e) {
    report = e.what();
  }
  CAPTURE(report);
  CHECK(report.find("gate in 'reader'") != std::string::npos);
  CHECK(report.find("gate in 'leaf'") != std::string::npos);
}

PENSTOCK_TEST("a scope or a leaf can be a child: its error, exception and stop are the child's") {
  bool unwound = false;
  auto slow = [&]() -> task<> {
    scope_exit note([&] { unwound = true; });
    co_await sleep_for(1h);
  };
  auto body = [&](task_group& group) -> task<int> {
    group.start(sleep_for(1ms));
    group.start(with_timeout(2ms, slow()));
    co_await sleep_for(1h);
    co_return 1;
  };
  auto late = co_await with_group(body);
  CHECK(late.error() == errc::timed_out);
  CHECK(rt.now() == time_point(2ms));
  CHECK(unwound);

  auto throws = []() -> task<> {
    co_await yield();
    throw failure("child");
  };
  for (bool has_name : {false, true}) {
    auto starts = [&](task_group& group) -> task<> {
      if (has_name)
        group.start(named("thrower", throws()));
      else
        group.start(shield(throws()));
      co_await sleep_for(1h);
    };
    std::string what;
    try {
      co_await with_group(starts);
    } catch (const failure& e) {
      what = e.what();
    }
    CHECK(what == "child");
  }

  unwound = false;
  auto stops = [&](task_group& group) -> task<> {
    group.start(named("slow", slow()));
    co_await sleep_for(1ms);
    group.request_stop();
  };
  co_await with_group(stops);
  CHECK(unwound);
}

PENSTOCK_TEST("a named child that waits for a slot and is stopped goes with its frame and record") {
  lifetime_log log;
  bool ran = false;
  auto child = [&](lifetime_tracked) -> task<> {
    ran = true;
    co_return;
  };
  auto body = [&](task_group& group) -> task<> {
    co_await group.start(sleep_for(1h));
    co_await group.start(named("late", child(lifetime_tracked(log))));
  };
  auto late = co_await with_timeout(1ms, with_group({.max_running = 1}, body));
  CHECK(late.error() == errc::timed_out);
  CHECK_FALSE(ran);
  CHECK(log.clean());
}

namespace {
// Throws when it is copied for the nth time.
struct fragile {
  int* left;
  lifetime_tracked live;
  fragile(int& n, lifetime_log& log) : left(&n), live(log) {}
  fragile(const fragile& o) : left(o.left), live(o.live) {
    if ((*left)-- == 0) throw failure("copy");
  }
  fragile(fragile&& o) noexcept = default;
};
}  // namespace

PENSTOCK_TEST("start has the strong guarantee when copies or the call throw") {
  lifetime_log log;
  for (int n = 0; n < 5; ++n) {
    int left = 100;
    bool ran = false;
    fragile f(left, log);
    auto fn = [&ran, f](const fragile&, fragile) -> task<> {
      ran = true;
      co_return;
    };
    co_await with_group([&](task_group& group) -> task<> {
      left = n;
      const bool threw = !probes::thrown_by([&] { group.start(fn, f, f); }).empty();
      CHECK(threw == (n < 3));  // the callable and two arguments
      CHECK(group.size() == (threw ? 1 : 2));
      co_await sleep_for(1ns);
      CHECK(ran == !threw);
    });
  }
  // What is called may throw before it has made a task.
  co_await with_group([&](task_group& group) -> task<> {
    // Not coroutines: they throw before there is a task.
    auto throws = [](const fragile&) -> task<> { throw failure("call"); };
    auto by_value = [](int) -> task<> { throw failure("call"); };
    int left = 100;
    fragile f(left, log);
    CHECK(probes::thrown_by([&] { group.start(throws, f); }) == "call");
    CHECK(probes::thrown_by([&] { group.start(by_value, 1); }) == "call");
    CHECK(group.size() == 1);
    co_return;
  });
  CHECK(log.clean());
}

PENSTOCK_TEST("a child's frame and record go when it ends: value, error, exception, stop") {
  lifetime_log log;
  lifetime_tracked tag(log);
  probes::gate never;
  auto child = [&](int how, const lifetime_tracked&, lifetime_tracked local) -> task<result<>> {
    co_await yield();
    if (how == 1) co_return fail(errc::closed);
    if (how == 2) throw failure("child");
    if (how == 3) co_await never.wait();
    if (how == 4) co_await ok(result<>(fail(errc::closed)));
    static_cast<void>(local);
    co_return result<>();
  };
  for (int how = 0; how < 5; ++how) {
    auto body = [&](task_group& group) -> task<int> {
      group.start(child, how, tag, tag);
      co_await sleep_for(1ms);
      if (how == 3) group.request_stop();
      co_await shield(sleep_for(1ms));
      CHECK(log.live() == 1);
      co_return 1;
    };
    try {
      auto outcome = co_await with_group({.on_error = on_error::keep_going}, body);
      CHECK(outcome.has_value() == (how == 0 || how == 3));
    } catch (const failure&) {
      CHECK(how == 2);
    }
    CHECK(log.live() == 1);
  }
  CHECK(log.misuses() == 0);
}

PENSTOCK_TEST("a hundred thousand children") {
  constexpr int count = 100'000;
  int ended = 0;
  co_await with_group([&](task_group& group) -> task<> {
    auto child = [](int& n) -> task<> {
      co_await yield();
      ++n;
    };
    for (int i = 0; i < count; ++i) group.start(child, std::ref(ended));
    CHECK(group.size() == count + 1);
    co_return;
  });
  CHECK(ended == count);

  probes::log log;
  auto outcome = co_await with_timeout(1ms, with_group([&](task_group& group) -> task<> {
                                         for (int i = 0; i < count; ++i)
                                           group.start([]() -> task<> { co_await sleep_for(1h); });
                                         co_return;
                                       }));
  CHECK(outcome.error() == errc::timed_out);
}

TEST_CASE("a child that is started when a foreign stop is all that the group waits for closes it") {
  test::test_runtime rt;
  task_group* open = nullptr;
  bool ended = false;
  bool ran = false;
  auto child = [&]() -> task<> {
    ran = true;
    co_return;
  };
  auto group = [&]() -> task<> {
    // What the other thread asks is only posted to this one: the group's
    // body ends first, and the group waits for the post.
    auto body = [&](task_group& g) -> task<> {
      open = &g;
      std::thread([&] { g.request_stop(); }).join();
      co_return;
    };
    (void)co_await with_group(body);
    ended = true;
  };
  auto other = [&]() -> task<> {
    REQUIRE(open != nullptr);
    REQUIRE_FALSE(ended);
    REQUIRE(open->size() == 0);
    open->start(child);
    co_return;
  };
  rt.run(when_all(group(), other()));
  CHECK(ended);
  CHECK(ran);
}
