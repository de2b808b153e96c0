// tests/stream/group_by_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/group_by.hpp>

#include <penstock/core.hpp>
#include <penstock/stream.hpp>
#include <penstock/test.hpp>
#include <stream/marbles.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::canonical;
using marbles::played;

// [group_by]
struct sale {
  std::string customer;
  int amount;
};
struct invoice {
  std::string customer;
  std::vector<sale> sales;
};
static task<result<std::vector<invoice>>> invoices(std::vector<sale> sales) {
  const auto customer = [](const sale& s) { return s.customer; };
  const auto in_twos = [](const std::string& who, auto items) {
    const auto write = [who](std::vector<sale> some) { return invoice{who, std::move(some)}; };
    return std::move(items) | chunk_within(2, 1s) | map(write);
  };
  co_return co_await (from(std::move(sales)) | group_by(customer, in_twos) | collect());
}
// [/group_by]
TEST_CASE("group_by() makes a stream for each key") {
  test::test_runtime rt;
  auto all = rt.run(invoices({{"a", 1}, {"b", 2}, {"a", 3}, {"b", 4}, {"a", 5}}));
  REQUIRE(all->size() == 3);
  std::map<std::string, int> sums;
  for (const auto& i : *all)
    for (const auto& s : i.sales) {
      CHECK(s.customer == i.customer);
      sums[s.customer] += s.amount;
    }
  CHECK(sums == std::map<std::string, int>{{"a", 9}, {"b", 6}});
}

namespace {
const auto itself = [](char c) { return c; };
// As it comes, with its key.
const auto pairs = [](char key, auto items) {
  return std::move(items) | map([key](char c) { return std::vector<char>{key, c}; });
};
// All of a group at its end.
const auto at_end = [](char, auto items) { return std::move(items) | chunk_within(100, 1h); };
}  // namespace

TEST_CASE("group_by(): items pass at once, and groups end with the stream") {
  const auto parity = [](char c) { return static_cast<char>('0' + c % 2); };
  CHECK(played(marbles::source("-a-b-c-|") | group_by(parity, pairs)) ==
        canonical("-[1a]-[0b]-[1c]-|"));
  CHECK(played(marbles::source("abab--|") | group_by(itself, at_end)) ==
        canonical("------([aa][bb]|)"));
  CHECK(played(marbles::source("ab#") | group_by(itself, at_end)) == canonical("--#"));
  CHECK(played(marbles::source("--|") | group_by(itself, at_end)) == canonical("--|"));
}
TEST_CASE("group_by(): an idle group ends, and a later item begins another one") {
  const group_by_options o{.idle = 3ms};
  CHECK(played(marbles::source("aa-----a-|") | group_by(itself, at_end, o)) ==
        canonical("----[aa]----([a]|)"));
}
TEST_CASE("group_by(): for one group too many the longest idle one ends") {
  const group_by_options o{.max_groups = 2};
  CHECK(played(marbles::source("abac--|") | group_by(itself, at_end, o)) ==
        canonical("---[b]--([aa][c]|)"));
  const group_by_options one{.max_groups = 1};
  CHECK(played(marbles::source("(abab)|") | group_by(itself, at_end, one)) ==
        canonical("([a][b][a])([b]|)"));
}
TEST_CASE("group_by(): a slow group holds the source when it has no room, and nothing is lost") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    std::vector<int> numbers(1000);
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<int>(i);
    const auto key = [](int i) { return i % 7; };
    const auto slow = [](int k, auto items) {
      const auto wait = [k](int i) -> task<int> {
        co_await sleep_for(std::chrono::milliseconds(k));
        co_return i;
      };
      const auto most = [](int i) { return i % 5 != 0; };
      return std::move(items) | map(wait) | filter(most);
    };
    const group_by_options o{.max_groups = 5, .buffered = 2};
    std::map<int, int> last;
    std::size_t seen = 0;
    const auto check = [&](int i) {
      ++seen;
      CHECK((!last.count(key(i)) || last[key(i)] < i));
      last[key(i)] = i;
    };
    auto done = co_await (from(numbers) | group_by(key, slow, o) | for_each(check));
    CHECK(done);
    CHECK(seen == 800);
  }());
}
TEST_CASE("group_by(): a group that wants no more items ends by itself") {
  const auto first = [](char, auto items) { return std::move(items) | take(1); };
  CHECK(played(marbles::source("aabb|") | group_by(itself, first)) == canonical("aabb|"));
}
TEST_CASE("group_by(): a stop leaves nothing, whenever it comes") {
  for (int at = 0; at < 12; ++at) {
    test::test_runtime rt;
    const auto body = [&]() -> task<> {
      const auto limit = std::chrono::microseconds(500 * at);
      auto done = co_await with_timeout(
          limit, marbles::source("abcabc--#") | group_by(itself, at_end) | drain());
      CHECK(!done);
    };
    rt.run(body());
  }
}
TEST_CASE("group_by(): options that cannot work are refused") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    const std::vector<char> items{'a'};
    const group_by_options no_groups{.max_groups = 0}, no_room{.buffered = 0};
    auto a = co_await (from(items) | group_by(itself, at_end, no_groups) | drain());
    CHECK(a.error().message() == "group_by 'max_groups': invalid option");
    auto b = co_await (from(items) | group_by(itself, at_end, no_room) | drain());
    CHECK(b.error().message() == "group_by 'buffered': invalid option");
  }());
}

TEST_CASE("group_by(): a slow consumer holds the groups up, and nothing is lost") {
  CHECK(played(marbles::source("abab|") | group_by(itself, pairs), 2ms) == "[aa]-[bb]-[aa]-[bb]-|");
  const group_by_options one{.buffered = 1};
  CHECK(played(marbles::source("aaaa#") | group_by(itself, pairs, one), 2ms) ==
        "[aa]-[aa]-([aa]#)");
}
