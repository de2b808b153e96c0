// tests/stream/stop_marbles_test.cpp
// SPDX-License-Identifier: BSL-1.0
// "Cancels": what a stop does to each stage that works on one item at a time, and to each sink.
// `^` is where the source is asked for the first time, `!` where it is stopped.
#include <penstock/stream.hpp>

#include <penstock/core.hpp>
#include <penstock/io/write_file.hpp>
#include <penstock/io/write_to.hpp>
#include <penstock/sync.hpp>
#include <penstock/test.hpp>
#include <stream/marbles.hpp>
#include <stream/toy_codec.hpp>
#include <support/temporary_folder.hpp>

#include <doctest/doctest.h>

#include <ranges>
#include <string>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::buffers;
using marbles::played;
using marbles::source;

namespace {
// As played(), but each next() is stopped after so long, until it has an item.
template <class Stream>
std::string read_with_stops(Stream stream, duration each) {
  test::test_runtime rt;
  const auto body = [&]() -> task<std::string> {
    marbles::record seen;
    for (;;) {
      auto next = co_await with_timeout(each, stream.next());
      if (!next && next.error() == errc::timed_out) continue;
      const auto now = co_await this_task::now();
      std::string what = "#";
      if (next) what = *next ? marbles::shown(**next) : "|";
      seen.note(now, what);
      if (!next || !*next) co_return seen.text();
    }
  };
  return rt.run(body());
}
template <class Make>
bool loses_nothing(Make make) {
  const std::string whole = played(make());
  for (const duration each : {duration(700us), duration(1ms), duration(2ms)}) {
    const std::string in_parts = read_with_stops(make(), each);
    CHECK(in_parts == whole);
    if (in_parts != whole) return false;
  }
  return true;
}

template <class T>
class watched {
 public:
  watched(std::string_view text, marbles::record& seen, test::test_runtime& rt)
      : in_(text), seen_(&seen), rt_(&rt) {}
  task<result<std::optional<T>>> next() {
    if (!asked_) seen_->note(rt_->now(), "^");
    asked_ = true;
    bool over = false;
    const scope_exit unwound{[&] {
      if (!over) seen_->note(rt_->now(), "!");
    }};
    auto item = co_await in_.next();
    over = true;
    co_return item;
  }

 private:
  marbles::basic_source<T> in_;
  marbles::record* seen_;
  test::test_runtime* rt_;
  bool asked_ = false;
};
// What a source hears that says `text`, and whose pipeline is stopped after 3 ms.
template <class T = char, class Make>
std::string heard(std::string_view text, Make make) {
  marbles::record seen;
  test::test_runtime rt;
  const auto body = [&]() -> task<> {
    auto late = co_await with_timeout(3ms, make(watched<T>(text, seen, rt)));
    CHECK(late.error() == errc::timed_out);
  };
  rt.run(body());
  return seen.text();
}

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
