// tests/stream/stop_marbles_test.cpp
// SPDX-License-Identifier: BSL-1.0
// "Cancels": what a stop does to each stage that works on one item at a time, and to each sink.
#include <penstock/stream.hpp>

#include <penstock/core.hpp>
#include <penstock/io/write_file.hpp>
#include <penstock/io/write_to.hpp>
#include <penstock/sync.hpp>
#include <penstock/test.hpp>
#include <stream/stop_marbles.hpp>
#include <stream/toy_codec.hpp>
#include <support/temporary_folder.hpp>

#include <doctest/doctest.h>

#include <ranges>
#include <string>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::buffers;
using marbles::heard;
using marbles::loses_nothing;
using marbles::source;

namespace {
const auto same = [](char c) { return c; };
const auto yes = [](char) { return true; };
const auto last = [](char, char c) { return c; };
const auto slowly = [](char) { return sleep_for(1h); };
}  // namespace

TEST_CASE("a stage that is stopped while the stream waits loses nothing, and goes on in time") {
  const auto one = [] { return source("-a--a-b--(cd)---e-|"); };
  CHECK(loses_nothing([&] { return one() | map(same); }));
  CHECK(loses_nothing([&] { return one() | filter(yes); }));
  CHECK(loses_nothing([&] { return one() | take(4); }));
  CHECK(loses_nothing([&] { return one() | take_while(yes); }));
  CHECK(loses_nothing([&] { return one() | skip(2); }));
  CHECK(loses_nothing([&] { return one() | distinct_until_changed(); }));
  CHECK(loses_nothing([&] { return one() | scan('0', last); }));
  CHECK(loses_nothing([&] { return one() | tap(yes); }));
  CHECK(loses_nothing([&] { return one() | chunk(2); }));
  CHECK(loses_nothing([&] { return one() | window(2); }));
  const auto inner = [](char) { return source("x--y-|"); };
  CHECK(loses_nothing([&] { return one() | flat_map(inner); }));
  stream_stats stats;
  CHECK(loses_nothing([&] { return one() | observe(stats); }));
  CHECK(loses_nothing([] { return source("-a--#") | chunk(2); }));
}
TEST_CASE("a stage of bytes that is stopped while the stream waits loses none of them") {
  const auto one = [] { return buffers("-[a,b/c]--[,]---[d/e]-[,f]--|"); };
  running_checksum sum;
  CHECK(loses_nothing([&] { return one() | checksum_into(sum); }));
  CHECK(loses_nothing([&] { return one() | chunk_bytes(3); }));
  CHECK(loses_nothing([&] { return one() | lines(); }));
  const auto second = [](const csv_row& row) { return std::string(row[1]); };
  CHECK(loses_nothing([&] { return one() | csv_rows() | map(second); }));
  for (const work_place where : {work_place::loop, work_place::cpu_pool}) {
    const transcode_options o{.where = where};
    CHECK(loses_nothing([&] { return one() | compress(toy::compressor(toy::tripler(), 4), o); }));
    CHECK(loses_nothing([&] {
      return buffers("-[aaab]--[bb]---[.]-|") | decompress(toy::decompressor(toy::third(), 4), o);
    }));
  }
}

TEST_CASE("a stop of a pipeline ends the stream in its frame, whatever stands behind") {
  const auto of = [](auto stage) {
    return heard("-a-------|", [&](auto s) { return std::move(s) | std::move(stage) | drain(); });
  };
  CHECK(of(map(same)) == "^--!");
  CHECK(of(filter(yes)) == "^--!");
  CHECK(of(take(2)) == "^--!");
  CHECK(of(take_while(yes)) == "^--!");
  CHECK(of(skip(1)) == "^--!");
  CHECK(of(distinct_until_changed()) == "^--!");
  CHECK(of(scan('0', last)) == "^--!");
  CHECK(of(tap(yes)) == "^--!");
  CHECK(of(chunk(2)) == "^--!");
  CHECK(of(window(2)) == "^--!");
  const auto two = [](char c) { return std::vector<char>(2, c); };
  CHECK(of(flat_map(two)) == "^--!");
  stream_stats stats;
  CHECK(of(observe(stats)) == "^--!");
  const auto none = [](error) -> result<std::optional<char>> { return std::nullopt; };
  CHECK(of(recover(none)) == "^--!");
  // A function that is at work is stopped, and then the stream is not in use.
  CHECK(of(tap(slowly)) == "^");
}
TEST_CASE("a stop of a pipeline ends a stream of bytes in its frame, whatever stands behind") {
  const auto of = [](auto stage) {
    return heard<buffer>("-[ab]-------|", [&](auto s) {  //
      return std::move(s) | std::move(stage) | drain();
    });
  };
  running_checksum sum;
  CHECK(of(checksum_into(sum)) == "^--!");
  CHECK(of(chunk_bytes(4)) == "^--!");
  CHECK(of(lines()) == "^--!");
  CHECK(of(csv_rows()) == "^--!");
  CHECK(of(compress(toy::compressor(toy::tripler(), 4))) == "^--!");
  CHECK(of(decompress(toy::decompressor(toy::third(), 4))) == "^--!");
}
TEST_CASE("a stop of a sink ends the stream in its frame, or what the sink waits for") {
  const auto of = [](auto sink) {
    return heard("-a-------|", [&](auto s) { return std::move(s) | std::move(sink); });
  };
  CHECK(of(for_each(same)) == "^--!");
  CHECK(of(for_each(slowly)) == "^");
  CHECK(of(for_each_concurrent(2, slowly)) == "^--!");
  CHECK(of(collect()) == "^--!");
  CHECK(of(fold('0', last)) == "^--!");
  CHECK(of(count()) == "^--!");
  CHECK(of(drain()) == "^--!");
  CHECK(of(tee(count(), drain())) == "^--!");
  CHECK(of(tee(count(), for_each(slowly))) == "^");
  channel<char> c{1};
  CHECK(of(to_channel(c)) == "^--!");
  CHECK(c.closed());
  const support::temporary_folder folder;
  auto [here, there] = test::memory_stream::pair({.capacity = 1});
  const auto of_bytes = [](std::string_view text, auto sink) {
    return heard<buffer>(text, [&](auto s) { return std::move(s) | std::move(sink); });
  };
  CHECK(of_bytes("-a-------|", write_to(here)) == "^--!");
  CHECK(of_bytes("-[ab]-------|", write_to(here)) == "^");
  CHECK(of_bytes("---------|", write_file(folder / "out")) == "^--!");
}
