// tests/stream/stop_eager_test.cpp
// SPDX-License-Identifier: BSL-1.0
// "Cancels": what a stop does to sources, to stages with time, and to those that work ahead.
#include <penstock/stream.hpp>

#include <penstock/core.hpp>
#include <penstock/sync.hpp>
#include <penstock/test.hpp>
#include <stream/stop_marbles.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::heard;
using marbles::loses_nothing;
using marbles::source;

namespace {
const auto same = [](char c) { return c; };
const auto last = [](char, char c) { return c; };
const auto slowly = [](char c) -> task<char> {
  co_await sleep_for(1h);
  co_return c;
};
}  // namespace

TEST_CASE("a source that is stopped while it waits loses nothing, and goes on in time") {
  const auto one = [] { return source("-a--a-b--(cd)---e-|"); };
  CHECK(loses_nothing([&] { return any_stream<char>(one()); }));
  CHECK(loses_nothing([&] { return concat(one(), one()); }));
  CHECK(loses_nothing([] { return interval(3ms) | take(4); }));
  CHECK(loses_nothing([] { return from(std::string("abc")); }));
  CHECK(loses_nothing([] { return empty<char>(); }));
  CHECK(loses_nothing([] { return fail_with<char>(errc::corrupt); }));
  CHECK(loses_nothing([&] { return one() | throttle(rate{1, 4ms}); }));
  CHECK(loses_nothing([] { return source("-a--#") | throttle(rate{1, 4ms}); }));
  stream_stats stats;
  CHECK(loses_nothing([&] { return one() | observe(stats, chunk(2)); }));
}
TEST_CASE("a stop of a source of several ends them all in its frame") {
  const auto with = [](auto make) {
    return heard("-a-------|", [&](auto s) { return make(std::move(s)) | drain(); });
  };
  CHECK(with([](auto s) { return merge(std::move(s), source("--1---|")); }) == "^--!");
  CHECK(with([](auto s) { return merge(source("--1---|"), std::move(s)); }) == "^--!");
  CHECK(with([](auto s) { return zip(std::move(s), source("--1---|")); }) == "^--!");
  CHECK(with([](auto s) { return zip(never<char>(), std::move(s)); }) == "^");  // it has an item
  CHECK(with([](auto s) { return combine_latest(std::move(s), never<char>()); }) == "^--!");
  CHECK(with([](auto s) { return combine_latest(std::move(s), source("1--|")); }) == "^--!");
  CHECK(with([](auto s) { return concat(source("-1|"), std::move(s)); }) == "--^!");
  CHECK(with([](auto s) { return any_stream<char>(std::move(s)); }) == "^--!");
  const auto again = [](auto s) {
    const auto make = [s] { return s; };
    return retry_source(make);
  };
  CHECK(with(again) == "^--!");
}

TEST_CASE("a stop of a pipeline ends the stream in its frame, and what waits ahead is dropped") {
  const auto of = [](auto stage) {
    return heard("-a-------|", [&](auto s) { return std::move(s) | std::move(stage) | drain(); });
  };
  CHECK(of(chunk_within(3, 5ms)) == "^--!");
  CHECK(of(chunk_within(3, 1ms)) == "^--!");
  CHECK(of(debounce(1ms)) == "^--!");
  CHECK(of(debounce(5ms)) == "^--!");
  CHECK(of(throttle(rate{1, 10ms})) == "^--!");
  CHECK(of(idle_timeout(10ms)) == "^--!");
  CHECK(of(map_concurrent(2, slowly)) == "^--!");
  CHECK(of(map_concurrent(1, slowly)) == "^");  // no place: the stream is not asked
  CHECK(of(map_unordered(2, slowly)) == "^--!");
  CHECK(of(map_partitioned(2, same, slowly)) == "^--!");
  CHECK(of(offload_map(2, same)) == "^--!");
  CHECK(of(buffered(2)) == "^--!");
  CHECK(of(buffered(1, overflow::drop_oldest)) == "^--!");
  CHECK(of(conflate(last)) == "^--!");
  const auto pass = [](char, auto items) { return std::move(items) | map(same); };
  const auto hold = [](char, auto items) { return std::move(items) | map(slowly); };
  CHECK(of(group_by(same, pass)) == "^--!");
  CHECK(of(group_by(same, hold)) == "^--!");
  stream_stats stats;
  CHECK(of(observe(stats, map_concurrent(2, slowly))) == "^--!");
  CHECK(stats.items == 0);
}
TEST_CASE("a stop of a pipeline reaches what runs before upstream_on()") {
  marbles::record seen;
  test::test_runtime rt;
  const auto body = [&]() -> task<> {
    marbles::watched<char> s("-a-------|", seen, rt);
    auto late = co_await with_timeout(3ms, std::move(s) | upstream_on(rt) | drain());
    CHECK(late.error() == errc::timed_out);
  };
  rt.run(body());
  CHECK(seen.text() == "^--!");
}
