// tests/sync/single_flight_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/sync/single_flight.hpp>

#include <penstock/core/ok.hpp>
#include <penstock/core/shield.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/with_group.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/test/cancel_matrix.hpp>
#include <support/penstock_test.hpp>
#include <support/stopped.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>

using namespace penstock;
using namespace std::chrono_literals;
using test::cancel_stage;

namespace {
// [single_flight]
struct directory {
  single_flight<int, std::string> flights;
  int loads = 0;

  task<result<std::string>> name_of(int id) {
    auto load = [this, id]() -> task<result<std::string>> {
      ++loads;
      co_await sleep_for(10ms);  // ask the database
      if (id < 0) co_return fail(errc::not_found, "user", std::to_string(id));
      co_return "user " + std::to_string(id);
    };
    co_return co_await flights.run(id, load);
  }
};
// [/single_flight]
}  // namespace

PENSTOCK_TEST("who asks for a key meanwhile gets the same outcome") {
  directory d;
  auto [a, b, c] = co_await must(when_all(d.name_of(1), d.name_of(1), d.name_of(2)));
  CHECK(a == "user 1");
  CHECK(b == "user 1");
  CHECK(c == "user 2");
  CHECK(d.loads == 2);
  CHECK(d.flights.in_flight() == 0);
  CHECK(co_await d.name_of(1) == "user 1");
  CHECK(d.loads == 3);
  auto fails = [&]() -> task<> {
    CHECK((co_await d.name_of(-1)).error().message() == "user '-1': not found");
  };
  co_await when_all(fails(), fails());
  CHECK(d.loads == 4);
}

PENSTOCK_TEST("the one that started the flight does not end it for the others") {
  directory d;
  auto leader = [&]() -> task<> {
    CHECK((co_await with_timeout(2ms, d.name_of(1))).error() == errc::timed_out);
  };
  auto follower = [&]() -> task<> {
    co_await sleep_for(1ms);
    CHECK(co_await d.name_of(1) == "user 1");
  };
  co_await when_all(leader(), follower(), follower());
  CHECK(d.loads == 1);
}

PENSTOCK_TEST("an abandoned flight goes on, or is stopped where that is asked for") {
  directory d;
  static_cast<void>(co_await with_timeout(2ms, d.name_of(1)));
  CHECK(d.flights.in_flight() == 1);
  co_await sleep_for(2ms);
  CHECK(co_await d.name_of(1) == "user 1");  // joined it
  CHECK(d.loads == 1);

  single_flight<int, int> strict({.cancel_abandoned = true});
  bool finished = false;
  auto load = [&]() -> task<int> {
    co_await sleep_for(10ms);
    finished = true;
    co_return 1;
  };
  auto asks = [&](duration patience) -> task<> {
    CHECK((co_await with_timeout(patience, strict.run(7, load))).error() == errc::timed_out);
  };
  // Whoever comes in the turn in which the last one leaves has a flight of its own.
  auto late = [&]() -> task<> {
    co_await sleep_for(2ms);
    CHECK(co_await strict.run(7, load) == 1);
  };
  co_await when_all(asks(1ms), asks(2ms), late());
  finished = false;
  co_await when_all(asks(1ms), asks(2ms));
  co_await sleep_for(1ms);
  CHECK(strict.in_flight() == 0);
  CHECK_FALSE(finished);
  CHECK(co_await strict.run(7, load) == 1);
}

PENSTOCK_TEST("a key that is forgotten has another flight; those who wait keep theirs") {
  single_flight<std::string, int> flights;
  int version = 0;
  auto load = [&]() -> task<int> {
    const int mine = ++version;
    co_await sleep_for(5ms);
    co_return mine;
  };
  auto before = [&]() -> task<> { CHECK(co_await flights.run("a", load) == 1); };
  auto after = [&]() -> task<> {
    co_await sleep_for(1ms);
    flights.forget("a");
    CHECK(co_await flights.run("a", load) == 2);
  };
  auto joins = [&]() -> task<> {
    co_await sleep_for(2ms);
    CHECK(co_await flights.run("a", load) == 2);
  };
  co_await when_all(before(), after(), joins());
  CHECK(version == 2);
}

PENSTOCK_TEST("a load that asks for its own key is told, not hung") {
  single_flight<int, int> flights;
  auto inner = []() -> task<int> { co_return 1; };
  auto load = [&]() -> task<result<int>> {
    co_await sleep_for(1ms);
    int got = 0;
    co_await with_group([&](task_group& group) -> task<> {
      auto child = [&]() -> task<> {
        const auto r = co_await flights.run(1, inner);
        CHECK(r.error() == errc::would_deadlock);
        got = co_await must(flights.run(2, inner));  // another key is fine
      };
      group.start(child);
      co_return;
    });
    co_return got;
  };
  CHECK(co_await flights.run(1, load) == 1);
}

PENSTOCK_TEST("an exception of the load comes to all") {
  single_flight<int, int> flights;
  auto load = []() -> task<int> {
    co_await sleep_for(1ms);
    throw std::runtime_error("bad");
  };
  int caught = 0;
  auto asks = [&]() -> task<> {
    try {
      static_cast<void>(co_await flights.run(1, load));
    } catch (const std::runtime_error&) {
      ++caught;
    }
  };
  co_await when_all(asks(), asks(), asks());
  CHECK(caught == 3);
}

PENSTOCK_TEST("close stops what is in flight and waits for it") {
  single_flight<int, int> flights;
  bool gone = false;
  auto load = [&]() -> task<int> {
    const scope_exit note{[&] { gone = true; }};
    co_await sleep_for(1h);
    co_return 1;
  };
  auto asks = [&]() -> task<> { CHECK((co_await flights.run(1, load)).error() == errc::canceled); };
  auto closes = [&]() -> task<> {
    co_await sleep_for(1ms);
    co_await flights.close();
    CHECK(gone);
  };
  co_await when_all(asks(), closes());
  CHECK((co_await flights.run(1, load)).error() == errc::closed);
  co_await flights.close();
}

PENSTOCK_TEST("a close that is stopped has ended the flights all the same") {
  single_flight<int, int> flights;
  auto load = []() -> task<int> {
    const auto slow = co_await shield(as_result(sleep_for(5ms)));  // does not hurry
    co_return slow ? 1 : 2;
  };
  auto asks = [&]() -> task<> { static_cast<void>(co_await flights.run(1, load)); };
  auto closes = [&]() -> task<> {
    co_await sleep_for(1ms);
    CHECK((co_await with_timeout(1ms, flights.close())).error() == errc::timed_out);
    CHECK((co_await flights.run(2, load)).error() == errc::closed);
    co_await flights.close();
    CHECK(flights.in_flight() == 0);
  };
  co_await when_all(asks(), closes());
}

TEST_CASE("stopped at any moment a run leaves the flight as it was") {
  struct fixture {
    std::unique_ptr<event> go = std::make_unique<event>();
    std::unique_ptr<int> loads = std::make_unique<int>(0);
    std::unique_ptr<single_flight<int, int>> flights = std::make_unique<single_flight<int, int>>();
  };
  test::cancel_matrix([] { return fixture{}; },
                      [](fixture& f) {
                        auto load = [go = f.go.get(), loads = f.loads.get()]() -> task<int> {
                          co_await go->wait();
                          co_return ++*loads;
                        };
                        return f.flights->run(1, load);
                      },
                      [](fixture& f) { f.go->set(); },
                      [](fixture& f, const auto&, cancel_stage) -> std::string {
                        return *f.loads <= 1 ? "" : "it was loaded twice";
                      });
}
