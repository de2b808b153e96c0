// tests/model/model_event_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <model/atomic.hpp>

#include <model/model_test.hpp>
#include <support/seeds.hpp>

#include <penstock/sync/event.hpp>

#include <optional>

using namespace penstock;
using waiting = model::started<event::wait_awaiter>;

namespace {

struct world {
  model::loop one, two;
  event e;
};
void is_set(world& w) { model::expect(w.e.is_set(), "it is set"); }
void wait_on_one(world& w) { model::expect(run_on(w.one, w.e.wait()).has_value(), "it passes"); }
void wait_on_two(world& w) { model::expect(run_on(w.two, w.e.wait()).has_value(), "it passes"); }
void set(world& w) { w.e.set(); }

MODEL_TEST("event: a wait that meets a set passes, in every interleaving") {
  model::proved(
      model::explore<world>("event: wait, set", model::thorough, is_set, wait_on_one, set));
}

MODEL_TEST("event: all who wait pass, on whatever loops, whoever sets it") {
  model::proved(model::explore<world>("event: wait, wait, set", {.pre_emptions = 2}, is_set,
                                      wait_on_one, wait_on_two, set));
  model::proved(model::explore<world>("event: wait, set, set", {.pre_emptions = 3}, is_set,
                                      wait_on_one, set, set));
}

MODEL_TEST("event: a reset before the set takes no wakeup away") {
  model::proved(model::explore<world>("event: wait, reset and set", model::thorough, is_set,
                                      wait_on_one, [](world& w) {
                                        w.e.reset();
                                        w.e.set();
                                      }));
}

struct parked_world : world {
  waiting parked{one, e.wait()};
};

MODEL_TEST("event: who has been released passes, whatever a reset does then") {
  auto passes = [](parked_world& w) { model::expect(w.parked.wait().has_value(), "it passes"); };
  auto pulse = [](parked_world& w) {
    w.e.set();
    w.e.reset();
  };
  model::proved(model::explore<parked_world>(
      "event: parked, set and reset", model::thorough,
      [](parked_world& w) { model::expect(!w.e.is_set(), "it is reset"); }, passes, pulse));
  model::proved(model::explore<parked_world>(
      "event: parked, set and reset, set", {.pre_emptions = 3}, [](parked_world&) {}, passes, pulse,
      [](parked_world& w) { w.e.set(); }));
}

MODEL_TEST("event: a wait that is stopped ends, and leaves the others in line") {
  auto stopped = [](world& w) { stop_on(w.one, w.e.wait()); };
  model::proved(
      model::explore<world>("event: stopped wait, set", model::thorough, is_set, stopped, set));
  model::proved(model::explore<world>("event: stopped wait, wait, set", {.pre_emptions = 2}, is_set,
                                      stopped, wait_on_two, set));
}

MODEL_TEST("event: who was released may destroy it while set() returns") {
  struct owned {
    model::loop one;
    std::optional<event> e{std::in_place};
  };
  model::proved(model::explore<owned>(
      "event: wait and destroy, set", model::thorough, [](owned&) {},
      [](owned& w) {
        run_on(w.one, w.e->wait());
        w.e.reset();
      },
      [](owned& w) { w.e->set(); }));
}

}  // namespace
