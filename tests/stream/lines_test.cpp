// tests/stream/lines_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/lines.hpp>

#include <penstock/core/sleep.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/with_group.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/core/yield.hpp>
#include <penstock/stream.hpp>
#include <penstock/sync/channel.hpp>
#include <penstock/test/allocation_counter.hpp>
#include <penstock/test/replace_new.hpp>
#include <stream/marbles.hpp>

#include <support/penstock_test.hpp>
#include <support/pieces.hpp>
#include <support/slowly.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::played;
using support::buffers;
using support::pieces;

namespace {
using texts = std::vector<std::string>;
std::string text_of(const buffer& b) { return std::string(b.text()); }

struct table {
  std::string_view input;
  texts lines;
};
const std::vector<table> cases{
    {"", {}},
    {"\n", {""}},
    {"\r\n", {""}},
    {"a", {"a"}},
    {"a\n", {"a"}},
    {"a\nb", {"a", "b"}},
    {"a\r\nb\r\n", {"a", "b"}},
    {"\n\nab\n", {"", "", "ab"}},
    {"a\rb\n", {"a\rb"}},
    {"a\r\r\n", {"a\r"}},
    {"a\r", {"a\r"}},
    {"\r\r\n\r", {"\r", "\r"}},
    {std::string_view("a\0b\nc", 5), {std::string("a\0b", 3), "c"}},
};
}  // namespace

PENSTOCK_TEST("lines() cuts at \\n and \\r\\n, wherever the buffers are cut, driven or pulled") {
  for (auto& c : cases) {
    CAPTURE(c.input);
    for (std::size_t size = 1; size <= c.input.size() + 1; ++size) {
      CAPTURE(size);
      auto driven = co_await (from(pieces(c.input, size)) | lines() | map(text_of) | collect());
      CHECK(driven.value() == c.lines);
      auto pulled = co_await (from(pieces(c.input, size)) | support::slowly() | lines() |
                              map(text_of) | collect());
      CHECK(pulled.value() == c.lines);
    }
  }
}

PENSTOCK_TEST("lines() gives buffers, which stay valid") {
  // [lines]
  auto input = buffers("one\ntw", "o\nthree");
  std::vector<std::size_t> sizes;
  auto note = [&](const buffer& line) { sizes.push_back(line.text().size()); };
  auto all = co_await (from(std::move(input)) | lines() | tap(note) | collect());
  // [/lines]
  CHECK(sizes == std::vector<std::size_t>{3, 3, 5});
  CHECK(all.value().at(0).text() == "one");
  CHECK(all.value().at(1).text() == "two");
  CHECK(all.value().at(2).text() == "three");
}

PENSTOCK_TEST("lines() slices what lies in one buffer, without an allocation") {
  auto input = buffers("one\ntwo\nthree");
  const auto* const bytes = input.at(0).data();
  auto cut = from(std::move(input)) | lines();
  for (std::size_t at : {0u, 4u, 8u}) {
    const test::allocation_counter count;
    auto line = co_await cut.next();
    CHECK(line.value()->data() == bytes + at);
    if (test::allocation_counter::available()) CHECK(count.allocations() == 0);
  }
  auto end = co_await cut.next();
  CHECK(!end.value());
}

PENSTOCK_TEST("a line of more bytes than the limit is an error that names its number") {
  const lines_options four{.most_bytes = 4};
  const std::string_view fits = "abcd\r\nabcd\nabcd";
  const std::string_view third = "a\nabcd\r\nabcde\nb\n";
  for (std::size_t size = 1; size <= third.size(); ++size) {
    CAPTURE(size);
    auto all = co_await (from(pieces(fits, size)) | lines(four) | count());
    CHECK(all.value() == 3);
    int seen = 0;
    auto see = [&](const buffer&) { ++seen; };
    auto failed = co_await (from(pieces(third, size)) | lines(four) | for_each(see));
    CHECK(failed.error().message() == "lines 'line 3 is longer than 4 bytes': corrupt data");
    CHECK(seen == 2);
  }
  // Without an end in sight: it does not collect for ever.
  auto endless = generate([]() -> std::optional<buffer> { return buffer::copy_of("xxxxxxxxxx"); });
  auto failed = co_await (std::move(endless) | lines() | count());
  CHECK(failed.error() == errc::corrupt);
  auto at_end = co_await (from(buffers("abcde")) | lines(four) | count());
  CHECK(at_end.error() == errc::corrupt);
  const lines_options none{.most_bytes = 0};
  auto refused = co_await (from(buffers("a")) | lines(none) | count());
  CHECK(refused.error().message() == "lines 'of 0 bytes': invalid option");
}

PENSTOCK_TEST("lines that are too long can be skipped, each is one error, and is not kept") {
  for (const std::size_t size : {1u, 2u, 3u, 7u, 100u}) {
    CAPTURE(size);
    std::string log;
    auto skip = [&](error e) -> result<std::optional<buffer>> {
      if (e != errc::corrupt) return fail(std::move(e));
      log += "! ";
      return std::nullopt;
    };
    auto see = [&](const buffer& line) { log += std::string(line.text()) + ' '; };
    auto done = co_await (from(pieces("ab\nabcdefghijk\n\nabc\r\nabcd\ne\nabcdefghi", size)) |
                          lines({.most_bytes = 3}) | recover(std::ref(skip)) | for_each(see));
    CHECK(done);
    CHECK(log == "ab !  abc ! e ! ");
  }
  std::uint64_t errors = 0;
  auto number = [&](error e) -> result<std::optional<buffer>> {
    ++errors;
    CHECK(e.object() == "line 2 is longer than 3 bytes");
    return std::nullopt;
  };
  std::vector<buffer> long_line;
  for (int i = 0; i < 1000; ++i) long_line.push_back(buffer::copy_of(i == 0 ? "a\n" : "bbbbbbb"));
  auto counted = co_await (from(std::move(long_line)) | lines({.most_bytes = 3}) |
                           recover(std::ref(number)) | count());
  CHECK(counted == 1u);
  CHECK(errors == 1);
}

PENSTOCK_TEST("a stop while lines() waits for its source loses no part of a line") {
  channel<buffer> wire(1);
  auto send = [&]() -> task<> {
    for (auto& piece : buffers("one\ntw", "o\nth", "ree")) {
      co_await sleep_for(5ms);
      auto sent = co_await wire.send(std::move(piece));
      CHECK(sent);
    }
    wire.close();
  };
  texts all;
  int late = 0;
  auto read = [&]() -> task<> {
    auto cut = receive(wire) | lines();
    for (;;) {
      auto line = co_await with_timeout(2ms, cut.next());
      if (!line) {
        CHECK(line.error() == errc::timed_out);
        ++late;
      } else if (*line) {
        all.emplace_back((*line)->text());
      } else {
        break;
      }
    }
  };
  co_await when_all(send(), read());
  CHECK(all == texts{"one", "two", "three"});
  CHECK(late >= 6);
}

PENSTOCK_TEST("lines() of one large buffer lets others run and can be stopped") {
  const std::string many(1'000'000, '\n');
  int seen = 0;
  auto see = [&](const buffer&) { ++seen; };
  auto run = [&](task_group& g) -> task<> {
    auto watch = [&]() -> task<> {
      while (seen < 5000) co_await yield();
      g.request_stop();
    };
    g.start(watch);
    static_cast<void>(co_await (from(buffers(many)) | lines() | for_each(see)));
    CHECK(false);
  };
  co_await with_group(run);
  CHECK(seen >= 5000);
  CHECK(seen < 9000);
}

PENSTOCK_TEST("many lines of one buffer all arrive when others get their turns") {
  std::string many;
  for (int i = 0; i < 3000; ++i) many += std::to_string(i) + '\n';
  int next = 0;
  auto check = [&](const buffer& line) { CHECK(line.text() == std::to_string(next++)); };
  auto done = co_await (from(buffers(many)) | lines() | for_each(check));
  CHECK(done);
  CHECK(next == 3000);
  auto ten = co_await (from(buffers(many)) | lines() | skip(5) | take(10) | count());
  CHECK(ten.value() == 10);
}

TEST_CASE("lines() emits in the frame in which the end of a line comes, or the stream ends") {
  const auto cut = [](std::string_view what_comes, duration busy = 0ms) {
    return played(marbles::buffers(what_comes) | lines({.most_bytes = 3}), busy);
  };
  CHECK(cut("-[a/b]-[c/]-|") == "-a-[bc]-|");
  CHECK(cut("-[a/b]-|") == "-a-(b|)");
  CHECK(cut("-[a/b]-#") == "-a-#");
  CHECK(cut("-[a/b]-[cde]-[f/]-|") == "-a-#");
  CHECK(cut("[a/b/c/]|", 2ms) == "a-b-c-|");
}
