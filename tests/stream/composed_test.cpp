// tests/stream/composed_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/stream.hpp>

#include <penstock/core/sleep.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/stream.hpp>
#include <penstock/test/lifetime_tracked.hpp>
#include <penstock/test/test_runtime.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

using namespace penstock;
using namespace std::chrono_literals;

namespace {
const std::vector<int> numbers{1, 2, 3, 4, 5, 6, 7};

// [composed]
auto sizes_of_batches(std::size_t n) {  // a stage: for any stream of ints
  return chunk_within(n, 5ms) | map([](const std::vector<int>& batch) { return batch.size(); });
}
task<result<std::size_t>> largest_batch(std::vector<int> items) {
  auto larger = [](std::size_t a, std::size_t b) { return (std::max)(a, b); };
  auto largest = sizes_of_batches(3) | fold(std::size_t{0}, larger);  // stages and a sink: a sink
  co_return co_await (from(std::move(items)) | std::move(largest));
}
// [/composed]

int twice(int x) { return 2 * x; }
bool is_large(const int& x) { return x > 6; }

// The same types as without: what is fused stays so.
static_assert(std::is_same_v<decltype(from(numbers) | (map(twice) | filter(is_large) | skip(1))),
                             decltype(from(numbers) | map(twice) | filter(is_large) | skip(1))>);
static_assert(std::is_same_v<decltype(from(numbers) | (map(twice) | (take(3) | drain()))),
                             decltype(from(numbers) | map(twice) | take(3) | drain())>);
static_assert(decltype(from(numbers) | (map(twice) | filter(is_large)))::is_sync);
static_assert(detail::stage<decltype(map(twice) | take(3))>);
static_assert(detail::sink<decltype(map(twice) | take(3) | drain())>);
static_assert(!stream<decltype(map(twice) | take(3))>);

template <class Stage>
concept takes_texts =
    detail::takes<Stage, decltype(from(std::declval<std::vector<std::string>>()))>;
static_assert(takes_texts<decltype(take(3) | skip(1))>);
static_assert(!takes_texts<decltype(take(3) | map(twice) | skip(1))>);
}  // namespace

TEST_CASE("stages without a source are one stage, with a sink one sink") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    auto sizes = co_await (from(numbers) | sizes_of_batches(3) | collect());
    CHECK(sizes.value() == std::vector<std::size_t>{3, 3, 1});
    auto largest = co_await largest_batch(numbers);
    CHECK(largest.value() == 3);
  }());
}

TEST_CASE("a composed stage stands in place, is stored, and goes on being composed") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    auto in_place = co_await (from(numbers) | (map(twice) | filter(is_large)) | collect());
    CHECK(in_place.value() == std::vector<int>{8, 10, 12, 14});

    auto large = map(twice) | filter(is_large);
    auto again = large;  // a copy, for another stream
    auto less = std::move(large) | skip(1);
    auto stored = co_await (from(numbers) | std::move(less) | take(2) | collect());
    CHECK(stored.value() == std::vector<int>{10, 12});
    auto counted = co_await (from(numbers) | std::move(again) | count());
    CHECK(counted.value() == 4);
  }());
}

TEST_CASE("a composed stage keeps its functions, and an error of one is the stream's") {
  test::lifetime_log log;
  test::test_runtime rt;
  rt.run([&log]() -> task<> {
    auto add = [kept = test::lifetime_tracked(log, 1)](int x) { return x + kept.value(); };
    auto fails = [kept = std::make_shared<int>(5)](int x) -> task<result<int>> {
      co_await sleep_for(1ms);
      if (x == *kept) co_return fail(errc::corrupt, "read", "five");
      co_return x;
    };
    auto both = map(add) | map(fails);
    CHECK(log.copies() == 1);  // from the name
    auto seen = co_await (from(numbers) | std::move(both) | collect());
    CHECK(seen.error().message() == "read 'five': corrupt data");
    CHECK(log.copies() == 1);
  }());
  CHECK(log.live() == 0);
}

TEST_CASE("eager stages and sinks of a composition are stopped with the pipeline") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    auto slow = [](int x) -> task<int> {
      co_await sleep_for(1h);
      co_return x;
    };
    auto rest = map_concurrent(3, slow) | drain();
    auto done = co_await with_timeout(10ms, from(numbers) | std::move(rest));
    CHECK(done.error() == errc::timed_out);
  }());
}
