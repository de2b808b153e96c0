// tests/base/exact_window_core_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/base/exact_window_core.hpp>

#include <doctest/doctest.h>

#include <deque>
#include <map>

#include <penstock/base/random.hpp>

#include "support/seeds.hpp"
#include "support/stopped.hpp"

using namespace std::chrono_literals;

namespace {

using penstock::duration;
using penstock::exact_window_core;
using penstock::rate;
using penstock::time_point;

time_point at(duration d) { return time_point{d}; }

TEST_CASE("90 at once, the next a whole period later") {
  exact_window_core core(rate{90, 60s});
  for (int i = 0; i < 90; ++i) CHECK(core.acquire(at(0s)).admitted);
  const auto d = core.acquire(at(59s));
  CHECK_FALSE(d.admitted);
  CHECK(d.at == at(60s));
  CHECK(core.acquire(at(60s)).admitted);
}

TEST_CASE("one message a second") {
  exact_window_core core(rate{1, 1s});
  CHECK(core.acquire(at(0s)).admitted);
  CHECK_FALSE(core.acquire(at(999ms)).admitted);
  CHECK(core.acquire(at(1s)).admitted);
}

TEST_CASE("no 60 seconds hold more than 90 of a hundred thousand random arrivals") {
  penstock::random_engine random(6);
  exact_window_core core(rate{90, 60s});
  std::deque<time_point> recent;
  time_point now{};
  int admitted = 0;
  for (int i = 0; i < 100'000; ++i) {
    now += duration(random.uniform_int(0, 1'000'000'000));
    const auto d = core.acquire(now);
    if (!d.admitted) {
      // Exactly then, and not a nanosecond before.
      REQUIRE(d.at == recent.front() + 60s);
      REQUIRE(d.at > now);
      continue;
    }
    ++admitted;
    recent.push_back(now);
    while (recent.front() + 60s <= now) recent.pop_front();
    REQUIRE(recent.size() <= 90);
    REQUIRE(core.available(now) == 90 - recent.size());
  }
  CHECK(admitted > 70'000);
}

TEST_CASE("a cost waits for that many, and more than the count never comes") {
  exact_window_core core(rate{4, 10s});
  CHECK(core.acquire(at(0s), 5).at == time_point::max());
  CHECK(core.acquire(at(0s)).admitted);
  CHECK(core.acquire(at(1s)).admitted);
  CHECK(core.acquire(at(2s), 2).admitted);
  CHECK(core.acquire(at(3s), 1).at == at(10s));
  CHECK(core.acquire(at(3s), 2).at == at(11s));
  CHECK(core.acquire(at(3s), 3).at == at(12s));
  CHECK(core.acquire(at(3s), 0).admitted);
  CHECK(core.available(at(11s)) == 2);
  CHECK(core.fresh_at() == at(12s));
  CHECK(core.acquire(at(12s), 4).admitted);
}

TEST_CASE("a refund takes back the very permits, not those that came later") {
  exact_window_core core(rate{2, 10s});
  const auto first = core.acquire(at(0s));
  CHECK(core.acquire(at(5s)).admitted);
  core.refund(first.at);
  core.refund(first.at);  // once is all there was
  CHECK(core.available(at(5s)) == 1);
  CHECK(core.acquire(at(6s)).admitted);
  CHECK(core.acquire(at(7s)).at == at(15s));
  core.refund(at(4s));  // never charged
  CHECK(core.available(at(7s)) == 0);
}

TEST_CASE("random costs and refunds agree with a plain model") {
  for (const auto seed : support::seeds(20)) {
    CAPTURE(seed);
    penstock::random_engine random(seed);
    const auto count = static_cast<std::uint32_t>(random.uniform_int(1, 30));
    exact_window_core core(rate{count, 1s});
    std::map<time_point, std::uint32_t> model;
    time_point now{};
    const auto used = [&](time_point t) {
      std::uint32_t n = 0;
      for (const auto& [when, k] : model)
        if (when + 1s > t) n += k;
      return n;
    };
    for (int i = 0; i < 3000; ++i) {
      now += random.uniform_int(0, 2) ? duration(random.uniform_int(0, 100'000'000)) : 0ns;
      const auto cost = static_cast<std::uint32_t>(random.uniform_int(1, count));
      if (!model.empty() && random.uniform_int(0, 5) == 0) {
        auto it = std::next(model.begin(), random.uniform_int(0, std::ssize(model) - 1));
        const auto back = std::min(cost, it->second);
        core.refund(it->first, back);
        it->second -= back;
        continue;
      }
      const auto d = core.acquire(now, cost);
      REQUIRE(d.admitted == (used(now) + cost <= count));
      if (d.admitted) {
        REQUIRE(d.at == now);
        model[now] += cost;
      } else {
        REQUIRE(used(d.at) + cost <= count);
        REQUIRE(used(d.at - 1ns) + cost > count);
      }
      REQUIRE(core.available(now) == count - used(now));
    }
  }
}

TEST_CASE("an invalid rate stops the program") {
  CHECK(support::stopped_with([] {
          exact_window_core core(rate{0, 1s});
        }) == "exact_window_core: rate has a count or period of zero or less");
}

}  // namespace
