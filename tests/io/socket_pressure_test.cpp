// tests/io/socket_pressure_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/io/detail/receiver.hpp>

#include <penstock/core.hpp>
#include <penstock/io/tcp.hpp>

#include <io/sockets.hpp>

#include <deque>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using sockets::bytes_of;
using support::on_each_driver;

namespace {
task<result<std::deque<sockets::tcp_pair>>> pairs(std::size_t n) {
  std::deque<sockets::tcp_pair> all;
  for (std::size_t i = 0; i < n; ++i) {
    auto pair = co_await ok(sockets::connected());
    all.push_back(std::move(pair));
  }
  co_return std::move(all);
}
}  // namespace

TEST_CASE("when buffers come back all that starve go on, also if some of them stay idle") {
  on_each_driver(
      [](runtime& rt) {
        const auto body = [&]() -> task<result<>> {
          auto all = co_await ok(pairs(12));
          std::vector<buffer> lent;
          for (std::size_t i = 0; i < 4; ++i) {  // all that there are
            co_await ok(all[i].there.write_all(bytes_of("x")));
            buffer b = co_await ok(all[i].here.receive());
            lent.push_back(std::move(b));
          }
          std::size_t got = 0;
          const auto receive = [&](std::size_t i) -> task<result<>> {
            const buffer b = co_await ok(all[i].here.receive());
            got += b.size();
            co_return result<>{};
          };
          const auto wake = [&]() -> task<result<>> {
            co_await ok(all[11].there.write_all(bytes_of("a")));  // somebody starves
            while (rt.loop(0).io()->stats().starved == 0) co_await yield();
            CHECK(got == 0);
            lent.clear();
            // The last first: those before it stay idle meanwhile.
            for (std::size_t i = 10; i >= 4; --i)
              co_await ok(all[i].there.write_all(bytes_of("b")));
            co_return result<>{};
          };
          const auto group = [&](task_group& g) -> task<result<>> {
            for (std::size_t i = 4; i < 12; ++i) g.start(receive, i);
            g.start(wake);
            co_return result<>{};
          };
          auto ended = co_await with_group(group);
          CHECK(ended);
          CHECK(got == 8);
          co_return result<>{};
        };
        sockets::run(rt, body());
      },
      {.io = {.receive_buffers = 4, .receive_buffer_size = 64}});
}

TEST_CASE("connections that nobody reads do not starve one that somebody waits for") {
  on_each_driver(
      [](runtime& rt) {
        const auto body = [&]() -> task<result<>> {
          auto all = co_await ok(pairs(9));
          std::string flood(4096, '\0');
          for (std::size_t i = 0; i < flood.size(); ++i)
            flood[i] = static_cast<char>('a' + i * 7 / 5 % 26);
          for (std::size_t i = 0; i < 8; ++i) {
            co_await ok(all[i].there.write_all(bytes_of("x")));
            const buffer b = co_await ok(all[i].here.receive());  // goes on receiving from here on
            CHECK(b.size() == 1);
            co_await ok(all[i].there.write_all(bytes_of(flood)));
          }
          for (int i = 0; i < 1000; ++i) {
            co_await ok(all[8].there.write_all(bytes_of("ping")));
            const buffer b = co_await ok(all[8].here.receive());
            CHECK(b.text() == "ping");
          }
          // Nothing is lost, and all is in order; the one half by receive(), the other by copies.
          for (std::size_t i = 0; i < 8; ++i) {
            std::string text;
            while (i % 2 == 0 && text.size() < flood.size()) {
              const buffer b = co_await ok(all[i].here.receive());
              text += b.text();
            }
            if (i % 2 != 0) text = co_await ok(sockets::read_exactly(all[i].here, flood.size()));
            CHECK(text == flood);
          }
          co_return result<>{};
        };
        sockets::run(rt, body());
      },
      {.io = {.receive_buffers = 16, .receive_buffer_size = 64}});
}

TEST_CASE("what a task does on a stream after close() has ended its read is closed, too") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      auto pair = co_await ok(sockets::connected());
      std::array<std::byte, 8> some;
      const auto reader = [&]() -> task<result<>> {
        auto n = co_await pair.here.read_some(some);
        CHECK(n.error() == errc::closed);
        auto sent = co_await pair.here.write_all(bytes_of("bye"));
        CHECK(sent.error() == errc::closed);
        n = co_await pair.here.read_some(some);
        CHECK(n.error() == errc::closed);
        co_return result<>{};
      };
      const auto closer = [&]() -> task<result<>> {
        co_await yield();
        co_return co_await pair.here.close();
      };
      auto both = co_await when_all(reader(), closer());
      CHECK(both.has_value());
      CHECK_FALSE(pair.here.is_open());
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}

TEST_CASE("a peer that sends without end does not keep the loop from a time limit") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      auto pair = co_await ok(sockets::connected());
      const std::string much(64 << 10, 'm');
      bool enough = false;
      const auto sender = [&]() -> task<result<>> {
        while (!enough) co_await ok(pair.there.write_all(bytes_of(much)));
        co_return co_await pair.there.close();
      };
      const auto receiver = [&]() -> task<result<>> {
        const auto forever = [&]() -> task<result<>> {
          for (;;) {
            const buffer b = co_await ok(pair.here.receive());
            if (b.empty()) co_return fail(errc::protocol_error);
          }
        };
        auto late = co_await with_timeout(std::chrono::milliseconds(20), forever());
        CHECK(late.error() == errc::timed_out);
        enough = true;
        for (;;) {
          const buffer b = co_await ok(pair.here.receive());
          if (b.empty()) co_return result<>{};
        }
      };
      auto both = co_await when_all(sender(), receiver());
      CHECK(both.has_value());
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}

TEST_CASE("options of what a loop lends are checked") {
  CHECK(validate(runtime_options{.io = {.receive_buffers = 0}}).error().object() ==
        "receive_buffers");
  CHECK(validate(runtime_options{.io = {.receive_buffers = 32769}}).error().object() ==
        "receive_buffers");
  CHECK(validate(runtime_options{.io = {.receive_buffer_size = 63}}).error().object() ==
        "receive_buffer_size");
  CHECK(validate(driver_options{.receive_buffer_size = (1u << 20) + 1}).error() ==
        errc::invalid_option);
  CHECK(validate(driver_options{}));
}
