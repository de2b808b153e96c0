// tests/stream/from_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/from.hpp>

#include <penstock/stream.hpp>
#include <penstock/test/lifetime_tracked.hpp>
#include <penstock/test/test_runtime.hpp>

#include <stream/marbles.hpp>

#include <doctest/doctest.h>

#include <array>
#include <list>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::played;

TEST_CASE("from() yields the elements of any range, in order") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    std::list<std::string> texts{"a", "b"};
    auto copied = co_await (from(texts) | collect());
    CHECK(copied.value() == std::vector<std::string>{"a", "b"});
    CHECK(texts.front() == "a");

    const int plain[] = {3, 1, 2};
    auto numbers = co_await (from(plain) | collect());
    CHECK(numbers.value() == std::vector<int>{3, 1, 2});

    auto counted = co_await (from(std::views::iota(1, 4)) | collect());
    CHECK(counted.value() == std::vector<int>{1, 2, 3});

    auto none = co_await (from(std::vector<int>()) | collect());
    CHECK(none.value().empty());
  }());
}

TEST_CASE("from() of an rvalue owns it and moves its elements, also out of an array") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    std::array<std::unique_ptr<int>, 2> owned{std::make_unique<int>(1), std::make_unique<int>(2)};
    auto source = from(std::move(owned));
    auto moved = std::move(source);  // before it is read
    auto got = co_await (std::move(moved) | collect());
    CHECK(*got.value().at(0) == 1);
    CHECK(*got.value().at(1) == 2);

    test::lifetime_log log;
    {
      std::vector<test::lifetime_tracked> items;
      items.reserve(3);
      for (int i = 0; i < 3; ++i) items.emplace_back(log, i);
      auto all = co_await (from(std::move(items)) | collect());
      CHECK(all.value().size() == 3);
      CHECK(log.copies() == 0);
    }
    CHECK(log.clean());
  }());
}

// [from]
static task<result<std::size_t>> letters_in(const std::vector<std::string>& texts) {
  const auto add = [](std::size_t n, const std::string& s) { return n + s.size(); };
  co_return co_await (from(texts) | fold(std::size_t{0}, add));
}
// [/from]
TEST_CASE("from() is all there at once; a slow consumer sets the pace") {
  test::test_runtime rt;
  CHECK(rt.run(letters_in({"a", "bcd"})).value() == 4);
  CHECK(played(from(std::string("abc"))) == "(abc|)");
  CHECK(played(from(std::string("abc")), 2ms) == "a-b-c-|");
  CHECK(played(from(std::string())) == "|");
}
TEST_CASE("from(): what an iterator throws passes through, behind what came before") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    const auto sound = [](int i) {
      if (i == 2) throw std::runtime_error("element 2");
      return i;
    };
    int seen = 0;
    const auto see = [&](int) { ++seen; };
    std::string said;
    try {
      (void)co_await (from(std::views::iota(0, 4) | std::views::transform(sound)) | for_each(see));
    } catch (const std::runtime_error& e) {
      said = e.what();
    }
    CHECK(said == "element 2");
    CHECK(seen == 2);
  }());
}
