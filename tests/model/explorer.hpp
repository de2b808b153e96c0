// tests/model/explorer.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Explores the interleavings of a scenario: without a pre-emption, with one, ... (so the first
/// failure has the fewest), then some at random without that limit. Sequentially consistent ones:
/// what weaker memory orders allow besides is the affair of the stress tests under TSan.
///
///     struct world { semaphore gate{1}; };
///     model::explore<world>("two releases", {.pre_emptions = 2},
///         [](world& w) { model::expect(w.gate.available() == 1, "permits are conserved"); },
///         [](world& w) { ... }, [](world& w) { ... });
///
/// With --deep there are more seeds of random ones. Under AddressSanitizer one
/// pre-emption at most; under ThreadSanitizer, which does not know the fibers, nothing
/// (model_test.hpp).
///
/// PENSTOCK_MODEL_SCHEDULE="two releases@00110..." in the environment repeats the schedule of a
/// failure, which has told it, and prints its steps; nothing else is explored then.

#include <model/schedule.hpp>

#include <model/choosers.hpp>

#include <penstock/base/assert.hpp>
#include <penstock/test/seeds.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace model {

struct limits {
  int pre_emptions = 2;
  int at_random = 300;  // schedules of each seed
  // With so many schedules or more no further pre-emption is allowed.
  std::size_t enough = ~std::size_t{0};
};

// All there are, or those with as many pre-emptions as some ten thousand schedules have.
inline constexpr limits thorough{.pre_emptions = 100, .enough = 2000};

struct report {
  std::string name;
  std::size_t schedules = 0;  // with the largest number of pre-emptions
  std::size_t steps = 0;      // most accesses of a schedule
  int pre_emptions = 0;
  bool complete = false;  // there are no other schedules
  std::string problem;    // empty: none was found
  std::string order;      // of the schedule that has failed
  std::string steps_told;
};

// What has failed is abandoned in the middle: it is never destroyed, and reachable.
inline auto& abandoned = *new std::vector<std::unique_ptr<schedule>>;

class exploration {
 public:
  explicit exploration(scenario what) : what_(std::move(what)) {
    before_ = penstock::set_assert_handler([](const penstock::assert_failure& f) {
      if (watching) watching->fail(f.message);
      penstock::detail::print_assert_failure(f);
    });
  }
  exploration(const exploration&) = delete;
  exploration& operator=(const exploration&) = delete;
  ~exploration() { penstock::set_assert_handler(before_); }

  report all(limits most) {
    if (PENSTOCK_ASAN) most.pre_emptions = std::min(most.pre_emptions, 1);
    for (int limit = 0; limit <= most.pre_emptions; ++limit) {
      if (!walk(limit)) return found_;
      if (found_.complete || found_.schedules >= most.enough) break;
    }
    if (found_.complete) return found_;
    for (const auto seed : penstock::test::seeds(1)) {
      at_random some(seed);
      for (int i = 0; i < most.at_random; ++i)
        if (!one(some)) return found_;
    }
    return found_;
  }
  report repeat(const std::string& order) {
    cells_ = sharing(true);
    given only(order);
    if (one(only)) tell();
    found_.schedules = 1;
    return found_;
  }

 private:
  bool walk(int limit) {
    exhaustive path(limit);
    found_.pre_emptions = limit;
    found_.schedules = 0;
    while (path.advance()) {
      if (!one(path)) return false;
      ++found_.schedules;
      if (present_->learned()) {
        path.restart();
        found_.schedules = 0;
      }
    }
    found_.complete = path.complete();
    return true;
  }
  bool one(chooser& c) {
    if (!present_) present_ = std::make_unique<schedule>(what_, cells_);
    const bool right = present_->run(c);
    found_.steps = std::max(found_.steps, present_->accesses());
    if (right) return true;
    tell();
    abandoned.push_back(std::move(present_));
    return false;
  }

  void tell() {
    found_.problem = present_->problem();
    found_.order = present_->order();
    found_.steps_told = told(present_->steps());
  }

  scenario what_;
  sharing cells_;
  std::unique_ptr<schedule> present_;
  report found_;
  penstock::assert_handler before_;
};

// The world is made anew for each schedule. Threads and check are given it.
template <class World, class Check, class... Threads>
scenario scenario_of(Check check, Threads... threads) {
  static_assert(sizeof...(Threads) <= most_threads);
  return {[] { return std::shared_ptr<void>(std::make_shared<World>()); },
          {[threads](void* w) { threads(*static_cast<World*>(w)); }...},
          [check](void* w) { check(*static_cast<World*>(w)); }};
}

inline report explore(const std::string& name, limits most, scenario what) {
  const char* const asked = std::getenv("PENSTOCK_MODEL_SCHEDULE");
  const std::string repeated = asked ? asked : "";
  const auto at = repeated.rfind('@');
  if (!repeated.empty() && repeated.substr(0, at) != name) return {};
  exploration e(std::move(what));
  report found = repeated.empty() ? e.all(most) : e.repeat(repeated.substr(at + 1));
  found.name = name;
  std::printf("[model] %s: %zu schedules with at most %d pre-emptions%s, up to %zu accesses%s%s\n",
              name.c_str(), found.schedules, found.pre_emptions, found.complete ? " (all)" : "",
              found.steps, found.problem.empty() ? "" : ": ", found.problem.c_str());
  if (!repeated.empty()) std::printf("%s", found.steps_told.c_str());
  return found;
}
template <class World, class Check, class... Threads>
report explore(const std::string& name, limits most, Check check, Threads... threads) {
  return explore(name, most, scenario_of<World>(std::move(check), std::move(threads)...));
}
// The schedule of a failure, once more.
inline report repeat(const report& failed, scenario what) {
  return exploration(std::move(what)).repeat(failed.order);
}

}  // namespace model
