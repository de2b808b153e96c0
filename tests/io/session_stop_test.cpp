// tests/io/session_stop_test.cpp
// SPDX-License-Identifier: BSL-1.0
// A stop at every point of a session over real sockets.

#include <penstock/io/tcp_listener.hpp>

#include <penstock/io/unix_listener.hpp>
#include <penstock/sync/event.hpp>

#include <io/sockets.hpp>
#include <io/watched_driver.hpp>
#include <support/open_files.hpp>

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using sockets::bytes_of;
using support::on_each_driver;

namespace {
constexpr unsigned all_buffers = 4;
constexpr std::size_t large = 64u << 10;  // goes without a copy where that is possible
const endpoint any_port("127.0.0.1", 0);

// Both sides of one session. Each of them may be cut off anywhere.
struct tcp_session {
  static constexpr const char* name = "tcp";
  endpoint at;
  event bound;

  task<result<>> serve() {
    auto listener = co_await ok(tcp_listener::bind(any_port));
    at = co_await ok(listener.local_endpoint());
    bound.set();
    auto s = co_await ok(listener.accept());
    const auto question = co_await ok(sockets::read_exactly(s, 4));
    co_await ok(s.write_all(bytes_of(question)));
    buffer lease = co_await ok(s.receive());
    co_await ok(s.write_all(lease.bytes()));
    const buffer another = co_await ok(s.receive());  // while one is held
    std::array<std::span<const std::byte>, 2> both{lease.bytes(), another.bytes()};
    co_await ok(s.write_all(both));
    co_await ok(s.send(std::move(lease)));
    co_await ok(s.send(buffer::copy_of(std::string(large, 'x'))));
    co_await ok(s.shutdown());
    const auto rest = co_await ok(sockets::read_all(s));  // until the peer has ended
    co_await ok(s.close());
    co_return co_await listener.close();
  }
  task<result<>> visit() {
    co_await bound.wait();
    auto s = co_await ok(tcp_stream::connect(at));
    co_await ok(s.write_all(bytes_of("ping")));
    const auto answer = co_await ok(sockets::read_exactly(s, 4));
    co_await ok(s.write_all(bytes_of("a")));
    const auto one = co_await ok(sockets::read_exactly(s, 1));
    co_await ok(s.write_all(bytes_of("b")));
    const auto text = co_await ok(sockets::read_all(s));
    co_await ok(s.write_all(bytes_of("last")));
    co_await ok(s.close());
    if (text.size() < large) co_return fail(errc::protocol_error);
    co_return result<>{};
  }
};

struct unix_session {
  static constexpr const char* name = "unix";
  static constexpr const char* path = "@penstock-session-stop";
  event bound;

  task<result<>> serve() {
    auto listener = co_await ok(unix_listener::bind(path + std::to_string(::getpid())));
    bound.set();
    auto s = co_await ok(listener.accept());
    std::array<std::byte, 8> some;
    const auto got = co_await ok(s.receive_descriptors(some));
    std::vector<int> back;
    for (const auto& d : got.descriptors) back.push_back(d.get());
    co_await ok(s.send_descriptors(back, bytes_of("back")));
    const buffer lease = co_await ok(s.receive());
    co_await ok(s.write_all(lease.bytes()));
    co_await ok(s.close());
    co_return co_await listener.close();
  }
  task<result<>> visit() {
    co_await bound.wait();
    auto s = co_await ok(unix_stream::connect(path + std::to_string(::getpid())));
    const std::array<int, 2> out{s.native_handle(), s.native_handle()};
    co_await ok(s.send_descriptors(out, bytes_of("out")));
    std::array<std::byte, 8> some;
    const auto got = co_await ok(s.receive_descriptors(some));
    if (got.descriptors.size() != 2) co_return fail(errc::protocol_error);
    co_await ok(s.write_all(bytes_of("text")));
    const auto text = co_await ok(sockets::read_exactly(s, 4));
    co_return co_await s.close();
  }
};

// That every buffer of the loop can be lent: none was lost.
task<result<>> lend_all(runtime& rt) {
  const auto starved = rt.loop(0).io()->stats().starved;
  std::vector<std::pair<unix_stream, unix_stream>> pairs;
  std::vector<buffer> lent;
  const auto take = [&]() -> task<result<>> {
    for (unsigned i = 0; i < all_buffers; ++i) {
      auto pair = co_await ok(unix_stream::pair());
      pairs.push_back(std::move(pair));
      co_await ok(pairs.back().second.write_all(bytes_of("x")));
      buffer b = co_await ok(pairs.back().first.receive());
      lent.push_back(std::move(b));
    }
    co_return result<>{};
  };
  const auto watch = [&]() -> task<result<>> {
    while (rt.loop(0).io()->stats().starved == starved) co_await yield();
    co_return fail(errc::exhausted);
  };
  auto first = co_await when_any(take(), watch());
  co_return std::move(first.value);
}

enum class stops { the_run, the_server };

// One run that is stopped at the point `at`. True: it ended before that.
template <class Session>
bool stopped_at(runtime& rt, stops what, std::size_t at) {
  std::size_t points = 0;
  event stop_server;
  sockets::watched_driver d(*rt.loop(0).io(), [&] {
    if (++points != at) return;
    if (what == stops::the_run)
      rt.request_stop();
    else
      stop_server.set();
  });
  Session session;
  const auto all = [&]() -> task<result<>> {
    d.install();
    const auto server = [&]() -> task<result<>> {
      const auto cut = [&]() -> task<result<>> {
        co_await stop_server.wait();
        co_return fail(errc::canceled);
      };
      auto first = co_await when_any(session.serve(), cut());
      session.bound.set();
      co_return std::move(first.value);
    };
    auto [served, visited] = co_await when_all_settled(server(), session.visit());
    // The visitor of a server that was cut off sees an end or an error; it does not hang.
    if (served) CHECK(visited);
    co_return served;
  };
  const auto outcome = rt.run(all());
  CHECK(d.watched() == 0);
  CHECK(rt.loop(0).io()->in_flight() == 0);
  if (points >= at) CHECK((outcome || outcome.error() == errc::canceled));
  if (points < at) CHECK_MESSAGE(outcome, (outcome ? "" : outcome.error().message()));
  return points < at;
}

template <class Session>
void stop_everywhere(stops what) {
  const std::string kind = Session::name;
  CAPTURE(kind);
  on_each_driver(
      [&](runtime& rt) {
        // What a driver opens late is open after the first.
        REQUIRE(stopped_at<Session>(rt, what, ~std::size_t{0}));
        const auto open = support::open_files();
        std::size_t at = 1;
        for (; !stopped_at<Session>(rt, what, at); ++at) {
          CAPTURE(at);
          CHECK(support::open_files() == open);
          const auto lent = rt.run(lend_all(rt));
          CHECK_MESSAGE(lent, (lent ? "" : lent.error().message()));
          REQUIRE(at < 1000);
        }
        CHECK(at > 15);
        CHECK(support::open_files() == open);
      },
      {.io = {.receive_buffers = all_buffers, .receive_buffer_size = 64}});
}
}  // namespace

TEST_CASE("a stop of the run at every point of a session leaves nothing behind") {
  stop_everywhere<tcp_session>(stops::the_run);
  stop_everywhere<unix_session>(stops::the_run);
}

TEST_CASE("a server that is stopped at any point of a session leaves nothing behind") {
  stop_everywhere<tcp_session>(stops::the_server);
  stop_everywhere<unix_session>(stops::the_server);
}
