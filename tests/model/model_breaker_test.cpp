// tests/model/model_breaker_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <model/atomic.hpp>

#include <model/model_test.hpp>
#include <support/seeds.hpp>

#include <penstock/resilience/detail/breaker_core.hpp>

using namespace penstock;
using detail::breaker_change;
using detail::breaker_core;
using detail::outcome_counts;
using detail::outcome_ring;

namespace {

// A ring that may begin anew while results come.
struct ring_world {
  outcome_ring ring{2};
  detail::atomic<std::uint64_t> generation{0};
  detail::atomic<std::uint64_t> counted{0}, lost{0}, past{0};

  void record(unsigned outcome) {
    const std::uint64_t mine = generation.load();
    ring.record(mine, outcome).counted ? counted.fetch_add(1) : lost.fetch_add(1);
  }
  void restart() {
    past.fetch_add(ring.restart(1));
    generation.store(1);
  }
};
auto sums_are_right = [](ring_world& w) {
  const std::uint64_t now = w.generation.load();
  model::expect(w.past.load() + w.ring.count() == w.counted.load() + w.lost.load(),
                "each result took one place");
  for (int i = 0; i < 4; ++i) {
    const auto r = w.ring.record(now, i % 2 ? outcome_ring::failed : outcome_ring::slow);
    const outcome_counts seen = w.ring.scan(now);
    model::expect(r.counted, "a result of this generation counts");
    if (!r.changed) continue;
    model::expect(r.counts.calls == seen.calls, "as many calls as there are in the places");
    model::expect(r.counts.failures == seen.failures, "as many failures");
    model::expect(r.counts.slow == seen.slow, "as many slow ones");
  }
};
auto good = [](ring_world& w) { w.record(0); };
auto failed = [](ring_world& w) { w.record(outcome_ring::failed); };
auto two = [](ring_world& w) {
  w.record(outcome_ring::failed);
  w.record(0);
};
auto restart = [](ring_world& w) { w.restart(); };
auto restart_and_record = [](ring_world& w) {
  w.restart();
  w.record(outcome_ring::failed);
};

MODEL_TEST("outcome_ring: the sums are those of the places, however results come") {
  model::proved(model::explore<ring_world>("ring: two and one", model::thorough, sums_are_right,
                                           two, failed));
  model::proved(model::explore<ring_world>("ring: good, failed, two", {.pre_emptions = 3},
                                           sums_are_right, good, failed, two));
}
MODEL_TEST("outcome_ring: nothing of an earlier generation stays in the sums") {
  model::proved(model::explore<ring_world>("ring: two, restart", model::thorough, sums_are_right,
                                           two, restart));
  model::proved(model::explore<ring_world>("ring: two, restart and one", {.pre_emptions = 4},
                                           sums_are_right, two, restart_and_record));
  model::proved(model::explore<ring_world>("ring: failed, failed, restart and one",
                                           {.pre_emptions = 3}, sums_are_right, failed, failed,
                                           restart_and_record));
}

// Two failures open it, and two callers have one each under way.
struct breaker_world {
  breaker_core core{{.window = 2, .open_for = duration(10), .half_open_calls = 1}};
  breaker_core::admission first = admit(0), second = admit(0);
  detail::atomic<int> probes{0};

  breaker_core::admission admit(int now) {
    breaker_change told;
    return core.admit(time_point(duration(now)), told);
  }
  void end(const breaker_core::admission& a, call_outcome how, int now) {
    breaker_change told;
    core.ended(a.ticket, {}, how, time_point(duration(now)), {}, told);
  }
  void probe(call_outcome how) {
    const auto a = admit(10);
    if (!a.admitted) return;
    model::expect(probes.fetch_add(1) == 0, "one probe at a time");
    probes.fetch_sub(1);
    end(a, how, 10);
  }
};
auto end_first = [](auto& w) { w.end(w.first, call_outcome::failure, 0); };
auto end_second = [](auto& w) { w.end(w.second, call_outcome::failure, 0); };
auto nothing_in_flight = [](breaker_world& w) {
  const auto s = w.core.stats();
  model::expect(s.in_flight == 0, "each call has ended once");
  model::expect(s.admitted == s.calls + s.late + s.canceled, "in one way");
};

MODEL_TEST("circuit_breaker: the last of two failures at once opens it, once") {
  auto opened = [](breaker_world& w) {
    nothing_in_flight(w);
    model::expect(w.core.state() == breaker_state::open, "it is open");
    model::expect(w.core.stats().opened == 1, "it opened once");
  };
  model::proved(model::explore<breaker_world>("breaker: failure, failure", model::thorough, opened,
                                              end_first, end_second));
}

// Open, its time over, and one probe may pass.
struct open_world : breaker_world {
  open_world() {
    end_first(*this);
    end_second(*this);
  }
};
MODEL_TEST("circuit_breaker: one probe at a time, and its result decides once") {
  auto well = [](open_world& w) {
    nothing_in_flight(w);
    model::expect(w.core.state() == breaker_state::closed, "a good probe closed it");
    model::expect(w.core.stats().closed == 1, "once");
  };
  auto good_probe = [](open_world& w) {
    const auto a = w.admit(10);
    if (a.admitted) w.end(a, call_outcome::success, 10);
  };
  model::proved(model::explore<open_world>("breaker: probe, probe", {.pre_emptions = 3}, well,
                                           good_probe, good_probe));
  auto canceled_probe = [](open_world& w) { w.probe(call_outcome::canceled); };
  auto still = [](open_world& w) {
    nothing_in_flight(w);
    model::expect(w.core.state() == breaker_state::half_open, "it is half open");
    model::expect(w.admit(10).admitted, "the place is free");
  };
  auto still_and_free = [&](open_world& w) {
    still(w);
    breaker_change told;
    w.core.turn_to(breaker_state::closed);
    w.core.ended(0, {}, call_outcome::success, {}, {}, told);  // the probe of still(), late
  };
  model::proved(model::explore<open_world>("breaker: canceled probe, canceled probe",
                                           {.pre_emptions = 3}, still_and_free, canceled_probe,
                                           canceled_probe));
}

MODEL_TEST("circuit_breaker: a result that meets the end of its state counts or is late") {
  auto reset = [](breaker_world& w) { w.core.turn_to(breaker_state::closed); };
  model::proved(model::explore<breaker_world>("breaker: failure, failure, reset",
                                              {.pre_emptions = 3}, nothing_in_flight, end_first,
                                              end_second, reset));
}

}  // namespace
