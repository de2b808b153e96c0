// tests/stream/observe_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/observe.hpp>

#include <penstock/core.hpp>
#include <penstock/stream.hpp>
#include <penstock/sync.hpp>
#include <penstock/test.hpp>
#include <stream/marbles.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::canonical;
using marbles::played;

// [observe]
static task<result<stream_stats>> where_it_waits(std::vector<int> numbers) {
  stream_stats between;
  const auto slow = [](int i) -> task<int> {
    co_await sleep_for(3ms);
    co_return i;
  };
  const auto fast = [](int) { return sleep_for(1ms); };
  co_await ok(from(std::move(numbers)) | map(slow) | observe(between) | for_each(fast));
  co_return between;
}
// [/observe]
TEST_CASE("observe() tells who waits for whom") {
  test::test_runtime rt;
  const auto s = rt.run(where_it_waits(std::vector<int>(10))).value();
  CHECK(s.items == 10);
  CHECK(s.blocked_in == 30ms);
  CHECK(s.blocked_out == 10ms);
  CHECK(s.elapsed == 40ms);
  CHECK(s.bytes == 0);
}
TEST_CASE("observe() changes nothing of what passes") {
  const auto passed = [](std::string_view what_comes, std::size_t items, duration busy = 0ms) {
    stream_stats s;
    auto seen = played(marbles::source(what_comes) | observe(s), busy);
    CHECK(s.items == items);
    return seen;
  };
  CHECK(passed("-a-b-|", 2) == "-a-b-|");
  CHECK(passed("-a-#", 1) == "-a-#");
  CHECK(passed("abc|", 3, 2ms) == "a-b-c-|");
}

namespace {
// Each takes its time with an item.
auto takes(duration d) {
  return map([d](char c) -> task<char> {
    co_await sleep_for(d);
    co_return c;
  });
}
bool adds_up(const stream_stats& s) { return s.elapsed == s.busy + s.blocked_in + s.blocked_out; }
}  // namespace

// [observe_stage]
static task<result<stream_stats>> what_the_stage_does(std::vector<int> numbers) {
  stream_stats squares;
  const auto slow = [](int i) -> task<int> {
    co_await sleep_for(3ms);
    co_return i;
  };
  const auto square = [](int i) -> task<int> {
    co_await sleep_for(5ms);
    const int squared = i * i;
    co_return squared;
  };
  const auto see = [](int) { return sleep_for(2ms); };
  co_await ok(from(std::move(numbers)) | map(slow) | observe(squares, map(square)) | for_each(see));
  co_return squares;
}
// [/observe_stage]
TEST_CASE("observe() of a stage tells its own work from what it waits for on either side") {
  test::test_runtime rt;
  const auto s = rt.run(what_the_stage_does(std::vector<int>(10))).value();
  CHECK(s.items == 10);
  CHECK(s.blocked_in == 30ms);
  CHECK(s.busy == 50ms);
  CHECK(s.blocked_out == 20ms);
  CHECK(s.elapsed == 100ms);
}
TEST_CASE("observe() of a stage changes nothing of what it does") {
  stream_stats s;
  CHECK(played(marbles::source("-a-b-|") | observe(s, takes(2ms))) == canonical("---a-(b|)"));
  CHECK(s.busy == 4ms);
  CHECK(s.blocked_in == 1ms);
  CHECK(s.blocked_out == 0ms);
  CHECK(played(marbles::source("-a-#") | observe(s, takes(1ms))) == canonical("--a#"));
  CHECK(s.items == 3);
  CHECK(s.busy == 5ms);
  CHECK(adds_up(s));
}
TEST_CASE("observe() of an eager stage: busy is when its places are full and it holds others up") {
  const auto slow = [](char c) -> task<char> {
    co_await sleep_for(10ms);
    co_return c;
  };
  stream_stats full, starved, held;
  (void)played(marbles::source("(abcdefgh)|") | observe(full, map_concurrent(2, slow)));
  CHECK(full.items == 8);
  CHECK(full.busy == 40ms);
  CHECK(full.blocked_in == 0ms);
  CHECK(full.blocked_out == 0ms);
  (void)played(marbles::source("a---------b---------c|") | observe(starved, buffered(4)));
  CHECK(starved.blocked_in == 21ms);
  CHECK(starved.busy == 0ms);
  (void)played(marbles::source("(abcd)|") | observe(held, buffered(4)), 5ms);
  CHECK(held.blocked_out == 20ms);
  CHECK(held.busy == 0ms);
  for (const auto* s : {&full, &starved, &held}) CHECK(adds_up(*s));
}
TEST_CASE("bytes are those of buffers and texts, alone or in a range, and of nothing else") {
  CHECK(detail::bytes_of(std::string("abc")) == 3);
  CHECK(detail::bytes_of(std::string_view("ab")) == 2);
  CHECK(detail::bytes_of(buffer::copy_of("abcd")) == 4);
  CHECK(detail::bytes_of(std::vector<char>(5)) == 5);
  CHECK(detail::bytes_of(std::vector<std::string>{"abc", "de"}) == 5);
  std::vector<buffer> two;
  two.push_back(buffer::copy_of("abcd"));
  two.push_back(buffer::copy_of("ef"));
  CHECK(detail::bytes_of(two) == 6);
  CHECK(detail::bytes_of(std::vector<int>{1, 2, 3}) == 0);
  CHECK(detail::bytes_of(7) == 0);
}

TEST_CASE("observe() of a stage counts the bytes that it emits") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    const std::vector<std::string> texts{"a", "bcd", ""};
    stream_stats before, stage;
    const auto twice = [](const std::string& s) { return s + s; };
    auto done = co_await (from(texts) | observe(before) | observe(stage, map(twice)) | drain());
    CHECK(done);
    CHECK(before.bytes == 4);
    CHECK(stage.bytes == 8);
  }());
}
TEST_CASE("observe(): a stream that is read on after a stop, an error or an exception") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    stream_stats at, stage;
    channel<int> jobs(4);
    const auto picky = [](int i) -> result<int> {
      if (i == 2) return fail(errc::corrupt, "two");
      if (i == 3) throw std::runtime_error("three");
      return i;
    };
    auto read = receive(jobs) | observe(at) | observe(stage, map(picky));
    auto late = co_await with_timeout(2ms, read.next());
    CHECK(late.error() == errc::timed_out);
    for (int i = 1; i < 5; ++i) CHECK(jobs.try_send(i));
    // There is one: it comes without a wait.
    CHECK(**co_await read.next() == 1);
    CHECK(at.blocked_in == 2ms);
    CHECK(stage.blocked_in == 2ms);
    auto failed = co_await read.next();
    CHECK(failed.error() == errc::corrupt);
    std::string said;
    try {
      (void)co_await read.next();
    } catch (const std::runtime_error& e) {
      said = e.what();
    }
    CHECK(said == "three");
    co_await sleep_for(5ms);
    CHECK(**co_await read.next() == 4);
    CHECK(at.items == 4);
    CHECK(stage.items == 2);
    CHECK(at.blocked_out == 5ms);
    CHECK(stage.blocked_out == 5ms);
    CHECK(adds_up(at));
    CHECK(adds_up(stage));
  }());
}
