// tests/stream/any_stream_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/any_stream.hpp>

#include <penstock/core.hpp>
#include <penstock/stream.hpp>
#include <penstock/test.hpp>
#include <stream/marbles.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::played;

// [any_stream]
struct catalogue {
  virtual ~catalogue() = default;
  virtual any_stream<int> prices(std::string of) = 0;
};
struct fixed_catalogue final : catalogue {
  any_stream<int> prices(std::string of) override {
    const auto with_tax = [](int net) { return net * 119 / 100; };
    std::vector<int> net{100, 200};
    if (of == "books") return from(std::move(net));
    return from(std::move(net)) | map(with_tax);
  }
};
static task<result<int>> total(catalogue& c, std::string of) {
  int sum = 0;
  auto prices = c.prices(std::move(of));
  while (auto price = co_await ok(prices.next())) sum += *price;
  co_return sum;
}
// [/any_stream]
TEST_CASE("an any_stream is any stream of its items") {
  test::test_runtime rt;
  fixed_catalogue c;
  CHECK(rt.run(total(c, "books")).value() == 300);
  CHECK(rt.run(total(c, "toys")).value() == 357);
  CHECK(played(any_stream<char>(marbles::source("-a-b#")) |
               map_concurrent(2, [](char x) { return x; })) == "-a-b#");
  rt.run([]() -> task<> {
    auto both = merge(any_stream<int>(from(std::vector{1})), any_stream<int>(from(std::vector{2})));
    auto all = co_await (std::move(both) | collect());
    CHECK(all->size() == 2);
  }());
}

// [paged]
static task<result<page<int, std::string>>> list(const std::string& cursor) {
  co_await sleep_for(10ms);
  if (cursor.empty()) co_return page<int, std::string>{{1, 2}, "second"};
  if (cursor == "second") co_return page<int, std::string>{{}, "third"};
  co_return page<int, std::string>{{3}, std::nullopt};
}
static task<result<std::vector<int>>> list_all() {
  const auto fetch = [](const std::string& cursor) { return list(cursor); };
  co_return co_await (paged(fetch, std::string()) | collect());
}
// [/paged]
TEST_CASE("paged() emits the items of all pages") {
  test::test_runtime rt;
  CHECK(rt.run(list_all()).value() == std::vector{1, 2, 3});
  CHECK(rt.now() == time_point(30ms));
}
TEST_CASE("paged() is one page ahead, and no more") {
  const auto fetch = [](int number) -> task<page<char, int>> {
    co_await sleep_for(2ms);
    const auto name = static_cast<char>('a' + number);
    co_return page<char, int>{{name, name}, number < 3 ? std::optional(number + 1) : std::nullopt};
  };
  CHECK(played(paged(fetch, 0), 1ms) == "--aabbccdd|");
  CHECK(played(paged(fetch, 0)) == "--(aa)-(bb)-(cc)-(dd|)");
  const auto fails = [](int number) -> task<result<page<char, int>>> {
    co_await sleep_for(2ms);
    if (number == 1) co_return fail(errc::corrupt, "page");
    co_return page<char, int>{{'a', 'b', 'c', 'd'}, 1};
  };
  CHECK(played(paged(fails, 0), 1ms) == "--ab#");
}

TEST_CASE("an any_stream passes on what its stream does, when it does") {
  const auto erased = [](std::string_view what_comes, duration busy = 0ms) {
    return played(any_stream<char>(marbles::source(what_comes)), busy);
  };
  CHECK(erased("-a-b-|") == "-a-b-|");
  CHECK(erased("-a-#") == "-a-#");
  CHECK(erased("abc|", 2ms) == "a-b-c-|");
}
