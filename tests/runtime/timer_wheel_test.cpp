// tests/runtime/timer_wheel_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/runtime/timer_wheel.hpp>

#include <support/seeds.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;

namespace {
constexpr time_point never = (time_point::max)();

struct probe final : detail::timer {
  void on_time() noexcept override {
    fired->push_back(id);
    if (then) then(*this);
  }
  int id = 0;
  std::vector<int>* fired = nullptr;
  void (*then)(probe&) = nullptr;
};

struct wheel_with_probes {
  explicit wheel_with_probes(time_point now = {}) : wheel(now) {}
  probe& add(time_point at, detail::timer_phase phase = detail::timer_phase::leaf) {
    auto& p = create();
    p.at = at;
    p.phase = phase;
    wheel.add(p);
    return p;
  }
  probe& add_in(duration d) {
    auto& p = create();
    wheel.add_in(p, d);
    return p;
  }
  probe& create() {
    auto& p = *all.emplace_back(std::make_unique<probe>());
    p.id = static_cast<int>(all.size()) - 1;
    p.fired = &fired;
    return p;
  }
  // What fires by `now`.
  std::vector<int> advance(time_point now) {
    fired.clear();
    wheel.advance(now);
    return fired;
  }
  timer_wheel wheel;
  std::vector<int> fired;
  std::vector<std::unique_ptr<probe>> all;
};

constexpr time_point at(duration d) { return time_point(d); }
using ids = std::vector<int>;
}  // namespace

TEST_CASE("a timer never fires early, and at the latest with the tick after its time") {
  for (auto d : {1ns, 999'999ns, 1'000'000ns, 1'000'001ns, 255'999'999ns, 256'000'000ns,
                 duration(65'536ms), duration(65'537ms), duration(24h), duration(50 * 24h)}) {
    CAPTURE(d.count());
    wheel_with_probes w;
    w.add(at(d));
    CHECK(w.advance(at(d - 1ns)).empty());
    const auto tick = (d + timer_wheel::tick - 1ns) / timer_wheel::tick * timer_wheel::tick;
    CHECK(w.advance(at(tick)) == ids{0});
    CHECK(w.wheel.empty());
    CHECK(w.wheel.next() == never);
  }
}

TEST_CASE("a timer of the past fires at the next advance, whatever the time") {
  wheel_with_probes w(at(10s));
  w.add(at(3s));
  w.add(at(10s));
  CHECK(w.wheel.next() <= at(10s));
  CHECK(w.advance(at(10s)) == ids{0, 1});
}

TEST_CASE("in one tick leaves fire before scopes, each in the order they were added") {
  for (auto far : {duration(5ms), duration(2s), duration(40h)}) {
    wheel_with_probes w;
    w.add(at(far), detail::timer_phase::scope);
    w.add(at(far), detail::timer_phase::leaf);
    w.add(at(far), detail::timer_phase::scope);
    w.advance(at(far - 2ms));
    w.add(at(far), detail::timer_phase::leaf);
    w.add(at(far + 1ms), detail::timer_phase::leaf);
    CHECK(w.advance(at(far + 1ms)) == ids{1, 3, 0, 2, 4});
  }
}

TEST_CASE("a timer may cancel and add others when it fires") {
  wheel_with_probes w;
  static wheel_with_probes* current = nullptr;
  current = &w;
  auto& first = w.add(at(5ms));
  w.add(at(5ms));
  w.add(at(6ms));
  first.then = [](probe&) {
    current->wheel.cancel(*current->all[1]);
    current->wheel.cancel(*current->all[2]);
    current->add(at(5ms));
    current->add(at(7ms));
  };
  CHECK(w.advance(at(10ms)) == ids{0, 3, 4});
  CHECK(w.wheel.empty());
}

TEST_CASE("next() is never after the first timer's tick, and exact within a level") {
  wheel_with_probes w;
  auto& close = w.add(at(7ms));
  w.add(at(90ms));
  CHECK(w.wheel.next() == at(7ms));
  w.wheel.cancel(close);
  CHECK(w.wheel.next() == at(90ms));
}

TEST_CASE("a far timer wakes its loop at most three times before it is due") {
  for (auto d : {duration(300ms), duration(3min), duration(20h), duration(1000h)}) {
    wheel_with_probes w(at(123'456'789ms));
    w.add(at(123'456'789ms + d));
    int wakes = 0;
    while (!w.wheel.empty()) {
      ++wakes;
      w.wheel.advance(w.wheel.next());
    }
    CHECK(wakes <= 4);
    CHECK(w.fired == ids{0});
  }
}

TEST_CASE("a timer that is added for a while counts from the next advance()") {
  wheel_with_probes w;
  auto& p = w.add_in(5ms);
  auto& canceled = w.add_in(1ms);
  w.add_in(0ns);
  CHECK(w.wheel.next() == at(0ms));  // somebody has to look at the clock
  w.wheel.cancel(canceled);
  CHECK(w.advance(at(3ms + 1ns)).empty());
  CHECK(w.advance(at(4ms)) == ids{2});
  CHECK(p.at == at(8ms + 1ns));
  CHECK(w.wheel.next() == at(9ms));
  CHECK(w.advance(at(8ms)).empty());
  CHECK(w.advance(at(9ms)) == ids{0});
  CHECK(w.wheel.empty());
  w.add_in((duration::max)());
  CHECK(w.advance(at(1h)).empty());
  w.wheel.cancel(w.add_in(1ms));
  CHECK(w.wheel.size() == 1);
}

TEST_CASE("a timer that fires may add one for a while") {
  wheel_with_probes w;
  static wheel_with_probes* current = nullptr;
  current = &w;
  w.add(at(5ms)).then = [](probe&) { current->add_in(2ms); };
  CHECK(w.advance(at(6ms)) == ids{0});
  CHECK(w.wheel.next() <= at(6ms));
  CHECK(w.advance(at(6ms)).empty());
  CHECK(w.advance(at(8ms)) == ids{1});
}

TEST_CASE("random timers fire as those of a sorted map do") {
  for (auto seed : support::seeds(60)) {
    CAPTURE(seed);
    random_engine rng(seed);
    const auto start = at(duration(rng.uniform_int(0, 5'000'000'000'000'000)));
    time_point now = start;
    wheel_with_probes w(now);
    // Tick, phase, number of the add.
    std::multimap<std::pair<std::int64_t, int>, int> model;
    std::vector<decltype(model)::iterator> where;
    const auto tick_of = [](time_point t) {
      return (t.time_since_epoch() + timer_wheel::tick - 1ns) / timer_wheel::tick;
    };
    for (int step = 0; step < 400; ++step) {
      const auto what = rng.uniform_int(0, 9);
      if (what < 6) {
        // From nanoseconds to months.
        const auto d = duration(rng.uniform_int(0, std::int64_t{1} << rng.uniform_int(1, 53)));
        const auto phase =
            rng.uniform_int(0, 3) == 0 ? detail::timer_phase::scope : detail::timer_phase::leaf;
        auto& p = w.add(now + d, phase);
        where.push_back(model.insert({{tick_of(p.at), static_cast<int>(phase)}, p.id}));
      } else if (what < 8 && !model.empty()) {
        const auto id = static_cast<std::size_t>(
            rng.uniform_int(0, static_cast<std::int64_t>(w.all.size()) - 1));
        if (!w.all[id]->armed) continue;
        w.wheel.cancel(*w.all[id]);
        model.erase(where[id]);
      } else {
        const auto d = duration(rng.uniform_int(0, std::int64_t{1} << rng.uniform_int(1, 50)));
        REQUIRE((w.wheel.next() == never) == model.empty());
        if (!model.empty()) {
          const auto first = at(model.begin()->first.first * timer_wheel::tick);
          REQUIRE(w.wheel.next() <= (std::max)(first, now));
        }
        now += d;
        std::vector<int> expected;
        const auto due = now.time_since_epoch() / timer_wheel::tick;
        while (!model.empty() && model.begin()->first.first <= due) {
          expected.push_back(model.begin()->second);
          model.erase(model.begin());
        }
        auto fired = w.advance(now);
        // What was late when it was added comes first, and what is due in one tick in order.
        REQUIRE(fired == expected);
      }
      REQUIRE(w.wheel.size() == model.size());
    }
  }
}
