// tests/core/from_callback_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core/from_callback.hpp>

#include <penstock/core/ok.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/sync_wait.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/with_group.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/test/allocation_counter.hpp>
#include <penstock/test/cancel_matrix.hpp>
#include <penstock/test/lifetime_tracked.hpp>
#include <support/penstock_test.hpp>
#include <support/stopped.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using test::cancel_stage;

namespace {
struct nothing {
  template <class T>
  void operator()(callback<T>) const {}
};
template <class T>
using outcome_t = await_result_t<decltype(from_callback<T>(nothing{}))>;
static_assert(std::is_same_v<outcome_t<int>, result<int>>);
static_assert(std::is_same_v<outcome_t<void>, result<>>);
static_assert(std::is_same_v<outcome_t<result<std::string>>, result<std::string>>);

// A callback API: requests that somebody answers later, in order.
class api {
 public:
  using answer = std::function<void(int)>;
  void start(int, answer done) { waiting_.push_back(std::move(done)); }
  void answer_all(int value) {
    for (auto& done : std::exchange(waiting_, {})) done(value);
  }
  void forget_all() { waiting_.clear(); }
  std::size_t waiting() const { return waiting_.size(); }

 private:
  std::vector<answer> waiting_;
};

// [from_callback]
task<result<int>> ask(api& service, int question) {
  auto begin = [&](callback<int> done) {
    service.start(question, [done](int value) { done(value); });
  };
  const int answer = co_await ok(from_callback<int>(begin));
  co_return answer + 1;
}
// [/from_callback]

// A C API: a function and a pointer that it is called with, on a thread of its own, and cancel.
extern "C" {
using c_answer = void (*)(void* user, int value);
}
class c_api {
 public:
  ~c_api() {
    if (thread_.joinable()) thread_.join();
  }
  // False: `answer` is never called.
  bool start(int question, c_answer answer, void* user) {
    if (question < 0) return false;
    thread_ = std::thread([this, question, answer, user] {
      while (question == 0 && !canceled_) std::this_thread::yield();
      answer(user, question == 0 ? -1 : question + 1);
    });
    return true;
  }
  void cancel() { canceled_ = true; }

 private:
  std::thread thread_;
  std::atomic<bool> canceled_{false};
};

// [c_api]
extern "C" void on_answer(void* user, int value) {
  const std::unique_ptr<callback<int>> done(static_cast<callback<int>*>(user));
  if (value < 0)
    (*done)(fail(errc::canceled));
  else
    (*done)(value);
}

task<result<int>> ask(c_api& service, int question) {
  auto begin = [&](callback<int> done) {
    auto user = std::make_unique<callback<int>>(std::move(done));
    if (service.start(question, on_answer, user.get())) user.release();  // on_answer owns it
  };
  auto cancel = [&] { service.cancel(); };
  co_return co_await from_callback<int>(begin, cancel);
}
// [/c_api]
}  // namespace

PENSTOCK_TEST("the task continues with what the callback was called with") {
  api service;
  auto answers = [&]() -> task<> {
    co_await sleep_for(2ms);
    CHECK(service.waiting() == 2);
    service.answer_all(41);
  };
  const auto [one, two, three] =
      co_await when_all_settled(ask(service, 1), ask(service, 2), answers());
  static_cast<void>(three);
  CHECK(one.value() == 42);
  CHECK(two.value() == 42);
}

PENSTOCK_TEST("a call inside the function does not suspend") {
  const auto steps = rt.steps();
  auto at_once = [](callback<std::unique_ptr<int>> done) { done(std::make_unique<int>(7)); };
  auto r = co_await from_callback<std::unique_ptr<int>>(at_once);
  CHECK(rt.steps() == steps);
  REQUIRE(r);
  CHECK(**r == 7);
  auto nothing_to_give = [](callback<void> done) { done(); };
  const auto v = co_await from_callback<void>(nothing_to_give);
  CHECK(v);
  CHECK(rt.steps() == steps);
}

PENSTOCK_TEST("an error arrives as an error, in a result and beside a value") {
  auto refuses = [](callback<int> done) { done(fail(errc::corrupt)); };
  const auto r = co_await from_callback<int>(refuses);
  CHECK(r.error() == errc::corrupt);
  auto gives_result = [](callback<result<int>> done) { done(result<int>(3)); };
  const auto s = co_await from_callback<result<int>>(gives_result);
  CHECK(s == 3);
  auto void_error = [](callback<void> done) { done(fail(errc::lagged)); };
  const auto v = co_await from_callback<void>(void_error);
  CHECK(v.error() == errc::lagged);
}

PENSTOCK_TEST("the callback dropped without a call is closed, inside the function and later") {
  const auto dropped = co_await from_callback<int>(nothing{});
  REQUIRE_FALSE(dropped);
  CHECK(dropped.error() == errc::closed);
  api service;
  auto forgets = [&]() -> task<> {
    co_await sleep_for(1ms);
    service.forget_all();
  };
  const auto [asked, other] = co_await when_all_settled(ask(service, 1), forgets());
  static_cast<void>(other);
  CHECK(asked.error() == errc::closed);
}

PENSTOCK_TEST("an exception of the function is rethrown, whatever becomes of its callback") {
  std::vector<callback<int>> kept;
  auto throws = [&](callback<int> done) {
    kept.push_back(done);
    throw std::runtime_error("refused");
  };
  bool thrown = false;
  try {
    static_cast<void>(co_await from_callback<int>(throws));
  } catch (const std::runtime_error&) {
    thrown = true;
  }
  CHECK(thrown);
  kept[0](1);
}

TEST_CASE("a C API: its function is called on another thread, or never, or when it is canceled") {
  c_api answers, refuses, waits;
  CHECK(sync_wait(ask(answers, 1)) == 2);
  CHECK(sync_wait(ask(refuses, -1)).error() == errc::closed);
  CHECK(sync_wait(with_timeout(1ms, ask(waits, 0))).error() == errc::canceled);
}

PENSTOCK_TEST("without cancel a stop waits for the call, and keeps its value") {
  api service;
  auto answers = [&]() -> task<> {
    co_await sleep_for(5ms);
    service.answer_all(1);
    co_await sleep_for(5ms);
    service.forget_all();
  };
  auto asks = [&]() -> task<> {
    const auto answered = co_await with_timeout(2ms, ask(service, 0));
    CHECK(answered == 2);
    CHECK(rt.now() == time_point(5ms));
    const auto forgotten = co_await with_timeout(2ms, ask(service, 0));
    CHECK(forgotten.error() == errc::timed_out);
    CHECK(rt.now() == time_point(10ms));
  };
  co_await when_all(asks(), answers());
}

PENSTOCK_TEST("stopped before, the function is not called") {
  bool called = false;
  co_await with_group([&](task_group& group) -> task<> {
    group.request_stop();
    auto begin = [&](callback<int> done) {
      called = true;
      done(1);
    };
    static_cast<void>(co_await from_callback<int>(begin));
    called = true;
  });
  CHECK_FALSE(called);
}

PENSTOCK_TEST("with abandon_on_stop a stop ends the await, and a late call does nothing") {
  std::vector<callback<int>> kept;
  auto keeps = [&](callback<int> done) { kept.push_back(std::move(done)); };
  const auto r = co_await with_timeout(2ms, from_callback<int>(keeps, abandon_on_stop));
  CHECK(r.error() == errc::timed_out);
  CHECK(rt.now() == time_point(2ms));
  REQUIRE(kept.size() == 1);
  kept[0](5);
  kept.clear();
}

PENSTOCK_TEST("with cancel a stop asks the API, and its answer is waited for and kept") {
  api service;
  int asked = 0;
  auto begin = [&](callback<int> done) { service.start(0, [done](int v) { done(v); }); };
  auto cancel = [&] { ++asked; };
  auto answers = [&]() -> task<> {
    co_await sleep_for(5ms);
    CHECK(asked == 1);
    service.answer_all(9);
  };
  const auto [r, other] =
      co_await when_all_settled(with_timeout(2ms, from_callback<int>(begin, cancel)), answers());
  static_cast<void>(other);
  REQUIRE(r.has_value());
  CHECK(r.value() == 9);
  CHECK(rt.now() == time_point(5ms));

  auto forget = [&] { service.forget_all(); };
  const auto stopped = co_await with_timeout(2ms, from_callback<int>(begin, forget));
  CHECK(stopped.error() == errc::timed_out);

  auto answer = [&] { service.answer_all(1); };  // done() inside cancel()
  const auto answered = co_await with_timeout(2ms, from_callback<int>(begin, answer));
  CHECK(answered == 1);
}

PENSTOCK_TEST("after a stop with cancel the last copy may go later") {
  std::vector<callback<int>> kept;
  auto keeps = [&](callback<int> done) { kept.push_back(std::move(done)); };
  auto cancel = [] {};
  auto drops = [&]() -> task<> {
    co_await sleep_for(6ms);
    kept.clear();
  };
  const auto [r, other] =
      co_await when_all_settled(with_timeout(2ms, from_callback<int>(keeps, cancel)), drops());
  static_cast<void>(other);
  CHECK(r.error() == errc::timed_out);
  CHECK(rt.now() == time_point(6ms));
}

PENSTOCK_TEST("a stop that the function itself asks for") {
  api service;
  bool passed = false;
  co_await with_group([&](task_group& group) -> task<> {
    auto begin = [&](callback<int> done) {
      service.start(0, [done](int v) { done(v); });
      group.request_stop();
    };
    static_cast<void>(co_await from_callback<int>(begin, abandon_on_stop));
    passed = true;
  });
  CHECK_FALSE(passed);
  service.answer_all(1);
  bool answered = false;
  co_await with_group([&](task_group& group) -> task<> {
    auto begin = [&](callback<int> done) {
      service.start(0, [done](int v) { done(v); });
      group.request_stop();
    };
    auto cancel = [&] { service.answer_all(3); };
    const auto r = co_await from_callback<int>(begin, cancel);
    answered = r == 3;
  });
  CHECK(answered);
}

TEST_CASE("calls and drops from other threads, as often as they like") {
  const auto on_threads = []() -> task<int> {
    int sum = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 300; ++i) {
      auto begin = [&](callback<int> done) {
        threads.emplace_back([done] {
          const callback<int> copy = done;
          copy(1);
        });
        threads.emplace_back([done] { static_cast<void>(done); });
      };
      sum += co_await must(from_callback<int>(begin));
      auto drop = [&](callback<int> done) {
        threads.emplace_back([d = std::move(done)]() mutable { callback<int> last(std::move(d)); });
      };
      const auto closed = co_await from_callback<int>(drop);
      if (closed) ++sum;
    }
    for (auto& t : threads) t.join();
    co_return sum;
  };
  CHECK(sync_wait(on_threads()) == 300);
}

TEST_CASE("a call of another thread races the stop") {
  // Stops `from_callback(begin, on_stop...)` at about the time that begin's thread calls or drops.
  const auto race = [](auto... on_stop) -> task<int> {
    int outcomes = 0;
    for (int i = 0; i < 300; ++i) {
      std::thread other;
      auto begin = [&](callback<int> done) {
        other = std::thread([d = std::move(done), i] {
          if (i % 3 != 0) d(1);
        });
      };
      const auto r = co_await with_timeout(std::chrono::microseconds(i),
                                           from_callback<int>(begin, on_stop...));
      if (i % 3 != 0 ? r == 1 || r.error() == errc::timed_out : !r) ++outcomes;
      if (other.joinable()) other.join();  // at once is before it begins
    }
    co_return outcomes;
  };
  CHECK(sync_wait(race()) == 300);
  CHECK(sync_wait(race([] {})) == 300);
  CHECK(sync_wait(race(abandon_on_stop)) == 300);
}

TEST_CASE("cancel lets another thread make the call, in time for the end") {
  const auto races = []() -> task<int> {
    int answered = 0;
    for (int i = 0; i < 200; ++i) {
      std::atomic<bool> go{false};
      std::thread other;
      auto begin = [&](callback<std::unique_ptr<int>> done) {
        other = std::thread([&go, d = std::move(done)] {
          while (!go) std::this_thread::yield();
          d(std::make_unique<int>(7));
        });
      };
      auto cancel = [&] { go = true; };
      const auto r = co_await with_timeout(std::chrono::microseconds(i % 20),
                                           from_callback<std::unique_ptr<int>>(begin, cancel));
      if (other.joinable()) {
        other.join();
        if (r && **r == 7) ++answered;
      } else {
        ++answered;  // stopped before it began
      }
    }
    co_return answered;
  };
  CHECK(sync_wait(races()) == 200);
}

namespace {
struct fixture {
  std::unique_ptr<test::lifetime_log> log = std::make_unique<test::lifetime_log>();
  std::unique_ptr<std::vector<callback<test::lifetime_tracked>>> kept =
      std::make_unique<std::vector<callback<test::lifetime_tracked>>>();
  void answer() {
    for (auto& done : std::exchange(*kept, {})) done(test::lifetime_tracked(*log, 1));
  }
};
struct keeps {
  fixture* f;
  void operator()(callback<test::lifetime_tracked> done) const {
    f->kept->push_back(std::move(done));
  }
};
struct answers {
  fixture* f;
  void operator()() const { f->answer(); }
};
}  // namespace

TEST_CASE("stopped at any moment the value is kept, or with abandon_on_stop if it was in time") {
  test::cancel_matrix([] { return fixture{}; },
                      [](fixture& f) { return from_callback<test::lifetime_tracked>(keeps{&f}); },
                      [](fixture& f) { f.answer(); },
                      [](fixture& f, const auto& outcome, cancel_stage stage) -> std::string {
                        if (f.log->live() != (outcome ? 1 : 0)) return "a value is left";
                        if ((stage != cancel_stage::before_start) != outcome.has_value())
                          return "it does not end with the call";
                        return "";
                      },
                      {.stoppable = false});
  test::cancel_matrix(
      [] { return fixture{}; },
      [](fixture& f) { return from_callback<test::lifetime_tracked>(keeps{&f}, abandon_on_stop); },
      [](fixture& f) { f.answer(); },
      [](fixture& f, const auto& outcome, cancel_stage stage) -> std::string {
        if (f.log->live() != (outcome ? 1 : 0)) return "a value is left";
        if (stage == cancel_stage::completion_first && !outcome)
          return "a value that came first was lost";
        if (stage == cancel_stage::stop_first && outcome) return "the stop came first";
        return "";
      });
}

TEST_CASE("stopped at any moment with cancel, the await ends with the callback") {
  test::cancel_matrix(
      [] { return fixture{}; },
      [](fixture& f) { return from_callback<test::lifetime_tracked>(keeps{&f}, answers{&f}); },
      [](fixture& f) { f.answer(); },
      [](fixture& f, const auto& outcome, cancel_stage stage) -> std::string {
        if (!f.kept->empty()) return "a callback is left";
        if (f.log->live() != (outcome ? 1 : 0)) return "a value is left";
        if (stage != cancel_stage::before_start && !outcome) return "the value was lost";
        return "";
      },
      {.stoppable = false});
}

TEST_CASE("in steady state an await allocates nothing") {
  if (PENSTOCK_ASAN || !test::allocation_counter::available()) return;
  const auto asks = []() -> task<> {
    for (int i = 0; i < 100; ++i) {
      auto at_once = [](callback<int> done) { done(1); };
      static_cast<void>(co_await from_callback<int>(at_once));
    }
  };
  sync_wait(asks());
  const test::allocation_counter count;
  sync_wait(asks());
  CHECK(count.allocations() == 0);
}

TEST_CASE("a value may be aligned to more than a frame") {
  struct alignas(64) wide {
    int value = 3;
  };
  auto* const state = new detail::callback_state<wide>;
  CHECK(reinterpret_cast<std::uintptr_t>(state) % 64 == 0);
  state->drop();
}

TEST_CASE("a second call is a broken contract") {
  CHECK(support::stopped_with([] {
          const auto twice = []() -> task<> {
            auto begin = [](callback<int> done) {
              done(1);
              done(2);
            };
            static_cast<void>(co_await from_callback<int>(begin));
          };
          sync_wait(twice());
        }) == "a callback is called once");
  CHECK(support::stopped_with([] {
          const auto moved = []() -> task<> {
            auto begin = [](callback<int> done) {
              const callback<int> other(std::move(done));
              done(1);
            };
            static_cast<void>(co_await from_callback<int>(begin));
          };
          sync_wait(moved());
        }) == "a callback that was moved from is not called");
}
