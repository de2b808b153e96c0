// tests/test/memory_stream_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/test/memory_stream.hpp>

#include <penstock/core.hpp>
#include <penstock/test/cancel_matrix.hpp>

#include <support/penstock_test.hpp>
#include <support/stopped.hpp>

#include <array>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;
using test::memory_stream;

namespace {
std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}
std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
}  // namespace

PENSTOCK_TEST("bytes arrive in order, then the end") {
  auto [a, b] = memory_stream::pair();
  std::array<std::byte, 4> some;
  co_await must(a.write_all(bytes_of("abc")));
  co_await must(a.write_all(bytes_of("de")));
  CHECK(a.shutdown());
  auto n = co_await must(b.read_some(some));
  CHECK(text_of(std::span(some).first(n)) == "abc");
  n = co_await must(b.read_some(some));
  CHECK(text_of(std::span(some).first(n)) == "de");
  for (int i = 0; i < 2; ++i) {
    n = co_await must(b.read_some(some));
    CHECK(n == 0);
  }
  n = co_await must(b.read_some({}));
  CHECK(n == 0);
  const auto late = co_await a.write_all(bytes_of("x"));
  CHECK(late.error().message() == "write 'memory': Broken pipe");
  co_await must(b.write_all(bytes_of("back")));
  n = co_await must(a.read_some(some));
  CHECK(text_of(std::span(some).first(n)) == "back");
}

PENSTOCK_TEST("reads are as short as the test wants them") {
  auto [a, b] = memory_stream::pair({.longest_read = 3});
  std::array<std::byte, 10> some;
  co_await must(a.write_all(bytes_of("abcdefgh")));
  std::string sizes;
  for (int i = 0; i < 3; ++i) {
    const auto n = co_await must(b.read_some(some));
    sizes += std::to_string(n);
  }
  CHECK(sizes == "332");
  auto random = memory_stream::pair({.random_reads = true});
  co_await must(random.first.write_all(bytes_of("abcdefgh")));
  std::string got;
  while (got.size() < 8) {
    const auto n = co_await must(random.second.read_some(some));
    CHECK(n >= 1);
    got += text_of(std::span(some).first(n));
  }
  CHECK(got == "abcdefgh");
}

PENSTOCK_TEST("what is written takes its time, and later bytes do not pass") {
  auto [a, b] = memory_stream::pair({.latency = 10ms});
  std::array<std::byte, 10> some;
  co_await must(a.write_all(bytes_of("1")));
  co_await sleep_for(3ms);
  co_await must(a.write_all(bytes_of("2")));
  for (const auto at : {10ms, 13ms}) {
    const auto n = co_await must(b.read_some(some));
    CHECK(n == 1);
    CHECK(rt.now() == time_point(at));
  }
}

PENSTOCK_TEST("a write waits while too much is on its way") {
  auto both = memory_stream::pair({.capacity = 4});
  memory_stream& a = both.first;
  memory_stream& b = both.second;
  bool written = false;
  const auto write = [&]() -> task<> {
    co_await must(a.write_all(bytes_of("abcdefghij")));
    written = true;
  };
  const auto read = [&]() -> task<> {
    std::array<std::byte, 3> some;
    std::string got;
    co_await sleep_for(1ms);
    CHECK_FALSE(written);
    while (got.size() < 10) {
      const auto n = co_await must(b.read_some(some));
      got += text_of(std::span(some).first(n));
    }
    CHECK(got == "abcdefghij");
  };
  co_await when_all(write(), read());
  CHECK(written);
}

PENSTOCK_TEST("close() ends what is in flight, and the other end reads the end and breaks") {
  auto both = memory_stream::pair({.capacity = 4});
  memory_stream& a = both.first;
  std::array<std::byte, 10> some;
  const auto read = [&]() -> task<result<>> {
    static_cast<void>(co_await ok(a.read_some(some)));
    co_return result<>{};
  };
  const auto write = [&]() -> task<result<>> {
    co_return co_await a.write_all(bytes_of("0123456789"));
  };
  const auto close = [&]() -> task<result<>> {
    co_await sleep_for(1ms);
    co_return co_await a.close();
  };
  auto [r, w, c] = co_await when_all_settled(read(), write(), close());
  CHECK(r.error().message() == "read 'memory': closed");
  CHECK(w.error().message() == "write 'memory': closed");
  CHECK(c);
  CHECK_FALSE(a.is_open());
  const auto again = co_await a.close();
  CHECK(again);
  CHECK(a.shutdown().error() == errc::closed);
  const auto n = co_await must(both.second.read_some(some));
  CHECK(text_of(std::span(some).first(n)) == "0123");
  const auto end = co_await must(both.second.read_some(some));
  CHECK(end == 0);
  const auto broken = co_await both.second.write_all(bytes_of("x"));
  CHECK(broken.error() == std::errc::broken_pipe);
}

PENSTOCK_TEST("a reset loses what is on its way") {
  auto [a, b] = memory_stream::pair();
  std::array<std::byte, 10> some;
  co_await must(a.write_all(bytes_of("lost")));
  a.reset();
  const auto n = co_await b.read_some(some);
  CHECK(n.error().message() == "read 'memory': Connection reset by peer");
  memory_stream never;
  const auto none = co_await never.read_some(some);
  CHECK(none.error() == errc::closed);
}

namespace {
struct ends {
  std::unique_ptr<std::pair<memory_stream, memory_stream>> both =
      std::make_unique<std::pair<memory_stream, memory_stream>>(
          memory_stream::pair({.capacity = 4}));
  std::unique_ptr<std::array<std::byte, 8>> bytes = std::make_unique<std::array<std::byte, 8>>();
};
}  // namespace

TEST_CASE("cancel matrix of a read: no byte is lost") {
  test::cancel_matrix([] { return ends(); },
                      [](ends& x) { return x.both->first.read_some(*x.bytes); },
                      [](ends& x) { return x.both->second.write_all(bytes_of("abc")); },
                      [](ends& x, const auto& outcome, test::cancel_stage) -> task<> {
                        if (outcome) {
                          CHECK(*outcome == 3u);
                        } else {
                          const auto n = co_await must(x.both->first.read_some(*x.bytes));
                          CHECK(n == 3);
                        }
                      });
}

TEST_CASE("cancel matrix of a write") {
  test::cancel_matrix([] { return ends(); },
                      [](ends& x) { return x.both->first.write_all(bytes_of("abcdef")); },
                      [](ends& x) { return x.both->second.read_some(*x.bytes); },
                      [](ends&, const auto& outcome, test::cancel_stage) {
                        return !outcome || outcome->has_value();
                      });
}

TEST_CASE("an end that is destroyed in use is a broken contract, and so are invalid options") {
  CHECK(support::stopped_with([] {
          auto both = memory_stream::pair();
          test::test_runtime rt;
          std::array<std::byte, 4> some;
          const auto read = [&]() -> task<> {
            static_cast<void>(co_await both.first.read_some(some));
          };
          const auto drop = [&]() -> task<> {
            co_await sleep_for(1ms);
            both.first = memory_stream();
          };
          const auto all = [&]() -> task<> { co_await when_all(read(), drop()); };
          rt.run(all());
        }) == "a stream goes while an operation on it is in flight");
  CHECK(support::stopped_with([] { static_cast<void>(memory_stream::pair({.capacity = 0})); }) ==
        "memory_stream 'capacity': invalid option");
}
