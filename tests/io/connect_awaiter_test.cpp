// tests/io/connect_awaiter_test.cpp
// SPDX-License-Identifier: BSL-1.0
//
// Connecting to the first of several addresses, under virtual time.

#include <penstock/io/detail/connect_awaiter.hpp>

#include <penstock/core.hpp>
#include <penstock/io/detail/connect_race.hpp>
#include <penstock/io/tcp_listener.hpp>
#include <penstock/test.hpp>

#include <io/scripted_driver.hpp>
#include <io/sockets.hpp>
#include <support/each_driver.hpp>

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;
using sockets::message_of;

namespace {
const std::vector<endpoint> three{endpoint("127.0.0.1", 1), endpoint("127.0.0.2", 2),
                                  endpoint("127.0.0.3", 3)};

// Runs connect(addresses) beside `script(driver)`; nothing stays open or in flight.
template <class Script>
result<tcp_stream> attempt(std::span<const endpoint> addresses, Script script,
                           connect_options options = {}, test::test_runtime_options how = {}) {
  scripted::driver d;
  result<tcp_stream> outcome = fail(errc::canceled);
  const auto all = [&]() -> task<> {
    d.install();
    const auto connect = [&]() -> task<> {
      outcome = co_await tcp_stream::connect(addresses, options);
    };
    co_await when_all(connect(), script(d));
  };
  test::test_runtime rt(how);
  try {
    rt.run(all());
  } catch (const std::system_error& e) {
    CHECK(e.code() == make_error_code(errc::canceled));
  }
  CHECK(d.held() == 0);
  for (const operation& op : d.seen)
    CHECK(sockets::is_open(op.fd) == (outcome && outcome->native_handle() == op.fd));
  return outcome;
}
}  // namespace

TEST_CASE("the families take turns, beginning with that of the first address") {
  const auto order = [](std::vector<endpoint> addresses) {
    std::string text;
    const detail::connect_race<tcp_stream> race(addresses, {});
    for (const auto& one : race.tries) text += std::to_string(one.to.port());
    return text;
  };
  const auto v4 = [](std::uint16_t port) { return endpoint("127.0.0.1", port); };
  const auto v6 = [](std::uint16_t port) { return endpoint("::1", port); };
  CHECK(order({v6(1), v6(2), v4(3), v4(4)}) == "1324");
  CHECK(order({v4(1), v6(2), v6(3), v6(4)}) == "1234");
  CHECK(order({v4(1), v4(2), v4(3), v6(4)}) == "1423");
  CHECK(order({v4(1), v4(2), v4(3)}) == "123");
  CHECK(order({v6(1)}) == "1");
  CHECK(order({}).empty());
}

TEST_CASE("while none has answered another one is tried each 250 ms") {
  const auto script = [](scripted::driver& d) -> task<> {
    co_await sleep_for(1ms);
    CHECK(d.seen.size() == 1);
    co_await sleep_for(248ms);
    CHECK(d.seen.size() == 1);
    co_await sleep_for(2ms);
    CHECK(d.seen.size() == 2);
    co_await sleep_for(250ms);
    CHECK(d.seen.size() == 3);
    CHECK(d.held() == 3);
    CHECK(d.complete_at(1, 0));  // the second wins
    co_await sleep_for(1ms);
    CHECK(d.cancels == 2);
  };
  const auto made = attempt(three, script);
  REQUIRE(made);
  CHECK(*made->peer_endpoint() == three[1]);
}

TEST_CASE("the stagger is an option") {
  const auto script = [](scripted::driver& d) -> task<> {
    co_await sleep_for(11ms);
    CHECK(d.seen.size() == 2);
    CHECK(d.complete(0));
  };
  const auto made = attempt(three, script, {.stagger = 10ms});
  REQUIRE(made);
  CHECK(*made->peer_endpoint() == three[0]);
}

TEST_CASE("when one has failed the next is tried at once") {
  const auto script = [](scripted::driver& d) -> task<> {
    co_await sleep_for(1ms);
    CHECK(d.complete(-ECONNREFUSED));
    co_await sleep_for(1ms);
    CHECK(d.seen.size() == 2);
    co_await sleep_for(250ms);
    CHECK(d.seen.size() == 3);
    CHECK(d.complete_at(1, 0));
  };
  const auto made = attempt(three, script);
  REQUIRE(made);
  CHECK(*made->peer_endpoint() == three[2]);
}

TEST_CASE("when all have failed the error is that of the first, and names all") {
  const auto script = [](scripted::driver& d) -> task<> {
    co_await sleep_for(251ms);
    CHECK(d.complete_at(1, -EHOSTUNREACH));
    co_await sleep_for(1ms);
    CHECK(d.complete_at(1, -EHOSTUNREACH));
    co_await sleep_for(1ms);
    CHECK(d.complete(-ECONNREFUSED));
  };
  const auto made = attempt(three, script);
  CHECK(made.error() == std::errc::connection_refused);
  CHECK(message_of(made) ==
        "connect '127.0.0.1:1': Connection refused: connect '127.0.0.2:2': connect "
        "'127.0.0.3:3': No route to host");
}

TEST_CASE("of two that answer together one is delivered, the other one closed") {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    const auto script = [](scripted::driver& d) -> task<> {
      co_await sleep_for(251ms);
      CHECK(d.complete_at(1, 0));
      CHECK(d.complete_at(0, 0));
    };
    const auto made = attempt(three, script, {}, {.seed = seed});
    CHECK(made);
  }
}

TEST_CASE("no address, and options that cannot work, are errors") {
  const auto script = [](scripted::driver& d) -> task<> {
    CHECK(d.seen.empty());
    co_return;
  };
  CHECK(message_of(attempt({}, script)) == "connect 'no address': invalid option");
  CHECK(message_of(attempt(three, script, {.stagger = -1ms})) ==
        "connect 'stagger': invalid option");
}

TEST_CASE("a stop at every step gives all up") {
  for (std::uint64_t step = 1; step < 60; ++step) {
    CAPTURE(step);
    const auto script = [](scripted::driver& d) -> task<> {
      for (int i = 0; i < 10; ++i) {
        co_await sleep_for(100ms);
        if (i == 3) d.complete(-ECONNREFUSED);
        if (i == 7) d.complete(0);
      }
    };
    static_cast<void>(attempt(three, script, {}, {.seed = step, .stop_at_step = step}));
  }
}

namespace {
struct fixture {
  std::unique_ptr<scripted::driver> d = std::make_unique<scripted::driver>();
};
}  // namespace

TEST_CASE("cancel matrix of a connect: one that was made anyway is delivered") {
  test::cancel_matrix([] { return fixture(); },
                      [](fixture& x) {
                        x.d->install();
                        return tcp_stream::connect(three[0]);
                      },
                      [](fixture& x) { x.d->complete(0); },
                      [](fixture& x, const auto& outcome, test::cancel_stage stage) {
                        if (x.d->held() != 0) return std::string("in flight after its task");
                        if (stage >= test::cancel_stage::completion_first && !outcome)
                          return std::string("a connection was lost");
                        if (stage == test::cancel_stage::before_start && !x.d->seen.empty())
                          return std::string("a stopped task began to connect");
                        for (const operation& op : x.d->seen)
                          if (sockets::is_open(op.fd) != outcome.has_value())
                            return std::string("a leak");
                        return std::string();
                      });
}

TEST_CASE("it connects to the one of several addresses where somebody listens") {
  support::on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      auto gone = co_await ok(tcp_listener::bind(endpoint("127.0.0.1", 0)));
      const endpoint nobody = co_await ok(gone.local_endpoint());
      co_await ok(gone.close());
      auto listener = co_await ok(tcp_listener::bind(endpoint("127.0.0.1", 0)));
      const endpoint somebody = co_await ok(listener.local_endpoint());
      const std::vector<endpoint> addresses{nobody, endpoint("::1", nobody.port()), somebody};
      const auto made = co_await ok(tcp_stream::connect(addresses));
      const auto peer = co_await ok(made.peer_endpoint());
      CHECK(peer == somebody);
      const auto all = co_await tcp_stream::connect(std::span(addresses).first(2));
      CHECK(all.error() == std::errc::connection_refused);
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}
