// penstock/base/random.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Seeded randomness whose values are the same on every platform (those of <random>'s distributions
/// are not). For jitter, sampling and tests; not for secrets. Tasks get theirs from the
/// environment.

#include <penstock/base/assert.hpp>

#include <cstdint>
#include <limits>

namespace penstock {

/// The SplitMix64 generator: 64 bits of state, every seed is good.
///
/// Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014.
class splitmix64 {
 public:
  using result_type = std::uint64_t;

  explicit constexpr splitmix64(std::uint64_t seed = 0) noexcept : state_(seed) {}

  constexpr std::uint64_t operator()() noexcept {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  static constexpr std::uint64_t(min)() noexcept { return 0; }
  static constexpr std::uint64_t(max)() noexcept {
    return (std::numeric_limits<std::uint64_t>::max)();
  }

 private:
  std::uint64_t state_;
};

/// The xoshiro256** generator, with the two distributions that the library needs.
///
/// Blackman, Vigna: "Scrambled linear pseudorandom number generators", ACM TOMS 47 (2021). The
/// state is filled by SplitMix64, as the authors advise.
///
/// **Thread-safety.** one thread at a time.
/// **Complexity.** about a nanosecond a number; 32 bytes.
class random_engine {
 public:
  using result_type = std::uint64_t;

  explicit constexpr random_engine(std::uint64_t seed = 0) noexcept {
    splitmix64 fill(seed);
    for (auto& word : state_) word = fill();
  }

  /// 64 random bits.
  constexpr std::uint64_t operator()() noexcept {
    const std::uint64_t value = rotate(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate(state_[3], 45);
    return value;
  }
  static constexpr std::uint64_t(min)() noexcept { return 0; }
  static constexpr std::uint64_t(max)() noexcept {
    return (std::numeric_limits<std::uint64_t>::max)();
  }

  /// A number in [0, 1): a multiple of 2^-53, all equally likely.
  constexpr double uniform_real() noexcept {
    return static_cast<double>((*this)() >> 11) * 0x1.0p-53;
  }

  /// An integer in [lo, hi], both included, all equally likely.
  constexpr std::int64_t uniform_int(std::int64_t lo, std::int64_t hi) noexcept {
    PENSTOCK_ASSERT(lo <= hi, "an empty range has no random number");
    const std::uint64_t span = static_cast<std::uint64_t>(hi) - static_cast<std::uint64_t>(lo);
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(lo) + up_to(span));
  }

 private:
  __extension__ using uint128 = unsigned __int128;

  static constexpr std::uint64_t rotate(std::uint64_t x, int bits) noexcept {
    return (x << bits) | (x >> (64 - bits));
  }
  // Lemire: "Fast random integer generation in an interval", ACM TOMACS 29 (2019).
  constexpr std::uint64_t up_to(std::uint64_t span) noexcept {
    const std::uint64_t count = span + 1;
    if (count == 0) return (*this)();
    auto wide = static_cast<uint128>((*this)()) * count;
    if (static_cast<std::uint64_t>(wide) < count) {
      const std::uint64_t biased = (0 - count) % count;
      while (static_cast<std::uint64_t>(wide) < biased)
        wide = static_cast<uint128>((*this)()) * count;
    }
    return static_cast<std::uint64_t>(wide >> 64);
  }

  std::uint64_t state_[4] = {};
};

}  // namespace penstock
