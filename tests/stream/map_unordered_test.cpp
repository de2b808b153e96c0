// tests/stream/map_unordered_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/map_unordered.hpp>

#include <penstock/core.hpp>
#include <penstock/stream.hpp>
#include <penstock/test.hpp>
#include <stream/marbles.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::canonical;
using marbles::played;

namespace {
std::vector<int> up_to(int n) {
  std::vector<int> all(static_cast<std::size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  return all;
}
}  // namespace

// [map_unordered]
static task<char> answer(char question) {
  co_await sleep_for(question == 'a' ? 5ms : 1ms);
  co_return question;
}
static std::string answers(std::string_view questions) {
  return played(marbles::source(questions) | map_unordered(2, answer));
}
// [/map_unordered]
TEST_CASE("map_unordered() emits results as they come") {
  CHECK(answers("abc|") == canonical("--bc-(a|)"));
  CHECK(answers("a#") == canonical("-#"));
  CHECK(answers("---|") == canonical("---|"));
}
PENSTOCK_TEST("map_unordered() works on n items at once, and loses none") {
  int inside = 0, most = 0;
  const auto work = [&](int i) -> task<int> {
    most = std::max(most, ++inside);
    co_await sleep_for(std::chrono::milliseconds(i * 7 % 5));
    --inside;
    co_return i;
  };
  const auto numbers = up_to(100);
  auto all = co_await (from(numbers) | map_unordered(3, work) | collect());
  CHECK(most == 3);
  std::sort(all->begin(), all->end());
  CHECK(*all == numbers);
}

// [for_each_concurrent]
static task<result<>> deliver_all(const std::vector<int>& letters, std::vector<int>& delivered) {
  const auto deliver = [&](int letter) -> task<result<>> {
    co_await sleep_for(10ms);
    delivered.push_back(letter);
    co_return {};
  };
  co_return co_await (from(letters) | for_each_concurrent(5, deliver));
}
// [/for_each_concurrent]
TEST_CASE("for_each_concurrent() runs n calls at once, and ends when all have") {
  test::test_runtime rt;
  std::vector<int> delivered;
  const auto letters = up_to(20);
  const auto begin = rt.now();
  CHECK(rt.run(deliver_all(letters, delivered)));
  CHECK(rt.now() - begin == 40ms);
  CHECK(delivered == letters);
}
TEST_CASE("for_each_concurrent(): the first error stops the other calls") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    const auto numbers = up_to(20);
    int ended = 0;
    const auto work = [&](int i) -> task<result<>> {
      co_await sleep_for(i == 2 ? 1ms : 10ms);
      if (i == 2) co_return fail(errc::corrupt, "work");
      ++ended;
      co_return {};
    };
    auto done = co_await (from(numbers) | for_each_concurrent(4, work));
    CHECK(done.error() == errc::corrupt);
    CHECK(ended == 0);
    auto none = co_await (from(numbers) | for_each_concurrent(0, work));
    CHECK(none.error().message() == "for_each_concurrent 'concurrency 0': invalid option");
  }());
}

TEST_CASE("for_each_concurrent() calls as items come, n at once, and is over when all calls are") {
  const auto called = [](std::string_view what_comes) {
    test::test_runtime rt;
    const auto body = [&]() -> task<std::string> {
      marbles::record seen;
      const auto call = [&](char c) -> task<result<>> {
        seen.note(co_await this_task::now(), marbles::shown(c));
        co_await sleep_for(3ms);
        if (c == '!') co_return fail(errc::corrupt, "call");
        co_return {};
      };
      auto done = co_await (marbles::source(what_comes) | for_each_concurrent(2, call));
      const auto end = co_await this_task::now();
      seen.note(end, done ? "|" : "#");
      co_return seen.text();
    };
    return rt.run(body());
  };
  CHECK(called("-a-b-|") == "-a-b--|");
  CHECK(called("abc|") == "ab-c--|");
  CHECK(called("a-#") == "a-#");
  CHECK(called("!b--c|") == "!b-#");
}

// [map_partitioned]
struct movement {
  std::string account;
  int number;
};
static task<result<std::vector<int>>> book_all(std::vector<movement> movements) {
  const auto account = [](const movement& m) { return m.account; };
  const auto book = [](movement m) -> task<int> {
    co_await sleep_for(m.account == "slow" ? 10ms : 1ms);
    co_return m.number;
  };
  // Four at once, but those of an account one after the other.
  co_return co_await (from(std::move(movements)) | map_partitioned(4, account, book) | collect());
}
// [/map_partitioned]
TEST_CASE("map_partitioned(): one key does not wait for another") {
  test::test_runtime rt;
  std::vector<movement> all{{"slow", 0}, {"a", 1}, {"a", 2}, {"b", 3}, {"b", 4}};
  CHECK(rt.run(book_all(std::move(all))).value() == std::vector{1, 3, 2, 4, 0});
}
PENSTOCK_TEST("map_partitioned(): the order of each key is kept, and its limit") {
  // ST4.
  for (const std::size_t per_key : {std::size_t{1}, std::size_t{2}}) {
    std::map<int, int> inside, last;
    std::size_t most = 0, most_of_key = 0, total = 0;
    const auto key = [](int i) { return i * i % 7; };
    const auto work = [&](int i) -> task<std::pair<int, int>> {
      const auto of_key = static_cast<std::size_t>(++inside[key(i)]);
      most_of_key = std::max(most_of_key, of_key);
      most = std::max(most, ++total);
      co_await sleep_for(std::chrono::milliseconds(i * 13 % 11));
      --inside[key(i)];
      --total;
      co_return std::pair(key(i), i);
    };
    const partition_options o{.per_key = per_key};
    const auto numbers = up_to(300);
    std::size_t seen = 0;
    const auto check = [&](std::pair<int, int> done) {
      ++seen;
      const auto at = last.find(done.first);
      CHECK((at == last.end() || at->second < done.second));
      last[done.first] = done.second;
    };
    auto ended = co_await (from(numbers) | map_partitioned(8, key, work, o) | for_each(check));
    CHECK(ended);
    CHECK(seen == 300);
    CHECK(most <= 8);
    CHECK(most > 1);
    CHECK(most_of_key == per_key);
  }
}
TEST_CASE("map_partitioned() with a function that does not wait, and with keys that come and go") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    const auto numbers = up_to(5000);
    const auto key = [](int i) { return std::to_string(i / 3); };
    const auto twice = [](int i) { return 2 * i; };
    auto sum = co_await (from(numbers) | map_partitioned(16, key, twice) |
                         fold(0, [](int a, int b) { return a + b; }));
    CHECK(*sum == 5000 * 4999);
    const partition_options none{.per_key = 0};
    auto refused = co_await (from(numbers) | map_partitioned(16, key, twice, none) | drain());
    CHECK(refused.error().message() == "map_partitioned '0 of a key': invalid option");
  }());
}

// [offload_map]
static task<result<int>> sum_of_squares(const std::vector<int>& numbers) {
  const auto square = [](int i) { return i * i; };  // on the cpu pool
  const auto add = [](int a, int b) { return a + b; };
  co_return co_await (from(numbers) | offload_map(4, square) | fold(0, add));
}
// [/offload_map]
TEST_CASE("offload_map() computes on the cpu pool, in order") {
  test::test_runtime rt;
  CHECK(rt.run(sum_of_squares({1, 2, 3})).value() == 14);
}

TEST_CASE("map_unordered(): what is done comes first; n are in work or wait to be taken") {
  CHECK(answers("-a-b-c-|") == "----b-(ac)|");
  const auto one_fails = [](char c) -> task<result<char>> {
    co_await sleep_for(c == 'a' ? 5ms : 1ms);
    if (c == '!') co_return fail(errc::corrupt, "answer");
    co_return c;
  };
  const auto taken = [&](std::string_view questions, duration busy) {
    return played(marbles::source(questions) | map_unordered(2, one_fails), busy);
  };
  CHECK(taken("-a-!-b-|", 0ms) == "----#");
  CHECK(taken("abcd|", 3ms) == "--b--c--a--d--|");
}
TEST_CASE("map_partitioned(): items of one key wait for each other, those of others do not") {
  // The key is the letter, small or large; a is slow.
  const auto letter = [](char c) { return static_cast<char>(c | 32); };
  const auto work = [](char c) -> task<result<char>> {
    co_await sleep_for(c == 'a' ? 5ms : 1ms);
    if (c == '!') co_return fail(errc::corrupt, "work");
    co_return c;
  };
  const auto worked = [&](std::string_view what_comes, std::size_t n, duration busy = 0ms) {
    return played(marbles::source(what_comes) | map_partitioned(n, letter, work), busy);
  };
  CHECK(worked("-aAb-|", 4) == "----b-a(A|)");
  CHECK(worked("-aAb-|", 2) == "------a(Ab|)");
  CHECK(worked("-b-#", 4) == "--b#");
  CHECK(worked("-a!-b|", 4) == "---#");
  CHECK(worked("--|", 4) == "--|");
  CHECK(worked("bcd|", 4, 3ms) == "-b--c--d--|");
}
TEST_CASE("offload_map() on the clock") {
  const auto upper = [](char c) -> result<char> {
    if (c == '!') return fail(errc::corrupt, "letter");
    return static_cast<char>(c - 32);
  };
  const auto computed = [&](std::string_view what_comes, duration busy = 0ms) {
    return played(marbles::source(what_comes) | offload_map(2, upper), busy);
  };
  CHECK(computed("-a-b-|") == "-A-B-|");
  CHECK(computed("-a-!-b|") == "-A-#");
  CHECK(computed("-a-#") == "-A-#");
  CHECK(computed("abc|", 2ms) == "A-B-C-|");
}
