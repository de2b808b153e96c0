// tests/io/tcp_stream_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/io/tcp_stream.hpp>

#include <penstock/core.hpp>
#include <penstock/io/tcp_listener.hpp>

#include <io/sockets.hpp>
#include <support/each_driver.hpp>
#include <support/stopped.hpp>

#include <array>
#include <string>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;
using sockets::bytes_of;
using sockets::connected;
using sockets::message_of;
using sockets::read_all;
using sockets::read_exactly;
using sockets::text_of;
using support::on_each_driver;

static_assert(std::is_nothrow_move_constructible_v<tcp_stream> &&
              !std::is_copy_constructible_v<tcp_stream>);
static_assert(std::is_same_v<await_result_t<detail::connect_awaiter>, result<tcp_stream>>);
static_assert(std::is_same_v<await_result_t<detail::receive_some_awaiter>, result<std::size_t>>);
static_assert(std::is_same_v<await_result_t<detail::receive_lease_awaiter>, result<buffer>>);
static_assert(std::is_same_v<await_result_t<detail::send_vector_awaiter>, result<>>);
static_assert(sizeof(detail::receive_some_awaiter) <= 256 &&
                  sizeof(detail::receive_vector_awaiter) <= 512 &&
                  sizeof(detail::connect_awaiter) <= 512,
              "they are in the frames of tasks");

// [connect]
static task<result<std::string>> ask(endpoint server, std::string_view question) {
  tcp_stream s = co_await ok(tcp_stream::connect(server));
  co_await ok(s.write_all(std::as_bytes(std::span(question))));
  co_await ok(s.shutdown());  // the server reads the end
  std::string answer;
  for (;;) {
    const buffer some = co_await ok(s.receive());
    if (some.empty()) break;  // the server has ended
    answer += some.text();
  }
  co_await ok(s.close());
  co_return answer;
}
// [/connect]

TEST_CASE("a question, its answer, and the end from both sides") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      auto listener = co_await ok(tcp_listener::bind(endpoint("127.0.0.1", 0)));
      const endpoint at = co_await ok(listener.local_endpoint());
      const auto serve = [&]() -> task<result<>> {
        auto peer = co_await ok(listener.accept());
        const auto question = co_await ok(read_all(peer));
        CHECK(question == "how much?");
        co_await ok(peer.write_all(bytes_of("42")));
        co_return co_await peer.close();
      };
      auto [answer, served] = co_await when_all_settled(ask(at, "how much?"), serve());
      CHECK(served);
      CHECK(answer == std::string("42"));
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}

TEST_CASE("a connection knows both its ends") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      auto [here, there] = co_await ok(connected());
      const auto a = co_await ok(here.local_endpoint());
      const auto b = co_await ok(here.peer_endpoint());
      const auto c = co_await ok(there.local_endpoint());
      const auto d = co_await ok(there.peer_endpoint());
      CHECK(a == d);
      CHECK(b == c);
      CHECK(b.address() == "127.0.0.1");
      tcp_stream adopted(here.release());
      CHECK_FALSE(here.is_open());
      const auto e = co_await ok(adopted.peer_endpoint());
      CHECK(e == b);
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}

TEST_CASE("it connects from where it is told, and with IPv6 where there is some") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      auto [here, there] =
          co_await ok(connected({}, {.local = endpoint("127.0.0.5", 0), .nodelay = false}));
      const auto from = co_await ok(there.peer_endpoint());
      CHECK(from.address() == "127.0.0.5");
      const auto delays = co_await ok(here.option<int>(IPPROTO_TCP, TCP_NODELAY));
      CHECK(delays == 0);
      auto listener = tcp_listener::bind(endpoint("::1", 0));
      if (!listener) co_return result<>{};  // no IPv6 here
      const auto at = co_await ok(listener->local_endpoint());
      auto six = co_await ok(tcp_stream::connect(at));
      CHECK(at.is_v6());
      const auto peer = co_await ok(six.peer_endpoint());
      CHECK(peer == at);
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}

TEST_CASE("a connection that is refused names where to") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      auto listener = co_await ok(tcp_listener::bind(endpoint("127.0.0.1", 0)));
      const endpoint at = co_await ok(listener.local_endpoint());
      co_await ok(listener.close());
      const auto refused = co_await tcp_stream::connect(at);
      CHECK(message_of(refused) == "connect '" + at.text() + "': Connection refused");
      const auto wrong = co_await tcp_stream::connect(at, {.local = endpoint("192.0.2.1", 0)});
      CHECK(message_of(wrong) == "connect '" + at.text() + "': Cannot assign requested address");
      const auto invalid = co_await tcp_stream::connect(at, {.send_buffer_size = -1});
      CHECK(message_of(invalid) == "connect 'send_buffer_size': invalid option");
      CHECK(invalid.error() == errc::invalid_option);
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}

TEST_CASE("options are what was set") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      auto [here, there] = co_await ok(connected({.receive_buffer_size = 20'000}));
      const auto flag = [&](int level, int name) { return must(here.option<int>(level, name)); };
      CHECK(flag(IPPROTO_TCP, TCP_NODELAY) == 1);
      CHECK(here.nodelay(false));
      CHECK(flag(IPPROTO_TCP, TCP_NODELAY) == 0);
      CHECK(flag(SOL_SOCKET, SO_KEEPALIVE) == 0);
      CHECK(here.keep_alive({.idle = 20s, .interval = 3s, .count = 4}));
      CHECK(flag(SOL_SOCKET, SO_KEEPALIVE) == 1);
      CHECK(flag(IPPROTO_TCP, TCP_KEEPIDLE) == 20);
      CHECK(flag(IPPROTO_TCP, TCP_KEEPINTVL) == 3);
      CHECK(flag(IPPROTO_TCP, TCP_KEEPCNT) == 4);
      CHECK(message_of(here.keep_alive({.idle = 1ms})) == "keep_alive 'idle': invalid option");
      CHECK(message_of(here.keep_alive({.interval = -1s})) ==
            "keep_alive 'interval': invalid option");
      CHECK(message_of(here.keep_alive({.count = 0})) == "keep_alive 'count': invalid option");
      CHECK(here.send_buffer_size(30'000));
      CHECK(must(here.send_buffer_size()) == 60'000);
      CHECK(here.receive_buffer_size(30'000));
      CHECK(must(here.receive_buffer_size()) == 60'000);
      CHECK(must(there.receive_buffer_size()) == 40'000);  // as its listener
      CHECK(here.reset_on_close());
      CHECK(must(here.option<::linger>(SOL_SOCKET, SO_LINGER)).l_onoff == 1);
      CHECK(here.set_option(SOL_SOCKET, SO_PRIORITY, 3));
      CHECK(flag(SOL_SOCKET, SO_PRIORITY) == 3);
      const auto none = here.set_option(SOL_SOCKET, 9999, 1);
      CHECK(none.error() == std::errc::no_protocol_option);
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}

TEST_CASE("reset_on_close resets, and a reset is an error to whatever waits") {
  on_each_driver([](runtime& rt) {
    const auto waits = [](auto operation) -> task<result<>> {
      auto [here, there] = co_await ok(connected());
      const std::string name = must(here.peer_endpoint()).text();
      CHECK(there.reset_on_close());
      // Else the system may grow it until it takes all of a write.
      CHECK(here.set_option(SOL_SOCKET, SO_SNDBUF, 65'536));
      const auto reset = [](tcp_stream& s) -> task<result<>> { co_return co_await s.close(); };
      const auto [outcome, closed] = co_await when_all_settled(operation(here), reset(there));
      CHECK(closed);
      // A write that had begun is told by the next one.
      const std::string what = message_of(outcome);
      CHECK_MESSAGE((what.ends_with(" '" + name + "': Connection reset by peer") ||
                     what.starts_with("write '" + name + "': Broken pipe") ||
                     what.starts_with("send '" + name + "': Broken pipe")),
                    what);
      // And stays one, or the end.
      std::array<std::byte, 10> more;
      const auto later = co_await here.read_some(more);
      CHECK(later.value_or(0) == 0);
      const auto written = co_await here.write_all(bytes_of("x"));
      CHECK(written.error() == std::errc::broken_pipe);
      co_return result<>{};
    };
    std::array<std::byte, 10> some{};
    std::array<std::span<std::byte>, 1> spans{some};
    const std::string much(4'000'000, 'x');
    sockets::run(rt, waits([&](tcp_stream& s) { return s.read_some(some); }));
    sockets::run(rt, waits([&](tcp_stream& s) { return s.read_some(spans); }));
    sockets::run(rt, waits([&](tcp_stream& s) { return s.receive(); }));
    sockets::run(rt, waits([&](tcp_stream& s) { return s.write_all(bytes_of(much)); }));
    sockets::run(rt, waits([&](tcp_stream& s) { return s.send(buffer::copy_of(much)); }));
  });
}

TEST_CASE("what came before a reset or the end is read first, where the system still has it") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      auto [here, there] = co_await ok(connected());
      // receive() goes on in the background: the lease is there before the reset is.
      co_await ok(there.write_all(bytes_of("first")));
      buffer first = co_await ok(here.receive());
      CHECK(first.text() == "first");
      sockets::reset(there.release());
      const auto second = co_await here.receive();
      CHECK(second.error() == std::errc::connection_reset);
      const auto third = co_await here.receive();
      CHECK(third.error() == std::errc::connection_reset);
      auto [a, b] = co_await ok(connected());
      co_await ok(b.write_all(bytes_of("last")));
      co_await ok(b.close());
      const auto all = co_await ok(read_all(a));
      CHECK(all == "last");
      std::array<std::byte, 4> some;
      const auto again = co_await a.read_some(some);
      CHECK(again == 0u);
      const buffer end = co_await ok(a.receive());
      CHECK(end.empty());
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}

TEST_CASE("the end is delivered to each kind of read, again and again") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      auto [here, there] = co_await ok(connected());
      co_await ok(there.shutdown());
      std::array<std::byte, 4> some;
      std::array<std::span<std::byte>, 2> spans{std::span(some).first(2), std::span(some).last(2)};
      for (int i = 0; i < 2; ++i) {
        const auto n = co_await ok(here.read_some(some));
        CHECK(n == 0);
        const auto m = co_await ok(here.read_some(spans));
        CHECK(m == 0);
        const buffer b = co_await ok(here.receive());
        CHECK(b.empty());
      }
      co_await ok(here.write_all(bytes_of("still open")));  // the other direction
      const auto text = co_await ok(read_exactly(there, 10));
      CHECK(text == "still open");
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}

TEST_CASE("a byte at a time arrives whole, by each kind of read") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      std::string text(300, '\0');
      for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 26);
      for (int kind = 0; kind < 3; ++kind) {
        CAPTURE(kind);
        auto both = co_await ok(connected());
        tcp_stream& here = both.here;
        tcp_stream& there = both.there;
        const auto dribble = [&]() -> task<result<>> {
          for (const char& c : text) {
            co_await ok(there.write_all(bytes_of(std::string_view(&c, 1))));
            co_await yield();
          }
          co_return co_await there.close();
        };
        const auto collect = [&]() -> task<result<std::string>> {
          std::string got;
          std::array<std::byte, 7> some;
          std::array<std::span<std::byte>, 3> spans{
              std::span(some).first(1), std::span(some).subspan(1, 2), std::span(some).subspan(3)};
          for (int turn = 0;; ++turn) {
            std::size_t n = 0;
            if (kind == 0 || (kind == 1 && turn % 3 == 1)) {  // mixed: kind 1
              n = co_await ok(here.read_some(some));
              got += text_of(std::span(some).first(n));
            } else if (kind == 2 || turn % 3 == 2) {
              n = co_await ok(here.read_some(spans));
              got += text_of(std::span(some).first(n));
            } else {
              const buffer b = co_await ok(here.receive());
              n = b.size();
              got += b.text();
            }
            if (n == 0) co_return got;
          }
        };
        auto [sent, got] = co_await when_all_settled(dribble(), collect());
        CHECK(sent);
        CHECK(got == text);
      }
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}

TEST_CASE("read_some takes from what receive() has got, piece by piece") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      auto [here, there] = co_await ok(connected());
      co_await ok(there.write_all(bytes_of("0")));
      const buffer first = co_await ok(here.receive());
      CHECK(first.text() == "0");
      co_await ok(there.write_all(bytes_of("abcdefgh")));
      std::array<std::byte, 3> some;
      std::string got;
      const auto text = co_await ok(read_exactly(here, 3));
      got += text;
      std::array<std::span<std::byte>, 2> spans{std::span(some).first(1), std::span(some).last(2)};
      const auto n = co_await ok(here.read_some(spans));
      got += text_of(std::span(some).first(n));
      CHECK(got == "abcdef");
      const buffer rest = co_await ok(here.receive());
      CHECK(rest.text() == "gh");
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}

TEST_CASE("any number of spans is written and read, empty ones among them") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      auto both = co_await ok(connected());
      std::string text(200'000, '\0');
      for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i % 251);
      for (std::size_t count : {1u, 7u, 8u, 9u, 100u, 999u}) {
        CAPTURE(count);
        std::vector<std::span<const std::byte>> parts;
        std::size_t at = 0;
        for (std::size_t i = 0; i < count; ++i) {
          const std::size_t end = i + 1 == count ? text.size() : at + (i * 37) % 151;
          parts.push_back(bytes_of(text).subspan(at, end - at));
          at = end;
        }
        std::string got(text.size(), '\0');
        const auto write = [&]() -> task<result<>> {
          co_return co_await both.here.write_all(parts);
        };
        const auto read = [&]() -> task<result<>> {
          std::size_t done = 0;
          while (done < got.size()) {
            std::vector<std::span<std::byte>> room{{}};
            auto rest = std::as_writable_bytes(std::span(got)).subspan(done);
            for (std::size_t i = 1; i < count && !rest.empty(); ++i) {
              const std::size_t n = std::min(rest.size(), i * 13 % 97);
              room.push_back(rest.first(n));
              rest = rest.subspan(n);
            }
            room.push_back(rest);
            done += co_await ok(both.there.read_some(room));
          }
          co_return result<>{};
        };
        auto [written, red] = co_await when_all_settled(write(), read());
        CHECK(written);
        CHECK(red);
        CHECK(got == text);
      }
      co_await ok(both.here.write_all(std::span<const std::span<const std::byte>>()));
      std::array<std::span<std::byte>, 2> no_room;
      const auto none = co_await ok(both.here.read_some(no_room));
      CHECK(none == 0);
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}

TEST_CASE("a peer that never reads makes a write wait until it is stopped") {
  on_each_driver([](runtime& rt) {
    const std::string much(8'000'000, 'x');
    const auto body = [&]() -> task<result<>> {
      auto [here, there] = co_await ok(connected({.receive_buffer_size = 10'000}));
      const auto late = co_await with_timeout(20ms, here.write_all(bytes_of(much)));
      CHECK(late.error() == errc::timed_out);
      const auto later = co_await with_timeout(1ms, here.send(buffer::copy_of(much)));
      CHECK(later.error() == errc::timed_out);
      std::array<std::span<const std::byte>, 2> parts{bytes_of(much), bytes_of(much)};
      const auto latest = co_await with_timeout(1ms, here.write_all(parts));
      CHECK(latest.error() == errc::timed_out);
      co_return co_await here.close();
    };
    sockets::run(rt, body());
    CHECK(rt.loop(0).io()->in_flight() == 0);
  });
}

TEST_CASE("close() ends what is in flight, waits for it, and may be repeated") {
  on_each_driver([](runtime& rt) {
    const std::string much(8'000'000, 'x');
    std::array<std::byte, 10> some{};
    std::array<std::span<std::byte>, 1> spans{some};
    const auto cut = [](auto operation) -> task<result<>> {
      auto both = co_await ok(connected());
      tcp_stream& here = both.here;
      const std::string name = must(here.peer_endpoint()).text();
      bool ended = false;
      const auto wait = [&]() -> task<result<>> {
        const auto outcome = co_await operation(here);
        ended = true;
        CHECK(outcome.error() == errc::closed);
        CHECK(message_of(outcome).ends_with(" '" + name + "': closed"));
        co_return result<>{};
      };
      const auto close = [&]() -> task<result<>> {
        co_await yield();
        co_await yield();
        CHECK_FALSE(ended);
        co_await ok(here.close());
        CHECK(ended);
        CHECK_FALSE(here.is_open());
        co_return co_await here.close();
      };
      auto [waited, closed] = co_await when_all_settled(wait(), close());
      CHECK(waited);
      CHECK(closed);
      const auto end = co_await read_all(both.there);  // not before the other one is closed
      CHECK(end);
      co_return result<>{};
    };
    sockets::run(rt, cut([&](tcp_stream& s) { return s.read_some(some); }));
    sockets::run(rt, cut([&](tcp_stream& s) { return s.read_some(spans); }));
    sockets::run(rt, cut([&](tcp_stream& s) { return s.receive(); }));
    sockets::run(rt, cut([&](tcp_stream& s) { return s.write_all(bytes_of(much)); }));
    sockets::run(rt, cut([&](tcp_stream& s) { return s.send(buffer::copy_of(much)); }));
    CHECK(rt.loop(0).io()->in_flight() == 0);
  });
}

TEST_CASE("close() ends a read and a write together; what begins meanwhile is closed, too") {
  on_each_driver([](runtime& rt) {
    const std::string much(8'000'000, 'x');
    const auto body = [&]() -> task<result<>> {
      auto both = co_await ok(connected());
      tcp_stream& here = both.here;
      const auto write = [&]() -> task<result<>> {
        co_return co_await here.write_all(bytes_of(much));
      };
      const auto receive = [&]() -> task<result<>> {
        static_cast<void>(co_await ok(here.receive()));
        co_return result<>{};
      };
      const auto again = [&]() -> task<result<>> {
        const auto first = co_await receive();
        CHECK(first.error() == errc::closed);
        co_return co_await receive();
      };
      const auto close = [&]() -> task<result<>> {
        co_await yield();
        co_await yield();
        co_return co_await here.close();
      };
      auto [w, r, c] = co_await when_all_settled(write(), again(), close());
      CHECK(w.error() == errc::closed);
      CHECK(r.error() == errc::closed);
      CHECK(c);
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}

TEST_CASE("every operation on a closed stream says so") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      auto [here, there] = co_await ok(connected());
      const std::string name = must(here.peer_endpoint()).text();
      co_await ok(here.close());
      tcp_stream never;
      std::array<std::byte, 4> some;
      std::array<std::span<std::byte>, 1> spans{some};
      std::array<std::span<const std::byte>, 1> parts{some};
      for (tcp_stream* s : {&here, &never}) {
        const std::string of = s == &here ? name : "socket";
        const auto a = co_await s->read_some(some);
        CHECK(message_of(a) == "read '" + of + "': closed");
        const auto b = co_await s->read_some(spans);
        CHECK(message_of(b) == "read '" + of + "': closed");
        const auto c = co_await s->receive();
        CHECK(message_of(c) == "receive '" + of + "': closed");
        const auto d = co_await s->write_all(some);
        CHECK(message_of(d) == "write '" + of + "': closed");
        const auto e = co_await s->write_all(parts);
        CHECK(message_of(e) == "write '" + of + "': closed");
        const auto f = co_await s->send(buffer::copy_of("x"));
        CHECK(message_of(f) == "send '" + of + "': closed");
        CHECK(message_of(s->shutdown()) == "shutdown '" + of + "': closed");
        CHECK(s->nodelay(true).error() == errc::closed);
        CHECK(s->send_buffer_size().error() == errc::closed);
        CHECK(s->local_endpoint().error() == errc::closed);
        CHECK(s->peer_endpoint().error() == errc::closed);
        const auto closed = co_await s->close();
        CHECK(closed);
        CHECK(s->native_handle() == -1);
        CHECK(s->release() == -1);
      }
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}

TEST_CASE("a stream is moved with all that receive() has got") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      auto [here, there] = co_await ok(connected());
      co_await ok(there.write_all(bytes_of("a")));
      buffer first = co_await ok(here.receive());
      co_await ok(there.write_all(bytes_of("bcd")));
      const auto one = co_await ok(read_exactly(here, 1));
      CHECK(one == "b");
      tcp_stream moved = std::move(here);
      CHECK_FALSE(here.is_open());
      const buffer rest = co_await ok(moved.receive());
      CHECK(rest.text() == "cd");
      tcp_stream other;
      other = std::move(moved);
      tcp_stream& itself = other;
      other = std::move(itself);
      co_await ok(there.write_all(bytes_of("e")));
      const buffer last = co_await ok(other.receive());
      CHECK(last.text() == "e");
      other = tcp_stream();  // closes
      const auto end = co_await ok(read_all(there));
      CHECK(end.empty());
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}

TEST_CASE("destroying or moving a stream in use is a broken contract") {
  const auto broken = [](auto misuse) {
    return support::stopped_with([misuse] {
      runtime rt({.handle_signals = false});
      const auto body = [&]() -> task<result<>> {
        auto both = co_await ok(connected());
        std::array<std::byte, 4> some;
        const auto read = [&]() -> task<> {
          static_cast<void>(co_await both.here.read_some(some));
        };
        const auto receive = [&]() -> task<> { static_cast<void>(co_await both.there.receive()); };
        const auto wrong = [&]() -> task<> {
          co_await yield();
          co_await yield();
          misuse(both);
        };
        co_await when_all(read(), receive(), wrong());
        co_return result<>{};
      };
      static_cast<void>(rt.run(body()));
    });
  };
  CHECK(broken([](sockets::tcp_pair& p) { p.here = tcp_stream(); }) ==
        "a socket goes while an operation on it is in flight");
  CHECK(broken([](sockets::tcp_pair& p) { p.there = tcp_stream(); }) ==
        "a socket goes while an operation on it is in flight");
  CHECK(broken([](sockets::tcp_pair& p) { tcp_stream other = std::move(p.here); }) ==
        "a socket is moved while an operation is in flight");
  CHECK(broken([](sockets::tcp_pair& p) { tcp_stream other = std::move(p.there); }) ==
        "a socket is moved while an operation is in flight");
  CHECK(broken([](sockets::tcp_pair& p) { static_cast<void>(p.there.release()); }) ==
        "a socket goes while an operation on it is in flight");
}

TEST_CASE("a stream goes on on another loop") {
  on_each_driver(
      [](runtime& rt) {
        const auto echo = [](int fd) -> task<result<>> {
          tcp_stream s(fd);
          for (;;) {
            buffer b = co_await ok(s.receive());
            if (b.empty()) break;
            co_await ok(s.send(std::move(b)));
          }
          co_return co_await s.close();
        };
        const auto body = [&]() -> task<result<>> {
          auto both = co_await ok(connected());
          // Used here first, by both kinds of reads.
          co_await ok(both.here.write_all(bytes_of("a")));
          const auto a = co_await ok(read_exactly(both.there, 1));
          co_await ok(both.here.write_all(bytes_of("b")));
          buffer b = co_await ok(both.there.receive());
          CHECK(a + std::string(b.text()) == "ab");
          const int handed = both.there.release();
          const auto client = [&]() -> task<result<>> {
            co_await ok(both.here.write_all(bytes_of("over there")));
            const auto back = co_await ok(read_exactly(both.here, 10));
            CHECK(back == "over there");
            co_return co_await both.here.close();
          };
          auto [there, here] =
              co_await when_all_settled(resume_on(rt.loop(1), echo(handed)), client());
          CHECK(there);
          CHECK(here);
          co_return result<>{};
        };
        sockets::run(rt, body());
      },
      {.threads = 2});
}

TEST_CASE("a descriptor that does not block is taken over all the same") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      auto [here, there] = co_await ok(connected());
      const int fd = here.release();
      CHECK(::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK) == 0);
      tcp_stream again(fd);
      auto late = [](tcp_stream& s) -> task<result<>> {
        co_await yield();
        co_return co_await s.write_all(bytes_of("late"));
      };
      auto [got, sent] = co_await when_all_settled(read_exactly(again, 4), late(there));
      CHECK(got == std::string("late"));
      CHECK(sent);
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}

TEST_CASE("connecting is given up when it takes too long") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      // A listener with room for one that nobody accepts: the next ones are not answered.
      const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const endpoint any("127.0.0.1", 0);
      CHECK(::bind(fd, any.data(), any.size()) == 0);
      CHECK(::listen(fd, 0) == 0);
      tcp_listener listener(fd);
      const endpoint at = co_await ok(listener.local_endpoint());
      std::vector<tcp_stream> full;
      for (int i = 0; i < 10; ++i) {
        auto one = co_await with_timeout(20ms, tcp_stream::connect(at));
        if (!one) {
          CHECK(one.error() == errc::timed_out);
          co_return result<>{};
        }
        full.push_back(std::move(*one));
      }
      CHECK_MESSAGE(false, "all connected");
      co_return result<>{};
    };
    sockets::run(rt, body());
    CHECK(rt.loop(0).io()->in_flight() == 0);
  });
}
