// tests/stream/to_channel_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/to_channel.hpp>

#include <penstock/core.hpp>
#include <penstock/stream.hpp>
#include <penstock/sync.hpp>
#include <penstock/test.hpp>
#include <stream/marbles.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::played;

namespace {
std::vector<int> up_to(int n) {
  std::vector<int> all;
  for (int i = 1; i <= n; ++i) all.push_back(i);
  return all;
}
}  // namespace

// [to_channel]
static task<result<int>> through_a_channel(std::vector<int> numbers) {
  channel<int> c{2};
  const auto add = [](int a, int b) { return a + b; };
  auto [sum, sent] = co_await ok(when_all(receive(c) | fold(0, add),  //
                                          from(std::move(numbers)) | to_channel(c)));
  co_return sum;
}
// [/to_channel]
TEST_CASE("to_channel() sends all, and closes at the end") {
  test::test_runtime rt;
  CHECK(rt.run(through_a_channel({1, 2, 3, 4, 5})).value() == 15);
  rt.run([]() -> task<> {
    channel<int> c{8};
    const to_channel_options open{.keep_open = true};
    auto a = co_await (from(up_to(2)) | to_channel(c, open));
    CHECK(a);
    CHECK(!c.closed());
    auto b = co_await (from(up_to(1)) | to_channel(c));
    CHECK(b);
    CHECK(c.closed());
    CHECK(c.size() == 3);
    unbounded_channel<std::unique_ptr<int>> boxes;
    const auto box = [](int i) { return std::make_unique<int>(i); };
    auto d = co_await (from(up_to(1)) | map(box) | to_channel(boxes));
    CHECK(d);
    CHECK(**boxes.try_receive() == 1);
  }());
}
TEST_CASE("to_channel(): the receivers get the error of the stream, behind what was sent") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    channel<char> c{8};
    auto done = co_await (marbles::source("ab#") | to_channel(c));
    CHECK(done.error() == std::errc::connection_reset);
    CHECK(*co_await c.receive() == 'a');
    CHECK(*co_await c.receive() == 'b');
    const auto end = co_await c.receive();
    CHECK(end.error() == std::errc::connection_reset);
  }());
}
TEST_CASE("to_channel(): a stop and an exception close it as canceled, its end ends the stream") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    channel<int> full{1};
    auto late = co_await with_timeout(1ms, from(up_to(3)) | to_channel(full));
    CHECK(late.error() == errc::timed_out);
    CHECK(full.size() == 1);
    CHECK(*co_await full.receive() == 1);
    const auto end = co_await full.receive();
    CHECK(end.error() == errc::canceled);

    channel<int> c{8};
    const auto throws = [](int i) -> int {
      if (i == 2) throw std::runtime_error("two");
      return i;
    };
    bool thrown = false;
    try {
      (void)co_await (from(up_to(3)) | map(throws) | to_channel(c));
    } catch (const std::runtime_error&) {
      thrown = true;
    }
    CHECK(thrown);
    CHECK(*co_await c.receive() == 1);
    const auto cut = co_await c.receive();
    CHECK(cut.error() == errc::canceled);

    channel<int> closed{8};
    closed.close();
    auto refused = co_await (from(up_to(1)) | to_channel(closed));
    CHECK(refused.error() == errc::closed);
  }());
}

TEST_CASE("to_channel(): the receivers see each item in its frame, then the end or the error") {
  const auto received = [](std::string_view what_comes, duration busy = 0ms) {
    test::test_runtime rt;
    const auto body = [&]() -> task<std::string> {
      channel<char> c{1};
      auto [seen, sent] = co_await when_all_settled(marbles::play(receive(c), busy),
                                                    marbles::source(what_comes) | to_channel(c));
      co_return seen;
    };
    return rt.run(body());
  };
  CHECK(received("-a-b-|") == "-a-b-|");
  CHECK(received("-a-#") == "-a-#");
  CHECK(received("(abcd)|", 2ms) == "a-b-c-d-|");
}

// [tee]
static task<result<std::string>> joined_and_counted(std::vector<std::string> words) {
  const auto join = [](std::string all, std::string word) { return all + word; };
  auto [text, n] = co_await ok(from(std::move(words)) | tee(fold(std::string(), join), count()));
  co_return text + " " + std::to_string(n);
}
// [/tee]
TEST_CASE("tee() gives each item to all sinks") {
  test::test_runtime rt;
  CHECK(rt.run(joined_and_counted({"a", "b", "c"})).value() == "abc 3");
  rt.run([]() -> task<> {
    // The slowest sets the pace, and both see everything.
    std::vector<int> fast, slow;
    const auto quick = [&](int i) { fast.push_back(i); };
    const auto waits = [&](int i) -> task<> {
      co_await sleep_for(2ms);
      CHECK(fast.size() == slow.size() + 1);
      slow.push_back(i);
    };
    const auto other = [](int) { return sleep_for(1ms); };
    channel<int> c{100};
    const auto numbers = up_to(4);
    const auto begin = co_await this_task::now();
    auto all = co_await (from(numbers) | tee(for_each(quick), for_each(waits), for_each(other),
                                             to_channel(c), collect()));
    CHECK(std::get<4>(*all) == numbers);
    CHECK(fast == numbers);
    CHECK(slow == numbers);
    CHECK(c.size() == 4);
    CHECK(c.closed());
    const auto end = co_await this_task::now();
    CHECK(end - begin == 8ms);
  }());
}
TEST_CASE("tee(): the first failure ends all, and each sink aborts") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    channel<int> c{100};
    const auto fails = [](int i) -> task<result<>> {
      co_await sleep_for(1ms);
      if (i == 2) co_return fail(errc::corrupt, "sink");
      co_return {};
    };
    const auto slow = [](int) { return sleep_for(1h); };
    auto done = co_await (from(up_to(3)) | tee(for_each(fails), to_channel(c)));
    CHECK(done.error() == errc::corrupt);
    CHECK(c.size() == 2);
    CHECK(c.closed());
    auto late = co_await with_timeout(1ms, from(up_to(1)) | tee(for_each(slow), count()));
    CHECK(late.error() == errc::timed_out);
  }());
}

TEST_CASE("tee() is over when all sinks are, or with the first error") {
  using marbles::ended;
  const auto sum = [](int so_far, char c) { return so_far + (c - '0'); };
  const auto waits = [](char) { return sleep_for(2ms); };
  const auto fails = [](char c) -> result<> {
    if (c == '2') return fail(errc::corrupt, "use");
    return {};
  };
  const auto both = [&](std::string_view what_comes) {
    return ended([&] { return marbles::source(what_comes) | tee(fold(0, sum), count()); });
  };
  CHECK(both("-1-2-|") == "-----[32]");
  CHECK(both("-1-#") == "---#");
  CHECK(ended([&] { return marbles::source("123|") | tee(for_each(waits), drain()); }) ==
        "------[]");
  CHECK(ended([&] { return marbles::source("1-2-|") | tee(for_each(fails), count()); }) == "--#");
}
