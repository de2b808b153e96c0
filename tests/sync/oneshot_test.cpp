// tests/sync/oneshot_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/sync/make_oneshot.hpp>
#include <penstock/sync/oneshot.hpp>

#include <penstock/core/shield.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/sync_wait.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/sync/channel.hpp>
#include <penstock/test/allocation_counter.hpp>
#include <penstock/test/cancel_matrix.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>

using namespace penstock;
using namespace std::chrono_literals;
using test::cancel_stage;

static_assert(!std::is_move_constructible_v<oneshot<int>>);
static_assert(std::is_same_v<await_result_t<oneshot<int>::receive_awaiter>, result<int>>);

namespace {
// [oneshot]
task<result<int>> ask(channel<oneshot<int>*>& questions) {
  oneshot<int> answer;
  co_await ok(questions.send(&answer));
  co_return co_await shield(answer.receive());  // it stays until it is answered
}
task<> reply(channel<oneshot<int>*>& questions) {
  while (auto question = co_await questions.receive()) (*question)->send(42);
}
// [/oneshot]

// [make_oneshot]
struct request {
  int number;
  oneshot_sender<int> answer;
};
task<result<int>> square(channel<request>& requests, int number) {
  auto [sender, receiver] = make_oneshot<int>();
  request asked{number, std::move(sender)};
  co_await ok(requests.send(std::move(asked)));
  co_return co_await receiver.receive();  // may be stopped: the answer goes nowhere then
}
task<> work(channel<request>& requests) {
  while (auto r = co_await requests.receive()) {
    if (!r->answer.wanted()) continue;
    co_await sleep_for(1ms);
    r->answer.send(r->number * r->number);
  }
}
// [/make_oneshot]
}  // namespace

PENSTOCK_TEST("one answers, the other takes it") {
  channel<oneshot<int>*> questions{1};
  auto asker = [&]() -> task<> {
    CHECK(co_await ask(questions) == 42);
    CHECK(co_await ask(questions) == 42);
    questions.close();
  };
  co_await when_all(asker(), reply(questions));
}

PENSTOCK_TEST("there is one answer, and it is taken once") {
  oneshot<std::string> o("reply");
  CHECK_FALSE(o.answered());
  CHECK(o.send("yes"));
  CHECK_FALSE(o.send("no"));
  CHECK_FALSE(o.fail(errc::corrupt));
  o.close();
  CHECK(o.answered());
  CHECK(co_await o.receive() == "yes");
  CHECK((co_await o.receive()).error().message() == "reply 'taken before': closed");

  local::oneshot<int> failed;
  CHECK(failed.fail(errc::overloaded));
  CHECK((co_await failed.receive()).error() == errc::overloaded);

  oneshot<int> closed("reply");
  auto waits = [&]() -> task<> {
    CHECK((co_await closed.receive()).error().message() == "reply: closed");
  };
  auto closes = [&]() -> task<> {
    co_await sleep_for(1ms);
    closed.close();
  };
  co_await when_all(waits(), closes());
}

PENSTOCK_TEST("who has received may destroy the oneshot while send returns") {
  auto o = std::make_unique<oneshot<int>>();
  auto* const raw = o.get();
  auto receiver = [](std::unique_ptr<oneshot<int>> own) -> task<> {
    CHECK(co_await own->receive() == 1);
  };
  auto sender = [raw]() -> task<> {
    co_await sleep_for(1ms);
    raw->send(1);
  };
  co_await when_all(receiver(std::move(o)), sender());
}

PENSTOCK_TEST("the ends of a shared oneshot outlive each other") {
  channel<request> requests{4};
  auto client = [&]() -> task<> {
    CHECK(co_await square(requests, 3) == 9);
    const auto late = co_await with_timeout(500us, square(requests, 4));
    CHECK(late.error() == errc::timed_out);
    CHECK(co_await square(requests, 5) == 25);
    requests.close();
    CHECK((co_await square(requests, 6)).error() == errc::closed);
  };
  co_await when_all(client(), work(requests));

  auto [sender, receiver] = make_oneshot<int>();
  {
    auto gone = std::move(sender);
    CHECK(gone.wanted());
  }
  CHECK((co_await receiver.receive()).error() == errc::closed);

  auto other = make_oneshot<int>();
  other.receiver = {};
  CHECK_FALSE(other.sender.wanted());
  CHECK_FALSE(other.sender.send(1));
  CHECK_FALSE(other.sender.fail(errc::corrupt));
}

TEST_CASE("stopped at any moment a receive takes the answer or leaves it") {
  struct fixture {
    std::unique_ptr<oneshot<int>> o = std::make_unique<oneshot<int>>();
  };
  test::cancel_matrix([] { return fixture{}; }, [](fixture& f) { return f.o->receive(); },
                      [](fixture& f) { f.o->send(1); },
                      [](fixture& f, const auto& outcome, cancel_stage) -> std::string {
                        const auto again = sync_wait(f.o->receive());
                        if (outcome.has_value() == again.has_value()) return "lost, or taken twice";
                        return "";
                      });
}

TEST_CASE("a oneshot in place does not allocate, a shared one once") {
  if (!test::allocation_counter::available()) return;
  const test::allocation_counter count;
  oneshot<int> o;
  o.send(1);
  CHECK(count.allocations() == 0);
  auto ends = make_oneshot<int>();
  ends.sender.send(1);
  CHECK(count.allocations() == 1);
}
