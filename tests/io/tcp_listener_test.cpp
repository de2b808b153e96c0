// tests/io/tcp_listener_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/io/tcp_listener.hpp>

#include <penstock/base/log.hpp>
#include <penstock/core.hpp>
#include <penstock/test.hpp>

#include <io/scripted_driver.hpp>
#include <io/sockets.hpp>
#include <support/child.hpp>
#include <support/each_driver.hpp>

#include <sys/resource.h>
#include <array>
#include <atomic>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;
using sockets::bytes_of;
using sockets::message_of;
using sockets::read_all;
using sockets::read_exactly;
using support::on_each_driver;
using test::cancel_stage;

static_assert(std::is_nothrow_move_constructible_v<tcp_listener> &&
              !std::is_copy_constructible_v<tcp_listener>);
static_assert(std::is_same_v<await_result_t<detail::accept_awaiter>, result<tcp_stream>>);
static_assert(sizeof(detail::accept_awaiter) <= 320,
              "it is in the frame of every task that accepts");

namespace {
const endpoint any_port("127.0.0.1", 0);

std::vector<std::string> said;
void listen_to(const log_record& r) noexcept { said.emplace_back(r.message); }
struct log_capture {
  log_capture() {
    said.clear();
    detail::pause_said.store(0);
    set_log_sink(&listen_to);
  }
  log_capture(const log_capture&) = delete;
  log_capture& operator=(const log_capture&) = delete;
  ~log_capture() { set_log_sink(nullptr); }
};
}  // namespace

// [accept]
static task<result<>> greet(tcp_stream peer) {
  co_await ok(peer.write_all(std::as_bytes(std::span("hello", 5))));
  co_return co_await peer.close();
}
static task<result<>> serve(tcp_listener& listener) {
  const auto accept_all = [&](task_group& sessions) -> task<result<>> {
    for (;;) sessions.start(greet(co_await ok(listener.accept())));
  };
  co_return co_await with_group({.grace = 2s}, accept_all);
}
// [/accept]

// [tuned]
static task<result<>> serve_port(endpoint where) {
  tcp_listener listener = co_await ok(tcp_listener::bind(where, {.reuse_port = true}));
  co_return co_await serve(listener);
}
static result<> serve_on_each_loop(endpoint where, std::chrono::microseconds spin) {
  runtime rt{{.threads = 2,      // loops, a core each
              .cpu_threads = 1,  // for offload
              .spin = spin,
              .io = {.receive_buffers = 4096, .receive_buffer_size = 2048}}};
  return rt.run_on_each_loop([where] { return serve_port(where); });
}
// [/tuned]

TEST_CASE("connections are accepted until the listener is closed") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      auto listener = co_await ok(tcp_listener::bind(any_port));
      const endpoint at = co_await ok(listener.local_endpoint());
      CHECK(at.port() != 0);
      const auto visit = [&]() -> task<result<>> {
        for (int i = 0; i < 20; ++i) {
          auto s = co_await ok(tcp_stream::connect(at));
          const auto text = co_await ok(read_all(s));
          CHECK(text == "hello");
        }
        co_return co_await listener.close();
      };
      auto [served, visited] = co_await when_all_settled(serve(listener), visit());
      CHECK(message_of(served) == "accept '" + at.text() + "': closed");
      CHECK(visited);
      const auto late = co_await listener.accept();
      CHECK(message_of(late) == "accept '" + at.text() + "': closed");
      const auto again = co_await listener.close();
      CHECK(again);
      tcp_listener never;
      const auto none = co_await never.accept();
      CHECK(message_of(none) == "accept 'socket': closed");
      co_return result<>{};
    };
    sockets::run(rt, body());
    CHECK(rt.loop(0).io()->in_flight() == 0);
  });
}

TEST_CASE("where it cannot listen is an error that names it, and so is an invalid option") {
  auto first = tcp_listener::bind(any_port);
  REQUIRE(first);
  const endpoint taken = *first->local_endpoint();
  CHECK(message_of(tcp_listener::bind(taken)) ==
        "listen '" + taken.text() + "': Address already in use");
  CHECK(message_of(tcp_listener::bind(endpoint("192.0.2.1", 0))) ==
        "listen '192.0.2.1:0': Cannot assign requested address");
  CHECK(message_of(tcp_listener::bind(any_port, {.backlog = 0})) ==
        "listen 'backlog': invalid option");
  CHECK(message_of(tcp_listener::bind(any_port, {.defer = -1s})) ==
        "listen 'defer': invalid option");
  CHECK(message_of(tcp_listener::bind(any_port, {.send_buffer_size = -1})) ==
        "listen 'send_buffer_size': invalid option");
  CHECK(message_of(tcp_listener::bind(any_port, {.receive_buffer_size = -1})) ==
        "listen 'receive_buffer_size': invalid option");
}

TEST_CASE("a port is free again at once, unless that is not wanted") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      auto listener = co_await ok(tcp_listener::bind(any_port));
      const endpoint at = co_await ok(listener.local_endpoint());
      auto here = co_await ok(tcp_stream::connect(at));
      auto there = co_await ok(listener.accept());
      co_await ok(listener.close());
      co_await ok(there.close());  // lingers on this side
      const auto end = co_await ok(read_all(here));
      CHECK(end.empty());
      co_await ok(here.close());
      const auto refused = tcp_listener::bind(at, {.reuse_address = false});
      CHECK(refused.error() == std::errc::address_in_use);
      const auto again = tcp_listener::bind(at);
      CHECK(again);
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}

TEST_CASE("an IPv6 listener takes IPv4 as well, unless it is for IPv6 only") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      auto both = tcp_listener::bind(endpoint("::", 0));
      if (!both) co_return result<>{};  // no IPv6 here
      const auto at = co_await ok(both->local_endpoint());
      auto here = co_await ok(tcp_stream::connect(endpoint("127.0.0.1", at.port())));
      auto there = co_await ok(both->accept());
      const auto peer = co_await ok(there.peer_endpoint());
      CHECK(peer.address() == "::ffff:127.0.0.1");
      auto only = co_await ok(tcp_listener::bind(endpoint("::", 0), {.v6_only = true}));
      const auto six = co_await ok(only.local_endpoint());
      const auto refused = co_await tcp_stream::connect(endpoint("127.0.0.1", six.port()));
      CHECK(refused.error() == std::errc::connection_refused);
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}

TEST_CASE("a deferred connection is accepted with its first bytes") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      auto listener = co_await ok(tcp_listener::bind(any_port, {.defer = 100s}));
      const endpoint at = co_await ok(listener.local_endpoint());
      auto silent = co_await ok(tcp_stream::connect(at));
      auto talks = co_await ok(tcp_stream::connect(at));
      co_await ok(talks.write_all(bytes_of("hi")));
      auto there = co_await ok(listener.accept());
      const auto peer = co_await ok(there.peer_endpoint());
      const auto who = co_await ok(talks.local_endpoint());
      CHECK(peer == who);
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}

TEST_CASE("a listening descriptor is taken over") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      auto first = co_await ok(tcp_listener::bind(any_port));
      const endpoint at = co_await ok(first.local_endpoint());
      tcp_listener second(first.release());
      CHECK_FALSE(first.is_open());
      auto here = co_await ok(tcp_stream::connect(at));
      auto there = co_await ok(second.accept());
      co_await ok(second.close());
      const auto late = co_await second.accept();
      CHECK(message_of(late) == "accept '" + at.text() + "': closed");
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}

TEST_CASE("each loop has a listener of the same port") {
  on_each_driver(
      [](runtime& rt) {
        const auto first = tcp_listener::bind(any_port, {.reuse_port = true});
        REQUIRE(first);
        const endpoint at = *first->local_endpoint();
        constexpr int connections = 200;
        std::atomic<int> accepted{0};
        std::atomic<int> loops{0};
        const auto each = [&]() -> task<result<>> {
          // The one that has bound first would get connections, too.
          auto listener = co_await ok(tcp_listener::bind(at, {.reuse_port = true}));
          ++loops;
          const auto serve = [&]() -> task<result<>> {
            for (;;) {
              auto s = co_await ok(listener.accept());
              ++accepted;
              co_await ok(s.write_all(bytes_of("x")));
            }
          };
          const auto ask = [&]() -> task<result<>> {
            while (loops.load() < 2) co_await yield();
            for (int i = 0; i < connections / 2; ++i) {
              auto s = co_await ok(tcp_stream::connect(at));
              const auto got = co_await ok(read_exactly(s, 1));
              CHECK(got == "x");
            }
            co_return result<>{};
          };
          const auto until_all = [&]() -> task<result<>> {
            co_await ok(ask());
            while (accepted.load() < connections) co_await yield();
            co_return result<>{};
          };
          const auto one = co_await when_any(serve(), until_all());
          co_return one.value;
        };
        int unheard = ::dup(first->native_handle());
        ::shutdown(unheard, SHUT_RD);  // it listens no more
        ::close(unheard);
        const auto outcome = rt.run_on_each_loop(each);
        CHECK_MESSAGE(outcome, (outcome ? "" : outcome.error().message()));
        CHECK(accepted == connections);
      },
      {.threads = 2});
}

TEST_CASE("the example serves its port on each loop until a signal comes") {
  const endpoint at = *tcp_listener::bind(any_port)->local_endpoint();
  std::thread client([at] {
    runtime rt({.handle_signals = false});
    const auto ask = [at]() -> task<result<std::string>> {
      for (;;) {
        auto s = co_await tcp_stream::connect(at);
        if (s) co_return co_await read_all(*s);
        co_await yield();  // it does not listen yet
      }
    };
    const auto got = rt.run(ask());
    CHECK((got && *got == "hello"));
    std::raise(SIGTERM);
  });
  const auto outcome = serve_on_each_loop(at, 100us);
  client.join();
  CHECK_MESSAGE(outcome, (outcome ? "" : outcome.error().message()));
}

TEST_CASE("accepted connections are handed to another loop") {
  on_each_driver(
      [](runtime& rt) {
        const auto session = [](int fd) -> task<result<>> {
          tcp_stream s(fd);
          const auto text = co_await ok(read_exactly(s, 4));
          co_await ok(s.write_all(bytes_of(text)));
          co_return co_await s.close();
        };
        const auto body = [&]() -> task<result<>> {
          auto listener = co_await ok(tcp_listener::bind(any_port));
          const endpoint at = co_await ok(listener.local_endpoint());
          const auto hand_over = [&](std::size_t loop, int fd) -> task<result<>> {
            co_return co_await resume_on(rt.loop(loop), session(fd));
          };
          const auto accept_some = [&](task_group& group) -> task<result<>> {
            for (std::size_t i = 0; i < 20; ++i) {
              auto s = co_await ok(listener.accept());
              group.start(hand_over(i % rt.size(), s.release()));
            }
            co_return result<>{};
          };
          const auto visit = [&]() -> task<result<>> {
            for (int i = 0; i < 20; ++i) {
              auto s = co_await ok(tcp_stream::connect(at));
              co_await ok(s.write_all(bytes_of("ping")));
              const auto back = co_await ok(read_all(s));
              CHECK(back == "ping");
            }
            co_return result<>{};
          };
          auto [served, visited] = co_await when_all_settled(with_group(accept_some), visit());
          CHECK(served);
          CHECK(visited);
          co_return result<>{};
        };
        sockets::run(rt, body());
      },
      {.threads = 2});
}

TEST_CASE("without a free descriptor it goes on when there is one, and says so") {
  if (PENSTOCK_ASAN) return support::skip("the sanitizer needs descriptors itself");
  const auto outcome = support::in_child([] {
    bool good = true;
    for (auto kind : {driver_kind::uring, driver_kind::reactor}) {
      runtime rt({.driver = kind});
      if (rt.driver_name() == "none") continue;
      const auto body = [&]() -> task<result<>> {
        auto listener = co_await ok(tcp_listener::bind(any_port));
        const endpoint at = co_await ok(listener.local_endpoint());
        auto first = co_await ok(tcp_stream::connect(at));
        auto accepted = co_await ok(listener.accept());  // all that a driver opens late is open
        auto here = co_await ok(tcp_stream::connect(at));
        // Not one more.
        ::rlimit before{};
        ::getrlimit(RLIMIT_NOFILE, &before);
        const int spare = ::dup(0);
        ::close(spare);
        const ::rlimit none{static_cast<::rlim_t>(spare), before.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &none);
        const log_capture heard;
        const auto restore = [&]() -> task<result<>> {
          while (said.empty()) co_await yield();
          ::setrlimit(RLIMIT_NOFILE, &before);
          co_return result<>{};
        };
        const auto accept = [&]() -> task<result<>> {
          auto s = co_await ok(listener.accept());
          co_return co_await s.write_all(bytes_of("late"));
        };
        auto [a, r] = co_await when_all_settled(accept(), restore());
        good = good && a && r;
        const auto text = co_await ok(read_exactly(here, 4));
        good = good && text == "late" &&
               said == std::vector<std::string>{"accept '" + at.text() +
                                                "': Too many open files: trying again"};
        co_return result<>{};
      };
      const auto done = rt.run(body());
      if (!done) std::fprintf(stderr, "%s\n", done.error().message().c_str());
      good = good && done;
    }
    return good ? 0 : 1;
  });
  CHECK_MESSAGE(outcome.status == 0, outcome.output);
}

namespace {
constexpr int no_such_fd = 1'000'000;
struct fixture {
  std::unique_ptr<scripted::driver> d = std::make_unique<scripted::driver>();
  std::unique_ptr<tcp_listener> l = std::make_unique<tcp_listener>(no_such_fd);
  int end = ::dup(0);
};
// Runs `body(fixture)` under virtual time.
template <class Body>
void with_listener(Body body) {
  test::test_runtime rt;
  fixture x;
  const auto all = [&]() -> task<> {
    x.d->install();
    co_await body(x, rt);
    scheduler::current()->set_io_driver(nullptr);
  };
  rt.run(all());
  CHECK(x.d->held() == 0);
  ::close(x.end);
}
}  // namespace

TEST_CASE("a connection that is gone before it is accepted is passed over") {
  with_listener([](fixture& x, test::test_runtime& rt) -> task<> {
    for (const int gone : {ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET,
                           EHOSTUNREACH, ENETUNREACH, EPERM, EINTR})
      x.d->at_once.push_back(-gone);
    x.d->at_once.push_back(std::exchange(x.end, -1));
    const auto s = co_await x.l->accept();
    CHECK(s);
    CHECK(rt.now() == time_point());
    x.d->at_once = {-EBADF};
    const auto bad = co_await x.l->accept();
    CHECK(message_of(bad) == "accept 'socket': Bad file descriptor");
  });
}

TEST_CASE("errors without end do not keep the loop") {
  with_listener([](fixture& x, test::test_runtime& rt) -> task<> {
    for (int i = 0; i < 200; ++i) x.d->at_once.push_back(-EPERM);
    x.d->at_once.push_back(std::exchange(x.end, -1));
    const auto s = co_await x.l->accept();
    CHECK(s);
    CHECK(rt.now() == time_point(5ms + 10ms + 20ms));
  });
}

TEST_CASE("for want of room it tries again after 5 ms, 10 ms ... 1 s, and says so once a minute") {
  for (const int lacking : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
    const log_capture heard;
    with_listener([&](fixture& x, test::test_runtime& rt) -> task<> {
      for (int i = 0; i < 70; ++i) x.d->at_once.push_back(-lacking);
      x.d->at_once.push_back(std::exchange(x.end, -1));
      std::vector<duration> pauses;
      const auto watch = [&]() -> task<> {
        time_point before = rt.now();
        std::size_t tries = 1;
        while (pauses.size() < 10) {
          co_await sleep_for(5ms);
          if (x.d->seen.size() <= tries) continue;
          ++tries;
          pauses.push_back(rt.now() - before);
          before = rt.now();
        }
      };
      const auto [s, watched] = co_await when_all_settled(x.l->accept(), watch());
      CHECK(s);
      CHECK(pauses == std::vector<duration>{5ms, 10ms, 20ms, 40ms, 80ms, 160ms, 320ms, 640ms,
                                            1000ms, 1000ms});
      CHECK(rt.now() == time_point(1275ms + 62 * 1s));
      CHECK(said.size() == 2);
      CHECK(said.front().ends_with(": trying again"));
      // Then it begins with 5 ms again.
      const time_point now = rt.now();
      x.d->at_once = {-EMFILE, ::dup(0)};
      const auto next = co_await x.l->accept();
      CHECK(next);
      CHECK(rt.now() - now == 5ms);
    });
  }
}

TEST_CASE("a pause ends with a stop and with close(), and when its task is destroyed") {
  const log_capture heard;
  with_listener([](fixture& x, test::test_runtime& rt) -> task<> {
    for (int i = 0; i < 100; ++i) x.d->at_once.push_back(-EMFILE);
    const auto late = co_await with_timeout(2s, x.l->accept());
    CHECK(late.error() == errc::timed_out);
    CHECK(rt.now() == time_point(2s));
    const auto close = [&]() -> task<result<>> {
      co_await sleep_for(2s);
      co_return co_await x.l->close();
    };
    auto [accepted, closed] = co_await when_all_settled(x.l->accept(), close());
    CHECK(accepted.error() == errc::closed);
    CHECK(closed.error() == std::errc::bad_file_descriptor);  // no real one, and it came to that
    CHECK(rt.now() == time_point(4s));
  });
}

TEST_CASE("cancel matrix of an accept: a connection is delivered, or waits for the next one") {
  test::cancel_matrix(
      [] { return fixture(); },
      [](fixture& x) {
        x.d->install();
        return x.l->accept();
      },
      [](fixture& x) { static_cast<void>(x.d->held() == 0 || x.d->complete(x.end)); },
      [](fixture& x, const auto& outcome, cancel_stage stage) {
        if (x.d->held() != 0) return std::string("in flight after its task");
        if (stage >= cancel_stage::completion_first && !outcome)
          return std::string("an accepted connection was lost");
        if (outcome && !*outcome) return std::string("an error");
        // Delivered: it is open while the stream is; else nobody has touched it.
        if (!sockets::is_open(x.end)) return std::string("a connection was closed");
        if (!outcome) ::close(x.end);
        return std::string();
      });
}

TEST_CASE("cancel matrix of an accept that pauses") {
  const log_capture heard;
  test::cancel_matrix(
      [] {
        fixture x;
        x.d->at_once = {-EMFILE};
        return x;
      },
      [](fixture& x) {
        x.d->install();
        return x.l->accept();
      },
      [](fixture& x) -> task<> {
        co_await sleep_for(6ms);
        if (x.d->held() != 0) x.d->complete(x.end);
      },
      [](fixture& x, const auto& outcome, cancel_stage) {
        if (!outcome) ::close(x.end);
        return x.d->held() == 0;
      });
}

TEST_CASE("an accept destroyed where it waits closes what it has got") {
  // The driver completes while the awaiter goes.
  with_listener([](fixture& x, test::test_runtime&) -> task<> {
    const auto accept = [&]() -> task<> { static_cast<void>(co_await x.l->accept()); };
    const auto body = [&](task_group& group) -> task<> {
      group.start(accept);
      co_await yield();
      CHECK(x.d->held() == 1);
      group.request_stop();
      CHECK(x.d->complete(x.end));  // beats the cancellation
      co_return;
    };
    co_await with_group(body);
    CHECK_FALSE(sockets::is_open(std::exchange(x.end, -1)));
  });
}
