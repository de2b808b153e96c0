// tests/stream/recover_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/recover.hpp>

#include <penstock/core.hpp>
#include <penstock/stream.hpp>
#include <penstock/stream/retry_source.hpp>
#include <penstock/test.hpp>
#include <stream/marbles.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::canonical;
using marbles::played;
using marbles::source;

// [recover]
static task<result<std::vector<int>>> parse_all(std::vector<std::string> texts,
                                                std::vector<std::string>& dead_letters) {
  const auto parse = [](const std::string& s) -> result<int> {
    if (s.find_first_not_of("0123456789") != std::string::npos)
      return fail(errc::corrupt, "parse", s);
    return std::stoi(s);
  };
  const auto skip = [&](error e) -> result<std::optional<int>> {
    if (e != errc::corrupt) return fail(std::move(e));
    dead_letters.push_back(e.message());
    return std::nullopt;
  };
  co_return co_await (from(std::move(texts)) | map(parse) | recover(skip) | collect());
}
// [/recover]
TEST_CASE("recover() leaves out what has failed, and goes on") {
  test::test_runtime rt;
  std::vector<std::string> dead;
  auto all = rt.run(parse_all({"1", "x", "2", "y", "z", "3"}, dead));
  CHECK(all.value() == std::vector{1, 2, 3});
  CHECK(dead.size() == 3);
  CHECK(dead[0].find("x") != std::string::npos);
}

TEST_CASE("recover() puts another item in the place of the one that failed, or fails") {
  const auto instead = [](error) -> result<std::optional<char>> { return 'x'; };
  CHECK(played(source("-a-#-c-|") | recover(instead)) == canonical("-a-x-c-|"));
  CHECK(played(source("-a-b-|") | recover(instead)) == canonical("-a-b-|"));
  const auto none = [](error) -> result<std::optional<char>> { return std::nullopt; };
  CHECK(played(source("#a#(##)b|") | recover(none)) == canonical("-a--b|"));
  const auto same = [](error e) -> result<std::optional<char>> { return fail(std::move(e)); };
  CHECK(played(source("-a-#-c-|") | recover(same)) == canonical("-a-#"));
}
TEST_CASE("recover(): its function may wait, and the stream waits for it") {
  const auto later = [](error) -> task<result<std::optional<char>>> {
    co_await sleep_for(2ms);
    co_return 'x';
  };
  CHECK(played(source("-a-#-----c-|") | recover(later)) == canonical("-a---x---c-|"));
  CHECK(played(source("#") | recover(later) | take(1)) == canonical("--(x|)"));
  test::test_runtime rt;
  rt.run([&]() -> task<> {
    auto stopped = co_await with_timeout(1ms, source("#") | recover(later) | drain());
    CHECK(stopped.error() == errc::timed_out);
  }());
}
TEST_CASE("recover(): exceptions pass through, also those of its function") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    const std::vector<int> numbers{1, 2};
    const auto throws = [](int i) -> int {
      if (i == 2) throw std::runtime_error("two");
      return i;
    };
    const auto none = [](error) -> result<std::optional<int>> { return std::nullopt; };
    const auto waits_and_throws = [&](int i) -> task<int> {
      co_await sleep_for(1ms);
      co_return throws(i);
    };
    const auto fails = [](int) -> result<int> { return fail(errc::corrupt, "x"); };
    const auto handler_throws = [](error) -> result<std::optional<int>> {
      throw std::runtime_error("handler");
    };
    std::string said;
    for (int k = 0; k < 3; ++k) {
      try {
        if (k == 0) (void)co_await (from(numbers) | map(throws) | recover(none) | drain());
        if (k == 1)
          (void)co_await (from(numbers) | map(waits_and_throws) | recover(none) | drain());
        if (k == 2) (void)co_await (from(numbers) | map(fails) | recover(handler_throws) | drain());
      } catch (const std::runtime_error& e) {
        said += e.what();
        said += ' ';
      }
    }
    CHECK(said == "two two handler ");
  }());
}

TEST_CASE("recover() that drops one error after the other lets others run, and can be stopped") {
  for (const bool waits : {false, true}) {
    CAPTURE(waits);
    test::test_runtime rt;
    rt.run([](bool w) -> task<> {
      auto skip = [](error) -> result<std::optional<int>> { return std::nullopt; };
      auto skip_later = [](error) -> task<result<std::optional<int>>> { co_return std::nullopt; };
      int turns = 0;
      auto all = [&](task_group& group) -> task<> {
        auto endless = [&]() -> task<> {
          if (w)
            static_cast<void>(
                co_await (fail_with<int>(errc::corrupt) | recover(skip_later) | drain()));
          else
            static_cast<void>(co_await (fail_with<int>(errc::corrupt) | recover(skip) | drain()));
        };
        group.start(endless);
        for (; turns < 5; ++turns) co_await yield();
        group.request_stop();
      };
      co_await with_group(all);
      CHECK(turns == 5);
    }(waits));
  }
}

TEST_CASE("recover(): a slow consumer sets the pace") {
  const auto instead = [](error) -> result<std::optional<char>> { return 'x'; };
  const auto none = [](error) -> result<std::optional<char>> { return std::nullopt; };
  CHECK(played(source("-a-#-c-|") | recover(none)) == "-a---c-|");
  CHECK(played(source("(a#b)|") | recover(instead), 2ms) == "a-x-b-|");
}

// [retry_source]
static task<result<std::string>> follow(int& connections) {
  // Each connection is cut off after some letters; the next one goes on behind them.
  const auto connect = [&](std::size_t seen) {
    ++connections;
    const std::string rest = std::string("hello").substr(seen);
    return marbles::source(rest.size() > 2 ? rest.substr(0, 2) + "#" : rest + "|");
  };
  const auto append = [](std::string text, char c) { return text + c; };
  const retry_options o{.attempts = 3};
  co_return co_await (retry_source(connect, o) | fold(std::string(), append));
}
// [/retry_source]
TEST_CASE("retry_source() begins again behind what it has emitted") {
  test::test_runtime rt;
  int connections = 0;
  auto text = rt.run(follow(connections));
  REQUIRE_MESSAGE(text, text.error().message());
  CHECK(*text == "hello");
  CHECK(connections == 3);
}
TEST_CASE("retry_source() gives up when attempts in a row emit nothing") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    int made = 0;
    const auto transient = [&] {
      ++made;
      return from(std::vector<int>{1}) | map([](int) -> result<int> {
               return fail(std::errc::connection_reset, "read", "peer");
             });
    };
    const retry_options o{.attempts = 4};
    auto none = co_await (retry_source(transient, o) | drain());
    CHECK(none.error() == std::errc::connection_reset);
    CHECK(none.error().why() == retry_stop::attempts);
    CHECK(made == 4);
  }());
}
TEST_CASE("retry_source(): a stop ends an attempt, and the wait between two") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    const auto silent = [] { return source("-----"); };
    auto late = co_await with_timeout(3ms, retry_source(silent) | drain());
    CHECK(late.error() == errc::timed_out);
    const auto cut = [] { return source("#"); };
    const retry_options o{.attempts = 1000, .backoff = constant(1s, {.jitter = jitter::none})};
    auto in_vain = co_await with_timeout(10s, retry_source(cut, o) | drain());
    CHECK(in_vain.error().why() == retry_stop::deadline);
    auto first = co_await when_any(retry_source(cut, o) | drain(), sleep_for(5500ms));
    CHECK(first.index == 1);
  }());
}

TEST_CASE("retry_source() goes on with another stream after a pause, and its consumer sees one") {
  const auto retried = [](std::vector<std::string> made, duration busy = 0ms) {
    const auto next = [made, at = 0u](std::size_t) mutable { return source(made.at(at++)); };
    const retry_options o{.attempts = 2, .backoff = constant(1ms, {.jitter = jitter::none})};
    return played(retry_source(next, o), busy);
  };
  CHECK(retried({"-a-b-#", "-c-|"}) == "-a-b---c-|");
  CHECK(retried({"-a-|"}) == "-a-|");
  CHECK(retried({"-a-#", "-#"}) == "-a---#");
  CHECK(retried({"(ab)#", "c|"}, 3ms) == "a--b---c--|");
}

TEST_CASE("a stop at any step while a stream goes on after an error ends it, and nothing is left") {
  const auto play = [](auto make) {
    std::uint64_t step = 0;
    for (bool completed = false; !completed;) {
      ++step;
      CAPTURE(step);
      test::test_runtime rt({.stop_at_step = step});
      int inside = 0;
      const auto body = [&]() -> task<result<std::size_t>> {
        const auto picky = [&](int x) -> task<result<int>> {
          ++inside;
          const scope_exit leave{[&] { --inside; }};
          co_await sleep_for(1ms);
          if (x % 2 == 0) co_return fail(std::errc::connection_reset);
          co_return x;
        };
        co_return co_await (make(picky) | count());
      };
      const auto outcome = rt.run(body());
      completed = outcome.has_value();
      if (!completed) CHECK(outcome.error() == errc::canceled);
      CHECK(inside == 0);
    }
    CHECK(step > 5);
  };
  play([](auto picky) {
    const auto skip_it = [](error) -> result<std::optional<int>> { return std::nullopt; };
    return from(std::vector<int>{0, 1, 2, 4, 5}) | map(picky) | recover(skip_it);
  });
  play([](auto picky) {
    const auto make = [picky, first = 0]() mutable {
      return from(std::vector<int>{++first, ++first}) | map(picky);
    };
    return retry_source(make, {.attempts = 4}) | take(3);
  });
}
