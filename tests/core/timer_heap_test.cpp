// tests/core/timer_heap_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core/timer_heap.hpp>

#include <penstock/base/random.hpp>
#include <support/seeds.hpp>

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <utility>
#include <vector>

using namespace penstock;
using detail::timer;
using detail::timer_heap;
using detail::timer_phase;

namespace {
struct plain final : timer {
  void on_time() noexcept override {}
};
}  // namespace

TEST_CASE("timers come out by time, then leafs before scopes, then in the order they were added") {
  timer_heap heap;
  plain t[6];
  const int at[] = {5, 3, 5, 5, 3, 1};
  for (int i = 0; i < 6; ++i) t[i].at = time_point(duration(at[i]));
  t[0].phase = timer_phase::scope;
  t[1].phase = timer_phase::scope;
  for (auto& one : t) heap.add(one);
  CHECK(heap.next() == time_point(duration(1)));
  CHECK(heap.pop_due(time_point()) == nullptr);
  const int expected[] = {5, 4, 1, 2, 3, 0};
  for (int i : expected) {
    auto* out = heap.pop_due(time_point(duration(5)));
    CHECK(out == &t[i]);
    CHECK_FALSE(out->armed);
  }
  CHECK(heap.empty());
  CHECK(heap.next() == time_point::max());
}

TEST_CASE("any sequence of adding, removing and taking agrees with an ordered map") {
  for (auto seed : support::seeds(20)) {
    CAPTURE(seed);
    random_engine dice(seed);
    timer_heap heap;
    std::vector<std::unique_ptr<plain>> all;
    std::map<std::pair<time_point, std::uint64_t>, timer*> model;
    for (int i = 0; i < 200; ++i) all.push_back(std::make_unique<plain>());
    auto key = [](const timer& t) { return std::pair(t.at, t.order); };
    time_point now{};
    for (int i = 0; i < 5000; ++i) {
      auto& t = *all[static_cast<std::size_t>(dice.uniform_int(0, 199))];
      switch (dice.uniform_int(0, 3)) {
        case 0:
        case 1:
          if (t.armed) break;
          t.at = now + duration(dice.uniform_int(0, 50));
          t.phase = dice.uniform_int(0, 1) ? timer_phase::leaf : timer_phase::scope;
          heap.add(t);
          model.emplace(key(t), &t);
          break;
        case 2:
          if (!t.armed) break;
          model.erase(key(t));
          heap.remove(t);
          CHECK_FALSE(t.armed);
          break;
        default:
          now += duration(dice.uniform_int(0, 10));
          while (auto* due = heap.pop_due(now)) {
            REQUIRE_FALSE(model.empty());
            REQUIRE(due == model.begin()->second);
            model.erase(model.begin());
          }
          REQUIRE((model.empty() || model.begin()->first.first > now));
      }
      REQUIRE(heap.empty() == model.empty());
      if (!model.empty()) REQUIRE(heap.next() == model.begin()->first.first);
    }
  }
}
