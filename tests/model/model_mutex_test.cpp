// tests/model/model_mutex_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <model/atomic.hpp>

#include <model/model_test.hpp>
#include <support/seeds.hpp>

#include <penstock/core/task.hpp>
#include <penstock/sync/auto_reset_event.hpp>
#include <penstock/sync/condition.hpp>
#include <penstock/sync/mutex.hpp>

using namespace penstock;

namespace {

struct world {
  model::loop one, two, three;
  mutex m;
  condition changed;
  auto_reset_event signal;
  detail::atomic<int> inside{0};
  bool ready = false;  // guarded by m
  int passed = 0;

  task<> lock_and_work() {
    auto lock = co_await m.lock();
    model::expect(inside.fetch_add(1) == 0, "one at a time");
    inside.fetch_sub(1);
  }
  task<> wait_until_ready() {
    auto lock = co_await m.lock();
    co_await changed.wait(lock, [this] { return ready; });
    model::expect(inside.fetch_add(1) == 0, "it holds the mutex again");
    inside.fetch_sub(1);
    ++passed;
  }
  task<> make_ready() {
    auto lock = co_await m.lock();
    ready = true;
  }
};

auto unlocked = [](world& w) { model::expect(!w.m.locked(), "nobody holds it"); };
auto work_on_one = [](world& w) { run_on(w.one, w.lock_and_work()); };
auto work_on_two = [](world& w) { run_on(w.two, w.lock_and_work()); };
auto notify = [](world& w) {
  run_on(w.two, w.make_ready());
  w.changed.notify_one();
};

MODEL_TEST("mutex: one at a time, and each in its turn") {
  model::proved(model::explore<world>("mutex: lock, lock", model::thorough, unlocked, work_on_one,
                                      work_on_two));
  model::proved(model::explore<world>("mutex: lock, lock, lock", {.pre_emptions = 2}, unlocked,
                                      work_on_one, work_on_two,
                                      [](world& w) { run_on(w.three, w.lock_and_work()); }));
}

MODEL_TEST("mutex: a wait that is stopped takes nothing") {
  model::proved(model::explore<world>(
      "mutex: stopped lock, lock", model::thorough, unlocked,
      [](world& w) { stop_on(w.one, w.lock_and_work()); }, work_on_two));
}

MODEL_TEST("condition: what is changed under the mutex before a notify wakes who waits") {
  model::proved(model::explore<world>(
      "condition: wait, notify", model::thorough,
      [](world& w) {
        unlocked(w);
        model::expect(w.passed == 1, "it was woken");
      },
      [](world& w) { run_on(w.one, w.wait_until_ready()); }, notify));
}

MODEL_TEST("condition: a wait that is stopped lets the notify go to another") {
  model::proved(model::explore<world>(
      "condition: stopped wait, wait, notify", {.pre_emptions = 2}, unlocked,
      [](world& w) {
        // Woken, and not interested: the next is.
        stop_on(w.one, w.wait_until_ready());
        w.changed.notify_one();
      },
      [](world& w) { run_on(w.three, w.wait_until_ready()); }, notify));
}

MODEL_TEST("auto_reset_event: a signal is taken once, and not lost by a stop") {
  model::proved(model::explore<world>(
      "auto_reset_event: wait, set", model::thorough,
      [](world& w) { model::expect(!w.signal.is_set(), "it was taken"); },
      [](world& w) { run_on(w.one, w.signal.wait()); }, [](world& w) { w.signal.set(); }));
  model::proved(model::explore<world>(
      "auto_reset_event: stopped wait, wait, set", {.pre_emptions = 2}, [](world&) {},
      [](world& w) {
        if (stop_on(w.one, w.signal.wait())) w.signal.set();
      },
      [](world& w) { run_on(w.two, w.signal.wait()); }, [](world& w) { w.signal.set(); }));
}

}  // namespace
