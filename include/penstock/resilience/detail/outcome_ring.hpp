// penstock/resilience/detail/outcome_ring.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How the last so many calls ended, counted by any thread without waiting for another.

#include <penstock/base/atomic.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace penstock::detail {

// Also what `time_slices` adds up.
struct outcome_counts {
  std::uint64_t calls = 0;
  std::uint64_t failures = 0;
  std::uint64_t slow = 0;

  outcome_counts& operator+=(const outcome_counts& other) noexcept {
    calls += other.calls;
    failures += other.failures;
    slow += other.slow;
    return *this;
  }
  outcome_counts& operator-=(const outcome_counts& other) noexcept {
    calls -= other.calls;
    failures -= other.failures;
    slow -= other.slow;
    return *this;
  }
};

// A result takes the next place, and the place of the oldest one. A restart begins a generation:
// results of earlier ones do not count, also those that a slow thread is just writing.
//
// A result that is like the one whose place it takes costs one read-modify-write, others three.
class outcome_ring {
 public:
  static constexpr std::size_t max_size = 100'000;
  static constexpr unsigned failed = 1;
  static constexpr unsigned slow = 2;

  struct recorded {
    bool counted = false;    // else its generation is over
    bool changed = false;    // `counts` are other than before
    bool disturbed = false;  // not counted, and `counts` were wrong for a moment
    outcome_counts counts;   // when they have changed
  };

  explicit outcome_ring(std::size_t size)
      : size_(static_cast<std::uint32_t>(size)),
        slots_(std::make_unique<atomic<std::uint32_t>[]>(size)) {
    restart(0);
  }

  // One thread at a time, as scan() and count(). How many results the last generation had.
  std::uint64_t restart(std::uint64_t generation) noexcept {
    sums_.store(first_sums(generation), memory_order_relaxed);
    // Who reads the new generation here sees the sums of it.
    const auto before = next_.exchange(generation << place_bits, memory_order_acq_rel);
    return before & place_mask;
  }
  // Places taken in this generation, also by results that were then not counted.
  [[nodiscard]] std::uint64_t count() const noexcept {
    return next_.load(memory_order_relaxed) & place_mask;
  }

  // Any thread.
  recorded record(std::uint64_t generation, unsigned outcome) noexcept {
    const std::uint64_t taken = next_.fetch_add(1, memory_order_acq_rel);
    if ((taken ^ generation << place_bits) >> place_bits) [[unlikely]]
      return {};
    auto& slot = slots_[place_of(taken & place_mask)];
    const std::uint32_t mine = slot_of(generation) | used | outcome;
    std::uint32_t before = slot.load(memory_order_relaxed);
    if (before == mine) [[likely]]
      return {true, false, false, {}};
    return replace(slot, before, mine, generation);
  }
  // What is counted, from the slots themselves. A thread that comes from record() sees what those
  // before it have recorded.
  [[nodiscard]] outcome_counts scan(std::uint64_t generation) const noexcept {
    outcome_counts all;
    for (std::uint32_t i = 0; i < size_; ++i) {
      const std::uint32_t s = slots_[i].load(memory_order_relaxed);
      if (!is_of(s, slot_of(generation))) continue;
      ++all.calls;
      all.failures += s & failed;
      all.slow += (s & slow) / slow;
    }
    return all;
  }

 private:
  // next_: generation | places taken. A slot: generation | used | outcome. sums_: generation |
  // calls | failures | slow, the counts above a bias, so that what a thread of an older generation
  // adds, and takes back, never runs over into the field beside.
  static constexpr int place_bits = 48;
  static constexpr std::uint64_t place_mask = (std::uint64_t{1} << place_bits) - 1;
  static constexpr std::uint32_t used = 4;
  static constexpr int field_bits = 18;
  static constexpr std::uint64_t bias = std::uint64_t{1} << (field_bits - 2);
  static constexpr std::uint64_t one_slow = 1;
  static constexpr std::uint64_t one_failure = one_slow << field_bits;
  static constexpr std::uint64_t one_call = one_failure << field_bits;
  static constexpr int sums_generation = 3 * field_bits;
  static_assert(max_size + 2 * bias < std::uint64_t{1} << field_bits);

  static std::uint64_t first_sums(std::uint64_t generation) noexcept {
    return generation << sums_generation | bias * (one_call + one_failure + one_slow);
  }
  static std::uint32_t slot_of(std::uint64_t generation) noexcept {
    return static_cast<std::uint32_t>(generation << 3);
  }
  static bool is_of(std::uint32_t slot, std::uint32_t generation) noexcept {
    return (slot & used) && ((slot ^ generation) & ~std::uint32_t{7}) == 0;
  }
  [[nodiscard]] std::uint32_t place_of(std::uint64_t taken) const noexcept {
    if (taken >> 32) [[unlikely]]
      return static_cast<std::uint32_t>(taken % size_);
    return static_cast<std::uint32_t>(taken) % size_;  // much cheaper
  }
  static std::uint64_t weight(std::uint32_t slot) noexcept {
    return one_call + (slot & failed) * one_failure + (slot & slow) / slow * one_slow;
  }
  static outcome_counts counts_of(std::uint64_t sums) noexcept {
    constexpr std::uint64_t field = (std::uint64_t{1} << field_bits) - 1;
    const auto above = [](std::uint64_t n) { return n > bias ? n - bias : 0; };
    return {above(sums / one_call & field), above(sums / one_failure & field), above(sums & field)};
  }

  recorded replace(atomic<std::uint32_t>& slot, std::uint32_t before, std::uint32_t mine,
                   std::uint64_t generation) noexcept {
    const auto ahead = static_cast<std::int32_t>((before & ~7u) - (mine & ~7u));
    if ((before & used) && ahead > 0) return {};
    // Who came between is a later one, which would have taken this place from this one.
    if (!slot.compare_exchange_strong(before, mine, memory_order_relaxed))
      return {true, false, false, {}};
    const std::uint64_t old = is_of(before, mine) ? weight(before) : 0;
    const std::uint64_t change = weight(mine) - old;
    // Pairs with itself: who adds here sees the slots of those who have added before.
    const std::uint64_t sums = sums_.fetch_add(change, memory_order_acq_rel);
    if ((sums ^ first_sums(generation)) >> sums_generation) [[unlikely]]
      return take_back(change, sums);
    return {true, true, false, counts_of(sums + change)};
  }
  // The generation ended between the slot and the sums.
  recorded take_back(std::uint64_t change, std::uint64_t seen) noexcept {
    std::uint64_t now = sums_.load(memory_order_relaxed);
    while ((now ^ seen) >> sums_generation == 0 &&
           !sums_.compare_exchange_weak(now, now - change, memory_order_acq_rel,
                                        memory_order_relaxed)) {
    }
    return {false, false, true, {}};
  }

  const std::uint32_t size_;
  const std::unique_ptr<atomic<std::uint32_t>[]> slots_;
  atomic<std::uint64_t> sums_{0};
  alignas(64) atomic<std::uint64_t> next_{0};
};

}  // namespace penstock::detail
