// tests/resilience/reconnect_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/resilience/reconnect.hpp>

#include <penstock/base/backoff_presets.hpp>
#include <penstock/core.hpp>
#include <penstock/sync/event.hpp>
#include <penstock/test.hpp>
#include <support/penstock_test.hpp>
#include <support/seeds.hpp>
#include <support/stopped.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;

namespace {
constexpr backoff steady = constant(1s, {.jitter = jitter::none});

// A server that is down, or drops its connections.
struct server {
  int open = 0;
  int connects = 0;
  int refuses = 0;       // so many attempts first
  duration lasts = 10s;  // each connection
  int drops = 0;         // so many of them; the next one is done
  bool answers_pings = true;

  struct connection {
    server* to = nullptr;
    explicit connection(server& s) : to(&s) { ++s.open; }
    connection(connection&& o) noexcept : to(std::exchange(o.to, nullptr)) {}
    ~connection() {
      if (to) --to->open;
    }
  };
  task<result<connection>> connect() {
    ++connects;
    co_await sleep_for(1ms);
    if (connects <= refuses) co_return fail(std::errc::connection_refused);
    co_return connection(*this);
  }
  task<result<>> serve(connection&) {
    co_await sleep_for(lasts);
    if (drops-- > 0) co_return fail(errc::closed);
    co_return {};
  }
  task<result<>> ping(connection&) {
    if (!answers_pings) co_await sleep_for(1h);
    co_await sleep_for(1ms);
    co_return {};
  }
};
std::string text(const reconnect_event& e) {
  const char* const names[] = {"connected", "failed", "lost"};
  return std::string(names[static_cast<int>(e.step)]) + ' ' + std::to_string(e.failures);
}
}  // namespace

// [reconnect]
// A subscription that is to be there always, whose server answers pings.
static task<result<>> subscribe(server& s, observer<reconnect_event> told) {
  auto connect = [&] { return s.connect(); };
  auto serve = [&](server::connection& c) { return s.serve(c); };
  auto ping = [&](server::connection& c) { return s.ping(c); };
  const reconnect_options options{.backoff = steady, .heartbeat = 25s, .heartbeat_timeout = 60s};
  co_return co_await reconnect(options, connect, serve, ping, std::move(told));
}
// [/reconnect]

PENSTOCK_TEST("it connects until it can, serves, and connects again when the connection is lost") {
  server s{.refuses = 2, .drops = 1};
  std::vector<std::string> log;
  const auto done =
      co_await subscribe(s, [&](const reconnect_event& e) { log.push_back(text(e)); });
  CHECK(done.has_value());
  CHECK(log ==
        std::vector<std::string>{"failed 1", "failed 2", "connected 0", "lost 3", "connected 0"});
  CHECK(s.connects == 4);
  CHECK(s.open == 0);
  CHECK(rt.now() == time_point(4 * 1ms + 3s + 20s));
}

PENSTOCK_TEST("behind a connection that was healthy the backoff begins anew") {
  server s{.refuses = 2, .lasts = 30s, .drops = 2};
  std::vector<std::string> log;
  static_cast<void>(
      co_await subscribe(s, [&](const reconnect_event& e) { log.push_back(text(e)); }));
  CHECK(log == std::vector<std::string>{"failed 1", "failed 2", "connected 0", "lost 1",
                                        "connected 0", "lost 1", "connected 0"});
}

PENSTOCK_TEST("a ping that is not answered in time loses the connection") {
  server s{.lasts = 10h, .answers_pings = false};
  std::vector<std::string> log;
  auto heal = [&](const reconnect_event& e) {
    log.push_back(text(e) + ' ' + (e.why.code() ? e.why.message() : ""));
    if (e.step == reconnect_step::lost) {
      s.answers_pings = true;
      s.lasts = 1s;
    }
  };
  CHECK(co_await subscribe(s, heal));
  CHECK(log.size() == 3);
  CHECK(log[1].find("lost 1 heartbeat") == 0);
  CHECK(rt.now() == time_point(25s + 60s + 1s + 2ms + 1s));
  CHECK(s.open == 0);
}

PENSTOCK_TEST("it gives up after so many failures in a row, and when another attempt is useless") {
  server s{.refuses = 100};
  auto connect = [&] { return s.connect(); };
  auto serve = [&](server::connection& c) { return s.serve(c); };
  const reconnect_options thrice{.backoff = steady, .attempts = 3};
  const auto failed = co_await reconnect(thrice, connect, serve);
  CHECK(failed.error() == std::errc::connection_refused);
  CHECK(failed.error().why() == retry_stop::attempts);
  CHECK(s.connects == 3);
  auto forbidden = []() -> task<result<server::connection>> {
    co_return fail(std::errc::permission_denied);
  };
  const auto useless = co_await reconnect(thrice, forbidden, serve);
  CHECK(useless.error().why() == retry_stop::non_retryable);
  auto never = []() -> task<result<server::connection>> {
    co_await sleep_for(1h);
    co_return fail(errc::closed);
  };
  const auto late = co_await reconnect(thrice, never, serve);
  CHECK(late.error() == errc::timed_out);
  const reconnect_options bad{.heartbeat = 0s};
  const auto refused = co_await reconnect(bad, connect, serve);
  CHECK(refused.error() == errc::invalid_option);
}

PENSTOCK_TEST("exceptions pass through") {
  server s;
  auto connect = [&] { return s.connect(); };
  auto serve = [](server::connection&) -> task<result<>> {
    co_await sleep_for(1ms);
    throw std::runtime_error("no");
  };
  bool thrown = false;
  try {
    static_cast<void>(co_await reconnect({.backoff = steady}, connect, serve));
  } catch (const std::runtime_error&) {
    thrown = true;
  }
  CHECK(thrown);
  CHECK(s.open == 0);
}

TEST_CASE("a stop at any time ends it at once, and leaves no connection") {
  for (const auto seed : support::seeds(40)) {
    CAPTURE(seed);
    test::test_runtime rt{{.seed = seed}};
    auto body = [&]() -> task<> {
      random_engine& random = co_await this_task::random();
      server s{.refuses = 2, .lasts = 40s, .drops = 100};
      const auto cut = std::chrono::milliseconds(random.uniform_int(0, 120'000));
      const time_point begin = co_await this_task::now();
      const auto late = co_await with_timeout(cut, subscribe(s, {}));
      const time_point end = co_await this_task::now();
      CHECK(late.error() == errc::timed_out);
      CHECK(end - begin == cut);
      CHECK(s.open == 0);
    };
    rt.run(body());
  }
}

TEST_CASE("stopped before, in and after its last step it ends, or gives its result") {
  struct fixture {
    std::unique_ptr<event> done = std::make_unique<event>();
    std::unique_ptr<server> to = std::make_unique<server>();
  };
  test::cancel_matrix([] { return fixture{}; },
                      [](fixture& f) {
                        auto connect = [&f]() -> task<result<server::connection>> {
                          co_return server::connection(*f.to);
                        };
                        auto serve = [&f](server::connection&) -> task<result<>> {
                          co_await f.done->wait();
                          co_return {};
                        };
                        return reconnect({.backoff = steady}, connect, serve);
                      },
                      [](fixture& f) { f.done->set(); },
                      [](fixture& f, const auto& outcome, test::cancel_stage) -> std::string {
                        if (outcome && !outcome->has_value()) return "no result";
                        return f.to->open == 0 ? "" : "the connection is open";
                      });
}
