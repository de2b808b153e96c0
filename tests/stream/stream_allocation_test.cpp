// tests/stream/stream_allocation_test.cpp
// SPDX-License-Identifier: BSL-1.0
// Operators one by one: a pipeline over 1000 items allocates as often as one over 100.
#include <penstock/stream.hpp>

#include <penstock/core.hpp>
#include <penstock/sync.hpp>
#include <penstock/test.hpp>

#include <doctest/doctest.h>

#include <numeric>
#include <optional>
#include <ranges>
#include <utility>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;

namespace {
using numbers = std::vector<int>;

task<int> waits(int x) {
  co_await yield();
  co_return x;
}
task<int> a_millisecond(int x) {
  co_await sleep_for(1ms);
  co_return x;
}
// Allocations of make(numbers), an awaitable, once all that is used again is there.
template <class Make>
task<std::uint64_t> allocations(int items, Make make) {
  numbers all(static_cast<std::size_t>(items));
  std::iota(all.begin(), all.end(), 0);
  std::uint64_t counted = 0;
  for (int round = 0; round < 2; ++round) {
    const test::allocation_counter here;
    auto done = co_await make(all);
    counted = here.allocations();
    CHECK(done);
  }
  co_return counted;
}
template <class Make>
void check_none_per_item(Make make) {
  if (!test::allocation_counter::available()) return;
  test::test_runtime rt;
  const auto body = [&]() -> task<> {
    const auto many = co_await allocations(1000, make);
    const auto few = co_await allocations(100, make);
    CHECK(many == few);
  };
  rt.run(body());
}
}  // namespace

TEST_CASE("merge(), zip(), combine_latest(), concat(): no allocation for an item") {
  check_none_per_item([](const numbers& n) {
    return merge(from(n), from(n) | map(waits), from(n) | map(a_millisecond)) | drain();
  });
  check_none_per_item(
      [](const numbers& n) { return zip(from(n), from(n) | map(waits)) | drain(); });
  check_none_per_item([](const numbers& n) {
    return combine_latest(from(n) | map(waits), from(n) | map(a_millisecond)) | drain();
  });
  check_none_per_item([](const numbers& n) { return concat(from(n), from(n)) | drain(); });
  check_none_per_item([](const numbers& n) {
    return concat(from(n) | map(waits), from(n), from(n) | map(a_millisecond)) | drain();
  });
}
TEST_CASE("debounce(), idle_timeout(), throttle(): no allocation for an item, nor for its time") {
  check_none_per_item(
      [](const numbers& n) { return from(n) | map(a_millisecond) | debounce(2ms) | drain(); });
  check_none_per_item(
      [](const numbers& n) { return from(n) | map(a_millisecond) | debounce(500us) | drain(); });
  check_none_per_item(
      [](const numbers& n) { return from(n) | map(a_millisecond) | idle_timeout(1h) | drain(); });
  check_none_per_item([](const numbers& n) { return from(n) | throttle(rate{1, 1ms}) | drain(); });
}
TEST_CASE("flat_map(): no allocation for an item, of either stream") {
  const auto three = [](int x) { return std::views::iota(x, x + 3); };
  check_none_per_item([three](const numbers& n) { return from(n) | flat_map(three) | drain(); });
  const auto later = [](int x) -> task<result<std::ranges::iota_view<int, int>>> {
    co_await yield();
    co_return std::views::iota(x, x + 3);
  };
  check_none_per_item([later](const numbers& n) { return from(n) | flat_map(later) | drain(); });
  const auto stream_of = [](int x) { return from(std::views::iota(x, x + 3)) | map(waits); };
  check_none_per_item(
      [stream_of](const numbers& n) { return from(n) | flat_map(stream_of) | drain(); });
}
TEST_CASE("recover(), retry_source(): no allocation for an item, nor for an error or an attempt") {
  const auto picky = [](int x) -> task<result<int>> {
    co_await yield();
    if (x % 5 == 4) co_return fail(std::errc::connection_reset);
    co_return x;
  };
  const auto none = [](error) -> result<std::optional<int>> { return std::nullopt; };
  check_none_per_item(
      [picky, none](const numbers& n) { return from(n) | map(picky) | recover(none) | drain(); });
  const auto one = [](error) -> task<result<std::optional<int>>> {
    co_await yield();
    co_return 1;
  };
  check_none_per_item(
      [picky, one](const numbers& n) { return from(n) | map(picky) | recover(one) | drain(); });
  check_none_per_item([picky](const numbers& n) {
    const auto make = [picky, size = static_cast<int>(n.size()), begin = 0]() mutable {
      const int first = std::exchange(begin, begin + 5);
      return from(std::views::iota(first, size)) | map(picky);
    };
    return retry_source(make) | take(n.size() / 2) | drain();
  });
}
TEST_CASE("tee(), to_channel(): no allocation for an item") {
  check_none_per_item([](const numbers& n) {
    return from(n) | tee(for_each(waits), drain(), count(), for_each(a_millisecond));
  });
  const auto send_all = [](const numbers& n) -> task<result<>> {
    channel<int> c{4};
    auto both = co_await when_all(from(n) | to_channel(c), receive(c) | for_each(waits));
    co_return both ? result<>() : fail(both.error());
  };
  check_none_per_item(send_all);
  const auto receive_slowly = [](const numbers& n) -> task<result<>> {
    channel<int> c{4};
    auto both = co_await when_all(from(n) | map(waits) | tee(to_channel(c), drain()),
                                  receive(c) | for_each(a_millisecond));
    co_return both ? result<>() : fail(both.error());
  };
  check_none_per_item(receive_slowly);
}
TEST_CASE("paged(): one allocation for a page, which is that of its items") {
  if (!test::allocation_counter::available()) return;
  test::test_runtime rt;
  const auto body = [&]() -> task<> {
    const auto read = [](const numbers& n) {
      const auto fetch = [&n](const std::size_t& first) -> task<result<page<int, std::size_t>>> {
        co_await yield();
        page<int, std::size_t> p;
        const auto begin = n.begin() + static_cast<std::ptrdiff_t>(first);
        p.items.assign(begin, begin + 10);
        if (first + 10 < n.size()) p.next = first + 10;
        co_return p;
      };
      return paged(fetch, std::size_t{0}) | for_each(waits);
    };
    const auto many = co_await allocations(1000, read);
    const auto few = co_await allocations(100, read);
    CHECK(many - few == 90);
  };
  rt.run(body());
}
