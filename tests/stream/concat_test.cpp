// tests/stream/concat_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/concat.hpp>

#include <penstock/core/sleep.hpp>
#include <penstock/core/with_timeout.hpp>
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
const std::vector<int> low{1, 2};
const std::vector<int> high{8, 9};
const std::vector<int> all{1, 2, 8, 9};
}  // namespace

PENSTOCK_TEST("concat() gives the items of one stream after the other, driven or pulled") {
  // [concat]
  auto driven = co_await (concat(from(low), from(high)) | collect());
  // [/concat]
  CHECK(driven.value() == all);
  auto pulled = co_await (concat(from(low) | support::slowly(), from(high)) | collect());
  CHECK(pulled.value() == all);
  auto behind = co_await (concat(from(low), from(high)) | support::slowly() | collect());
  CHECK(behind.value() == all);
  auto gaps = co_await (concat(empty<int>(), from(low), empty<int>(), from(high), empty<int>()) |
                        collect());
  CHECK(gaps.value() == all);
  auto one = co_await (concat(from(low)) | collect());
  CHECK(one.value() == low);
}

PENSTOCK_TEST("concat() asks no stream before its turn") {
  int asked = 0;
  auto see = [&](int) { ++asked; };
  auto both = concat(from(low), from(high) | tap(see));
  auto two = co_await (both | take(2) | collect());
  CHECK(two.value() == low);
  CHECK(asked == 0);
  auto three = co_await both.next();
  CHECK(three.value() == 8);
  CHECK(asked == 1);

  // take() ends its stream with the item that is one too many for the take() behind.
  auto cut = concat(from(low) | take(2), from(high) | tap(see));
  auto again = co_await (cut | take(2) | collect());
  CHECK(again.value() == low);
  CHECK(asked == 1);
  auto rest = co_await (cut | collect());
  CHECK(rest.value() == high);
}

PENSTOCK_TEST("a stream of concat() that fails is the end of it; those behind are not asked") {
  int asked = 0;
  auto see = [&](int) { ++asked; };
  auto failed = co_await (concat(from(low), fail_with<int>(errc::corrupt), from(high) | tap(see)) |
                          collect());
  CHECK(failed.error() == errc::corrupt);
  CHECK(asked == 0);
}

PENSTOCK_TEST(
    "concat() reads lvalues where they are, hands move-only items on, and can be stopped") {
  auto source = from(std::views::iota(0, 3));
  auto first = co_await source.next();
  CHECK(first.value() == 0);
  auto joined = co_await (concat(source, from(high)) | collect());
  CHECK(joined.value() == std::vector<int>{1, 2, 8, 9});

  auto box = [](int x) { return std::make_unique<int>(x); };
  auto boxes = concat(from(low) | map(box), from(high) | map(box)) | skip(3);
  auto nine = co_await boxes.next();
  CHECK(**nine.value() == 9);

  auto late = co_await with_timeout(1ms, concat(from(low), never<int>()) | count());
  CHECK(late.error() == errc::timed_out);
}

PENSTOCK_TEST("eager stages and the clock work in concat() when their turn comes") {
  auto twice = [](int x) -> task<int> {
    co_await sleep_for(1ms);
    co_return 2 * x;
  };
  auto mixed = co_await (concat(from(low) | map_concurrent(2, twice), from(high)) | collect());
  CHECK(mixed.value() == std::vector<int>{2, 4, 8, 9});
  auto later = co_await (concat(from(low), from(high) | map_concurrent(2, twice)) | collect());
  CHECK(later.value() == std::vector<int>{1, 2, 16, 18});
}

TEST_CASE("concat() begins a stream when the one before has ended") {
  const auto in_turn = [](std::string_view one, std::string_view two, duration busy = 0ms) {
    return played(concat(marbles::source(one), marbles::source(two)), busy);
  };
  CHECK(in_turn("-1-2|", "-3|") == "-1-2-3|");
  CHECK(in_turn("-1-#", "-3|") == "-1-#");
  CHECK(in_turn("|", "-#") == "-#");
  CHECK(in_turn("12|", "34|", 2ms) == "1-2-3-4-|");
}
