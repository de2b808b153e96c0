// tests/stream/stream_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/stream.hpp>

#include <penstock/core/sleep.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/core/yield.hpp>
#include <penstock/stream.hpp>
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
      co_await (from(many) | for_each(look));
    };
    co_await with_group(endless);
    CHECK(seen > 0);
    CHECK(seen < 100'000);
  });
}

TEST_CASE("next() while parked, stopped at every moment, loses no item") {
  struct fixture {
    std::unique_ptr<test::lifetime_log> log = std::make_unique<test::lifetime_log>();
    std::unique_ptr<std::vector<test::lifetime_tracked>> items =
        std::make_unique<std::vector<test::lifetime_tracked>>();
  };
  test::cancel_matrix(
      [] {
        fixture f;
        f.items->emplace_back(*f.log, 7);
        return f;
      },
      [](fixture& f) {
        auto wait = [](const test::lifetime_tracked&) { return sleep_for(10ms); };
        return from(*f.items) | tap(wait) | for_each([](auto&&) {});
      },
      [](fixture&) -> task<> { co_await sleep_for(20ms); },
      [](fixture& f, const auto&, test::cancel_stage) {
        CHECK(f.log->values() == 1);
        f.items->clear();
        return f.log->clean();
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
