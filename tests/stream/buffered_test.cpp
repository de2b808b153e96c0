// tests/stream/buffered_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/buffered.hpp>

#include <penstock/core.hpp>
#include <penstock/stream.hpp>
#include <penstock/test.hpp>
#include <stream/marbles.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::canonical;
using marbles::played;

namespace {
// A consumer takes 1 when it comes, is busy with it for 9 frames, and then takes what is there.
std::string busy_consumer(std::string_view what_comes, overflow what) {
  return played(marbles::source(what_comes) | buffered(3, what), 9ms);
}
}  // namespace

TEST_CASE("an item for which there is no room: what goes is chosen") {
  // ST8: 1 to 5 come while the consumer is busy, and three are kept.
  CHECK(busy_consumer("x12345---|", overflow::drop_oldest) ==
        "x--------3--------4--------5--------|");
  CHECK(busy_consumer("x12345---|", overflow::drop_newest) ==
        "x--------1--------2--------5--------|");
  CHECK(busy_consumer("x12345---|", overflow::drop_new) == "x--------1--------2--------3--------|");
  CHECK(busy_consumer("x12345---|", overflow::drop_all) == "x--------4--------5--------|");
  CHECK(busy_consumer("x12345---|", overflow::fail) == "x---#");
  CHECK(busy_consumer("x12345---|", overflow::backpressure) ==
        "x--------1--------2--------3--------4--------5--------|");
}

TEST_CASE("a buffer works ahead, and no further than it has room") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    int asked = 0;
    const auto ask = [&](int) { ++asked; };
    std::vector<int> numbers(100);
    bool first = true;
    const auto look = [&](int) -> task<> {
      if (!std::exchange(first, false)) co_return;
      co_await sleep_for(1s);
      CHECK(asked == 5);  // one is taken, four wait
    };
    auto done = co_await (from(numbers) | tap(ask) | buffered(4) | for_each(look));
    CHECK(done);
    CHECK(asked == 100);
  }());
}

// [buffered]
static task<result<std::size_t>> read_ahead(const std::vector<int>& pages) {
  const auto fetch = [](int page) -> task<int> {
    co_await sleep_for(10ms);
    co_return page;
  };
  const auto render = [](int) { return sleep_for(10ms); };
  std::size_t rendered = 0;
  const auto see = [&](int) { ++rendered; };
  // Fetches the next four while one is rendered.
  co_await ok(from(pages) | map(fetch) | buffered(4) | tap(render) | for_each(see));
  co_return rendered;
}
// [/buffered]
TEST_CASE("work on both sides of a buffer is done at the same time") {
  test::test_runtime rt;
  const std::vector<int> pages(10);
  const auto begin = rt.now();
  CHECK(rt.run(read_ahead(pages)).value() == 10);
  CHECK(rt.now() - begin == 110ms);
}

TEST_CASE("what waits in a buffer is dropped when the stream fails") {
  CHECK(played(marbles::source("x123#") | buffered(8), 9ms) == canonical("x---#"));
  CHECK(played(marbles::source("--|") | buffered(8)) == canonical("--|"));
  CHECK(played(marbles::source("--#") | buffered(8)) == canonical("--#"));
}

TEST_CASE("move-only items wait in a buffer") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    const std::vector<int> numbers{1, 2, 3};
    auto box = [](int x) { return std::make_unique<int>(x); };
    auto all = co_await (from(numbers) | map(box) | buffered(2) | collect());
    REQUIRE(all->size() == 3);
    CHECK(*all->at(2) == 3);
  }());
}

TEST_CASE("a buffer of nothing is refused") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    const std::vector<int> numbers{1};
    auto none = co_await (from(numbers) | buffered(0) | collect());
    CHECK(none.error().message() == "buffered 'capacity 0': invalid option");
  }());
}

// [bytes]
static task<result<std::size_t>> sizes(std::vector<std::string> texts, std::size_t& most) {
  std::size_t ahead = 0;
  const auto came = [&](const std::string& s) {
    ahead += s.size();
    most = ahead > most ? ahead : most;
  };
  const auto gone = [&](const std::string& s) -> task<> {
    co_await sleep_for(1ms);
    ahead -= s.size();
  };
  co_return co_await (from(std::move(texts)) | tap(came) | buffered_bytes(10) | tap(gone) |
                      count());
}
// [/bytes]
TEST_CASE("a buffer of bytes holds its limit, and one item more") {
  test::test_runtime rt;
  std::size_t most = 0;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < 40; ++i) texts.emplace_back(i % 7, 'x');
  texts.emplace_back(25, 'y');
  CHECK(rt.run(sizes(texts, most)).value() == texts.size());
  CHECK(most >= 10);
  CHECK(most <= 10 + 25 + 6 + 6);
}
TEST_CASE("a buffer of bytes drops as many items as it must") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    const std::vector<std::string> texts{"first", "aa", "bb", "cc", "dddd", "eeeeeeeeeeee"};
    for (const auto what : {overflow::drop_oldest, overflow::drop_new}) {
      std::vector<std::string> seen;
      const auto slow = [&](std::string s) -> task<> {
        co_await sleep_for(1ms);
        seen.push_back(std::move(s));
      };
      const auto later = [](const std::string& s) -> task<> {
        if (s == "aa") co_await yield();
      };
      auto done = co_await (from(texts) | tap(later) | buffered_bytes(6, what) | for_each(slow));
      CHECK(done);
      if (what == overflow::drop_oldest)
        CHECK(seen == std::vector<std::string>{"first", "eeeeeeeeeeee"});
      else
        CHECK(seen == std::vector<std::string>{"first", "aa", "bb", "cc"});
    }
    co_return;
  }());
}

// [conflate]
static std::string newest(std::string_view what_comes) {
  return played(marbles::source(what_comes) | conflate(), 5ms);
}
// [/conflate]
TEST_CASE("conflate() keeps the newest, or what a function makes of all") {
  CHECK(newest("x-123---45-|") == canonical("x----3----5----|"));
  CHECK(newest("-|") == canonical("-|"));
  CHECK(newest("x-12#") == canonical("x---#"));
  const auto larger = [](char a, char b) { return a < b ? b : a; };
  CHECK(played(marbles::source("x-132---45-|") | conflate(larger), 5ms) ==
        canonical("x----3----5----|"));
}

TEST_CASE("a source that never waits and a stage that never refuses let others run") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    std::vector<int> numbers(10'000);
    int turns = 0;
    bool over = false;
    const auto other = [&]() -> task<> {
      while (!over) {
        ++turns;
        co_await yield();
      }
    };
    const auto run = [&]() -> task<> {
      auto done = co_await (from(numbers) | conflate() | for_each([](int) {}));
      CHECK(done);
      over = true;
    };
    co_await when_all(run(), other());
    CHECK(turns >= 9);
  }());
}

TEST_CASE("a buffer of bytes on the clock: what there is no room for is not asked for, or goes") {
  const auto two_bytes = [](char c) { return std::vector<char>(2, c); };
  const auto bytes = [&](std::string_view what_comes, overflow what, duration busy = 9ms) {
    return played(marbles::source(what_comes) | map(two_bytes) | buffered_bytes(4, what), busy);
  };
  CHECK(bytes("x123-|", overflow::drop_oldest) == "[xx]--------[22]--------[33]--------|");
  CHECK(bytes("x123-|", overflow::drop_new) == "[xx]--------[11]--------[22]--------|");
  CHECK(bytes("x123-|", overflow::fail) == "[xx]--#");
  CHECK(bytes("-a-#", overflow::backpressure) == "-[aa]-#");
  CHECK(bytes("-a-b-|", overflow::backpressure, 0ms) == "-[aa]-[bb]-|");
}
