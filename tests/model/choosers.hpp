// tests/model/choosers.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The three ways through the schedules of a scenario: all of them with so many pre-emptions at
/// most, at random, and one that is given.

#include <model/scenario.hpp>

#include <penstock/base/random.hpp>

#include <string>
#include <utility>
#include <vector>

namespace model {

// Depth first. A thread that goes on is interrupted so often at most in a schedule; where one
// cannot go on, any other may.
class exhaustive final : public chooser {
 public:
  explicit exhaustive(int pre_emptions) noexcept : most_(pre_emptions) {}

  // Before each schedule. False: there is no further one.
  bool advance() {
    at_ = 0;
    used_ = 0;
    if (!std::exchange(begun_, true)) return true;
    while (!path_.empty() && path_.back().chosen + 1 == path_.back().of) path_.pop_back();
    if (path_.empty()) return false;
    ++path_.back().chosen;
    return true;
  }
  void restart() {
    path_.clear();
    begun_ = false;
    complete_ = true;
  }
  // The limit was never met: there are no other schedules.
  [[nodiscard]] bool complete() const noexcept { return complete_; }
  int choose(const able& those, bool stays, std::size_t) override {
    if (stays && used_ == most_) {
      complete_ = false;
      return those.of[0];
    }
    if (at_ == path_.size()) path_.push_back({0, those.count});
    const std::size_t chosen = path_[at_++].chosen;
    if (stays && chosen != 0) ++used_;
    return those.of[chosen];
  }

 private:
  struct branch {
    std::size_t chosen;
    std::size_t of;
  };
  std::vector<branch> path_;
  std::size_t at_ = 0;
  int most_;
  int used_ = 0;
  bool begun_ = false;
  bool complete_ = true;
};

// One step in four is followed by one of another thread.
class at_random final : public chooser {
 public:
  explicit at_random(std::uint64_t seed) noexcept : random_(seed) {}
  int choose(const able& those, bool stays, std::size_t) override {
    if (stays && random_.uniform_int(0, 3) != 0) return those.of[0];
    return those.of[static_cast<std::size_t>(
        random_.uniform_int(0, static_cast<std::int64_t>(those.count) - 1))];
  }

 private:
  penstock::random_engine random_;
};

// As schedule::order() has told it.
class given final : public chooser {
 public:
  explicit given(std::string order) : order_(std::move(order)) {}
  int choose(const able& those, bool, std::size_t at) override {
    if (at >= order_.size()) return those.of[0];
    for (std::size_t i = 0; i < those.count; ++i)
      if (order_[at] == static_cast<char>('0' + those.of[i])) return those.of[i];
    return -1;
  }

 private:
  std::string order_;
};

}  // namespace model
