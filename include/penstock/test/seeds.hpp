// penstock/test/seeds.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Seeds for tests that try many orders or inputs: `for (auto seed : test::seeds(100)) { ... }`.
/// Capture the seed first in the loop, so that a failure names it. The environment decides how far
/// a run goes:
///   PENSTOCK_TEST_SEED=n       only this seed: how a failure is repeated
///   PENSTOCK_TEST_SEED_BASE=n  the first seed (default 0, which is first in, first out)
///   PENSTOCK_TEST_SEEDS=k      k times as many seeds (default 1)
///   PENSTOCK_TEST_SECONDS=s    no new seed after s seconds in one loop

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <optional>

namespace penstock::test {

/// The range of seeds that one loop of a test walks.
///
/// **Parameters.** `count` - seeds of a usual run.
/// **Example.** `for (auto seed : test::seeds()) { test_runtime rt{{.seed = seed}}; ... }`
class seeds {
  using wall = std::chrono::steady_clock;

 public:
  explicit seeds(std::uint64_t count = 4) {
    if (auto only = from_environment("PENSTOCK_TEST_SEED")) {
      first_ = *only;
      last_ = first_ + 1;
      return;
    }
    first_ = from_environment("PENSTOCK_TEST_SEED_BASE").value_or(0);
    last_ = first_ + count * from_environment("PENSTOCK_TEST_SEEDS").value_or(1);
    if (auto seconds = from_environment("PENSTOCK_TEST_SECONDS"))
      end_ = wall::now() + std::chrono::seconds(*seconds);
  }

  struct sentinel {};
  class iterator {
   public:
    iterator(const seeds& owner, std::uint64_t seed) noexcept : owner_(&owner), seed_(seed) {}
    std::uint64_t operator*() const noexcept { return seed_; }
    iterator& operator++() noexcept {
      ++seed_;
      return *this;
    }
    bool operator==(sentinel) const {
      if (seed_ == owner_->last_) return true;
      return seed_ != owner_->first_ && owner_->end_ && wall::now() >= *owner_->end_;
    }

   private:
    const seeds* owner_;
    std::uint64_t seed_;
  };

  [[nodiscard]] iterator begin() const noexcept { return {*this, first_}; }
  [[nodiscard]] sentinel end() const noexcept { return {}; }

 private:
  static std::optional<std::uint64_t> from_environment(const char* name) {
    const char* text = std::getenv(name);
    if (!text || !*text) return std::nullopt;
    return std::strtoull(text, nullptr, 10);
  }

  std::uint64_t first_ = 0;
  std::uint64_t last_ = 0;
  std::optional<wall::time_point> end_;
};

}  // namespace penstock::test
