// tests/resilience/breaker_core_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/resilience/detail/breaker_core.hpp>

#include <penstock/base/random.hpp>

#include <doctest/doctest.h>

#include <deque>
#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using detail::breaker_change;
using detail::breaker_core;
using detail::breaker_probes;
using detail::outcome_counts;
using detail::outcome_ring;
using detail::probes_say;

namespace {
constexpr auto good = call_outcome::success;
constexpr auto bad = call_outcome::failure;

// A core, the time, and what was told.
struct bench {
  explicit bench(const circuit_breaker_options& o) : core(o) { REQUIRE(validate(o)); }

  breaker_core core;
  time_point now{};
  std::vector<std::string> told;

  breaker_core::admission admit() {
    breaker_change c;
    const auto a = core.admit(now, c);
    note(c);
    return a;
  }
  void end(const breaker_core::admission& a, call_outcome how, duration took = 0s,
           duration pause = 0s) {
    breaker_change c;
    core.ended(a.ticket, now - took, how, now, pause, c);
    note(c);
  }
  void call(call_outcome how, int times = 1) {
    for (int i = 0; i < times; ++i) {
      const auto a = admit();
      if (a.admitted) end(a, how);
    }
  }
  void note(const breaker_change& c) {
    if (c.from != c.to)
      told.push_back(std::string(to_string(c.to)) + " (" + std::string(to_string(c.why)) + ")");
  }
  [[nodiscard]] breaker_state state() const { return core.state(); }
};

outcome_counts recorded(outcome_ring& ring, std::uint64_t generation, unsigned outcome) {
  ring.record(generation, outcome);
  return ring.scan(generation);
}
}  // namespace

TEST_CASE("a ring counts the last so many results, and says when the counts change") {
  outcome_ring ring(3);
  CHECK(recorded(ring, 0, 0).calls == 1);
  CHECK(recorded(ring, 0, outcome_ring::failed).failures == 1);
  CHECK(recorded(ring, 0, outcome_ring::slow).slow == 1);
  const auto same = ring.record(0, 0);  // in the place of a success
  CHECK(same.counted);
  CHECK_FALSE(same.changed);
  const auto other = ring.record(0, 0);  // in the place of a failure
  CHECK(other.changed);
  CHECK(other.counts.calls == 3);
  CHECK(other.counts.failures == 0);
  CHECK(other.counts.slow == 1);
  CHECK(ring.count() == 5);
}

TEST_CASE("a ring that begins anew counts no result of before") {
  outcome_ring ring(2);
  ring.record(0, outcome_ring::failed);
  CHECK(ring.restart(1) == 1);
  CHECK(ring.scan(1).calls == 0);
  CHECK_FALSE(ring.record(0, outcome_ring::failed).counted);
  const auto first = ring.record(1, outcome_ring::failed);
  CHECK(first.counted);
  CHECK(first.counts.calls == 1);
  CHECK(first.counts.failures == 1);
}

TEST_CASE("a ring agrees with a list of the last results, whatever comes") {
  random_engine random(5);
  for (const std::size_t size : {1u, 2u, 7u, 100u}) {
    outcome_ring ring(size);
    std::deque<unsigned> model;
    std::uint64_t generation = 0;
    for (int i = 0; i < 3000; ++i) {
      if (random.uniform_int(0, 500) == 0) {
        ring.restart(++generation);
        model.clear();
      }
      const auto outcome = static_cast<unsigned>(random.uniform_int(0, 3));
      model.push_back(outcome);
      if (model.size() > size) model.pop_front();
      outcome_counts expected;
      for (const unsigned o : model) expected += {1, o & 1, o / 2};
      const auto r = ring.record(generation, outcome);
      const auto seen = ring.scan(generation);
      CHECK(seen.calls == expected.calls);
      CHECK(seen.failures == expected.failures);
      CHECK(seen.slow == expected.slow);
      if (r.changed) CHECK(r.counts.failures == expected.failures);
      if (r.changed) CHECK(r.counts.slow == expected.slow);
      if (r.changed) CHECK(r.counts.calls == expected.calls);
    }
  }
}

TEST_CASE("probes decide when enough of them are back") {
  breaker_probes probes({.calls = 4, .decide = 3, .failure_rate = 0.5, .slow_rate = 1});
  for (int i = 0; i < 4; ++i) CHECK(probes.take());
  CHECK_FALSE(probes.take());
  probes.put_back();
  CHECK(probes.take());
  CHECK(probes.ended({1, 0, 0}) == probes_say::nothing_yet);
  CHECK(probes.ended({1, 1, 0}) == probes_say::nothing_yet);
  CHECK(probes.ended({1, 0, 0}) == probes_say::good);
  probes.restart();
  CHECK(probes.take());
  probes.ended({1, 1, 0});
  probes.ended({1, 1, 0});
  CHECK(probes.ended({1, 0, 0}) == probes_say::failing);
}

TEST_CASE("probes of a ramp come in waves of 1, 2, 4 ..., and each wave is judged") {
  breaker_probes probes(
      {.calls = 10, .decide = 10, .ramp = true, .failure_rate = 0.5, .slow_rate = 1});
  for (const int wave : {1, 2, 4, 3}) {
    for (int i = 0; i < wave; ++i) CHECK(probes.take());
    CHECK_FALSE(probes.take());
    for (int i = 1; i < wave; ++i) CHECK(probes.ended({1, 0, 0}) == probes_say::nothing_yet);
    CHECK(probes.ended({1, 0, 0}) == (wave == 3 ? probes_say::good : probes_say::nothing_yet));
  }
  probes.restart();
  CHECK(probes.take());
  CHECK_FALSE(probes.take());
  CHECK(probes.ended({1, 1, 0}) == probes_say::failing);
}

TEST_CASE("B1: of 100 calls 50 fail: open exactly on the 100th result; 99 that all fail: closed") {
  bench b({});
  for (int i = 0; i < 99; ++i) b.call(i % 2 ? good : bad);
  CHECK(b.state() == breaker_state::closed);
  b.call(good);
  CHECK(b.state() == breaker_state::open);
  bench all({});
  all.call(bad, 99);
  CHECK(all.state() == breaker_state::closed);
  all.call(bad);
  CHECK(all.state() == breaker_state::open);
  bench fewer({});
  fewer.call(bad, 49);
  fewer.call(good, 1000);
  fewer.call(bad, 49);
  CHECK(fewer.state() == breaker_state::closed);
  fewer.call(bad);
  CHECK(fewer.state() == breaker_state::open);
  CHECK(fewer.told == std::vector<std::string>{"open (failure rate)"});
}

TEST_CASE("B2: while it is open nobody is let in, and all are counted") {
  bench b({.window = 1, .open_for = 60s});
  b.call(bad);
  for (int i = 0; i < 10'000; ++i) {
    b.now = time_point(i * 5ms);
    const auto a = b.admit();
    CHECK_FALSE(a.admitted);
    CHECK(a.wait == 60s - i * 5ms);
  }
  CHECK(b.core.stats().rejected == 10'000);
  CHECK(b.state() == breaker_state::open);
}

TEST_CASE("B3: of 1000 that come when the time is over exactly 10 are let in") {
  bench b({.window = 1, .open_for = 60s});
  b.call(bad);
  b.now = time_point(60s);
  int admitted = 0;
  std::vector<breaker_core::admission> probes;
  for (int i = 0; i < 1000; ++i) {
    probes.push_back(b.admit());
    admitted += probes.back().admitted;
  }
  CHECK(admitted == 10);
  CHECK(b.core.stats().rejected == 990);
  CHECK(b.state() == breaker_state::half_open);
  for (const auto& a : probes)
    if (a.admitted) b.end(a, call_outcome::canceled);
}

TEST_CASE("B4: probes that are canceled or ignored leave 10 places, and count nothing") {
  bench b({.window = 100, .min_calls = 10});
  b.call(bad, 10);
  b.now = time_point(60s);
  for (const auto how : {call_outcome::canceled, call_outcome::ignored}) {
    std::vector<breaker_core::admission> probes;
    for (int i = 0; i < 10; ++i) probes.push_back(b.admit());
    CHECK_FALSE(b.admit().admitted);
    const auto before = b.core.stats();
    for (const auto& a : probes) b.end(a, how);
    const auto after = b.core.stats();
    CHECK(after.state == breaker_state::half_open);
    CHECK(after.calls == before.calls);
    CHECK(after.failures == before.failures);
    CHECK(after.in_flight == 0);
  }
  b.call(good, 10);
  CHECK(b.state() == breaker_state::closed);
  CHECK(b.core.stats().canceled == 10);
  CHECK(b.core.stats().ignored == 10);
}

TEST_CASE("B5: a result of a call that began before does not count in a later state") {
  bench b({.window = 1, .open_for = 60s, .half_open_calls = 2});
  const auto old = b.admit();
  const auto older = b.admit();
  b.call(bad);
  CHECK(b.state() == breaker_state::open);
  b.end(older, good);
  CHECK(b.state() == breaker_state::open);
  b.now = time_point(60s);
  const auto probe = b.admit();
  CHECK(b.state() == breaker_state::half_open);
  b.end(old, bad);
  CHECK(b.state() == breaker_state::half_open);
  CHECK(b.core.stats().late == 2);
  b.end(probe, good);
  CHECK(b.state() == breaker_state::closed);
  CHECK(b.core.stats().failures == 1);
}

TEST_CASE("B6: ten good probes close it with an empty window, five bad of ten open it for longer") {
  bench b({.open_for = 60s, .max_open = 150s});
  b.call(bad, 100);
  const auto half_open_after = [&](duration wait) {
    b.now += wait - 1ns;
    CHECK_FALSE(b.admit().admitted);
    b.now += 1ns;
  };
  for (const duration wait : {60s, 120s, 150s, 150s}) {
    half_open_after(wait);
    for (int i = 0; i < 10; ++i) {
      CHECK(b.state() != breaker_state::closed);
      b.call(i % 2 ? good : bad);
    }
    CHECK(b.state() == breaker_state::open);
  }
  half_open_after(150s);
  b.call(good, 10);
  CHECK(b.state() == breaker_state::closed);
  CHECK(b.core.stats().window_calls == 0);
  b.call(bad, 99);
  CHECK(b.state() == breaker_state::closed);
  b.call(bad);
  half_open_after(60s);  // it was well meanwhile: it begins anew
  const auto s = b.core.stats();
  CHECK(s.opened == 6);
  CHECK(s.half_opened == 5);
  CHECK(s.closed == 1);
}

TEST_CASE("B8: a window of 10 s forgets at 10 s what was at 0") {
  for (const duration at : {9s, 10s}) {
    bench b({.window = 0, .window_time = 10s, .min_calls = 10});
    b.call(bad, 9);
    b.now = time_point(at);
    b.call(bad);
    CHECK(b.state() == (at == 9s ? breaker_state::open : breaker_state::closed));
    CHECK(b.core.stats().calls == 10);
  }
}

TEST_CASE("with both windows it opens when both say so") {
  bench b({.window = 10, .window_time = 10s, .min_calls = 5});
  b.call(bad, 4);
  b.now = time_point(20s);
  b.call(bad);  // five in a row, but one within the time
  CHECK(b.state() == breaker_state::closed);
  b.call(good, 10);
  b.call(bad, 4);  // 5 of 15 within the time, 4 of the last 10
  CHECK(b.state() == breaker_state::closed);
  b.call(bad);  // 6 of 16, 5 of 10
  CHECK(b.state() == breaker_state::closed);
  b.call(bad, 4);
  CHECK(b.state() == breaker_state::open);  // 10 of 20, 9 of 10
}

TEST_CASE("B9: a failure that asks for 7 s opens it for 7 s") {
  bench b({});
  const auto a = b.admit();
  b.end(a, bad, 0s, 7s);
  CHECK(b.told == std::vector<std::string>{"open (retry after)"});
  b.now = time_point(7s - 1ns);
  CHECK(b.admit().wait == 1ns);
  b.now = time_point(7s);
  const auto probe = b.admit();
  CHECK(probe.admitted);
  b.end(probe, bad, 0s, 3s);  // as a probe, too
  CHECK(b.state() == breaker_state::open);
  CHECK(b.admit().wait == 3s);
  bench capped({.open_for = 1s, .max_open = 5s});
  capped.end(capped.admit(), bad, 0s, 1h);
  CHECK(capped.admit().wait == 5s);
  bench timed({.window = 0, .window_time = 10s});
  timed.end(timed.admit(), bad, 0s, 7s);
  CHECK(timed.admit().wait == 7s);
}

TEST_CASE("slow calls open it, failed or not; a call of exactly slow_call is not slow") {
  bench b({.slow_call = 1s, .slow_rate = 0.5, .window = 4});
  b.now = time_point(10s);
  b.end(b.admit(), good, 1s);
  b.end(b.admit(), good, 1s + 1ns);
  b.end(b.admit(), good);
  CHECK(b.state() == breaker_state::closed);
  b.end(b.admit(), bad, 2s);
  CHECK(b.told == std::vector<std::string>{"open (slow rate)"});
  const auto s = b.core.stats();
  CHECK(s.slow == 2);
  CHECK(s.failures == 1);
  b.now += 60s;
  b.end(b.admit(), call_outcome::slow);
  b.end(b.admit(), call_outcome::slow);
  b.call(good, 2);
  CHECK(b.told.back() == "open (slow rate)");
}

TEST_CASE("rates are as exact as their options are written") {
  for (int percent = 1; percent <= 100; ++percent) {
    bench b({.failure_rate = percent / 100.0});
    b.call(good, 100 - percent);
    b.call(bad, percent - 1);
    CHECK(b.state() == breaker_state::closed);
    b.call(bad);
    CHECK(b.state() == breaker_state::open);
  }
}

TEST_CASE("what is half open for too long opens again, for longer") {
  bench b({.window = 1, .open_for = 10s, .half_open_calls = 2, .half_open_for = 5s});
  b.call(bad);
  b.now = time_point(10s);
  const auto hangs = b.admit();
  CHECK(hangs.admitted);
  b.now = time_point(15s);
  CHECK(b.admit().wait == 20s);
  b.end(hangs, good);
  CHECK(b.core.stats().late == 1);
  b.now = time_point(35s);
  const auto again = b.admit();
  b.now = time_point(40s);
  b.end(again, good);  // too late as well
  CHECK(b.state() == breaker_state::open);
  CHECK(b.told.back() == "open (probes late)");
}

TEST_CASE("forced open, disabled, metrics only, reset and the end, from any state") {
  bench b({.window = 2});
  const auto turn = [&](breaker_state s) { b.note(b.core.turn_to(s)); };
  turn(breaker_state::metrics_only);
  b.call(bad, 10);
  CHECK(b.state() == breaker_state::metrics_only);
  CHECK(b.core.stats().failure_rate == 1);
  turn(breaker_state::disabled);
  b.call(bad, 10);
  CHECK(b.core.stats().failures == 10);
  CHECK(b.core.stats().ignored == 10);
  turn(breaker_state::forced_open);
  b.now = time_point(24h);
  const auto refused = b.admit();
  CHECK_FALSE(refused.admitted);
  CHECK(refused.wait < 0s);
  turn(breaker_state::closed);
  b.call(bad, 2);
  CHECK(b.state() == breaker_state::open);
  turn(breaker_state::closed);
  const auto under_way = b.admit();
  turn(breaker_state::ended);
  turn(breaker_state::closed);  // in vain
  b.end(under_way, good);
  const auto ended = b.admit();
  CHECK_FALSE(ended.admitted);
  CHECK(ended.state == breaker_state::ended);
  CHECK(b.told == std::vector<std::string>{
                      "metrics only (asked)", "disabled (asked)", "forced open (asked)",
                      "closed (asked)", "open (failure rate)", "closed (asked)", "ended (asked)"});
}

TEST_CASE("T3: a permit of the closed state that is canceled later adds no place for a probe") {
  bench b({.window = 1, .open_for = 60s, .half_open_calls = 1});
  const auto old = b.admit();
  b.call(bad);
  b.now = time_point(60s);
  const auto probe = b.admit();
  CHECK(probe.admitted);
  b.end(old, call_outcome::canceled);
  CHECK_FALSE(b.admit().admitted);
  b.end(probe, call_outcome::canceled);
}

TEST_CASE("T9: more calls than the window holds are no possible minimum") {
  CHECK(validate(circuit_breaker_options{.window = 10}).has_value());
  CHECK(validate(circuit_breaker_options{.window = 10, .min_calls = 10}).has_value());
  CHECK_FALSE(validate(circuit_breaker_options{.window = 10, .min_calls = 11}).has_value());
  bench b({.window = 10});  // the minimum is then the window
  b.call(bad, 9);
  CHECK(b.state() == breaker_state::closed);
  b.call(bad);
  CHECK(b.state() == breaker_state::open);
}

TEST_CASE("options that make no sense are refused, by name") {
  const auto why = [](const circuit_breaker_options& o) {
    const auto r = validate(o);
    return r ? std::string() : r.error().message();
  };
  CHECK(why({}).empty());
  const std::pair<const char*, circuit_breaker_options> table[] = {
      {"failure_rate", {.failure_rate = 0}},
      {"failure_rate", {.failure_rate = 1.5}},
      {"slow_call", {.slow_call = -1s}},
      {"slow_rate", {.slow_rate = 0}},
      {"window", {.window = 100'001}},
      {"window", {.window = 0}},
      {"window_time", {.window_time = -1s}},
      {"window_time", {.window_time = 1ns}},
      {"min_calls", {.min_calls = 101}},
      {"open_for", {.open_for = 0s}},
      {"open_factor", {.open_factor = 0.5}},
      {"max_open", {.max_open = 1s}},
      {"half_open_calls", {.half_open_calls = 0}},
      {"half_open_for", {.half_open_for = 0s}},
  };
  for (const auto& [option, o] : table) {
    CAPTURE(option);
    CHECK(why(o).find(option) != std::string::npos);
  }
}

TEST_CASE("a large window is as exact as a small one") {
  bench b({.window = outcome_ring::max_size});
  b.call(good, 50'000);
  b.call(bad, 49'999);
  CHECK(b.state() == breaker_state::closed);
  b.call(bad);
  CHECK(b.state() == breaker_state::open);
}
