// tests/stream/chunk_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/chunk.hpp>

#include <penstock/stream.hpp>
#include <stream/marbles.hpp>

#include <support/penstock_test.hpp>
#include <support/slowly.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <ranges>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::played;

namespace {
using chunks = std::vector<std::vector<int>>;
const std::vector<int> numbers{1, 2, 3, 4, 5};
}  // namespace

PENSTOCK_TEST("chunk() gives vectors of n items, the last one shorter, driven or pulled") {
  const chunks expected{{1, 2}, {3, 4}, {5}};
  // [chunk]
  auto driven = co_await (from(numbers) | chunk(2) | collect());
  // [/chunk]
  CHECK(driven.value() == expected);
  auto pulled = co_await (from(numbers) | support::slowly() | chunk(2) | collect());
  CHECK(pulled.value() == expected);
  auto behind = co_await (from(numbers) | chunk(2) | support::slowly() | collect());
  CHECK(behind.value() == expected);
  auto even = co_await (from(numbers) | take(4) | chunk(2) | collect());
  CHECK(even.value() == chunks{{1, 2}, {3, 4}});
  auto one = co_await (from(numbers) | chunk(99) | collect());
  CHECK(one.value() == chunks{numbers});
  auto singles = co_await (from(numbers) | chunk(1) | count());
  CHECK(singles.value() == 5);
}

PENSTOCK_TEST("chunk() never gives an empty vector, and refuses a size of 0") {
  auto none = co_await (from(std::vector<int>()) | chunk(2) | collect());
  CHECK(none.value().empty());
  auto driven = co_await (from(numbers) | chunk(0) | collect());
  CHECK(driven.error().message() == "chunk 'of 0 items': invalid option");
  auto pulled = co_await (from(numbers) | support::slowly() | chunk(0) | collect());
  CHECK(pulled.error() == errc::invalid_option);
}

PENSTOCK_TEST("chunk() of move-only items is read by next(), and ends once") {
  auto box = [](int x) { return std::make_unique<int>(x); };
  auto pairs = from(numbers) | map(box) | chunk(3);
  auto first = co_await pairs.next();
  CHECK(first.value()->size() == 3);
  auto rest = co_await pairs.next();
  CHECK(rest.value()->size() == 2);
  for (int i = 0; i < 2; ++i) {
    auto end = co_await pairs.next();
    CHECK(!end.value());
  }
}

PENSTOCK_TEST("chunk() behind or before take() asks for no more than it needs") {
  int asked = 0;
  auto see = [&](int) { ++asked; };
  auto endless = from(std::views::iota(0)) | tap(see) | chunk(3);
  auto two = co_await (endless | take(2) | collect());
  CHECK(two.value() == chunks{{0, 1, 2}, {3, 4, 5}});
  CHECK(asked == 6);
  auto more = co_await endless.next();
  CHECK(more.value() == std::vector<int>{6, 7, 8});
  auto nested = co_await (from(numbers) | chunk(2) | chunk(2) | collect());
  CHECK(nested.value().size() == 2);
  CHECK(nested.value().at(1).size() == 1);
}

PENSTOCK_TEST("chunk() drops what it has when the stream fails") {
  auto picky = [](int x) -> result<int> {
    if (x == 4) return fail(errc::corrupt);
    return x;
  };
  int seen = 0;
  auto see = [&](const std::vector<int>&) { ++seen; };
  auto failed = co_await (from(numbers) | map(picky) | chunk(2) | for_each(see));
  CHECK(failed.error() == errc::corrupt);
  CHECK(seen == 1);
}

PENSTOCK_TEST("all items arrive when a driven chunk() gives way in between") {
  std::size_t items = 0;
  int next = 0;
  auto add = [&](const std::vector<int>& some) {
    items += some.size();
    for (int x : some) CHECK(x == next++);
  };
  auto done = co_await (from(std::views::iota(0, 5000)) | chunk(1) | for_each(add));
  CHECK(done);
  CHECK(items == 5000);
  next = 0;
  auto again = co_await (from(std::views::iota(0, 5000)) | take(4321) | chunk(7) | for_each(add));
  CHECK(again);
  CHECK(next == 4321);
}

PENSTOCK_TEST("window() gives each n neighbours, driven or pulled") {
  const chunks expected{{1, 2, 3}, {2, 3, 4}, {3, 4, 5}};
  // [window]
  auto driven = co_await (from(numbers) | window(3) | collect());
  // [/window]
  CHECK(driven.value() == expected);
  auto pulled = co_await (from(numbers) | support::slowly() | window(3) | collect());
  CHECK(pulled.value() == expected);
  auto by_two = co_await (from(numbers) | window(3, 2) | collect());
  CHECK(by_two.value() == chunks{{1, 2, 3}, {3, 4, 5}});
  auto apart = co_await (from(numbers) | window(2, 3) | collect());
  CHECK(apart.value() == chunks{{1, 2}, {4, 5}});
  auto next_to = co_await (from(numbers) | window(2, 2) | collect());
  CHECK(next_to.value() == chunks{{1, 2}, {3, 4}});
  auto short_of = co_await (from(numbers) | window(6) | collect());
  CHECK(short_of.value().empty());
}

PENSTOCK_TEST("window() refuses a size and a step of 0") {
  auto no_size = co_await (from(numbers) | window(0) | collect());
  CHECK(no_size.error().message() == "window 'of 0 items': invalid option");
  auto no_step = co_await (from(numbers) | window(2, 0) | collect());
  CHECK(no_step.error().message() == "window 'a step of 0 items': invalid option");
}

TEST_CASE("chunk() emits in the frame of the last item of a chunk, and what is left at the end") {
  const auto pairs = [](std::string_view what_comes, duration busy = 0ms) {
    return played(marbles::source(what_comes) | chunk(2), busy);
  };
  CHECK(pairs("-1-2-3-|") == "---[12]---([3]|)");
  CHECK(pairs("-1-2-|") == "---[12]-|");
  CHECK(pairs("-1-2-3#") == "---[12]--#");
  CHECK(pairs("--|") == "--|");
  CHECK(pairs("12345|", 3ms) == "-[12]--[34]--[5]--|");
}
TEST_CASE("window() emits in the frame of the last item of a window, and no shorter one") {
  const auto threes = [](std::string_view what_comes, std::size_t step = 1, duration busy = 0ms) {
    return played(marbles::source(what_comes) | window(3, step), busy);
  };
  CHECK(threes("-1-2-3-4-|") == "-----[123]-[234]-|");
  CHECK(threes("123456|", 2) == "--[123]-[345]-|");
  CHECK(threes("-1-2-|") == "-----|");
  CHECK(threes("123-#") == "--[123]-#");
  CHECK(threes("12345|", 1, 2ms) == "--[123]-[234]-[345]-|");
}
