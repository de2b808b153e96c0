// tests/model/explorer_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <model/atomic.hpp>

#include <model/explorer.hpp>
#include <model/model_test.hpp>
#include <support/seeds.hpp>

#include <penstock/base/spin_lock.hpp>

#include <optional>
#include <set>
#include <stdexcept>
#include <string>

using penstock::detail::atomic;

namespace {

struct counter {
  atomic<int> value{0};
};
void load_four_times(counter& c) {
  for (int i = 0; i < 4; ++i) c.value.load();
}
void nothing(counter&) {}
void add_one(counter& c) { c.value.store(c.value.load() + 1); }
void sum_is_two(counter& c) { model::expect(c.value.load() == 2, "an addition is lost"); }

MODEL_TEST("every interleaving is explored, and none twice") {
  const auto all = model::explore<counter>("four and four loads", {.pre_emptions = 8}, nothing,
                                           load_four_times, load_four_times);
  model::proved(all);
  if (!PENSTOCK_ASAN) CHECK(all.schedules == 70);  // 8 over 4
  const auto few = model::explore<counter>("the same, interrupted once", {.pre_emptions = 1},
                                           nothing, load_four_times, load_four_times);
  CHECK(few.schedules == 8);  // 2 without, and 3 each way
  const auto three =
      model::explore<counter>("three threads, not interrupted", {.pre_emptions = 0}, nothing,
                              load_four_times, load_four_times, load_four_times);
  CHECK(three.schedules == 6);
}

MODEL_TEST("a lost update is found, with the fewest pre-emptions, and its schedule repeats it") {
  const auto what = model::scenario_of<counter>(sum_is_two, add_one, add_one);
  const auto failed = model::explore("two additions that are not atomic", {}, what);
  CHECK(failed.problem == "an addition is lost");
  CHECK(failed.pre_emptions == 1);
  CHECK(failed.order == "0110");
  CHECK(failed.steps_told ==
        "  thread 0: load of atomic s1, now 0\n"
        "  thread 1: load of atomic s1, now 0\n"
        "  thread 1: store of atomic s1, now 1\n"
        "  thread 0: store of atomic s1, now 1\n");
  const auto again = model::repeat(failed, what);
  CHECK(again.problem == failed.problem);
  CHECK(again.order == failed.order);
  CHECK(again.steps_told == failed.steps_told);
}

MODEL_TEST("what is atomic is not found guilty") {
  auto add = [](counter& c) { c.value.fetch_add(1); };
  model::proved(model::explore<counter>("two atomic additions", {}, sum_is_two, add, add));
}

MODEL_TEST("what one thread alone uses is no step") {
  auto own = [](counter& c) {
    atomic<int> mine{0};
    for (int i = 0; i < 10; ++i) mine.fetch_add(1);
    c.value.fetch_add(mine.load());
  };
  const auto all = model::explore<counter>(
      "atomics of one thread", {.pre_emptions = 9},
      [](counter& c) { model::expect(c.value.load() == 20, "both have added"); }, own, own);
  model::proved(all);
  CHECK(all.schedules == 2);
  CHECK(all.steps == 24);
}

struct two_locks {
  penstock::detail::spin_lock a, b;
  int under_a = 0;
};

MODEL_TEST("a thread that spins waits for the others, and the exploration ends") {
  auto add = [](two_locks& w) {
    w.a.lock();
    const int seen = w.under_a;
    w.b.lock();  // a step in between
    w.b.unlock();
    w.under_a = seen + 1;
    w.a.unlock();
  };
  model::proved(model::explore<two_locks>(
      "a spin lock", {.pre_emptions = 3},
      [](two_locks& w) { model::expect(w.under_a == 3, "the lock excludes"); }, add, add, add));
}

MODEL_TEST("a deadlock is found") {
  const auto failed = model::explore<two_locks>(
      "locks taken in two orders", {}, [](two_locks&) {},
      [](two_locks& w) {
        w.a.lock();
        w.b.lock();
        w.b.unlock();
        w.a.unlock();
      },
      [](two_locks& w) {
        w.b.lock();
        w.a.lock();
        w.a.unlock();
        w.b.unlock();
      });
  CHECK(failed.problem == "nobody can go on: a deadlock, or a wakeup is lost");
  CHECK(failed.pre_emptions == 1);
}

MODEL_TEST("a thread that never ends is found") {
  const auto failed = model::explore<counter>(
      "for ever", {}, nothing,
      [](counter& c) {
        while (c.value.load() == 0) c.value.store(0);
      },
      load_four_times);
  CHECK(failed.problem == "no end after so many steps");
}

MODEL_TEST("the use of what was destroyed is found") {
  struct world {
    std::optional<counter> c{std::in_place};
  };
  const auto failed = model::explore<world>(
      "destroyed too early", {}, [](world&) {}, [](world& w) { w.c->value.store(1); },
      [](world& w) {
        if (w.c->value.load() == 0) w.c.reset();
      });
  CHECK(failed.problem == "an atomic is used that has been destroyed");
}

MODEL_TEST("broken contracts and exceptions are failures of the schedule") {
  auto broken = [](counter& c) { PENSTOCK_ASSERT(c.value.load() == 0, "nobody has stored yet"); };
  auto store = [](counter& c) { c.value.store(1); };
  CHECK(model::explore<counter>("an assertion", {}, nothing, broken, store).problem ==
        "nobody has stored yet");
  auto throws = [](counter& c) {
    if (c.value.load() == 1) throw std::runtime_error("too late");
  };
  CHECK(model::explore<counter>("an exception", {}, nothing, throws, store).problem ==
        "an exception leaves the scenario");
}

// Needs five pre-emptions, where the limit is none: only the random schedules find it.
MODEL_TEST("schedules at random go beyond the limit") {
  auto step = [](counter& c) {
    for (int i = 0; i < 3; ++i) add_one(c);
  };
  const auto failed = model::explore<counter>(
      "at random", {.pre_emptions = 0, .at_random = 3000},
      [](counter& c) { model::expect(c.value.load() != 3, "all of one are lost"); }, step, step);
  CHECK(failed.problem == "all of one are lost");
  const auto what = model::scenario_of<counter>(
      [](counter& c) { model::expect(c.value.load() != 3, "all of one are lost"); }, step, step);
  CHECK(model::repeat(failed, what).problem == failed.problem);
}

}  // namespace
