// tests/stream/receive_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/receive.hpp>

#include <penstock/core/sleep.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/stream.hpp>
#include <penstock/sync/broadcast.hpp>
#include <penstock/sync/channel.hpp>
#include <penstock/sync/topics.hpp>
#include <penstock/sync/unbounded_channel.hpp>
#include <penstock/sync/weighted_channel.hpp>
#include <penstock/test/cancel_matrix.hpp>

#include <stream/marbles.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;

namespace {
// Sends 1, 2, 3 one by one, then closes.
template <class Channel>
task<> send_three(Channel& to, error reason = errc::closed) {
  for (int i : {1, 2, 3}) {
    auto sent = co_await to.send(i);
    CHECK(sent);
    co_await sleep_for(1ms);
  }
  to.close(reason);
}
const std::vector<int> three{1, 2, 3};
}  // namespace

PENSTOCK_TEST("receive() gives what is sent until the channel is closed and drained") {
  channel<int> jobs(1);
  auto read = [&]() -> task<> {
    // [receive]
    auto all = co_await (receive(jobs) | collect());
    // [/receive]
    CHECK(all.value() == three);
  };
  co_await when_all(send_three(jobs), read());

  local::channel<int> meeting(0);
  auto meet = [&]() -> task<> {
    auto all = co_await (receive(meeting) | collect());
    CHECK(all.value() == three);
  };
  co_await when_all(send_three(meeting), meet());

  unbounded_channel<std::unique_ptr<int>> boxes;
  CHECK(boxes.send(std::make_unique<int>(7)));
  boxes.close();
  auto got = co_await (receive(boxes) | collect());
  CHECK(*got.value().at(0) == 7);
}

PENSTOCK_TEST("another reason of close() fails the stream, after what was sent") {
  channel<int> jobs(4);
  int seen = 0;
  auto see = [&](int) { ++seen; };
  auto read = [&]() -> task<> {
    auto all = co_await (receive(jobs) | tap(see) | collect());
    CHECK(all.error() == errc::overloaded);
  };
  co_await when_all(send_three(jobs, errc::overloaded), read());
  CHECK(seen == 3);
}

PENSTOCK_TEST("receive() of a broadcast keeps its receiver; who lagged can read on") {
  broadcast<int> news(2);
  {
    auto all = receive(news.subscribe());
    for (int i : {1, 2, 3}) CHECK(news.send(i));
    auto lagged = co_await all.next();
    CHECK(lagged.error() == errc::lagged);
    news.close();
    auto rest = co_await (all | collect());
    CHECK(rest.value() == std::vector<int>{2, 3});
  }
  CHECK(news.receivers() == 0);
}

PENSTOCK_TEST("receive() takes all that have such a receive(): weighted channels, subscribers") {
  auto weigh = [](const int&) { return std::size_t{1}; };
  weighted_channel<int> weighed(2, weigh);
  auto read = [&]() -> task<> {
    auto all = co_await (receive(weighed) | collect());
    CHECK(all.value() == three);
  };
  co_await when_all(send_three(weighed), read());

  topics<std::string> rooms;
  {
    auto ann = rooms.subscribe();
    rooms.join(ann, "lobby");
    static_cast<void>(rooms.publish("lobby", "hello"));
    auto heard = receive(std::move(ann));
    auto first = co_await heard.next();
    CHECK(**first.value() == "hello");
    auto nothing = co_await with_timeout(1ms, heard.next());
    CHECK(nothing.error() == errc::timed_out);
  }
}

TEST_CASE("next() of receive(), stopped at every moment, loses no value") {
  struct fixture {
    std::unique_ptr<channel<int>> jobs = std::make_unique<channel<int>>(2);
    using kept = decltype(receive(std::declval<channel<int>&>()));
    std::unique_ptr<kept> stream = std::make_unique<kept>(receive(*jobs));
  };
  test::cancel_matrix([] { return fixture(); }, [](fixture& f) { return f.stream->next(); },
                      [](fixture& f) { CHECK(f.jobs->try_send(7)); },
                      [](fixture& f, const auto& outcome, test::cancel_stage) -> task<> {
                        if (outcome) CHECK(outcome->value() == 7);
                        static_cast<void>(f.jobs->try_send(8));
                        const bool taken = outcome || f.jobs->size() == 1;
                        auto next = co_await f.stream->next();
                        CHECK(next.value() == (taken ? 8 : 7));
                      });
}

TEST_CASE("receive(): what is sent, as it is sent; a slow consumer holds the senders up") {
  const auto received = [](std::string_view what_is_sent, duration busy = 0ms) {
    test::test_runtime rt;
    const auto body = [&]() -> task<std::string> {
      channel<char> jobs(1);
      auto sender = [&]() -> task<> {
        (void)co_await (marbles::source(what_is_sent) | to_channel(jobs));
      };
      auto both = co_await when_all(marbles::play(receive(jobs), busy), sender());
      co_return std::get<0>(std::move(both));
    };
    return rt.run(body());
  };
  CHECK(received("-a-b-|") == "-a-b-|");
  CHECK(received("-a-#") == "-a-#");
  CHECK(received("|") == "|");
  CHECK(received("(abcd)|", 2ms) == "a-b-c-d-|");
}
