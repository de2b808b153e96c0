// tests/sync/sync_loops_test.cpp
// SPDX-License-Identifier: BSL-1.0
// Mutexes, conditions, selects, slots and answers shared by the loops of two threads, with waits
// that are stopped while the other thread grants them.
#include <penstock/sync.hpp>

#include <penstock/core.hpp>
#include <support/seeds.hpp>
#include <sync/two_loops.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

using namespace penstock;
using support::on_two_loops;
using support::turns;

namespace {

TEST_CASE("two loops share a mutex: one holder at a time, also among those that give up") {
  for (auto seed : test::seeds(3)) {
    mutex m;
    long guarded = 0;  // by m
    std::atomic<long> done{0};
    auto worker = [&](std::uint64_t id) -> task<> {
      random_engine random(seed * 100 + id);
      for (int i = 0; i < 300; ++i) {
        mutex_lock lock;
        if (random.uniform_int(0, 1) == 0) {
          lock = co_await m.lock();
        } else {
          auto race = co_await when_any(m.lock(), turns(random.uniform_int(1, 6)));
          if (auto* won = std::get_if<0>(&race.value)) lock = std::move(*won);
          if (auto& late = std::get<0>(race.losers)) lock = std::move(*late);
        }
        if (!lock) continue;
        ++guarded;
        ++done;
        if (random.uniform_int(0, 2) == 0) co_await yield();
      }
    };
    on_two_loops([&](std::uint64_t loop) -> task<> {
      co_await when_all(worker(3 * loop), worker(3 * loop + 1), worker(3 * loop + 2));
    });
    CHECK(guarded == done.load());
    CHECK_FALSE(m.locked());
    CHECK(m.waiting() == 0);
  }
}

TEST_CASE("two loops read and write under a shared mutex") {
  shared_mutex m;
  long first = 0, second = 0;  // equal, but while a writer is at it
  std::atomic<int> wrong{0};
  auto reader = [&]() -> task<> {
    for (int i = 0; i < 400; ++i) {
      auto lock = co_await m.lock_shared();
      if (first != second) ++wrong;
      if (i % 5 == 0) co_await yield();
      if (first != second) ++wrong;
    }
  };
  auto writer = [&]() -> task<> {
    for (int i = 0; i < 200; ++i) {
      auto lock = co_await m.lock();
      ++first;
      if (i % 3 == 0) co_await yield();
      ++second;
      auto reading = m.downgrade(std::move(lock));
      if (first != second) ++wrong;
    }
  };
  on_two_loops([&](std::uint64_t) -> task<> { co_await when_all(reader(), writer(), reader()); });
  CHECK(wrong.load() == 0);
  CHECK(first == 400);
  CHECK(m.try_lock().has_value());
}

TEST_CASE("a bounded buffer of a mutex and two conditions loses nothing between two loops") {
  for (auto seed : test::seeds(3)) {
    mutex m;
    condition not_full, not_empty;
    std::vector<int> items;  // guarded by m, as what follows
    int producers = 4;
    long sum = 0;
    auto producer = [&](std::uint64_t id) -> task<> {
      for (int i = 1; i <= 100; ++i) {
        auto lock = co_await m.lock();
        co_await not_full.wait(lock, [&] { return items.size() < 3; });
        items.push_back(i);
        not_empty.notify_one();
        if ((seed + id) % 2 == 0) co_await yield();
      }
      auto lock = co_await m.lock();
      if (--producers == 0) not_empty.notify_all();
    };
    auto consumer = [&](std::uint64_t id) -> task<> {
      random_engine random(seed * 10 + id);
      for (bool open = true; open;) {
        auto take = [&]() -> task<> {
          auto lock = co_await m.lock();
          co_await not_empty.wait(lock, [&] { return !items.empty() || producers == 0; });
          if (items.empty()) {
            open = false;
            co_return;
          }
          sum += items.back();
          items.pop_back();
          not_full.notify_one();
        };
        if (random.uniform_int(0, 1) == 0)
          co_await take();
        else
          static_cast<void>(co_await when_any(take(), turns(random.uniform_int(1, 9))));
      }
    };
    on_two_loops([&](std::uint64_t loop) -> task<> {
      co_await when_all(producer(loop), producer(loop), consumer(2 * loop), consumer(2 * loop + 1));
    });
    CHECK(sum == 4 * 5050);
  }
}

TEST_CASE("selects on two loops take every value once") {
  for (auto seed : test::seeds(3)) {
    channel<int> a{0}, b{1}, c{4};
    std::atomic<long> sent{0}, received{0};
    std::atomic<int> givers{4};
    auto giver = [&](std::uint64_t id) -> task<> {
      random_engine random(seed * 10 + id);
      for (int i = 1; i <= 200; ++i) {
        if (random.uniform_int(0, 3) == 0) {
          auto race =
              co_await when_any(select(a.send(i), c.send(i)), turns(random.uniform_int(1, 6)));
          if (race.index == 0 || std::get<0>(race.losers)) sent += i;
        } else {
          static_cast<void>(co_await select(c.send(i), a.send(i), b.send(i)));
          sent += i;
        }
      }
      if (--givers == 0) {
        a.close();
        b.close();
        c.close();
      }
    };
    auto taker = [&](std::uint64_t id) -> task<> {
      random_engine random(seed * 10 + 5 + id);
      int open = 3;
      while (open > 0) {
        if (random.uniform_int(0, 3) == 0) {
          auto race = co_await when_any(select(a.receive(), b.receive(), c.receive()),
                                        turns(random.uniform_int(1, 6)));
          using selected = select_result<result<int>>;
          const selected* got = std::get_if<selected>(&race.value);
          if (auto& late = std::get<0>(race.losers)) got = &*late;
          if (got && got->value) received += *got->value;
          if (got && !got->value) break;
        } else {
          auto r = co_await select(c.receive(), b.receive(), a.receive());
          if (!r.value) break;
          received += *r.value;
        }
      }
    };
    on_two_loops([&](std::uint64_t loop) -> task<> {
      co_await when_all(giver(loop), giver(2 + loop), taker(loop), taker(2 + loop));
    });
    for (auto* ch : {&a, &b, &c}) {
      while (auto left = ch->try_receive()) received += *left;
    }
    CHECK(sent.load() == received.load());
  }
}

TEST_CASE("slots, batches and single values of a channel between two loops") {
  for (auto seed : test::seeds(3)) {
    channel<int> c{5};
    std::atomic<long> sent{0}, received{0};
    std::atomic<int> senders{4};
    auto sender = [&](std::uint64_t id) -> task<> {
      random_engine random(seed * 10 + id);
      std::vector<int> many;
      for (int i = 1; i <= 200; ++i) {
        const auto how = random.uniform_int(0, 3);
        if (how == 0) {
          auto place = co_await must(c.reserve());
          if (i % 2 == 0) co_await yield();
          if (i % 5 != 0 && place.send(i)) sent += i;
        } else if (how == 1) {
          many.assign(static_cast<std::size_t>(random.uniform_int(1, 9)), i);
          const std::size_t n = co_await must(c.send_many(many));
          sent += i * static_cast<long>(n);
        } else if (how == 2) {
          if (c.try_send(i)) sent += i;
        } else {
          co_await must(c.send(i));
          sent += i;
        }
      }
      if (--senders == 0) c.close();
    };
    auto receiver = [&](std::uint64_t id) -> task<> {
      std::vector<int> some;
      for (;;) {
        if (id % 2 == 0) {
          auto one = co_await c.receive();
          if (!one) break;
          received += *one;
        } else {
          some.clear();
          const auto n = co_await c.receive_many(some, 4);
          if (!n) break;
          for (int v : some) received += v;
        }
      }
    };
    on_two_loops([&](std::uint64_t loop) -> task<> {
      co_await when_all(sender(loop), sender(2 + loop), receiver(loop), receiver(3 - loop));
    });
    CHECK(sent.load() == received.load());
    CHECK(c.size() == 0);
  }
}

TEST_CASE("one loop asks, the other answers: in place, and with ends of their own") {
  struct question {
    oneshot_sender<int> answer;
  };
  channel<question> questions{8};
  unbounded_channel<oneshot<int>*> in_place;
  barrier step{2};
  on_two_loops([&](std::uint64_t loop) -> task<> {
    if (loop == 0) {
      for (int i = 0; i < 500; ++i) {
        auto [sender, receiver] = make_oneshot<int>();
        question q{std::move(sender)};
        co_await must(questions.send(std::move(q)));
        auto race = co_await when_any(receiver.receive(), turns(i % 7));
        static_cast<void>(race);
        auto mine = std::make_unique<oneshot<int>>();
        CHECK(in_place.send(mine.get()));
        CHECK(co_await mine->receive() == 2);
      }
      questions.close();
      in_place.close();
    } else {
      auto answer = [&]() -> task<> {
        while (auto q = co_await questions.receive()) q->answer.send(1);
      };
      auto answer_in_place = [&]() -> task<> {
        while (auto o = co_await in_place.receive()) (*o)->send(2);
      };
      co_await when_all(answer(), answer_in_place());
    }
    co_await step.arrive_and_wait();
  });
}

TEST_CASE("a watch and signals between two loops: the last value is always seen") {
  watch<long> value{0};
  auto_reset_event changed;
  latch done{2};
  on_two_loops([&](std::uint64_t loop) -> task<> {
    if (loop == 0) {
      for (int i = 0; i < 2000; ++i) {
        value.modify([](long& v) { ++v; });
        changed.set();
        if (i % 50 == 0) co_await yield();
      }
      value.close();
      changed.set();
      co_await done.arrive_and_wait();
    } else {
      auto watcher = value.subscribe();
      long last = watcher.get();
      auto follow = [&]() -> task<> {
        while (auto told = co_await watcher.changed()) {
          const long now = watcher.get();
          CHECK(now >= last);
          last = now;
        }
      };
      auto signalled = [&]() -> task<> {
        while (!value.closed()) co_await changed.wait();
      };
      co_await when_all(follow(), signalled());
      CHECK(last == 2000);
      co_await done.arrive_and_wait();
    }
  });
}

TEST_CASE("a broadcast between two loops: received and missed values are all values") {
  for (auto seed : test::seeds(3)) {
    broadcast<long> numbers{16};
    latch subscribed{4};
    std::atomic<int> senders{2};
    std::atomic<long> accounted{0};
    auto receiver = [&](std::uint64_t id) -> task<> {
      auto mine = numbers.subscribe();
      co_await subscribed.arrive_and_wait();
      random_engine random(seed * 10 + id);
      std::uint64_t received = 0;
      for (;;) {
        const auto r = co_await mine.receive();
        if (r)
          ++received;
        else if (r.error() != errc::lagged)
          break;
        if (random.uniform_int(0, 4) == 0) co_await yield();
      }
      accounted += static_cast<long>(received + mine.missed());
    };
    auto sender = [&]() -> task<> {
      co_await subscribed.wait();
      for (int i = 0; i < 500; ++i) {
        static_cast<void>(numbers.send(i));
        if (i % 7 == 0) co_await yield();
      }
      if (--senders == 0) numbers.close();
    };
    on_two_loops([&](std::uint64_t loop) -> task<> {
      co_await when_all(receiver(loop), receiver(2 + loop), sender());
    });
    CHECK(accounted.load() == 4 * 1000);
  }
}

TEST_CASE("a flight is joined from another loop, and left by those who give up") {
  for (auto seed : test::seeds(3)) {
    single_flight<int, int> flights;
    std::atomic<int> loading{0}, most{0}, wrong{0};
    barrier step{2};
    auto asks = [&](std::uint64_t id) -> task<> {
      random_engine random(seed * 10 + id);
      for (int i = 0; i < 200; ++i) {
        const int key = static_cast<int>(random.uniform_int(0, 2));
        auto load = [&loading, &most, key]() -> task<int> {
          const int now = ++loading;
          if (now > most.load()) most = now;
          co_await turns(3);
          --loading;
          co_return key * 10;
        };
        if (random.uniform_int(0, 2) == 0) {
          static_cast<void>(co_await when_any(flights.run(key, load), turns(2)));
        } else {
          const auto r = co_await flights.run(key, load);
          if (r != key * 10) ++wrong;
        }
        if (random.uniform_int(0, 9) == 0) flights.forget(key);
      }
    };
    on_two_loops([&](std::uint64_t loop) -> task<> {
      co_await when_all(asks(loop), asks(2 + loop));
      while (flights.in_flight() != 0) co_await yield();
      co_await step.arrive_and_wait();
    });
    CHECK(wrong.load() == 0);
    CHECK(loading.load() == 0);
  }
}

TEST_CASE("a lazy value and a weighted channel between two loops") {
  for (auto seed : test::seeds(3)) {
    std::atomic<int> tries{0}, given{0};
    lazy<int> value{[&]() -> task<result<int>> {
      const int mine = ++tries;
      co_await turns(2);
      if (mine < 3) co_return fail(errc::overloaded);
      co_return mine;
    }};
    weighted_channel<std::vector<char>> blocks(100,
                                               [](const std::vector<char>& b) { return b.size(); });
    std::atomic<std::size_t> sent{0}, received{0};
    std::atomic<int> senders{2};
    auto asks = [&]() -> task<> {
      for (int i = 0; i < 20; ++i) {
        const auto v = co_await value.get();
        if (v) ++given;
      }
    };
    auto sends = [&](std::uint64_t id) -> task<> {
      random_engine random(seed * 10 + id);
      for (int i = 0; i < 200; ++i) {
        std::vector<char> block(static_cast<std::size_t>(random.uniform_int(0, 120)));
        const std::size_t size = block.size();
        auto race = co_await when_any(blocks.send(std::move(block)), turns(4));
        if (race.index == 0 || std::get<0>(race.losers)) sent += size;
      }
      if (--senders == 0) blocks.close();
    };
    auto receives = [&]() -> task<> {
      while (auto b = co_await blocks.receive()) received += b->size();
    };
    on_two_loops(
        [&](std::uint64_t loop) -> task<> { co_await when_all(asks(), sends(loop), receives()); });
    CHECK(given.load() == 38);
    CHECK(sent.load() == received.load());
    CHECK(blocks.weight() == 0);
  }
}

}  // namespace
