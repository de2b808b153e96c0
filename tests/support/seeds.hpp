// tests/support/seeds.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Seeds for tests that try many orders or inputs: `for (auto seed : support::seeds(100)) { ... }`.
/// Put `CAPTURE(seed);` first in the loop, so that a failure names its seed. The environment
/// decides how far a run goes; `scripts/test --deep` sets it:
///   PENSTOCK_TEST_SEED=n       only this seed: how a failure is repeated
///   PENSTOCK_TEST_SEED_BASE=n  the first seed (default 1)
///   PENSTOCK_TEST_SEEDS=k      k times as many seeds (default 1)
///   PENSTOCK_TEST_SECONDS=s    no new seed after s seconds in one loop

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>

namespace support {

inline std::optional<std::uint64_t> number_from_environment(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

/// The range of seeds that one loop of a test walks.
class seeds {
  using clock = std::chrono::steady_clock;

 public:
  explicit seeds(std::uint64_t count) {
    if (auto only = number_from_environment("PENSTOCK_TEST_SEED")) {
      first_ = *only;
      last_ = first_ + 1;
      return;
    }
    first_ = number_from_environment("PENSTOCK_TEST_SEED_BASE").value_or(1);
    last_ = first_ + count * number_from_environment("PENSTOCK_TEST_SEEDS").value_or(1);
    if (auto seconds = number_from_environment("PENSTOCK_TEST_SECONDS"))
      end_ = clock::now() + std::chrono::seconds{*seconds};
  }

  struct sentinel {};

  class iterator {
   public:
    iterator(const seeds& owner, std::uint64_t seed) : owner_{&owner}, seed_{seed} {}
    std::uint64_t operator*() const { return seed_; }
    iterator& operator++() {
      ++seed_;
      return *this;
    }
    bool operator==(sentinel) const {
      return seed_ == owner_->last_ || (owner_->end_ && clock::now() >= *owner_->end_);
    }

   private:
    const seeds* owner_;
    std::uint64_t seed_;
  };

  [[nodiscard]] iterator begin() const { return {*this, first_}; }
  [[nodiscard]] sentinel end() const { return {}; }

 private:
  std::uint64_t first_ = 0;
  std::uint64_t last_ = 0;
  std::optional<clock::time_point> end_;
};

}  // namespace support
