// tests/stream/stream_failure_test.cpp
// SPDX-License-Identifier: BSL-1.0
// A pipeline of ten stages in which each await in turn fails, throws, or is where a stop comes; and
// what is ever in flight.
#include <penstock/stream.hpp>

#include <penstock/core.hpp>
#include <penstock/sync.hpp>
#include <penstock/test.hpp>
#include <stream/injector.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using support::ending;
using support::fault;
using support::injector;

namespace {
std::vector<int> up_to(int n) {
  std::vector<int> all(static_cast<std::size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

task<result<>> ten_stages(injector& i, channel<int>& out) {
  const auto same = [&i](int x) -> task<result<int>> {
    co_await ok(i.point());
    co_return x;
  };
  const auto yes = [&i](int) -> task<result<bool>> {
    co_await ok(i.point());
    co_return true;
  };
  const auto look = [&i](int) -> task<result<>> { co_return co_await i.point(); };
  const auto sum = [&i](int a, int x) -> task<result<int>> {
    co_await ok(i.point());
    co_return a + x;
  };
  const auto spread = [](std::vector<int> v) { return from(std::move(v)); };
  const auto key = [](int x) { return x % 2; };
  co_return co_await (from(up_to(12)) | map(same) | filter(yes) | map_concurrent(3, same) |
                      buffered(2) | scan(0, sum) | map_unordered(2, same) | chunk_within(3, 5ms) |
                      flat_map(spread) | map_partitioned(2, key, same) | tap(look) |
                      to_channel(out));
}
}  // namespace

namespace {
struct ten_stages_into_a_channel {
  channel<int> out{100};

  task<result<>> run(injector& i) { return ten_stages(i, out); }
  task<> look(const ending& e) {
    CHECK(out.closed());
    while (out.size() != 0) (void)co_await out.receive();
    const auto end = co_await out.receive();
    if (e.whole)
      CHECK(end.error() == errc::closed);
    else if (e.what == fault::error)
      CHECK(end.error() == errc::corrupt);
    else
      CHECK(end.error() == errc::canceled);
  }
};
}  // namespace
TEST_CASE("a pipeline of ten stages: each await fails in turn, and one error is the outcome") {
  CHECK(support::fail_each_await<ten_stages_into_a_channel>() > 3 * 70);
}
TEST_CASE("a pipeline of ten stages that is stopped at any step leaves nothing") {
  CHECK(support::stop_at_each_step<ten_stages_into_a_channel>() > 70);
}
TEST_CASE("a pipeline of ten stages that nothing goes wrong in delivers all") {
  test::test_runtime rt;
  injector i;
  std::vector<int> seen;
  const auto body = [&]() -> task<> {
    channel<int> out{100};
    auto done = co_await ten_stages(i, out);
    CHECK(done);
    while (auto x = co_await out.receive()) seen.push_back(*x);
  };
  rt.run(body());
  std::sort(seen.begin(), seen.end());
  CHECK(seen == std::vector{0, 1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 66});
  CHECK(i.alive == 0);
}

TEST_CASE("what is in flight is bounded by the sum of places and parallelism") {
  for (const auto seed : test::seeds(20)) {
    CAPTURE(seed);
    test::test_runtime rt({.seed = seed});
    const auto body = [&]() -> task<> {
      int entered = 0, left = 0, most = 0;
      const auto enter = [&](const int&) { most = std::max(most, ++entered - left); };
      const auto leave = [&](int) -> task<> {
        co_await sleep_for(3ms);
        ++left;
      };
      const auto wait = [&](int x) -> task<int> {
        co_await sleep_for(std::chrono::milliseconds((x * 7 + static_cast<int>(seed)) % 9));
        co_return x;
      };
      const auto key = [](int x) { return x % 3; };
      const auto spread = [](std::vector<int> v) { return from(std::move(v)); };
      const auto numbers = up_to(500);
      auto done = co_await (from(numbers) | tap(enter) | buffered(4) | map_concurrent(3, wait) |
                            map_partitioned(5, key, wait) | chunk_within(6, 2ms) |
                            flat_map(spread) | map_unordered(2, wait) | for_each(leave));
      CHECK(done);
      CHECK(left == 500);
      // The places of each stage, a chunk that is spread, and one item between each two stages.
      CHECK(most <= 4 + 3 + 5 + 6 + 6 + 2 + 8);
      CHECK(most > 10);
    };
    rt.run(body());
  }
}

TEST_CASE("100 GiB through a pipeline: the memory does not grow") {
  test::test_runtime rt;
  const auto body = []() -> task<> {
    const buffer block = buffer::allocate(1 << 20);  // lent again and again
    int alive = 0, most = 0;
    struct lease {
      buffer bytes;
      std::unique_ptr<int, void (*)(int*)> held;
    };
    const auto next = [&, n = 0]() mutable -> std::optional<lease> {
      if (n++ == 100 * 1024) return std::nullopt;
      most = std::max(most, ++alive);
      return lease{block.first(block.size()), {&alive, [](int* a) { --*a; }}};
    };
    const auto pass = [](lease l) -> task<lease> {
      co_await yield();
      co_return std::move(l);
    };
    std::uint64_t bytes = 0;
    const auto add = [&](const lease& l) { bytes += l.bytes.size(); };
    auto done = co_await (generate(next) | buffered(4) | map_concurrent(4, pass) | for_each(add));
    CHECK(done);
    CHECK(bytes == std::uint64_t{100} << 30);
    CHECK(most <= 12);
    CHECK(alive == 0);
  };
  rt.run(body());
}

TEST_CASE("no stage allocates for an item") {
  if (!test::allocation_counter::available()) return;
  test::test_runtime rt;
  const auto body = []() -> task<> {
    const auto same = [](int x) { return x; };
    const auto waits = [](int x) -> task<int> {
      co_await yield();
      co_return x;
    };
    const auto key = [](int x) { return x % 5; };
    const auto all = [](int) { return true; };
    const auto sum = [](int a, int b) { return (a + b) % 100; };
    const auto measure = [&](int n) -> task<std::uint64_t> {
      const auto numbers = up_to(n);
      stream_stats stats;
      const test::allocation_counter here;
      auto done =
          co_await (merge(from(numbers), from(numbers)) | map(same) | filter(all) | map(waits) |
                    scan(0, sum) | skip(1) | take(1'000'000) | map_concurrent(4, waits) |
                    map_unordered(4, waits) | map_partitioned(4, key, waits) | buffered(8) |
                    throttle(rate{1'000'000, 1s}) | observe(stats) | conflate(sum) | drain());
      CHECK(done);
      co_return here.allocations();
    };
    const auto warm = co_await measure(1000);
    const auto few = co_await measure(100);
    const auto many = co_await measure(1000);
    CHECK(many == few);
    CHECK(many <= warm);
  };
  rt.run(body());
}
