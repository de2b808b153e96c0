// tests/stream/stream_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/stream.hpp>

#include <penstock/core/offload.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/core/yield.hpp>
#include <penstock/stream.hpp>
#include <penstock/sync/event.hpp>
#include <penstock/sync/semaphore.hpp>
#include <penstock/test/cancel_matrix.hpp>
#include <penstock/test/lifetime_tracked.hpp>
#include <penstock/test/test_runtime.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace penstock;
using namespace std::chrono_literals;

namespace {

// A stream of a user: nothing but next().
class countdown {
 public:
  explicit countdown(int from, duration each = 1ms) : left_(from), each_(each) {}
  task<result<std::optional<int>>> next() {
    co_await sleep_for(each_);
    if (left_ == 0) co_return std::nullopt;
    if (left_ < 0) co_return fail(errc::corrupt, "count", "down");
    co_return left_--;
  }

 private:
  int left_;
  duration each_;
};

static_assert(stream<countdown>);
static_assert(std::is_same_v<stream_value_t<countdown>, int>);
static_assert(stream<decltype(from(std::vector<std::string>()))>);
static_assert(
    std::is_same_v<stream_value_t<decltype(from(std::vector<std::string>()))>, std::string>);
static_assert(stream<decltype(countdown(1) | map([](int) { return 'c'; }))>);
static_assert(awaitable<decltype(countdown(1) | collect())>);
static_assert(!stream<int> && !stream<std::vector<int>>);

template <class Test>
void with_seeds(Test make) {
  for (auto seed : test::seeds(8)) {
    CAPTURE(seed);
    test::test_runtime rt{{.seed = seed}};
    rt.run(make());
  }
}

}  // namespace

TEST_CASE("a class with next() is a stream, with all stages and sinks") {
  with_seeds([]() -> task<> {
    auto twice = [](int x) { return 2 * x; };
    auto all = co_await (countdown(3) | map(twice) | collect());
    CHECK(all.value() == std::vector<int>{6, 4, 2});
  });
}

TEST_CASE("a stream that is an lvalue is read where it is, and can be read on") {
  with_seeds([]() -> task<> {
    countdown down(3);
    auto first = co_await down.next();
    CHECK(first.value() == 3);
    auto rest = co_await (down | collect());
    CHECK(rest.value() == std::vector<int>{2, 1});

    auto numbers = from(std::vector<int>{1, 2, 3, 4});
    auto head = co_await numbers.next();
    CHECK(head.value() == 1);
    auto tail = co_await (numbers | collect());
    CHECK(tail.value() == std::vector<int>{2, 3, 4});
  });
}

TEST_CASE("next() reads a stream in a loop, stages that wait included") {
  with_seeds([]() -> task<> {
    auto later = [](int x) -> task<result<int>> {
      co_await sleep_for(1ms);
      co_return x * 10;
    };
    auto tens = countdown(3) | map(later);
    std::vector<int> seen;
    auto read = [&]() -> task<result<>> {
      while (auto x = co_await ok(tens.next())) seen.push_back(*x);
      co_return {};
    };
    auto done = co_await read();
    CHECK(done);
    CHECK(seen == std::vector<int>{30, 20, 10});
  });
}

TEST_CASE("next() gives the error of a stage once, then the stream goes on") {
  with_seeds([]() -> task<> {
    auto odd = [](int x) -> result<int> {
      if (x % 2 == 0) return fail(errc::corrupt, "read", "an even number");
      return x;
    };
    std::vector<int> values{1, 2, 3};
    auto odds = from(values) | map(odd);
    auto a = co_await odds.next();
    auto b = co_await odds.next();
    auto c = co_await odds.next();
    auto d = co_await odds.next();
    CHECK(a.value() == 1);
    CHECK(b.error().message() == "read 'an even number': corrupt data");
    CHECK(c.value() == 3);
    CHECK(d.value() == std::nullopt);
  });
}

TEST_CASE("the error of a stream of a user is the pipeline's") {
  with_seeds([]() -> task<> {
    auto failed = co_await (countdown(-1) | collect());
    CHECK(failed.error() == errc::corrupt);
  });
}

TEST_CASE("a pipeline whose stages never wait lets others run and can be stopped") {
  with_seeds([]() -> task<> {
    std::vector<int> many(100'000);
    int turns = 0;
    bool over = false;
    auto bystander = [&]() -> task<> {
      while (!over) {
        ++turns;
        co_await yield();
      }
    };
    auto reader = [&]() -> task<> {
      auto all = co_await (from(many) | collect());
      CHECK(all.value().size() == many.size());
      over = true;
    };
    co_await when_all(bystander(), reader());
    CHECK(turns > 10);

    int seen = 0;
    auto look = [&](int) { ++seen; };
    auto endless = [&](task_group& g) -> task<> {
      auto watch = [&]() -> task<> {
        while (seen == 0) co_await yield();
        g.request_stop();
      };
      g.start(watch);
      static_cast<void>(co_await (from(many) | for_each(look)));
    };
    co_await with_group(endless);
    CHECK(seen > 0);
    CHECK(seen < 100'000);
  });
}

namespace {
// A source of a user that waits until it is let go.
struct gated_source {
  event* gate;
  std::vector<test::lifetime_tracked>* items;
  task<result<std::optional<test::lifetime_tracked>>> next() {
    co_await gate->wait();
    if (items->empty()) co_return std::nullopt;
    auto first = std::move(items->front());
    items->erase(items->begin());
    co_return first;
  }
};
struct gated_fixture {
  gated_fixture() {
    for (int i : {7, 8}) items->emplace_back(*log, i);
  }
  std::unique_ptr<test::lifetime_log> log = std::make_unique<test::lifetime_log>();
  std::unique_ptr<std::vector<test::lifetime_tracked>> items =
      std::make_unique<std::vector<test::lifetime_tracked>>();
  std::unique_ptr<event> gate = std::make_unique<event>();
};
// Stream: what Make gives for a fixture, kept where it is read.
template <class Make>
struct stream_fixture : gated_fixture {
  using kept = std::invoke_result_t<Make, gated_fixture&>;
  stream_fixture() : stream(new kept(Make{}(*this))) {}
  std::unique_ptr<kept> stream;
};
template <class Make, class Verify>
void stop_next(Verify verify) {
  test::cancel_matrix([] { return stream_fixture<Make>(); },
                      [](stream_fixture<Make>& f) { return f.stream->next(); },
                      [](stream_fixture<Make>& f) { f.gate->set(); }, verify);
}
}  // namespace

TEST_CASE("next() while its source is parked, stopped at every moment, loses no item") {
  struct make {
    auto operator()(gated_fixture& f) const {
      return gated_source{f.gate.get(), f.items.get()} | map([](auto&& x) { return std::move(x); });
    }
  };
  stop_next<make>([](auto& f, const auto& outcome, test::cancel_stage) -> task<> {
    f.gate->set();
    CHECK(f.items->size() == (outcome ? 1u : 2u));
    if (outcome) CHECK(outcome->value()->value() == 7);
    const auto next = co_await f.stream->next();
    CHECK(next.value()->value() == (outcome ? 8 : 7));
    CHECK(f.log->values() == 2);
  });
}

TEST_CASE("next() while a stage is parked, stopped at every moment, drops that item alone") {
  struct make {
    auto operator()(gated_fixture& f) const {
      auto wait = [gate = f.gate.get()](const test::lifetime_tracked&) { return gate->wait(); };
      return from(*f.items) | tap(wait);
    }
  };
  stop_next<make>([](auto& f, const auto& outcome, test::cancel_stage) -> task<> {
    // The source's two, and the one that was read: one that was dropped is gone at once.
    CHECK(f.log->live() == (outcome ? 3 : 2));
    if (outcome) CHECK(outcome->value()->value() == 7);
    f.gate->set();
    const auto next = co_await f.stream->next();
    CHECK(next.value()->value() == 8);
    const auto end = co_await f.stream->next();
    CHECK_FALSE(end.value().has_value());
  });
}

TEST_CASE("a pipeline while parked, stopped at every moment, leaves nothing behind") {
  test::cancel_matrix([] { return gated_fixture(); },
                      [](gated_fixture& f) {
                        auto wait = [&f](const test::lifetime_tracked&) { return f.gate->wait(); };
                        return from(*f.items) | tap(wait) | for_each([](auto&&) {});
                      },
                      [](gated_fixture& f) { f.gate->set(); },
                      [](gated_fixture& f, const auto&, test::cancel_stage) {
                        CHECK(f.log->live() == 2);
                        f.items->clear();
                        return f.log->clean();
                      });
}

TEST_CASE("a stage asks a leaf once: an acquire claims its permit when it is asked") {
  with_seeds([]() -> task<> {
    semaphore gate(1);
    const std::vector<int> one{1};
    auto enter = [&](int) { return gate.acquire(); };
    auto release_later = [](semaphore_permit held) -> task<> {
      co_await sleep_for(10ms);
      held.release();
    };
    auto by_next = [&]() -> task<> {
      auto entered = from(one) | map(enter);
      auto permit = co_await with_timeout(1s, entered.next());
      CHECK(permit.has_value());
      CHECK(gate.available() == 0);
    };
    co_await when_all(by_next(), release_later(*gate.try_acquire()));
    CHECK(gate.available() == 1);
    auto by_pipeline = [&]() -> task<> {
      auto look = [](semaphore_permit) {};
      auto done = co_await with_timeout(1s, from(one) | map(enter) | for_each(look));
      CHECK(done.has_value());
    };
    co_await when_all(by_pipeline(), release_later(*gate.try_acquire()));
    CHECK(gate.available() == 1);
    auto stopped = [&]() -> task<> {
      auto entered = from(one) | map(enter);
      auto permit = co_await with_timeout(1ms, entered.next());
      CHECK(permit.error() == errc::timed_out);
    };
    co_await when_all(stopped(), release_later(*gate.try_acquire()));
    CHECK(gate.available() == 1);
  });
}

TEST_CASE("a stream is read on after a timeout of next()") {
  with_seeds([]() -> task<> {
    const std::vector<int> values{1, 2, 3};
    auto slow = [](int x) -> task<int> {
      co_await sleep_for(x == 2 ? 150ms : 10ms);
      co_return x;
    };
    auto twice_slow = from(values) | map(slow) | tap([](int x) { return sleep_for(x * 1ms); });
    std::vector<int> seen;
    int late = 0;
    for (;;) {
      auto x = co_await with_timeout(100ms, twice_slow.next());
      if (!x) {
        CHECK(x.error() == errc::timed_out);
        ++late;
        continue;
      }
      if (!*x) break;
      seen.push_back(**x);
    }
    CHECK(late == 1);
    CHECK(seen == std::vector<int>{1, 3});

    // A leaf that finds the stop requested when it is begun.
    auto leaf = from(values) | map([](int x) { return offload([x] { return x; }); }) |
                tap([](int) { return sleep_for(1ms); });
    auto none = co_await with_timeout(0ms, leaf.next());
    CHECK(none.error() == errc::timed_out);
    auto second = co_await leaf.next();
    CHECK(second.value() == 2);
  });
}

TEST_CASE("a stream is read on after a timeout of a pipeline over it") {
  with_seeds([]() -> task<> {
    const std::vector<int> values{1, 2, 3, 4};
    auto slow = [](int x) -> task<int> {
      co_await sleep_for(150ms);
      co_return x;
    };
    auto all = from(values) | map(slow);
    std::vector<int> seen;
    auto see = [&](int x) { seen.push_back(x); };
    int late = 0;
    for (;;) {
      auto done = co_await with_timeout(200ms, all | for_each(see));
      if (done) break;
      CHECK(done.error() == errc::timed_out);
      ++late;
    }
    CHECK(late == 2);  // with 2 and with 4 in work
    CHECK(seen == std::vector<int>{1, 3});
  });
}

TEST_CASE("a stage that was stopped or threw does not keep its item") {
  with_seeds([]() -> task<> {
    semaphore gate(1);
    const std::vector<int> values{1, 2, 3};
    auto enter = [&](int) { return gate.acquire(); };
    int calls = 0;
    auto use = [&](semaphore_permit&&) -> task<int> {
      if (++calls == 1) throw std::string("one");
      auto slow = [](int call) -> task<int> {
        co_await sleep_for(call == 2 ? 1s : 1ms);
        co_return call;
      };
      return slow(calls);
    };
    auto used = from(values) | map(enter) | map(use);
    std::string caught;
    try {
      auto thrown = co_await used.next();
      CHECK(!thrown);
    } catch (const std::string& s) {
      caught = s;
    }
    CHECK(caught == "one");
    CHECK(gate.available() == 1);
    auto late = co_await with_timeout(10ms, used.next());
    CHECK(late.error() == errc::timed_out);
    CHECK(gate.available() == 1);
    auto third = co_await used.next();
    CHECK(third.value() == 3);
    CHECK(gate.available() == 1);
  });
}

TEST_CASE("an exception of a stage passes through next() and through a pipeline") {
  with_seeds([]() -> task<> {
    auto thrower = [](int x) -> int {
      if (x == 2) throw std::string("two");
      return x;
    };
    std::vector<int> values{1, 2};
    auto stream = from(values) | map(thrower);
    auto first = co_await stream.next();
    CHECK(first.value() == 1);
    std::string caught;
    try {
      auto second = co_await stream.next();
      CHECK(!second);
    } catch (const std::string& s) {
      caught = s;
    }
    CHECK(caught == "two");
    caught.clear();
    try {
      auto all = co_await (from(values) | map(thrower) | collect());
      CHECK(!all);
    } catch (const std::string& s) {
      caught = s;
    }
    CHECK(caught == "two");
  });
}

TEST_CASE("an exception of a stage that does not wait passes through next() in every scope") {
  with_seeds([]() -> task<> {
    auto thrower = [](int x) -> int {
      if (x == 2) throw std::string("two");
      return x;
    };
    const std::vector<int> values{2, 1, 2, 3, 2};
    auto stream = from(values) | map(thrower);
    auto in_time = [&]() -> task<int> {
      auto x = co_await with_timeout(1s, stream.next());
      co_return x.value().value();
    };
    auto with_another = [&]() -> task<int> {
      auto both = co_await when_all(stream.next(), sleep_for(1ms));
      co_return std::get<0>(both.value()).value();
    };
    auto thrown_by = [](task<int> one) -> task<std::string> {
      std::string caught;
      try {
        caught = std::to_string(co_await std::move(one));
      } catch (const std::string& s) {
        caught = s;
      }
      co_return caught;
    };
    CHECK(co_await thrown_by(in_time()) == "two");
    CHECK(co_await thrown_by(in_time()) == "1");
    CHECK(co_await thrown_by(with_another()) == "two");
    CHECK(co_await thrown_by(with_another()) == "3");
    CHECK(co_await thrown_by(in_time()) == "two");
  });
}
