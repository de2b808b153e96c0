// tests/stream/tap_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/tap.hpp>

#include <penstock/core/sleep.hpp>
#include <penstock/stream.hpp>
#include <penstock/test/test_runtime.hpp>
#include <stream/marbles.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::played;

TEST_CASE("tap() sees each item before the next stage and passes it on unchanged") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    std::string order;
    auto box = [](int x) { return std::make_unique<int>(x); };
    auto see = [&](const std::unique_ptr<int>& p) { order += "t" + std::to_string(*p); };
    auto later = [&](const std::unique_ptr<int>& p) -> task<> {
      co_await sleep_for(1ms);
      order += "w" + std::to_string(*p);
    };
    auto use = [&](std::unique_ptr<int> p) { order += "u" + std::to_string(*p); };
    std::vector<int> numbers{1, 2};
    auto done = co_await (from(numbers) | map(box) | tap(see) | tap(later) | for_each(use));
    CHECK(done);
    CHECK(order == "t1w1u1t2w2u2");

    // [tap]
    int most = 0;
    auto keep_most = [&](int x) { most = x > most ? x : most; };
    auto all = co_await (from(numbers) | tap(keep_most) | collect());
    // [/tap]
    CHECK(most == 2);
    CHECK(all.value() == numbers);
  }());
}

TEST_CASE("tap() ends the pipeline with its error, at once or after it waited") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    std::vector<int> numbers{1, 2, 3};
    auto now = [](int x) -> result<> {
      if (x == 2) return fail(errc::corrupt);
      return {};
    };
    auto later = [](int x) -> task<result<>> {
      co_await sleep_for(1ms);
      if (x == 2) co_return fail(errc::corrupt);
      co_return {};
    };
    auto a = co_await (from(numbers) | tap(now) | collect());
    CHECK(a.error() == errc::corrupt);
    auto b = co_await (from(numbers) | tap(later) | collect());
    CHECK(b.error() == errc::corrupt);
  }());
}

TEST_CASE("what tap()'s function returns besides an error is ignored") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    std::vector<int> numbers{1, 2, 3};
    auto square = [](int x) { return x * x; };
    auto all = co_await (from(numbers) | tap(square) | collect());
    CHECK(all.value() == numbers);
  }());
}

static std::string seen_first(std::string_view what_comes) {
  std::string seen;
  const auto see = [&](char c) { seen += c; };
  return played(marbles::source(what_comes) | tap(see)) + " " + seen;
}
TEST_CASE("tap() emits each item in its frame, or when its function has ended") {
  CHECK(seen_first("-a-b-|") == "-a-b-| ab");
  CHECK(seen_first("-a-#") == "-a-# a");
  const auto waits = [](char c) -> task<result<>> {
    co_await sleep_for(2ms);
    if (c == '!') co_return fail(errc::corrupt, "see");
    co_return {};
  };
  CHECK(played(marbles::source("ab|") | tap(waits)) == "--a-(b|)");
  CHECK(played(marbles::source("a!b|") | tap(waits)) == "--a-#");
  const auto nothing = [](char) {};
  CHECK(played(marbles::source("-a-b-|") | tap(nothing)) == "-a-b-|");
  CHECK(played(marbles::source("abc|") | tap(nothing), 2ms) == "a-b-c-|");
}
