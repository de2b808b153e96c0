// tests/stream/merge_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/merge.hpp>

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
using marbles::source;

// [merge]
static std::string as_they_come(std::string_view one, std::string_view two, duration busy = 0ms) {
  return played(merge(source(one), source(two)), busy);
}
// [/merge]
TEST_CASE("merge() emits the items of all streams as they come") {
  CHECK(as_they_come("-a---b--|", "--1-2--3-|") == canonical("-a1-2b-3-|"));
  CHECK(as_they_come("-a|", "--1|") == canonical("-a1|"));
  CHECK(as_they_come("|", "|") == canonical("|"));
  CHECK(as_they_come("-a---", "---#") == canonical("-a-#"));
}
TEST_CASE("merge(): no stream starves another, and one item of each waits") {
  CHECK(as_they_come("(abcd)|", "(1234)|") == canonical("(a1b2c3d4)|"));
  CHECK(as_they_come("abcd|", "1234|", 2ms) == canonical("a-1-b-2-c-3-d-4-|"));
  test::test_runtime rt;
  rt.run([]() -> task<> {
    const std::vector<int> many(1000, 1), few(3, 2), others(3, 3);
    std::vector<int> seen;
    const auto note = [&](int x) { seen.push_back(x); };
    auto done = co_await (merge(from(many), from(few), from(others)) | for_each(note));
    CHECK(done);
    CHECK(seen.size() == 1006);
    CHECK(std::vector(seen.begin(), seen.begin() + 9) == std::vector{1, 2, 3, 1, 2, 3, 1, 2, 3});
  }());
}

// [zip]
static std::string in_pairs(std::string_view one, std::string_view two) {
  return played(zip(source(one), source(two)));
}
// [/zip]
TEST_CASE("zip() emits one item of each stream together") {
  CHECK(in_pairs("-a--b-c-|", "--1-2-|") == canonical("--[a1]-[b2]-|"));
  CHECK(in_pairs("-a-|", "-------1|") == canonical("-------([a1]|)"));
  CHECK(in_pairs("|", "-1-2-3-|") == canonical("|"));
  CHECK(in_pairs("-a-b-", "--#") == canonical("--#"));
}
TEST_CASE("zip() takes streams of different types, and of items that are only moved") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    const std::vector<int> numbers{1, 2, 3};
    const std::vector<std::string> texts{"a", "b"};
    auto box = [](int x) { return std::make_unique<int>(x); };
    auto pairs = co_await (zip(from(numbers) | map(box), from(texts)) | collect());
    REQUIRE(pairs->size() == 2);
    CHECK(*std::get<0>(pairs->at(1)) == 2);
    CHECK(std::get<1>(pairs->at(1)) == "b");
  }());
}

// [combine_latest]
static std::string newest_of_both(std::string_view one, std::string_view two) {
  return played(combine_latest(source(one), source(two)));
}
// [/combine_latest]
TEST_CASE("combine_latest() emits the newest items, again with each new one") {
  CHECK(newest_of_both("-a--b-----|", "--1----2-|") == canonical("--[a1]-[b1]--[b2]--|"));
  CHECK(newest_of_both("-a|", "------1-2-|") == canonical("------[a1]-[a2]-|"));
  CHECK(newest_of_both("-ab-c--d|", "------1-2|") == canonical("------[c1][d1][d2]|"));
  CHECK(newest_of_both("-ab#", "------1") == canonical("---#"));
  CHECK(newest_of_both("-|", "------1-2-|") == canonical("-|"));
  CHECK(newest_of_both("-a-#", "--1--2") == canonical("--[a1]#"));
}

TEST_CASE("a stop of what is merged stops all, and nothing is left") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    auto all = merge(source("a-----"), source("1------"), source("x-----|"));
    auto late = co_await with_timeout(4ms, std::move(all) | drain());
    CHECK(late.error() == errc::timed_out);
  }());
}

TEST_CASE("zip() and combine_latest(): what a slow consumer gets") {
  CHECK(played(zip(source("abc|"), source("123|")), 2ms) == "[a1]-[b2]-[c3]-|");
  CHECK(played(combine_latest(source("a-------|"), source("123456--|")), 3ms) ==
        "[a1]--[a2]--[a3]--[a4]--[a5]--[a6]--|");
}
