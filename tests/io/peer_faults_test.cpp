// tests/io/peer_faults_test.cpp
// SPDX-License-Identifier: BSL-1.0
// Peers that reset a connection, wherever it is, or take nothing. What waits for bytes then:
// tcp_stream_test.cpp.

#include <penstock/io/tcp_stream.hpp>

#include <penstock/io/unix_stream.hpp>

#include <io/sockets.hpp>
#include <support/open_files.hpp>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using sockets::bytes_of;
using support::on_each_driver;

namespace {
// Bytes that are lent, and whether they are back.
struct lent {
  explicit lent(std::size_t n) : memory(n, std::byte{'x'}) {}
  buffer lend() {
    back = false;
    return buffer::adopt(memory, [this]() noexcept { back = true; });
  }
  task<> is_back() {
    while (!back) co_await yield();
  }
  std::vector<std::byte> memory;
  bool back = true;
};
bool is_reset(const error& e) {
  return e == std::errc::connection_reset || e == std::errc::broken_pipe;
}
task<result<>> some_turns() {
  for (int i = 0; i < 3; ++i) co_await yield();
  co_return result<>{};
}
}  // namespace

TEST_CASE("a reset while a large buffer is sent, or held for the peer, gives it back") {
  on_each_driver([](runtime& rt) {
    lent bytes(4'000'000);
    const auto body = [&]() -> task<result<>> {
      // More than fits: the send is in flight when the reset comes.
      auto pair = co_await ok(sockets::connected({.receive_buffer_size = 10'000}));
      const auto reset = [&]() -> task<result<>> {
        co_await ok(some_turns());
        sockets::reset(pair.there.release());
        co_return result<>{};
      };
      auto [sent, gone] = co_await when_all_settled(pair.here.send(bytes.lend()), reset());
      CHECK(gone);
      // All may have been taken where the kernel's buffers are large.
      if (!sent) CHECK(is_reset(sent.error()));
      co_await bytes.is_back();
      const auto later = co_await pair.here.write_all(bytes_of("x"));
      CHECK(later.error() == std::errc::broken_pipe);

      // All of it fits: the send is over, and the peer has not read it.
      auto next = co_await ok(sockets::connected({.receive_buffer_size = 4'000'000}));
      CHECK(next.here.send_buffer_size(4'000'000));
      co_await ok(next.here.send(bytes.lend().first(100'000)));
      sockets::reset(next.there.release());
      co_await bytes.is_back();
      const auto ended = co_await next.here.receive();
      CHECK(ended.error() == std::errc::connection_reset);
      const auto again = co_await next.here.send(bytes.lend());
      CHECK(is_reset(again.error()));
      co_await bytes.is_back();
      co_return result<>{};
    };
    sockets::run(rt, body());
    CHECK(rt.loop(0).io()->in_flight() == 0);
  });
}

TEST_CASE("a reset while leases are held leaves them, and nothing is waited for") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      auto pair = co_await ok(sockets::connected());
      co_await ok(pair.there.write_all(bytes_of("one")));
      const buffer one = co_await ok(pair.here.receive());
      co_await ok(pair.there.write_all(bytes_of("two")));
      const buffer two = co_await ok(pair.here.receive());
      sockets::reset(pair.there.release());
      for (int i = 0; i < 3; ++i) {
        const auto gone = co_await pair.here.receive();
        CHECK(gone.error() == std::errc::connection_reset);
      }
      CHECK(one.text() == "one");
      CHECK(two.text() == "two");
      const auto sent = co_await pair.here.send(buffer::copy_of(one.bytes()));
      CHECK(sent.error() == std::errc::broken_pipe);
      co_await ok(pair.here.close());
      CHECK(one.text() == "one");
      co_return result<>{};
    };
    sockets::run(rt, body());
    CHECK(rt.loop(0).io()->in_flight() == 0);
  });
}

TEST_CASE("a connection that was reset before it is accepted is accepted, and reset") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      auto listener = co_await ok(tcp_listener::bind(endpoint("127.0.0.1", 0)));
      const endpoint at = co_await ok(listener.local_endpoint());
      for (int i = 0; i < 4; ++i) {
        auto gone = co_await ok(tcp_stream::connect(at));
        sockets::reset(gone.release());
      }
      auto alive = co_await ok(tcp_stream::connect(at));
      co_await ok(alive.write_all(bytes_of("here")));
      std::array<std::byte, 8> some;
      for (int i = 0; i < 4; ++i) {
        auto s = co_await ok(listener.accept());
        if (i % 2 == 0) {
          const auto n = co_await s.read_some(some);
          CHECK(n.error() == std::errc::connection_reset);
        } else {
          const auto b = co_await s.receive();
          CHECK(b.error() == std::errc::connection_reset);
        }
        const auto written = co_await s.write_all(bytes_of("x"));
        CHECK(written.error() == std::errc::broken_pipe);
      }
      auto s = co_await ok(listener.accept());
      const auto text = co_await ok(sockets::read_exactly(s, 4));
      CHECK(text == "here");
      co_return result<>{};
    };
    sockets::run(rt, body());
    CHECK(rt.loop(0).io()->in_flight() == 0);
  });
}

TEST_CASE("a peer that never reads makes each kind of write wait until a stop ends it") {
  on_each_driver([](runtime& rt) {
    const auto open = support::open_files();
    lent bytes(8'000'000);
    const std::span<const std::byte> much(bytes.memory);
    const std::array<std::span<const std::byte>, 2> parts{much, much};
    enum class ends { the_race, the_run };
    const auto stuck = [&](auto stream_pair, auto operation, ends how) -> task<result<>> {
      auto pair = co_await ok(stream_pair());
      auto& here = pair.first;
      bool over = false;
      const auto write = [&]() -> task<result<>> {
        auto done = co_await operation(here);
        over = true;
        co_return done;
      };
      const auto stop = [&]() -> task<result<>> {
        co_await ok(some_turns());
        CHECK_FALSE(over);
        if (how == ends::the_race) co_return result<>{};
        rt.request_stop();
        for (;;) co_await yield();
      };
      const auto first = co_await when_any(write(), stop());
      CHECK(first.index == 1);
      CHECK_FALSE(over);
      co_return result<>{};
    };
    const auto tcp = []() -> task<result<std::pair<tcp_stream, tcp_stream>>> {
      auto both = co_await ok(sockets::connected({.receive_buffer_size = 10'000}));
      co_return std::pair(std::move(both.here), std::move(both.there));
    };
    const auto local = []() -> task<result<std::pair<unix_stream, unix_stream>>> {
      co_return unix_stream::pair();
    };
    const auto each = [&](auto kind) {
      for (const auto how : {ends::the_race, ends::the_run}) {
        const auto check = [&](auto operation) {
          const auto outcome = rt.run(stuck(kind, operation, how));
          if (how == ends::the_race)
            CHECK(outcome);
          else
            CHECK(outcome.error() == errc::canceled);
          CHECK(rt.loop(0).io()->in_flight() == 0);
        };
        check([&](stream_socket& s) { return s.write_all(much); });
        check([&](stream_socket& s) {
          return s.write_all(std::span<const std::span<const std::byte>>(parts));
        });
        check([&](stream_socket& s) { return s.send(bytes.lend()); });
        CHECK(bytes.back);
      }
    };
    each(tcp);
    each(local);
    CHECK(support::open_files() == open);
  });
}
