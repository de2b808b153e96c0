// tests/model/model_gate_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <model/atomic.hpp>

#include <model/model_test.hpp>
#include <support/seeds.hpp>

#include <penstock/core/task.hpp>
#include <penstock/sync/barrier.hpp>
#include <penstock/sync/latch.hpp>
#include <penstock/sync/shared_mutex.hpp>

#include <optional>

using namespace penstock;

namespace {

struct shards {
  model::loop one, two;
  std::optional<latch> loaded{std::in_place, 2u};
  detail::atomic<int> count{0};

  void load() {
    count.fetch_add(1);
    loaded->count_down();
  }
  void wait(model::loop& on) {
    model::expect(run_on(on, loaded->wait()).has_value(), "it passes");
    model::expect(count.load() == 2, "all have happened");
  }
};

MODEL_TEST("latch: who waits passes when all have happened, not before") {
  model::proved(model::explore<shards>(
      "latch: wait, count_down, count_down", {.pre_emptions = 3}, [](shards&) {},
      [](shards& w) { w.wait(w.one); }, [](shards& w) { w.load(); }, [](shards& w) { w.load(); }));
  model::proved(model::explore<shards>(
      "latch: arrive_and_wait, twice", model::thorough, [](shards&) {},
      [](shards& w) { run_on(w.one, w.loaded->arrive_and_wait()); },
      [](shards& w) { run_on(w.two, w.loaded->arrive_and_wait()); }));
}

MODEL_TEST("latch: who was released may destroy it while count_down() returns") {
  model::proved(model::explore<shards>(
      "latch: wait and destroy, count_down and count_down", model::thorough, [](shards&) {},
      [](shards& w) {
        w.wait(w.one);
        w.loaded.reset();
      },
      [](shards& w) {
        auto& l = *w.loaded;
        w.count.store(2);
        l.count_down();
        l.count_down();
      }));
}

MODEL_TEST("latch: a wait that is stopped ends, and leaves the others in line") {
  model::proved(model::explore<shards>(
      "latch: stopped wait, wait, two count_downs", {.pre_emptions = 2}, [](shards&) {},
      [](shards& w) { stop_on(w.one, w.loaded->wait()); }, [](shards& w) { w.wait(w.two); },
      [](shards& w) {
        w.load();
        w.load();
      }));
}

struct steps {
  model::loop one, two, three;
  barrier b{2};
  detail::atomic<int> last{0};

  bool arrive(model::loop& on) {
    auto r = run_on(on, b.arrive_and_wait());
    model::expect(r.has_value(), "it goes on");
    if (*r) last.fetch_add(1);
    return *r;
  }
};

MODEL_TEST("barrier: all go on together, phase by phase, and one of them is told") {
  model::proved(model::explore<steps>(
      "barrier: arrive, arrive", model::thorough,
      [](steps& w) { model::expect(w.last.load() == 1, "one of them is the last"); },
      [](steps& w) { w.arrive(w.one); }, [](steps& w) { w.arrive(w.two); }));
  model::proved(model::explore<steps>(
      "barrier: two phases", model::thorough,
      [](steps& w) { model::expect(w.last.load() == 2, "one of them in each phase"); },
      [](steps& w) {
        w.arrive(w.one);
        w.arrive(w.one);
      },
      [](steps& w) {
        w.arrive(w.two);
        w.arrive(w.two);
      }));
}

MODEL_TEST("barrier: an arrival that is stopped is taken back, or has gone on") {
  model::proved(model::explore<steps>(
      "barrier: stopped arrive and arrive, arrive", model::thorough, [](steps&) {},
      [](steps& w) {
        if (!stop_on(w.one, w.b.arrive_and_wait())) w.arrive(w.one);
      },
      [](steps& w) { w.arrive(w.two); }));
  model::proved(model::explore<steps>(
      "barrier: stopped arrive and drop, arrive", model::thorough, [](steps&) {},
      [](steps& w) {
        if (!stop_on(w.one, w.b.arrive_and_wait())) w.b.drop();
      },
      [](steps& w) { w.arrive(w.two); }));
}

MODEL_TEST("barrier: a party that is dropped ends the phase of the others") {
  model::proved(model::explore<steps>(
      "barrier: arrive, drop", model::thorough,
      [](steps& w) { model::expect(w.b.parties() == 1, "one is left"); },
      [](steps& w) { w.arrive(w.one); }, [](steps& w) { w.b.drop(); }));
}

struct document {
  model::loop one, two, three;
  shared_mutex m;
  detail::atomic<int> readers{0}, writers{0};

  task<> read() {
    auto lock = co_await m.lock_shared();
    readers.fetch_add(1);
    model::expect(writers.load() == 0, "no writer is there");
    readers.fetch_sub(1);
  }
  task<> write() {
    auto lock = co_await m.lock();
    model::expect(writers.fetch_add(1) == 0, "one writer");
    model::expect(readers.load() == 0, "no reader is there");
    writers.fetch_sub(1);
  }
  task<> write_and_read() {
    auto lock = co_await m.lock();
    writers.fetch_add(1);
    writers.fetch_sub(1);
    readers.fetch_add(1);
    auto mine = m.downgrade(std::move(lock));
    model::expect(writers.load() == 0, "no writer comes between");
    readers.fetch_sub(1);
  }
};
void unlocked(document& w) {
  model::expect(w.m.try_lock().has_value(), "nobody holds it");
  model::expect(w.m.waiting() == 0, "nobody waits");
}

MODEL_TEST("shared_mutex: a writer is alone") {
  model::proved(model::explore<document>(
      "shared_mutex: read, write", model::thorough, unlocked,
      [](document& w) { run_on(w.one, w.read()); }, [](document& w) { run_on(w.two, w.write()); }));
  model::proved(model::explore<document>(
      "shared_mutex: read, write, read", {.pre_emptions = 2}, unlocked,
      [](document& w) { run_on(w.one, w.read()); }, [](document& w) { run_on(w.two, w.write()); },
      [](document& w) { run_on(w.three, w.read()); }));
  model::proved(model::explore<document>(
      "shared_mutex: write and downgrade, write, read", {.pre_emptions = 2}, unlocked,
      [](document& w) { run_on(w.one, w.write_and_read()); },
      [](document& w) { run_on(w.two, w.write()); },
      [](document& w) { run_on(w.three, w.read()); }));
}

MODEL_TEST("shared_mutex: a writer that is stopped lets the readers behind it go on") {
  model::proved(model::explore<document>(
      "shared_mutex: read, stopped write, read", {.pre_emptions = 2}, unlocked,
      [](document& w) { run_on(w.one, w.read()); }, [](document& w) { stop_on(w.two, w.write()); },
      [](document& w) { run_on(w.three, w.read()); }));
}

}  // namespace
