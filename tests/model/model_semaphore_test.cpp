// tests/model/model_semaphore_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <model/atomic.hpp>

#include <model/model_test.hpp>
#include <support/seeds.hpp>

#include <penstock/sync/semaphore.hpp>

#include <optional>
#include <utility>

using namespace penstock;
using acquiring = model::started<semaphore::acquire_awaiter>;

namespace {

// Of so many permits so many are held at the beginning; whoever acquires is served at `turn`.
template <std::size_t Permits, std::size_t Held>
struct world {
  model::loop one, two;
  semaphore gate{Permits};
  semaphore_permit held = Held ? std::move(*gate.try_acquire(Held)) : semaphore_permit();
  detail::atomic<int> inside{0};
  int turn = 0, first = 0, second = 0;

  // What a holder does: nobody else may do it at the same time, if there is one permit.
  void work() {
    const int others = inside.fetch_add(1);
    model::expect(others < static_cast<int>(Permits), "never more hold permits than there are");
    inside.fetch_sub(1);
  }
  bool acquire(model::loop& on, std::size_t n = 1) {
    auto got = run_on(on, gate.acquire(n));
    model::expect(got.has_value(), "an acquire that nobody stops is not stopped");
    if (*got) work();
    return got->has_value();
  }
  // The permit comes, or the stop does.
  bool acquire_and_stop(model::loop& on, std::size_t n = 1) {
    auto got = stop_on(on, gate.acquire(n));
    if (got) work();
    return got.has_value();
  }
};
using one_held = world<1, 1>;

auto conserved = [](auto& w) {
  w.held.release();
  model::expect(w.gate.available() == w.gate.capacity(), "every permit has come back");
  model::expect(w.gate.waiting() == 0, "nobody waits");
  model::expect(w.gate.closed() || w.gate.try_acquire(w.gate.capacity()),
                "whoever tries has them all: nobody else is there");
};
auto release = [](auto& w) { w.held.release(); };
auto acquire_on_one = [](auto& w) { model::expect(w.acquire(w.one), "it is served"); };
auto acquire_on_two = [](auto& w) { model::expect(w.acquire(w.two), "it is served"); };
auto stopped_on_one = [](auto& w) { w.acquire_and_stop(w.one); };
auto try_it = [](auto& w) {
  if (auto permit = w.gate.try_acquire()) w.work();
};

MODEL_TEST("semaphore: a release wakes who waits") {
  model::proved(model::explore<one_held>("semaphore: acquire, release", model::thorough, conserved,
                                         acquire_on_one, release));
}

MODEL_TEST("semaphore: one permit, two who want it: one after the other") {
  model::proved(model::explore<one_held>("semaphore: acquire, acquire, release",
                                         {.pre_emptions = 3}, conserved, acquire_on_one,
                                         acquire_on_two, release));
  model::proved(model::explore<world<1, 0>>("semaphore: acquire, acquire", model::thorough,
                                            conserved, acquire_on_one, acquire_on_two));
  model::proved(model::explore<world<1, 0>>("semaphore: acquire, acquire, try_acquire",
                                            {.pre_emptions = 3}, conserved, acquire_on_one,
                                            acquire_on_two, try_it));
}

MODEL_TEST("semaphore: a stop and a release at once lose no permit and give none twice") {
  model::proved(model::explore<one_held>("semaphore: stopped acquire, release", model::thorough,
                                         conserved, stopped_on_one, release));
  model::proved(model::explore<one_held>("semaphore: stopped acquire, acquire, release",
                                         {.pre_emptions = 3}, conserved, stopped_on_one,
                                         acquire_on_two, release));
  model::proved(model::explore<one_held>("semaphore: stopped acquire, try_acquire, release",
                                         {.pre_emptions = 3}, conserved, stopped_on_one, try_it,
                                         release));
}

// Two of three permits are held; the first in line wants all, so the one behind it waits too.
struct blocked_head : world<3, 2> {
  acquiring head{one, gate.acquire(3)};
};

MODEL_TEST("semaphore: when the first in line is stopped, those behind it go on") {
  auto stop_head = [](blocked_head& w) {
    w.head.stop();
    model::expect(!w.head.wait(), "it could not be served");
  };
  model::proved(model::explore<blocked_head>("semaphore: head stopped, acquire", model::thorough,
                                             conserved, stop_head, acquire_on_two));
  auto behind = [](blocked_head& w) { model::expect(w.acquire(w.two, 2), "it is served"); };
  model::proved(model::explore<blocked_head>(
      "semaphore: head stopped, acquire 2, release 2", {.pre_emptions = 3}, conserved,
      [](blocked_head& w) {
        w.head.stop();
        w.head.wait();
      },
      behind, release));
}

MODEL_TEST("semaphore: first come, first served: neither an acquire nor try_acquire passes") {
  struct line : one_held {
    acquiring head{one, gate.acquire()};
  };
  auto served = [](line& w) {
    auto got = w.head.wait();
    w.first = ++w.turn;
    w.work();
  };
  model::proved(model::explore<line>(
      "semaphore: parked, acquire, release", {.pre_emptions = 3},
      [](line& w) {
        conserved(w);
        model::expect(w.first == 1 && w.second == 2, "the first in line is the first served");
      },
      served,
      [](line& w) {
        auto got = run_on(w.two, w.gate.acquire());
        w.second = ++w.turn;
        w.work();
      },
      release));
  model::proved(model::explore<line>(
      "semaphore: parked, try_acquire, release", {.pre_emptions = 3},
      [](line& w) {
        conserved(w);
        model::expect(w.second == 0 || w.second > w.first, "try_acquire does not pass");
      },
      served,
      [](line& w) {
        if (auto permit = w.gate.try_acquire()) w.second = ++w.turn;
      },
      release));
}

MODEL_TEST("semaphore: close() ends every wait, and permits stay valid") {
  auto ends = [](one_held& w) { w.acquire(w.one); };
  auto close = [](one_held& w) { w.gate.close(); };
  model::proved(model::explore<one_held>("semaphore: acquire, close", model::thorough, conserved,
                                         ends, close));
  model::proved(model::explore<one_held>("semaphore: acquire, close, release", {.pre_emptions = 3},
                                         conserved, ends, close, release));
  model::proved(model::explore<one_held>(
      "semaphore: acquire, acquire, close", {.pre_emptions = 2}, conserved, ends,
      [](one_held& w) { w.acquire(w.two); }, close));
  model::proved(model::explore<one_held>("semaphore: stopped acquire, close, release",
                                         {.pre_emptions = 3}, conserved, stopped_on_one, close,
                                         release));
}

MODEL_TEST("semaphore: a larger capacity serves those who wait, a smaller one refuses them") {
  model::proved(model::explore<one_held>("semaphore: acquire, larger", model::thorough, conserved,
                                         acquire_on_one, [](one_held& w) { w.gate.resize(2); }));
  model::proved(model::explore<one_held>(
      "semaphore: acquire, larger, release", {.pre_emptions = 3}, conserved, acquire_on_one,
      [](one_held& w) { w.gate.resize(2); }, release));
  using two_held = world<2, 2>;
  auto two = [](two_held& w) { w.acquire(w.one, 2); };
  model::proved(model::explore<two_held>(
      "semaphore: acquire 2, smaller, release", {.pre_emptions = 3}, conserved, two,
      [](two_held& w) { w.gate.resize(1); }, release));
  model::proved(model::explore<two_held>(
      "semaphore: acquire, smaller and larger, release", {.pre_emptions = 3}, conserved,
      acquire_on_one,
      [](two_held& w) {
        w.gate.resize(1);
        w.gate.resize(2);
      },
      release));
}

MODEL_TEST("semaphore: who has all permits may destroy it while others return") {
  struct owned {
    model::loop one;
    std::optional<semaphore> gate{std::in_place, 2U};
    semaphore_permit a = std::move(*gate->try_acquire());
    semaphore_permit b = std::move(*gate->try_acquire());
  };
  model::proved(model::explore<owned>(
      "semaphore: drained and destroyed", {.pre_emptions = 3}, [](owned&) {},
      [](owned& w) {
        auto all = run_on(w.one, w.gate->acquire(2));
        (*all)->release();
        w.gate.reset();
      },
      [](owned& w) { w.a.release(); }, [](owned& w) { w.b.release(); }));
}

}  // namespace
