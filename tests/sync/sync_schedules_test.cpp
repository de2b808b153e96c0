// tests/sync/sync_schedules_test.cpp
// SPDX-License-Identifier: BSL-1.0
// Each primitive under random schedules in virtual time: tasks that use it at random, in a random
// order, with waits that are given up at random; then what must hold is looked at.
#include <penstock/sync.hpp>

#include <penstock/core.hpp>
#include <penstock/test.hpp>
#include <support/seeds.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using namespace penstock;

namespace {

constexpr std::uint64_t schedules = 500;
constexpr int actors = 4;

// What an actor does between its operations, and how long it waits for one.
class dice {
 public:
  explicit dice(std::uint64_t seed) : random_(seed) {}
  int upto(int n) { return static_cast<int>(random_.uniform_int(0, n)); }
  bool often() { return upto(3) != 0; }
  // Mostly enough, else a few moments.
  duration patience() { return duration(often() ? 1'000'000 : upto(6)); }
  task<> rest() {
    if (often()) co_await sleep_for(duration(upto(5)));
  }

 private:
  random_engine random_;
};

// A world has act(actor, dice) -> task<>, run by each actor, and check().
template <class World>
void in_all_schedules() {
  for (auto seed : test::seeds(schedules)) {
    CAPTURE(seed);
    test::test_runtime rt({.seed = seed});
    World world(seed);
    auto actor = [&](int i) -> task<> {
      dice d(seed * actors + static_cast<std::uint64_t>(i));
      co_await world.act(i, d);
    };
    rt.run(with_group([&](task_group& group) -> task<> {
      for (int i = 0; i < actors; ++i) group.start(actor(i));
      co_return;
    }));
    world.check();
  }
}

struct event_world {
  explicit event_world(std::uint64_t) {}
  event e;
  int sets = 0, passed = 0, late = 0;

  task<> act(int i, dice& d) {
    for (int n = 0; n < 6; ++n) {
      co_await d.rest();
      if (i == 0) {
        ++sets;
        e.set();
        if (n != 5 && d.often()) e.reset();
      } else {
        auto waited = co_await with_timeout(d.patience(), e.wait());
        ++(waited ? passed : late);
        if (waited) CHECK(sets > 0);
      }
    }
  }
  void check() const {
    CHECK(e.is_set());
    CHECK(passed + late == 18);
  }
};
TEST_CASE("schedules: event") { in_all_schedules<event_world>(); }

struct signal_world {
  explicit signal_world(std::uint64_t) {}
  auto_reset_event e;
  int sets = 0, taken = 0;

  task<> act(int i, dice& d) {
    for (int n = 0; n < 6; ++n) {
      co_await d.rest();
      if (i < 2) {
        ++sets;
        e.set();
      } else {
        auto waited = co_await with_timeout(duration(d.upto(8)), e.wait());
        if (waited) CHECK(++taken <= sets);
      }
    }
  }
  void check() {
    if (e.try_wait()) CHECK(++taken <= sets);
    CHECK_FALSE(e.try_wait());
  }
};
TEST_CASE("schedules: auto_reset_event") { in_all_schedules<signal_world>(); }

struct semaphore_world {
  explicit semaphore_world(std::uint64_t seed) : permits(seed % 3 + 1), s(permits) {}
  std::size_t permits;
  semaphore s;
  std::size_t held = 0;

  task<> act(int, dice& d) {
    for (int n = 0; n < 6; ++n) {
      const auto want = static_cast<std::size_t>(d.upto(static_cast<int>(permits) - 1) + 1);
      auto permit = co_await with_timeout(d.patience(), s.acquire(want));
      if (!permit) continue;
      CHECK((held += want) <= permits);
      co_await d.rest();
      held -= want;
    }
  }
  void check() {
    CHECK(s.available() == permits);
    CHECK(s.waiting() == 0);
  }
};
TEST_CASE("schedules: semaphore") { in_all_schedules<semaphore_world>(); }

struct mutex_world {
  explicit mutex_world(std::uint64_t) {}
  mutex m;
  bool busy = false;

  task<> act(int, dice& d) {
    for (int n = 0; n < 6; ++n) {
      auto lock = co_await with_timeout(d.patience(), m.lock());
      if (!lock) continue;
      CHECK_FALSE(std::exchange(busy, true));
      co_await d.rest();
      busy = false;
    }
  }
  void check() { CHECK(m.try_lock().has_value()); }
};
TEST_CASE("schedules: mutex") { in_all_schedules<mutex_world>(); }

struct shared_mutex_world {
  explicit shared_mutex_world(std::uint64_t) {}
  shared_mutex m;
  int readers = 0, writers = 0;

  task<> act(int, dice& d) {
    for (int n = 0; n < 6; ++n) {
      if (d.often()) {
        auto lock = co_await with_timeout(d.patience(), m.lock_shared());
        if (!lock) continue;
        ++readers;
        CHECK(writers == 0);
        co_await d.rest();
        --readers;
      } else {
        auto lock = co_await with_timeout(d.patience(), m.lock());
        if (!lock) continue;
        CHECK(writers++ == 0);
        CHECK(readers == 0);
        co_await d.rest();
        --writers;
      }
    }
  }
  void check() { CHECK(m.try_lock().has_value()); }
};
TEST_CASE("schedules: shared_mutex") { in_all_schedules<shared_mutex_world>(); }

struct condition_world {
  explicit condition_world(std::uint64_t) {}
  mutex m;
  condition changed;
  int made = 0, used = 0, wanted = 0;

  task<> act(int i, dice& d) {
    for (int n = 0; n < 6; ++n) {
      if (i < 2) {
        co_await d.rest();
        auto lock = co_await m.lock();
        ++made;
        d.often() ? changed.notify_one() : changed.notify_all();
      } else {
        auto lock = co_await m.lock();
        auto there = [&] { return made > used; };
        auto waited = co_await with_timeout(d.patience(), changed.wait(lock, there));
        if (waited) CHECK(++used <= made);
      }
    }
  }
  void check() {
    CHECK(used <= made);
    CHECK(m.try_lock().has_value());
  }
};
TEST_CASE("schedules: condition") { in_all_schedules<condition_world>(); }

struct latch_world {
  explicit latch_world(std::uint64_t) {}
  latch l{actors};
  int counted = 0, late = 0;

  task<> act(int, dice& d) {
    co_await d.rest();
    ++counted;
    l.count_down();
    auto waited = co_await with_timeout(duration(d.upto(9)), l.wait());
    if (waited)
      CHECK(counted == actors);
    else
      ++late;
    co_await l.wait();
    CHECK(counted == actors);
  }
  void check() const { CHECK(counted == actors); }
};
TEST_CASE("schedules: latch") { in_all_schedules<latch_world>(); }

struct barrier_world {
  explicit barrier_world(std::uint64_t) {}
  barrier b{actors};
  int steps = 0;
  int at[actors] = {};

  task<> act(int i, dice& d) {
    for (int n = 0; n < 5; ++n) {
      co_await d.rest();
      ++at[i];
      for (;;) {  // who gives up has not arrived
        auto last = co_await with_timeout(d.patience(), b.arrive_and_wait());
        if (!last) continue;
        if (*last) ++steps;
        break;
      }
      for (int other : at) CHECK(other >= at[i]);
    }
  }
  void check() const { CHECK(steps == 5); }
};
TEST_CASE("schedules: barrier") { in_all_schedules<barrier_world>(); }

struct oneshot_world {
  explicit oneshot_world(std::uint64_t) {}
  oneshot<int> o;
  int answers = 0, received = 0;
  bool closes = false;

  task<> act(int i, dice& d) {
    co_await d.rest();
    if (i == 0) {
      for (;;) {
        auto answer = co_await with_timeout(d.patience(), o.receive());
        if (!answer && answer.error() == errc::timed_out) continue;
        if (answer) CHECK(*answer == 1);
        ++received;
        break;
      }
    } else if (d.often()) {
      if (o.send(1)) ++answers;
    } else {
      if (!o.answered()) ++answers;
      o.close();
    }
  }
  void check() const {
    CHECK(answers == 1);
    CHECK(received == 1);
  }
};
TEST_CASE("schedules: oneshot") { in_all_schedules<oneshot_world>(); }

struct watch_world {
  explicit watch_world(std::uint64_t) {}
  watch<int> w{0};

  task<> act(int i, dice& d) {
    if (i == 0) {
      for (int n = 1; n <= 8; ++n) {
        co_await d.rest();
        w.set(n);
      }
      w.close();
      co_return;
    }
    auto mine = w.subscribe();
    int seen = mine.get();
    for (;;) {
      auto told = co_await with_timeout(d.patience(), mine.changed());
      if (!told && told.error() == errc::closed) break;
      const int now = mine.get();
      if (told) CHECK(now > seen);
      CHECK(now >= seen);
      seen = now;
    }
    CHECK(mine.get() == 8);
  }
  void check() const { CHECK(w.version() == 8); }
};
TEST_CASE("schedules: watch") { in_all_schedules<watch_world>(); }

// What is accepted arrives, once; each sender's values in order.
template <class Channel>
struct channel_world {
  explicit channel_world(std::uint64_t seed) : c(make(seed)) {}
  std::unique_ptr<Channel> c;
  std::vector<int> accepted[2], received;
  int senders = 2;

  static std::unique_ptr<Channel> make(std::uint64_t seed) {
    if constexpr (std::is_constructible_v<Channel, std::size_t>)
      return std::make_unique<Channel>(static_cast<std::size_t>(seed % 4));
    else
      return std::make_unique<Channel>();
  }
  task<> act(int i, dice& d) {
    if (i < 2) {
      for (int n = 0; n < 8; ++n) {
        co_await d.rest();
        const int value = 100 * i + n;
        bool sent = false;
        if constexpr (requires { c->reserve(); }) {
          auto outcome = co_await with_timeout(d.patience(), c->send(value));
          sent = outcome.has_value();
        } else {
          sent = c->send(value).has_value();
        }
        if (sent) accepted[i].push_back(value);
      }
      if (--senders == 0) c->close();
      co_return;
    }
    for (;;) {
      auto value = co_await with_timeout(d.patience(), c->receive());
      if (!value && value.error() == errc::closed) break;
      if (value) received.push_back(*value);
      co_await d.rest();
    }
  }
  void check() const {
    std::vector<int> of[2];
    for (int v : received) of[v / 100].push_back(v);
    for (int i : {0, 1}) {
      std::sort(of[i].begin(), of[i].end());
      CHECK(of[i] == accepted[i]);
    }
  }
};
TEST_CASE("schedules: channel") { in_all_schedules<channel_world<channel<int>>>(); }
TEST_CASE("schedules: channel of one loop") {
  in_all_schedules<channel_world<local::channel<int>>>();
}
TEST_CASE("schedules: unbounded_channel") {
  in_all_schedules<channel_world<unbounded_channel<int>>>();
}

struct weighted_world {
  explicit weighted_world(std::uint64_t) {}
  weighted_channel<std::string> c{10, [](const std::string& s) { return s.size(); }};
  std::size_t accepted = 0, received = 0;
  int senders = 2;

  task<> act(int i, dice& d) {
    if (i < 2) {
      for (int n = 0; n < 8; ++n) {
        const auto size = static_cast<std::size_t>(d.upto(9) + 1);
        auto sent = co_await with_timeout(d.patience(), c.send(std::string(size, 'x')));
        if (sent) accepted += size;
      }
      if (--senders == 0) c.close();
      co_return;
    }
    for (;;) {
      auto block = co_await with_timeout(d.patience(), c.receive());
      if (!block && block.error() == errc::closed) break;
      if (block) received += block->size();
      co_await d.rest();
    }
  }
  void check() const { CHECK(received == accepted); }
};
TEST_CASE("schedules: weighted_channel") { in_all_schedules<weighted_world>(); }

struct select_world {
  explicit select_world(std::uint64_t seed) : a(seed % 3), b(seed / 3 % 3) {}
  channel<int> a, b;
  int sent = 0, received = 0;

  task<> act(int i, dice& d) {
    if (i < 2) {
      channel<int>& mine = i == 0 ? a : b;
      for (int n = 0; n < 8; ++n) {
        auto outcome = co_await with_timeout(d.patience(), mine.send(1));
        if (outcome) ++sent;
      }
      mine.close();
      co_return;
    }
    bool open[2] = {true, true};
    while (open[0] || open[1]) {
      auto next = co_await with_timeout(d.patience(), select(a.receive(), b.receive()));
      if (!next) continue;  // in vain, and nothing is lost
      if (next->value)
        ++received;
      else
        open[next->index] = false;
      if (!open[0] || !open[1]) break;  // a closed arm is always ready
    }
    for (channel<int>* c : {&a, &b})
      while (auto value = co_await c->receive()) ++received;
  }
  void check() const { CHECK(received == sent); }
};
TEST_CASE("schedules: select") { in_all_schedules<select_world>(); }

struct broadcast_world {
  explicit broadcast_world(std::uint64_t seed) : b(std::size_t{1} << seed % 3) {}
  broadcast<int> b;

  task<> act(int i, dice& d) {
    if (i == 0) {
      co_await yield();
      for (int n = 1; n <= 12; ++n) {
        co_await d.rest();
        CHECK(b.send(n));
      }
      b.close();
      co_return;
    }
    auto mine = b.subscribe();
    std::uint64_t got = 0;
    int last = 0, first = 0;
    for (;;) {
      auto value = co_await with_timeout(d.patience(), mine.receive());
      if (!value && value.error() == errc::closed) break;
      if (value) {
        CHECK(*value > last);
        last = *value;
        if (first == 0) first = last - static_cast<int>(mine.missed());
        ++got;
      }
      co_await d.rest();
    }
    CHECK(last == 12);
    CHECK(got + mine.missed() == static_cast<std::uint64_t>(12 - first + 1));
  }
  void check() const { CHECK(b.receivers() == 0); }
};
TEST_CASE("schedules: broadcast") { in_all_schedules<broadcast_world>(); }

struct topics_world {
  explicit topics_world(std::uint64_t seed) : when_full(static_cast<slow_consumer>(seed % 2)) {}
  slow_consumer when_full;
  topics<int> t;
  int members = 0;

  task<> act(int i, dice& d) {
    if (i == 0) {
      while (members != actors - 1) co_await sleep_for(duration(1));
      for (int n = 1; n <= 12; ++n) {
        co_await d.rest();
        CHECK(t.publish(n % 2 == 0 ? "even" : "odd", n));
      }
      t.close();
      co_return;
    }
    auto mine = t.subscribe({.capacity = 2, .when_full = when_full});
    t.join(mine, "even");
    t.join(mine, "odd");
    ++members;
    std::uint64_t got = 0;
    int last = 0;
    for (;;) {
      auto value = co_await with_timeout(d.patience(), mine.receive());
      if (!value && value.error() == errc::closed) break;
      if (value) {
        CHECK(**value > last);
        last = **value;
        ++got;
      }
      co_await d.rest();
    }
    CHECK(got + mine.missed() == 12);
  }
  void check() const { CHECK(t.stats().rooms == 0); }
};
TEST_CASE("schedules: topics") { in_all_schedules<topics_world>(); }

struct lazy_world {
  explicit lazy_world(std::uint64_t seed) : failures(static_cast<int>(seed % 3)) {}
  int failures;
  int made = 0, tries = 0, done = 0;
  bool making = false;
  lazy<int> l{[this]() -> task<result<int>> {
    CHECK_FALSE(std::exchange(making, true));
    scope_exit over([this] { making = false; });
    co_await sleep_for(duration(3));
    if (tries++ < failures) co_return fail(errc::not_found, "try");
    ++made;
    co_return 7;
  }};
  once o;

  task<> act(int, dice& d) {
    for (int n = 0; n < 4; ++n) {
      co_await d.rest();
      auto value = co_await with_timeout(d.patience(), l.get());
      if (value) CHECK(**value == 7);
      auto count = [this]() -> task<result<>> {
        co_await yield();
        ++done;
        co_return {};
      };
      auto called = co_await with_timeout(d.patience(), o.call(count));
      if (called) CHECK(done == 1);
    }
  }
  void check() {
    CHECK(made <= 1);
    CHECK(done <= 1);
    CHECK((l.get_if() != nullptr) == (made == 1));
  }
};
TEST_CASE("schedules: lazy and once") { in_all_schedules<lazy_world>(); }

struct flight_world {
  explicit flight_world(std::uint64_t) {}
  single_flight<int, int> flights;
  int loads = 0, runs = 0;
  bool flying[2] = {};

  task<> act(int, dice& d) {
    for (int n = 0; n < 5; ++n) {
      co_await d.rest();
      const int key = static_cast<int>(d.upto(1));
      auto load = [this, key]() -> task<result<int>> {
        CHECK_FALSE(std::exchange(flying[key], true));
        scope_exit over([this, key] { flying[key] = false; });
        ++loads;
        co_await sleep_for(duration(4));
        co_return key;
      };
      ++runs;
      auto value = co_await with_timeout(d.patience(), flights.run(key, load));
      if (value) CHECK(*value == key);
    }
  }
  void check() const { CHECK(loads <= runs); }
};
TEST_CASE("schedules: single_flight") { in_all_schedules<flight_world>(); }

}  // namespace
