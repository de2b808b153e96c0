// tests/stream/early_end_test.cpp
// SPDX-License-Identifier: BSL-1.0
// A consumer that has all that it wants while calls are in flight: they are stopped and waited for,
// then the sink finishes, and nothing that they come to is the outcome.
#include <penstock/stream/detail/pipeline.hpp>

#include <penstock/core.hpp>
#include <penstock/stream.hpp>
#include <penstock/sync.hpp>
#include <penstock/test.hpp>
#include <stream/finishing_sink.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using support::finishing_sink;
using support::sink_log;

namespace {
enum class late { error, exception, value };

// The first calls are quick. The others are in flight at the end, cannot be stopped for 5 ms,
// and then come to what is said here.
struct calls {
  int quick = 2;
  late how = late::error;
  int in_flight = 0;
  int begun = 0;

  task<result<int>> operator()(int x) {
    ++begun;
    ++in_flight;
    const scope_exit leave{[this] { --in_flight; }};
    if (x < quick) {
      co_await sleep_for(1ms);
      co_return x;
    }
    co_await shield(sleep_for(5ms));
    if (how == late::error) co_return fail(errc::corrupt, "late");
    if (how == late::exception) throw std::runtime_error("late");
    co_return x;
  }
};

auto numbers() { return from(std::views::iota(0, 40)); }
auto every_second(int first) {
  return from(std::views::iota(0, 20)) | map([first](int x) { return first + 2 * x; });
}
// Runs test(name, make): make(call) is a stream of int with calls in flight.
template <class Test>
void with_eager_streams(Test test) {
  test("map_concurrent", [](auto call) { return numbers() | map_concurrent(4, call); });
  test("map_unordered", [](auto call) { return numbers() | map_unordered(4, call); });
  test("map_partitioned", [](auto call) {
    return numbers() | map_partitioned(
                           4, [](int x) { return x % 4; }, call);
  });
  test("merge",
       [](auto call) { return merge(every_second(0) | map(call), every_second(1) | map(call)); });
  test("zip", [](auto call) {
    return zip(numbers() | map(call), numbers() | map(call)) |
           map([](const std::tuple<int, int>& t) { return std::get<0>(t); });
  });
  test("buffered", [](auto call) { return numbers() | map(call) | buffered(4); });
  test("group_by", [](auto call) {
    const auto key = [](int x) { return x % 4; };
    const auto work = [call](int, auto items) { return std::move(items) | map(call); };
    return numbers() | group_by(key, work);
  });
  test("chunk_within", [](auto call) {
    return numbers() | map(call) | chunk_within(1, 1h) |
           map([](const std::vector<int>& v) { return v[0]; });
  });
  test("idle_timeout",
       [](auto call) { return numbers() | map_concurrent(4, call) | idle_timeout(1h); });
  test("recover", [](auto call) {
    const auto no = [](error e) -> result<std::optional<int>> { return fail(std::move(e)); };
    return numbers() | recover(no) | map_concurrent(4, call);
  });
  test("paged", [](auto call) {
    const auto fetch = [call](const int& x) -> task<result<page<int, int>>> {
      const int item = co_await ok(call(x));
      page<int, int> p;
      p.items.push_back(item);
      p.next = x + 1;
      co_return p;
    };
    return paged(fetch, 0);
  });
}
template <class Body>
void run(Body&& body) {
  for (const auto seed : test::seeds(4)) {
    CAPTURE(seed);
    test::test_runtime rt({.seed = seed});
    rt.run(body());
  }
}
}  // namespace

TEST_CASE("at an early end what is in flight has ended before the sink finishes") {
  with_eager_streams([](const char* name, auto make) {
    CAPTURE(name);
    run([&]() -> task<> {
      calls c;
      sink_log log;
      log.on_finish = [&] { CHECK(c.in_flight == 0); };
      const auto call = [&c](int x) { return c(x); };
      auto done = co_await (make(call) | take(2) | finishing_sink(log));
      CHECK(done);
      CHECK(log.items == 2);
      CHECK(c.begun > 2);
      CHECK(log.finishes == 1);
      CHECK(log.aborts == 0);
    });
  });
}

// Each way to end early.
template <class Test>
void with_ends(Test test) {
  with_eager_streams([&](const char* name, auto make) {
    CAPTURE(name);
    test([&](auto call, sink_log& log) { return make(call) | take(2) | finishing_sink(log); }, 2);
    const auto two = [](const auto&) {
      return [at = 0](const auto&) mutable { return ++at <= 2; };
    };
    test([&](auto call,
             sink_log& log) { return make(call) | take_while(two(0)) | finishing_sink(log); },
         3);
    test([&](auto call, sink_log& log) { return make(call) | finishing_sink(log, 2); }, 2);
  });
}
TEST_CASE("what calls come to that an early end has cut is not the outcome") {
  for (const auto how : {late::error, late::exception, late::value}) {
    with_ends([&](auto pipe, int quick) {
      CAPTURE(quick);
      run([&]() -> task<> {
        calls c{.quick = quick, .how = how};
        const auto call = [&c](int x) { return c(x); };
        sink_log log;
        auto done = co_await pipe(call, log);
        REQUIRE(done);
        CHECK(log.items == 2);
        CHECK(log.finishes == 1);
        CHECK(log.aborts == 0);
        CHECK(c.in_flight == 0);
      });
    });
  }
}
TEST_CASE("a failure before the early end is the outcome") {
  for (const auto how : {late::error, late::exception}) {
    run([&]() -> task<> {
      calls c{.quick = 0, .how = how};
      const auto call = [&c](int x) -> task<result<int>> {
        if (x == 1) co_await sleep_for(1h);
        if (x == 0) co_return x;
        co_return co_await c(x);
      };
      sink_log log;
      std::string outcome;
      try {
        auto done = co_await (numbers() | map_concurrent(4, call) | take(2) | finishing_sink(log));
        REQUIRE(!done);
        outcome = done.error().message();
      } catch (const std::runtime_error& e) {
        outcome = e.what();
      }
      CHECK(outcome == (how == late::error ? "late: corrupt data" : "late"));
      CHECK(log.items == 1);
      CHECK(log.finishes == 0);
      CHECK(log.aborts == 1);
      CHECK(log.aborted_by_error == (how == late::error));
      CHECK(c.in_flight == 0);
    });
  }
}
TEST_CASE("a failure before the early end ends the pipeline at once, though the consumer is busy") {
  for (const auto how : {late::error, late::exception}) {
    run([&]() -> task<> {
      calls c{.quick = 1, .how = how};
      const auto call = [&c](int x) { return c(x); };
      const auto all = [](int) { return true; };
      const auto busy = [](int) { return sleep_for(1h); };
      const auto begin = co_await this_task::now();
      bool failed = false;
      try {
        auto done = co_await (numbers() | map_concurrent(4, call) | take(9) | take_while(all) |
                              for_each(busy));
        failed = done.error() == errc::corrupt;
      } catch (const std::runtime_error&) {
        failed = true;
      }
      const auto end = co_await this_task::now();
      CHECK(failed);
      CHECK(end - begin < 10ms);
      CHECK(c.in_flight == 0);
    });
  }
}
TEST_CASE("a failure that comes with the last item is the outcome, too") {
  run([]() -> task<> {
    // The place of the item that take_while() says no to is free for the next one, which fails at
    // once.
    const auto call = [](int x) -> result<int> {
      if (x == 2) return fail(errc::corrupt, "at once");
      return x;
    };
    const auto none = [](int x) { return x < 1; };
    sink_log log;
    auto done =
        co_await (numbers() | map_concurrent(1, call) | take_while(none) | finishing_sink(log));
    CHECK(done.error() == errc::corrupt);
    CHECK(log.finishes == 0);
    CHECK(log.aborts == 1);
  });
}
TEST_CASE("a stop while an early end waits for what it has cut stops the sink's end") {
  with_ends([&](auto pipe, int quick) {
    CAPTURE(quick);
    for (const auto limit : {3ms, 8ms}) {  // during the cut, and while the sink finishes
      run([&]() -> task<> {
        calls c{.quick = quick};
        const auto call = [&c](int x) { return c(x); };
        sink_log log;
        auto done = co_await with_timeout(limit, pipe(call, log));
        REQUIRE(!done);
        CHECK(done.error() == errc::timed_out);
        CHECK(log.finishes == 1);
        CHECK(log.aborts == 1);
        CHECK(!log.aborted_by_error);
        CHECK(c.in_flight == 0);
      });
    }
  });
}
TEST_CASE("a stop at any step of an early end: the value or the stop, and nothing is left") {
  std::uint64_t steps = 0;
  for (bool completed = false; !completed; ++steps) {
    CAPTURE(steps);
    test::lifetime_log life;
    test::test_runtime rt({.stop_at_step = steps + 1});
    calls c;
    sink_log log;
    const auto body = [&]() -> task<result<std::size_t>> {
      const auto call = [&](int x) -> task<result<test::lifetime_tracked>> {
        co_return test::lifetime_tracked(life, co_await ok(c(x)));
      };
      co_return co_await (numbers() | map_concurrent(4, call) | take(2) | finishing_sink(log));
    };
    auto outcome = rt.run(body());
    completed = outcome.has_value();
    if (completed) {
      CHECK(*outcome == 2);
    } else {
      CHECK(outcome.error() == errc::canceled);
    }
    CHECK(log.aborts == (completed ? 0 : 1));
    CHECK(c.in_flight == 0);
    CHECK(life.clean());
  }
  CHECK(steps > 8);
}
TEST_CASE("after an early end a channel is closed when nothing is sent any more") {
  run([]() -> task<> {
    calls c;
    const auto call = [&c](int x) { return c(x); };
    channel<int> out{8};
    auto done = co_await (numbers() | map_concurrent(4, call) | take(2) | to_channel(out));
    CHECK(done);
    CHECK(out.closed());
    CHECK(out.size() == 2);
    auto both =
        co_await (numbers() | map_concurrent(4, call) | take(2) | tee(to_channel(out), count()));
    CHECK(both.error() == errc::closed);
    CHECK(c.in_flight == 0);
  });
}

namespace {
// Two items of a stream with calls in flight, and another stream that goes on for long.
template <class Join>
void in_a_branch(Join join) {
  with_eager_streams([&](const char* name, auto make) {
    CAPTURE(name);
    for (const bool whole : {true, false}) {
      run([&]() -> task<> {
        calls c{.quick = whole ? 2 : 3};
        const auto call = [&c](int x) { return c(x); };
        const auto first = [at = 0](const auto&) mutable { return ++at <= 2; };
        const auto slow = [&](int x) -> task<int> {
          co_await sleep_for(10ms);
          CHECK(c.in_flight == 0);
          co_return x;
        };
        const std::vector<int> more{7, 8, 9};
        sink_log log;
        if (whole) {
          auto done =
              co_await (join(make(call) | take(2), from(more) | map(slow)) | finishing_sink(log));
          CHECK(done);
        } else {
          auto done = co_await (join(make(call) | take_while(first), from(more) | map(slow)) |
                                finishing_sink(log));
          CHECK(done);
        }
        CHECK(log.items == 5);
      });
    }
  });
}
}  // namespace
TEST_CASE("what an early end has cut has ended before the next stream of concat() is asked") {
  in_a_branch([](auto a, auto b) { return concat(std::move(a), std::move(b)); });
}
TEST_CASE("an early end in a branch of merge() cuts that branch alone") {
  in_a_branch([](auto a, auto b) { return merge(std::move(a), std::move(b)); });
}
TEST_CASE("take() cuts what is in flight with its last item, though the consumer is busy with it") {
  for (const auto how : {late::error, late::exception}) {
    run([&]() -> task<> {
      calls c{.how = how};
      const auto call = [&c](int x) { return c(x); };
      std::vector<int> seen;
      const auto slow = [&](int x) -> task<> {
        co_await sleep_for(1h);
        seen.push_back(x);
      };
      auto done = co_await (numbers() | map_concurrent(4, call) | take(1) | for_each(slow));
      CHECK(done);
      CHECK(seen == std::vector{0});
      CHECK(c.in_flight == 0);
    });
  }
}
