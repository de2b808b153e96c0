// tests/core/stop_token_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core/stop_token.hpp>

#include <penstock/base/atomic.hpp>
#include <support/seeds.hpp>

#include <doctest/doctest.h>

#include <concepts>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>
#include <vector>

using namespace penstock;

// The interface of C++26.
static_assert(std::regular<inplace_stop_token>);
static_assert(std::is_trivially_copyable_v<inplace_stop_token>);
static_assert(!std::movable<inplace_stop_source> && !std::copyable<inplace_stop_source>);
static_assert(inplace_stop_source::stop_possible());
static_assert(std::is_same_v<inplace_stop_token::callback_type<void (*)()>,
                             inplace_stop_callback<void (*)()>>);
static_assert(
    std::constructible_from<inplace_stop_callback<void (*)()>, inplace_stop_token, void (*)()>);
static_assert(!std::movable<inplace_stop_callback<void (*)()>>);
static_assert(noexcept(std::declval<inplace_stop_source&>().request_stop()));
static_assert(noexcept(std::declval<const inplace_stop_token&>().stop_requested()));

TEST_CASE("a token without a source never stops") {
  inplace_stop_token none;
  CHECK_FALSE(none.stop_possible());
  CHECK_FALSE(none.stop_requested());
  CHECK(none.reason() == stop_reason::none);
  bool called = false;
  {
    inplace_stop_callback c(none, [&] { called = true; });
  }
  CHECK_FALSE(called);
}

TEST_CASE("tokens are equal when they have the same source, and can be swapped") {
  inplace_stop_source a, b;
  auto ta = a.get_token(), tb = b.get_token();
  CHECK(ta == a.get_token());
  CHECK(ta != tb);
  ta.swap(tb);
  CHECK(ta == b.get_token());
}

TEST_CASE("the first request makes the stop and gives its reason, which stays") {
  inplace_stop_source s;
  CHECK_FALSE(s.stop_requested());
  CHECK(s.request_stop(stop_reason::deadline));
  CHECK_FALSE(s.request_stop(stop_reason::race_lost));
  CHECK_FALSE(s.request_stop());
  CHECK(s.stop_requested());
  CHECK(s.get_token().reason() == stop_reason::deadline);
  inplace_stop_source t;
  t.request_stop();
  CHECK(t.reason() == stop_reason::requested);
}

TEST_CASE("a callback runs once, when the stop is requested, or in its constructor") {
  inplace_stop_source s;
  int before = 0, after = 0, gone = 0;
  inplace_stop_callback a(s.get_token(), [&] { ++before; });
  {
    inplace_stop_callback b(s.get_token(), [&] { ++gone; });
  }
  CHECK(before == 0);
  s.request_stop();
  s.request_stop();
  CHECK(before == 1);
  CHECK(gone == 0);
  inplace_stop_callback c(s.get_token(), [&] { ++after; });
  CHECK(after == 1);
}

TEST_CASE("a callback may be move-only, and is called as what it was given as") {
  inplace_stop_source s;
  struct once {
    std::unique_ptr<int> p = std::make_unique<int>(0);
    int* out;
    void operator()() && { *out = 1; }
    void operator()() & { *out = 2; }
  };
  int called = 0;
  once named{std::make_unique<int>(1), &called};
  inplace_stop_callback<once&> by_reference(s.get_token(), named);
  s.request_stop();
  CHECK(called == 2);
  inplace_stop_callback<once> by_value(s.get_token(), std::move(named));
  CHECK(called == 1);
}

TEST_CASE("a callback may destroy itself and others") {
  inplace_stop_source s;
  using callback = inplace_stop_callback<void (*)()>;
  struct destroyer {
    std::optional<inplace_stop_callback<destroyer>>* self;
    std::optional<callback>* other;
    int* count;
    void operator()() {
      auto* n = count;
      if (other) other->reset();
      self->reset();  // the members are gone from here
      ++*n;
    }
  };
  int count = 0;
  std::optional<callback> last;
  std::optional<inplace_stop_callback<destroyer>> first, second;
  last.emplace(
      s.get_token(), +[] { FAIL_CHECK("it was destroyed"); });
  // The newest runs first.
  second.emplace(s.get_token(), destroyer{&second, &last, &count});
  first.emplace(s.get_token(), destroyer{&first, nullptr, &count});
  s.request_stop();
  CHECK(count == 2);
  CHECK_FALSE(first);
  CHECK_FALSE(second);
  CHECK_FALSE(last);
}

TEST_CASE("a callback may register another one, which runs at once") {
  inplace_stop_source s;
  std::optional<inplace_stop_callback<void (*)()>> inner;
  static int calls;
  calls = 0;
  inplace_stop_callback outer(s.get_token(), [&] {
    CHECK(s.stop_requested());
    inner.emplace(
        s.get_token(), +[] { ++calls; });
    CHECK(calls == 1);
  });
  s.request_stop();
  CHECK(calls == 1);
}

TEST_CASE("of two threads that request the stop one makes it, and callbacks run once") {
  for ([[maybe_unused]] auto seed : support::seeds(200)) {
    inplace_stop_source s;
    detail::atomic<int> calls{0}, made{0};
    inplace_stop_callback a(s.get_token(), [&] { calls.fetch_add(1); });
    inplace_stop_callback b(s.get_token(), [&] { calls.fetch_add(1); });
    auto request = [&] { made.fetch_add(s.request_stop() ? 1 : 0); };
    std::thread other(request);
    request();
    other.join();
    CHECK(made.load() == 1);
    CHECK(calls.load() == 2);
  }
}

TEST_CASE("a destructor waits for its callback that runs on another thread") {
  for ([[maybe_unused]] auto seed : support::seeds(200)) {
    inplace_stop_source s;
    auto value = std::make_unique<int>(0);
    bool done = false;
    std::thread requester;
    {
      inplace_stop_callback c(s.get_token(), [&] {
        for (int i = 0; i < 1000; ++i) *value = *value + 1;
        done = true;
      });
      requester = std::thread([&] { s.request_stop(); });
    }
    // Either it never ran, or it has run to its end.
    const bool ran = done;
    if (ran) CHECK(*value == 1000);
    value.reset();
    requester.join();
    CHECK(done == ran);
  }
}

TEST_CASE("registering and requesting race: every callback runs exactly once") {
  for ([[maybe_unused]] auto seed : support::seeds(100)) {
    inplace_stop_source s;
    detail::atomic<int> calls{0};
    std::thread registering([&] {
      auto count = [&] { calls.fetch_add(1); };
      std::vector<std::unique_ptr<inplace_stop_callback<decltype(count)>>> all;
      for (int i = 0; i < 50; ++i)
        all.push_back(
            std::make_unique<inplace_stop_callback<decltype(count)>>(s.get_token(), count));
      while (calls.load() < 50) std::this_thread::yield();
    });
    s.request_stop();
    registering.join();
    CHECK(calls.load() == 50);
  }
}

TEST_CASE("what was written before the request is seen by who sees the stop") {
  inplace_stop_source s;
  int data = 0;
  std::thread reader([&, token = s.get_token()] {
    while (!token.stop_requested()) {
    }
    CHECK(data == 42);
  });
  data = 42;
  s.request_stop();
  reader.join();
}
