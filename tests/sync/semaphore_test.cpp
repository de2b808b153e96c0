// tests/sync/semaphore_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/sync/semaphore.hpp>

#include <penstock/core/ok.hpp>
#include <penstock/core/shield.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/sync_wait.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/when_any.hpp>
#include <penstock/core/with_group.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/core/yield.hpp>
#include <penstock/test/allocation_counter.hpp>
#include <penstock/test/cancel_matrix.hpp>
#include <support/penstock_test.hpp>
#include <support/seeds.hpp>
#include <support/stopped.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using test::cancel_stage;

static_assert(!std::is_copy_constructible_v<semaphore> && !std::is_move_constructible_v<semaphore>);
static_assert(!std::is_copy_constructible_v<semaphore_permit> &&
              std::is_nothrow_move_constructible_v<semaphore_permit>);
static_assert(awaitable<semaphore::acquire_awaiter>);
static_assert(std::is_same_v<await_result_t<semaphore::acquire_awaiter>, result<semaphore_permit>>);
static_assert(sizeof(semaphore_permit) == 16);

namespace {
// [semaphore]
task<result<>> limited(semaphore& gate, int& running, int& peak) {
  auto permit = co_await ok(gate.acquire());
  peak = std::max(peak, ++running);
  co_await sleep_for(10ms);
  --running;
  co_return {};  // the permit goes back
}
// [/semaphore]

// Acquires, notes its id, holds.
task<> hold(semaphore& s, std::size_t n, duration d, std::vector<int>& order, int id) {
  auto permit = co_await must(s.acquire(n));
  order.push_back(id);
  co_await sleep_for(d);
}
}  // namespace

PENSTOCK_TEST("SM1: of a thousand tasks three run at once, all complete, first come first served") {
  semaphore gate{3};
  int running = 0, peak = 0;
  std::vector<int> arrived, started;
  co_await with_group([&](task_group& group) -> task<> {
    auto one = [&](int id) -> task<> {
      arrived.push_back(id);
      auto permit = co_await must(gate.acquire());
      started.push_back(id);
      peak = std::max(peak, ++running);
      co_await yield();
      co_await sleep_for(duration(id % 7));
      --running;
    };
    for (int id = 0; id < 1000; ++id) group.start(one, id);
    co_return;
  });
  CHECK(peak == 3);
  CHECK(started.size() == 1000);
  CHECK(gate.available() == 3);
  // Those that were handed permits at one instant may run in any order.
  if (rt.seed() == 0) CHECK(started == arrived);
  int last = 0;
  for (std::size_t i = 0; i < started.size(); ++i) {
    const auto at = std::find(arrived.begin(), arrived.end(), started[i]) - arrived.begin();
    last = std::max(last, static_cast<int>(at));
    CHECK(last < static_cast<int>(i) + 3);
  }
}

PENSTOCK_TEST("a task group limited by a semaphore never runs more at once") {
  semaphore gate{3};
  int running = 0, peak = 0;
  auto all = co_await with_group([&](task_group& group) -> task<result<>> {
    for (int i = 0; i < 20; ++i)
      group.start(limited, std::ref(gate), std::ref(running), std::ref(peak));
    co_return {};
  });
  CHECK(all.has_value());
  CHECK(peak == 3);
}

// One permit: who gets it runs alone, so that the order can be seen with any seed.
PENSTOCK_TEST("permits are handed over in the order of arrival") {
  semaphore gate{1};
  std::vector<int> arrived, started;
  co_await with_group([&](task_group& group) -> task<> {
    auto one = [&](int id) -> task<> {
      arrived.push_back(id);
      auto permit = co_await must(gate.acquire());
      started.push_back(id);
      co_await yield();
    };
    for (int id = 0; id < 100; ++id) group.start(one, id);
    co_return;
  });
  CHECK(started == arrived);
}

PENSTOCK_TEST("SM3: a large request at the head is not starved by a stream of small ones") {
  semaphore gate{3};
  time_point served_at{};
  bool over = false;
  auto large = [&]() -> task<> {
    co_await sleep_for(10ms);
    auto permit = co_await must(gate.acquire(3));
    served_at = rt.now();
    co_await sleep_for(1ms);
    over = true;
  };
  auto small = [&](int phase) -> task<> {
    co_await sleep_for(phase * 1ms);
    while (!over) {
      auto permit = co_await must(gate.acquire());
      co_await sleep_for(3ms);
    }
  };
  co_await when_all(large(), small(0), small(1), small(2), small(2));
  CHECK(served_at >= time_point(10ms));
  CHECK(served_at <= time_point(16ms));  // one small request was there before, and holds for 3 ms
}

PENSTOCK_TEST("nobody passes one who waits: neither a smaller request nor try_acquire") {
  semaphore gate{3};
  auto held = co_await must(gate.acquire(2));
  std::vector<int> order;
  auto large = hold(gate, 2, 1ms, order, 1);
  auto late = [&]() -> task<> {
    co_await sleep_for(1ms);
    CHECK(gate.available() == 1);
    CHECK(gate.waiting() == 1);
    CHECK_FALSE(gate.try_acquire().has_value());
    co_await hold(gate, 1, 1ms, order, 2);
  };
  auto releaser = [&]() -> task<> {
    co_await sleep_for(5ms);
    CHECK(order.empty());
    CHECK(gate.waiting() == 2);
    held.release();
    CHECK(gate.waiting() == 0);
  };
  co_await when_all(std::move(large), late(), releaser());
  std::sort(order.begin(), order.end());
  CHECK(order == std::vector<int>{1, 2});
  CHECK(gate.available() == 3);
}

PENSTOCK_TEST("a head that is stopped lets those behind it go on at once") {
  semaphore gate{2};
  auto held = co_await must(gate.acquire());
  std::vector<int> order;
  auto impatient = [&]() -> task<> {
    const auto r = co_await with_timeout(3ms, gate.acquire(2));
    CHECK(r.error() == errc::timed_out);
  };
  auto behind = [&]() -> task<> {
    co_await sleep_for(1ms);
    co_await hold(gate, 1, 0ms, order, 1);
    CHECK(rt.now() == time_point(3ms));
  };
  co_await when_all(impatient(), behind());
  CHECK(order.size() == 1);
  held.release();
  CHECK(gate.available() == 2);
}

PENSTOCK_TEST("a permit can be counted, split, merged, returned early, forgotten and taken over") {
  semaphore gate{10};
  auto permit = co_await must(gate.acquire(6));
  CHECK(permit);
  CHECK(permit.count() == 6);
  CHECK(gate.available() == 4);

  auto part = permit.split(2);
  CHECK(permit.count() == 4);
  CHECK(part.count() == 2);
  CHECK(gate.available() == 4);
  part.release();
  part.release();
  CHECK_FALSE(part);
  CHECK(gate.available() == 6);

  permit.merge(permit.split(1));
  CHECK(permit.count() == 4);
  semaphore_permit empty;
  empty.merge(std::move(permit));
  CHECK(empty.count() == 4);
  CHECK(permit.count() == 0);
  permit = std::move(empty);
  auto all = permit.split(4);
  CHECK_FALSE(permit);
  permit = co_await must(gate.acquire());
  permit = std::move(all);  // the one that it had goes back
  CHECK(gate.available() == 6);

  CHECK(permit.forget() == 4);
  CHECK(gate.available() == 6);
  gate.release(3);
  CHECK(gate.available() == 9);
  { const semaphore_permit taken_over(gate, 1); }
  CHECK(gate.available() == 10);
}

PENSTOCK_TEST("try_acquire takes what there is, never more") {
  semaphore gate{2};
  auto two = gate.try_acquire(2);
  REQUIRE(two.has_value());
  CHECK_FALSE(gate.try_acquire());
  two->release();
  CHECK_FALSE(gate.try_acquire(3));
  CHECK(gate.try_acquire(1)->count() == 1);
  CHECK(gate.available() == 2);
  co_return;
}

PENSTOCK_TEST("more than the capacity can never be had") {
  semaphore gate{3};
  const auto r = co_await gate.acquire(4);
  REQUIRE_FALSE(r.has_value());
  CHECK(r.error() == errc::never_satisfiable);
  CHECK(r.error().message() == "semaphore::acquire '4 of 3 permits': can never be satisfied");
  const auto negative = co_await gate.acquire(static_cast<std::size_t>(-1));
  CHECK(negative.error() == errc::never_satisfiable);
  CHECK(negative.error().message() ==
        "semaphore::acquire 'over 17592186044416 of 3 permits': can never be satisfied");
  CHECK(gate.available() == 3);
  auto held = co_await gate.acquire(2);
  CHECK((co_await gate.acquire(5)).error() == errc::never_satisfiable);
  held->release();
  CHECK(gate.available() == 3);
}

PENSTOCK_TEST("more permits serve those who wait, in their order") {
  semaphore gate{1};
  std::vector<int> order;
  auto first = hold(gate, 1, 10ms, order, 0);
  auto second = [&]() -> task<> {
    co_await sleep_for(1ms);
    co_await hold(gate, 1, 10ms, order, 1);
  };
  auto third = [&]() -> task<> {
    co_await sleep_for(2ms);
    co_await hold(gate, 1, 10ms, order, 2);
  };
  auto grow = [&]() -> task<> {
    co_await sleep_for(3ms);
    gate.resize(2);
    co_await sleep_for(1ms);
    CHECK(order == std::vector<int>{0, 1});
    gate.resize(3);
    co_await sleep_for(1ms);
    CHECK(order == std::vector<int>{0, 1, 2});
  };
  co_await when_all(std::move(first), second(), third(), grow());
  CHECK(gate.capacity() == 3);
  CHECK(gate.available() == 3);
}

PENSTOCK_TEST("fewer permits than are held: nobody acquires until enough have come back") {
  semaphore gate{4};
  auto a = co_await must(gate.acquire(2));
  auto b = co_await must(gate.acquire(2));
  gate.resize(2);
  CHECK(gate.available() == 0);
  a.release();
  CHECK(gate.available() == 0);
  CHECK_FALSE(gate.try_acquire());
  std::vector<int> order;
  auto waiter = hold(gate, 2, 0ms, order, 1);
  auto release = [&]() -> task<> {
    co_await sleep_for(1ms);
    CHECK(order.empty());
    b.release();
  };
  co_await when_all(std::move(waiter), release());
  CHECK(order.size() == 1);
  CHECK(gate.available() == 2);
}

PENSTOCK_TEST("a resize refuses those who wait for more than there are now, and serves the rest") {
  semaphore gate{4};
  auto held = co_await must(gate.acquire(3));
  std::vector<int> order;
  auto large = [&]() -> task<> {
    const auto r = co_await gate.acquire(4);
    CHECK(r.error() == errc::never_satisfiable);
    CHECK(r.error().message() == "semaphore::acquire '4 of 3 permits': can never be satisfied");
    CHECK(rt.now() == time_point(2ms));
  };
  auto small = [&]() -> task<> {
    co_await sleep_for(1ms);
    co_await hold(gate, 1, 0ms, order, 1);
  };
  auto shrink = [&]() -> task<> {
    co_await sleep_for(2ms);
    gate.resize(3);
    co_await sleep_for(1ms);
    CHECK(order.empty());
    held.release();
  };
  co_await when_all(large(), small(), shrink());
  CHECK(order.size() == 1);
  CHECK(gate.available() == 3);
}

PENSTOCK_TEST("paused, all wait until there are permits") {
  semaphore gate{0, {.paused = true}};
  CHECK(gate.available() == 0);
  CHECK_FALSE(gate.try_acquire());
  std::vector<int> order;
  auto waiter = hold(gate, 2, 1ms, order, 1);
  auto too_many = [&]() -> task<> {
    co_await sleep_for(1ms);
    CHECK((co_await gate.acquire(3)).error() == errc::never_satisfiable);
  };
  auto open = [&]() -> task<> {
    co_await sleep_for(5ms);
    CHECK(gate.waiting() == 2);
    gate.resize(2);
    co_await sleep_for(5ms);
    gate.resize(0);
    CHECK_FALSE(gate.try_acquire());
  };
  co_await when_all(std::move(waiter), too_many(), open());
  CHECK(order.size() == 1);
}

PENSTOCK_TEST("close() ends all waits; permits that are held stay valid") {
  semaphore gate{2};
  auto held = co_await must(gate.acquire(2));
  int closed = 0;
  auto waiter = [&](std::size_t n) -> task<> {
    const auto r = co_await gate.acquire(n);
    if (!r && r.error() == errc::closed) ++closed;
  };
  auto close = [&]() -> task<> {
    co_await sleep_for(1ms);
    CHECK_FALSE(gate.closed());
    gate.close();
    gate.close();
  };
  co_await when_all(waiter(1), waiter(2), close());
  CHECK(closed == 2);
  CHECK(gate.closed());
  const auto late = co_await gate.acquire();
  CHECK(late.error() == errc::closed);
  CHECK(late.error().message() == "semaphore::acquire: closed");
  CHECK_FALSE(gate.try_acquire());
  held.split(1).release();
  CHECK((co_await gate.acquire()).error() == errc::closed);
  CHECK((co_await gate.acquire(9)).error() == errc::closed);
  held.release();
  CHECK(gate.available() == 2);
}

PENSTOCK_TEST("the loser of a race gives back what it was granted") {
  semaphore gate{1};
  for (int i = 0; i < 50; ++i) {
    auto held = co_await must(gate.acquire());
    auto race = [&]() -> task<> {
      auto winner = co_await when_any(gate.acquire(), sleep_for(1ms));
      static_cast<void>(winner);
    };
    auto release = [&]() -> task<> {
      co_await sleep_for(1ms);
      held.release();
    };
    co_await when_all(race(), release());
    CHECK(gate.available() == 1);
  }
}

// A million requests; with a sanitizer, which is ten times as slow, a fiftieth of that.
#if PENSTOCK_ASAN || PENSTOCK_TSAN
constexpr int requests_of_each = 50;
#else
constexpr int requests_of_each = 2500;
#endif

TEST_CASE("SM2: with requests stopped at random no permit is lost and none is made") {
  for (auto seed : test::seeds(20)) {
    CAPTURE(seed);
    test::test_runtime rt({.seed = seed});
    semaphore gate{5};
    std::size_t held = 0, most = 0;
    std::uint64_t served = 0, given_up = 0;
    auto one = [&]() -> task<> {
      random_engine& random = co_await this_task::random();
      for (int i = 0; i < requests_of_each; ++i) {
        const auto n = static_cast<std::size_t>(random.uniform_int(1, 5));
        const duration patience(random.uniform_int(0, 9) < 3 ? random.uniform_int(0, 30) : 10'000);
        auto permit = co_await with_timeout(patience, gate.acquire(n));
        if (!permit) {
          ++given_up;
          continue;
        }
        most = std::max(most, held += n);
        ++served;
        if (random.uniform_int(0, 3) != 0) co_await sleep_for(duration(random.uniform_int(0, 10)));
        held -= n;
      }
    };
    rt.run(with_group([&](task_group& group) -> task<> {
      for (int i = 0; i < 20; ++i) group.start(one);
      co_return;
    }));
    CHECK(served + given_up == 20 * requests_of_each);
    CHECK(given_up > served / 10);
    CHECK(most <= 5);
    CHECK(held == 0);
    CHECK(gate.waiting() == 0);
    CHECK(gate.available() == 5);
    CHECK(gate.try_acquire(5).has_value());
  }
}

TEST_CASE("stopped at any step of a crowd, all permits come back") {
  for (std::uint64_t step = 1;; ++step) {
    CAPTURE(step);
    test::test_runtime rt({.seed = 3, .stop_at_step = step});
    semaphore gate{2};
    auto one = [&](std::size_t n) -> task<> {
      auto permit = co_await must(gate.acquire(n));
      co_await yield();
    };
    auto outcome = rt.run(as_result(when_all(one(1), one(2), one(1), one(2), one(1))));
    CHECK(gate.available() == 2);
    CHECK(gate.waiting() == 0);
    CHECK(gate.try_acquire(2).has_value());
    if (outcome && rt.steps() < step) break;
  }
}

TEST_CASE("stopped at any moment an acquire takes no permits, or gives them to its caller") {
  struct fixture {
    std::unique_ptr<semaphore> gate = std::make_unique<semaphore>(3);
    std::optional<semaphore_permit> held = gate->try_acquire(2);
  };
  for (std::size_t n = 2; n <= 3; ++n) {
    test::cancel_matrix([] { return fixture{}; }, [n](fixture& f) { return f.gate->acquire(n); },
                        [](fixture& f) { f.held.reset(); },
                        [n](fixture& f, const auto& outcome, cancel_stage) -> std::string {
                          const std::size_t taken = outcome ? n : 0;
                          if (outcome && (!outcome->has_value() || (*outcome)->count() != n))
                            return "no permit";
                          if (f.gate->available() + taken != 3) return "permits are lost";
                          return f.gate->waiting() == 0 ? "" : "somebody still waits";
                        });
  }
}

namespace {
// A lock before which something else may happen, as on another thread.
struct interrupted_lock {
  static inline std::function<void()> before_lock;
  detail::spin_lock inner;
  void lock() noexcept {
    if (auto happens = std::exchange(before_lock, nullptr)) happens();
    inner.lock();
  }
  void unlock() noexcept { inner.unlock(); }
};
struct interrupted {
  using lock = interrupted_lock;
  template <class T>
  using atomic = detail::atomic<T>;
};
}  // namespace

// The one that has them all may destroy the semaphore.
PENSTOCK_TEST("nobody gets all permits while one who returns some has not got to the lock") {
  using semaphore_type = basic_semaphore<interrupted>;
  for (bool checked : {false, true}) {
    auto gate = std::make_unique<semaphore_type>(2);
    auto a = gate->try_acquire();
    auto b = gate->try_acquire();
    bool destroyed = false;
    auto drainer = [&]() -> task<> {
      auto all = co_await must(gate->acquire(2));
      all.release();
      gate.reset();
      destroyed = true;
    };
    auto returns = [&]() -> task<> {
      co_await sleep_for(1ms);
      bool interrupted_once = false;
      interrupted_lock::before_lock = [&] {
        b.reset();
        CHECK(gate->waiting() == 1);
        interrupted_once = true;
      };
      if (checked) {
        gate->release(a->forget());
      } else {
        a.reset();
      }
      CHECK(interrupted_once);
    };
    co_await when_all(drainer(), returns());
    CHECK(destroyed);
  }
}

// A claim and a return that are both on their way to the lock, whichever gets there first.
PENSTOCK_TEST("what is on its way to the lock is counted once, in any order") {
  using semaphore_type = basic_semaphore<interrupted>;
  semaphore_type gate(2);
  auto a = gate.try_acquire();
  auto b = gate.try_acquire();
  int served = 0;
  auto one = [&](std::size_t n) -> task<> {
    auto permit = co_await must(gate.acquire(n));
    ++served;
    co_await yield();
  };
  auto impatient = [&]() -> task<> {
    auto late = co_await with_timeout(1ms, gate.acquire(2));
    CHECK(late.error() == errc::timed_out);
  };
  auto returns = [&]() -> task<> {
    co_await sleep_for(500us);
    interrupted_lock::before_lock = [&] { b.reset(); };
    co_await one(1);  // behind the one that waits for 2
    a.reset();
  };
  co_await when_all(impatient(), returns());
  CHECK(gate.available() == 2);
  CHECK(gate.try_acquire(2).has_value());

  auto both = gate.try_acquire(2);
  auto resizes = [&]() -> task<> {
    co_await sleep_for(1ms);
    gate.resize(1);
    CHECK(gate.waiting() == 1);
    interrupted_lock::before_lock = [&] { gate.resize(3); };
    both.reset();
  };
  co_await when_all(one(1), resizes());
  CHECK(served == 2);
  CHECK(gate.available() == 3);
  CHECK(gate.try_acquire(3).has_value());
}

TEST_CASE("a task that is destroyed while it waits leaves the line") {
  // Its group is unwound by an exception of a sibling.
  test::test_runtime rt;
  semaphore gate{1};
  auto held = gate.try_acquire();
  auto waiter = [&]() -> task<> { auto permit = co_await must(gate.acquire()); };
  auto thrower = [&]() -> task<> {
    co_await sleep_for(1ms);
    throw std::string("bad");
  };
  CHECK_THROWS_AS(rt.run(when_all(waiter(), thrower())), std::string);
  CHECK(gate.waiting() == 0);
  held.reset();
  CHECK(gate.available() == 1);
}

TEST_CASE("acquire and release allocate nothing, with and without waiting") {
  if (!test::allocation_counter::available()) return;
  semaphore gate{2};
  auto work = [&]() -> task<> {
    for (int i = 0; i < 200; ++i) {
      auto permit = co_await must(gate.acquire(i % 2 ? 1 : 2));
      if (i % 3 == 0) co_await yield();
    }
  };
  auto give_up = [&]() -> task<> {
    for (int i = 0; i < 20; ++i) {
      auto permit = co_await when_any(gate.acquire(2), sleep_for(0ms));
      co_await yield();
    }
  };
  auto all = [&] { sync_wait(when_all(work(), work(), work(), give_up())); };
  all();  // frames are in the recycler now
  const test::allocation_counter count;
  all();
  CHECK(count.allocations() == 0);
}

TEST_CASE("broken contracts and impossible options stop the program with the reason") {
  CHECK(support::stopped_with([] { semaphore none{0}; }) ==
        "semaphore: 0 permits, and semaphore_options::paused is not set");
  CHECK(support::stopped_with([] { semaphore many{semaphore::max_permits + 1}; }) ==
        "semaphore: more than max_permits");
  CHECK(support::stopped_with([] {
          semaphore gate{2};
          gate.resize(0);
        }) == "semaphore: 0 permits, and semaphore_options::paused is not set");
  CHECK(support::stopped_with([] {
          semaphore gate{2};
          gate.release();
        }) == "more permits are released than were acquired");
  CHECK(support::stopped_with([] {
          semaphore gate{2};
          static_cast<void>(gate.try_acquire(0));
        }) == "a semaphore gives at least one permit");
  CHECK(support::stopped_with([] {
          semaphore a{2}, b{2};
          auto permit = *a.try_acquire();
          permit.merge(*b.try_acquire());
        }) == "permits of two semaphores cannot be merged");
  CHECK(validate(semaphore_options{}, 0).error() == errc::invalid_option);
  CHECK(validate(semaphore_options{.paused = true}, 0).has_value());
  CHECK_FALSE(validate(semaphore_options{}, semaphore::max_permits + 1).has_value());
  CHECK(validate(semaphore_options{}, 3).has_value());
}

TEST_CASE("destroying a semaphore while tasks wait is a broken contract") {
  const auto message = support::stopped_with([] {
    test::test_runtime rt;
    auto gate = std::make_unique<semaphore>(1);
    auto held = gate->try_acquire();
    auto waiter = [](semaphore& s) -> task<> { auto permit = co_await must(s.acquire()); };
    auto destroyer = [&]() -> task<> {
      co_await sleep_for(1ms);
      gate.reset();
    };
    rt.run(when_all(waiter(*gate), destroyer()));
  });
  CHECK(message == "a semaphore or a mutex is destroyed while tasks wait");
}

TEST_CASE("a deadlock's dump names the semaphore's wait") {
  test::test_runtime rt;
  semaphore gate{1, {.name = "gate of the test"}};
  auto held = gate.try_acquire();
  auto waiter = [&]() -> task<> { auto permit = co_await must(gate.acquire()); };
  try {
    rt.run(waiter());
    FAIL("no deadlock");
  } catch (const test::deadlock& d) {
    CHECK(std::string(d.what()).find("gate of the test") != std::string::npos);
  }
}
