// tests/model/planted_test.cpp
// SPDX-License-Identifier: BSL-1.0
// The explorer finds the bugs that it is there for.
#include <model/atomic.hpp>

#include <model/planted.hpp>

#include <model/model_test.hpp>

namespace {

using model::planted::flaw;

auto no_check = [](auto&) {};

template <flaw Is>
model::report lost_wakeup() {
  struct world {
    model::loop one;
    model::planted::gate<Is> gate;
  };
  return model::explore<world>(
      Is == flaw::none ? "gate" : "planted: a lost wakeup", model::thorough, no_check,
      [](world& w) { run_on(w.one, w.gate.wait()); }, [](world& w) { w.gate.set(); });
}
MODEL_TEST("a wakeup that is lost between check and park is found") {
  const auto failed = lost_wakeup<flaw::planted>();
  CHECK(failed.problem == "nobody can go on: a deadlock, or a wakeup is lost");
  CHECK(failed.pre_emptions == 1);
  model::proved(lost_wakeup<flaw::none>());
}

template <flaw Is>
model::report missed_close() {
  struct world {
    model::loop one;
    model::planted::queue<Is> queue;
  };
  return model::explore<world>(
      Is == flaw::none ? "queue" : "planted: a missed close", model::thorough, no_check,
      [](world& w) { run_on(w.one, w.queue.receive()); }, [](world& w) { w.queue.close(); });
}
MODEL_TEST("a close that does not see a receiver that is just parking is found") {
  const auto failed = missed_close<flaw::planted>();
  CHECK(failed.problem == "nobody can go on: a deadlock, or a wakeup is lost");
  model::proved(missed_close<flaw::none>());
}

template <flaw Is>
model::report cancelled_head() {
  struct world {
    model::loop one, two;
    model::planted::permits<Is> permits{1};
    model::started<typename model::planted::permits<Is>::acquiring> head{one, permits.acquire(2)};
  };
  return model::explore<world>(
      Is == flaw::none ? "permits" : "planted: a permit lost by a cancelled head", model::thorough,
      [](world& w) { w.permits.release(1); },
      [](world& w) {
        w.head.stop();
        model::expect(!w.head.wait(), "it could not be served");
      },
      [](world& w) { run_on(w.two, w.permits.acquire(1)); });
}
MODEL_TEST("a permit that is lost by a cancelled head is found") {
  const auto failed = cancelled_head<flaw::planted>();
  CHECK(failed.problem == "nobody can go on: a deadlock, or a wakeup is lost");
  model::proved(cancelled_head<flaw::none>());
}

template <flaw Is>
model::report double_grant() {
  struct world {
    model::planted::hand_over<Is> to;
    int kept = 0;
    bool canceled = false;
  };
  return model::explore<world>(
      Is == flaw::none ? "hand_over" : "planted: a double grant", model::thorough,
      [](world& w) {
        const int holders = w.kept + (w.to.was_granted() && !w.canceled);
        model::expect(holders == 1, "the permit is held once");
      },
      [](world& w) { w.kept = w.to.grant() ? 0 : 1; },
      [](world& w) { w.canceled = w.to.cancel(); });
}
MODEL_TEST("a waiter that is granted and cancelled at once is found") {
  const auto failed = double_grant<flaw::planted>();
  CHECK(failed.problem == "the permit is held once");
  CHECK(failed.pre_emptions == 1);
  model::proved(double_grant<flaw::none>());
}

}  // namespace
