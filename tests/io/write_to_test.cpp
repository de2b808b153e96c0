// tests/io/write_to_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/io/write_to.hpp>

#include <penstock/core.hpp>
#include <penstock/io.hpp>
#include <penstock/stream.hpp>
#include <penstock/test.hpp>

#include <io/sockets.hpp>
#include <stream/marbles.hpp>
#include <support/each_driver.hpp>

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;
using support::on_each_driver;

// [write_to]
// Sends back each line in reverse, until the peer has ended.
static task<result<>> reverse_lines(tcp_stream peer) {
  const auto reversed = [](const buffer& line) {
    return std::string(line.text().rbegin(), line.text().rend()) + '\n';
  };
  const write_to_options end{.shutdown = true};
  co_await ok(read_from(peer) | lines() | map(reversed) | write_to(peer, end));
  co_return co_await peer.close();
}
// [/write_to]

// [accept]
static task<result<>> serve(tcp_listener& listener) {
  // At most 100 sessions; more connections wait. Ends when the listener is closed.
  co_return co_await (accept(listener) | for_each_concurrent(100, reverse_lines));
}
// [/accept]

TEST_CASE("connections, what comes and what goes are streams") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      auto listener = co_await ok(tcp_listener::bind(endpoint("127.0.0.1", 0)));
      const endpoint at = co_await ok(listener.local_endpoint());
      const auto ask = [&](std::string text) -> task<result<std::string>> {
        auto s = co_await ok(tcp_stream::connect(at));
        const std::vector<std::string> pieces{text.substr(0, 3), text.substr(3)};
        const write_to_options end{.shutdown = true};
        const auto sent = co_await ok(from(pieces) | write_to(s, end));
        CHECK(sent == text.size());
        const auto append = [](std::string all, const buffer& b) {
          return all + std::string(b.text());
        };
        co_return co_await (read_from(s) | fold(std::string(), append));
      };
      const auto visit = [&]() -> task<result<>> {
        auto [one, two] = co_await ok(when_all(ask("hello\nyou\n"), ask("abcdef")));
        CHECK(one == "olleh\nuoy\n");
        CHECK(two == "fedcba\n");
        co_return co_await listener.close();
      };
      auto [served, visited] = co_await when_all_settled(serve(listener), visit());
      CHECK(served);
      CHECK(visited);
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}
TEST_CASE("write_to() writes each item in its frame, and is over when all is written") {
  const auto written = [](std::string_view what_comes) {
    auto [here, there] = test::memory_stream::pair();
    auto& to = here;
    return marbles::ended([&] { return marbles::buffers(what_comes) | write_to(to); });
  };
  CHECK(written("-[abc]-[de]-|") == "-----5");
  CHECK(written("-[abc]-#") == "---#");
  CHECK(written("--|") == "--0");
}
TEST_CASE("write_to(): the peer's pace is the stream's") {
  const auto to_a_slow_reader = []() -> task<result<std::uint64_t>> {
    auto [here, there] = test::memory_stream::pair({.capacity = 2});
    auto& from = there;
    const auto read_two = [&]() -> task<> {
      std::byte two[2];
      for (int i = 0; i < 2; ++i) {
        co_await sleep_for(2ms);
        auto n = co_await from.read_some(two);
        CHECK(n.value() == 2);
      }
    };
    auto [bytes, done] =
        co_await when_all_settled(marbles::buffers("[ab][cd][ef]|") | write_to(here), read_two());
    co_return bytes;
  };
  CHECK(marbles::ended(to_a_slow_reader) == "----6");
  const auto to_nobody = []() -> task<result<std::uint64_t>> {
    auto [here, there] = test::memory_stream::pair();
    there.reset();
    co_return co_await (marbles::buffers("-a-b-|") | write_to(here));
  };
  CHECK(marbles::ended(to_nobody) == "-#");
}
TEST_CASE("what a connection that is reset does to its streams") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      auto [here, there] = co_await ok(sockets::connected());
      sockets::reset(there.release());
      auto read = co_await (read_from(here) | drain());
      CHECK(read.error() == std::errc::connection_reset);
      const std::vector<std::string> many(100, std::string(1000, 'x'));
      auto written = co_await (from(many) | write_to(here));
      CHECK(!written);
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}
