// tests/stream/injector.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Pipelines in which each await in turn fails, throws, or is where a stop comes:
///
///     struct scenario {
///       task<result<>> run(injector& i);  // awaits i.point() here and there
///       task<> look(const ending& e);     // what the pipeline has left, when it has ended
///     };
///     CHECK(fail_each_await<scenario>() > 20);  // so many points

#include <penstock/core.hpp>
#include <penstock/sync/event.hpp>
#include <penstock/test/test_runtime.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <variant>

namespace support {

enum class fault { error, exception, stop };

// The points are counted; the one that is chosen goes wrong.
struct injector {
  int wrong_at = -1;
  fault what = fault::error;
  int reached = 0;
  int alive = 0;
  penstock::event stop{"stop"};

  penstock::task<penstock::result<>> point() {
    struct counted {
      int& n;
      explicit counted(int& x) : n(x) { ++n; }
      counted(const counted&) = delete;
      counted& operator=(const counted&) = delete;
      ~counted() { --n; }
    } here(alive);
    const int me = reached++;
    if (me % 2 == 0) co_await penstock::sleep_for(std::chrono::milliseconds(1));
    if (me == wrong_at) {
      switch (what) {
        case fault::error:
          co_return penstock::fail(penstock::errc::corrupt, "planted", std::to_string(me));
        case fault::exception:
          throw std::runtime_error("planted " + std::to_string(me));
        case fault::stop:
          stop.set();
          co_await penstock::sleep_for(std::chrono::hours(1));
      }
    }
    if (me % 3 == 0) co_await penstock::yield();
    co_return {};
  }
};

struct ending {
  fault what = fault::error;
  bool whole = false;  // the point was not reached
};

// Runs a Scenario with each of its points going wrong in each way, one at a time: that is the
// outcome, and nothing is left. Returns how many points there are.
template <class Scenario>
int fail_each_await() {
  int points = 0;
  for (const auto what : {fault::error, fault::exception, fault::stop}) {
    for (int at = 0;; ++at) {
      CAPTURE(at);
      CAPTURE(static_cast<int>(what));
      Scenario scenario;
      penstock::test::test_runtime rt({.seed = static_cast<std::uint64_t>(at)});
      injector i{.wrong_at = at, .what = what};
      std::string outcome;
      ending how{.what = what};
      const auto body = [&]() -> penstock::task<> {
        try {
          auto first = co_await penstock::when_any(scenario.run(i), i.stop.wait());
          if (first.index == 1)
            outcome = "stopped";
          else if (auto& done = std::get<0>(first.value); !done)
            outcome = done.error().message();
          else
            outcome = "whole";
        } catch (const std::runtime_error& e) {
          outcome = e.what();
        }
        how.whole = i.reached <= at;
        CHECK(i.alive == 0);
        co_await scenario.look(how);
      };
      rt.run(body());
      if (how.whole) {
        CHECK(outcome == "whole");
        break;
      }
      ++points;
      const std::string number = std::to_string(at);
      if (what == fault::error) CHECK(outcome == "planted '" + number + "': corrupt data");
      if (what == fault::exception) CHECK(outcome == "planted " + number);
      if (what == fault::stop) CHECK(outcome == "stopped");
    }
  }
  return points;
}

// Runs a Scenario with a stop before each step of its loop. Returns how many there are.
template <class Scenario>
std::uint64_t stop_at_each_step() {
  for (std::uint64_t step = 1;; ++step) {
    CAPTURE(step);
    Scenario scenario;
    injector i;
    penstock::test::test_runtime rt({.stop_at_step = step});
    const auto outcome = rt.run(scenario.run(i));
    CHECK(i.alive == 0);
    if (!outcome) CHECK(outcome.error() == penstock::errc::canceled);
    const ending how{.what = fault::stop, .whole = outcome.has_value()};
    penstock::test::test_runtime after;
    after.run(scenario.look(how));
    if (how.whole) return step;
  }
}

}  // namespace support
