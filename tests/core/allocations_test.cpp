// tests/core/allocations_test.cpp
// SPDX-License-Identifier: BSL-1.0
//
// In steady state nothing in core/ calls operator new: frames are recycled, all else lives in
// frames.
#include <penstock/core/task.hpp>

#include <penstock/core/finally.hpp>
#include <penstock/core/offload.hpp>
#include <penstock/core/ok.hpp>
#include <penstock/core/shield.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/when_any.hpp>
#include <penstock/core/with_group.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/core/yield.hpp>
#include <penstock/test/allocation_counter.hpp>
#include <penstock/test/test_runtime.hpp>
#include <support/skip.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>

using namespace penstock;
using namespace std::chrono_literals;

namespace {
task<result<int>> checked(int x) {
  co_await yield();
  if (x < 0) co_return fail(errc::exhausted);
  co_return x;
}
task<result<int>> pass(int x) { co_return co_await ok(checked(x)); }
task<> sleeper() { co_await sleep_for(1ms); }

// Allocations of the second hundred rounds.
template <class Round>
std::uint64_t allocations(Round round) {
  test::test_runtime rt;
  std::uint64_t made = 0;
  auto rounds = [&](bool counts) -> task<> {
    test::allocation_counter count;
    for (int i = 0; i < 100; ++i) static_cast<void>(co_await round());
    if (counts) made = count.allocations();
  };
  auto all = [&]() -> task<> {
    co_await rounds(false);
    co_await rounds(true);
  };
  rt.run(all());
  return made;
}
}  // namespace

TEST_CASE("no allocation in steady state") {
  if (!test::allocation_counter::available())
    return support::skip("operator new is not counted in this build");
  CHECK(allocations([] { return checked(1); }) == 0);
  CHECK(allocations([] { return pass(1); }) == 0);
  CHECK(allocations([] { return pass(-1); }) == 0);
  CHECK(allocations([] { return sleep_for(1ms); }) == 0);
  CHECK(allocations([] { return with_timeout(1h, checked(1)); }) == 0);
  // Of a hundred that time out, the text of each error.
  CHECK(allocations([] { return with_timeout(1us, sleeper()); }) == 100);
  CHECK(allocations([] { return when_any(sleeper(), checked(1), yield()); }) == 0);
  CHECK(allocations([] { return when_all(sleeper(), checked(1), yield()); }) == 0);
  CHECK(allocations([] { return as_result(shield(named("n", sleeper()))); }) == 0);
  CHECK(allocations([] { return offload([] { return 1; }); }) == 0);
  auto cleanup = [] { return yield(); };
  CHECK(allocations([&] { return finally(sleeper(), cleanup); }) == 0);
}

TEST_CASE("no allocation in steady state for groups and their children") {
  if (!test::allocation_counter::available())
    return support::skip("operator new is not counted in this build");
  std::string captured = "captured by the child: a text that is too long for the small buffer";
  auto child = [&captured](const std::string& s) -> task<> {
    co_await yield();
    CHECK(s.size() < captured.size());
  };
  auto body = [&](task_group& group) -> task<> {
    for (int i = 0; i < 10; ++i) {
      group.start(sleeper());
      group.start(sleeper);
      group.start(child, std::string("short"));
      group.start(named("n", sleeper()));
      group.start(with_timeout(1h, sleeper()));
    }
    co_return;
  };
  CHECK(allocations([&] { return with_group(body); }) == 0);
  auto limited = [&](task_group& group) -> task<> {
    for (int i = 0; i < 10; ++i) co_await group.start(child, std::string("short"));
    group.request_stop();
  };
  CHECK(allocations([&] { return with_group({.max_running = 2}, limited); }) == 0);
  CHECK(allocations([&] { return with_group({.grace = 1ms}, body); }) == 0);
}
