// tests/stream/upstream_on_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/upstream_on.hpp>

#include <penstock/core.hpp>
#include <penstock/runtime.hpp>
#include <penstock/stream.hpp>
#include <penstock/test.hpp>

#include <stream/marbles.hpp>

#include <doctest/doctest.h>

#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;

namespace {
std::vector<int> up_to(int n) {
  std::vector<int> all(static_cast<std::size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  return all;
}
}  // namespace

// [upstream_on]
static task<result<long>> sum_of_squares(scheduler& there, std::vector<int> numbers) {
  const auto square = [](int i) { return long{i} * i; };  // on the loop `there`
  const auto add = [](long a, long b) { return a + b; };  // here
  co_return co_await (from(std::move(numbers)) | map(square) | upstream_on(there) | fold(0L, add));
}
// [/upstream_on]
TEST_CASE("upstream_on() runs what is before it on another loop, in order") {
  runtime rt{{.threads = 2}};
  CHECK(rt.run(sum_of_squares(rt.loop(1), up_to(10'000))).value() == 333'283'335'000);
  const auto body = [&]() -> task<result<>> {
    const auto here = std::this_thread::get_id();
    const auto far = [&](int i) -> task<int> {
      CHECK(std::this_thread::get_id() != here);
      if (i % 10 == 0) co_await yield();
      co_return i;
    };
    std::vector<int> seen;
    const auto near = [&](int i) {
      if (std::this_thread::get_id() != here) seen.clear();
      seen.push_back(i);
    };
    const auto numbers = up_to(1000);
    co_await ok(from(numbers) | map(far) | upstream_on(rt.loop(1), 4) | for_each(near));
    CHECK(seen == numbers);
    co_return {};
  };
  CHECK(rt.run(body()));
}
TEST_CASE(
    "upstream_on(): errors and exceptions come behind the items, and a stop ends both sides") {
  runtime rt{{.threads = 2}};
  const auto body = [&]() -> task<result<>> {
    const auto numbers = up_to(10);
    const auto fails = [](int i) -> result<int> {
      if (i == 5) return fail(errc::corrupt, "there");
      return i;
    };
    std::size_t seen = 0;
    const auto see = [&](int) { ++seen; };
    auto failed = co_await (from(numbers) | map(fails) | upstream_on(rt.loop(1)) | for_each(see));
    CHECK(failed.error() == errc::corrupt);
    CHECK(seen == 5);
    const auto throws = [](int i) -> int {
      if (i == 5) throw std::runtime_error("there");
      return i;
    };
    std::string said;
    try {
      (void)co_await (from(numbers) | map(throws) | upstream_on(rt.loop(1)) | drain());
    } catch (const std::runtime_error& e) {
      said = e.what();
    }
    CHECK(said == "there");
    const auto waits = [](int) -> task<int> {
      co_await sleep_for(1h);
      co_return 0;
    };
    auto late =
        co_await with_timeout(1ms, from(numbers) | map(waits) | upstream_on(rt.loop(1)) | drain());
    CHECK(late.error() == errc::timed_out);
    const auto fails_here = [](int i) -> result<> {
      if (i == 2) return fail(errc::corrupt, "here");
      return {};
    };
    auto cut = co_await (from(numbers) | upstream_on(rt.loop(1), 1) | for_each(fails_here));
    CHECK(cut.error() == errc::corrupt);
    auto first = co_await (from(numbers) | upstream_on(rt.loop(1), 1) | take(1) | collect());
    CHECK(first->size() == 1);
    auto none = co_await (from(numbers) | upstream_on(rt.loop(1), 0) | drain());
    CHECK(none.error().message() == "upstream_on 'capacity 0': invalid option");
    co_return {};
  };
  CHECK(rt.run(body()));
}

TEST_CASE("upstream_on(): items and the end come through in order, and few are on their way") {
  const auto elsewhere = [](std::string_view what_comes, std::size_t capacity,
                            duration busy = 0ms) {
    test::test_runtime rt;
    return rt.run(marbles::play(marbles::source(what_comes) | upstream_on(rt, capacity), busy));
  };
  CHECK(elsewhere("-a-b-|", 4) == "-a-b-|");
  CHECK(elsewhere("-a-#", 4) == "-a-#");
  CHECK(elsewhere("|", 1) == "|");
  CHECK(elsewhere("abc|", 1, 2ms) == "a-b-c-|");
}
