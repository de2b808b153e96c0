// penstock/runtime/timer_wheel.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The timers of an event loop: a hierarchical wheel (Varghese and Lauck 1987) of four levels of
/// 256 slots, ticks of a millisecond. Tasks use `sleep_for` and `with_timeout`; loops that need
/// exact order have timer_heap.
///
/// A timer stands on the level of the highest digit, to base 256, in which its tick differs from
/// the wheel's. When the wheel's tick reaches a slot above level 0, its timers move down, in order.

#include <penstock/core/scheduler.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace penstock {

/// Holds `detail::timer`s until they are due.
///
/// **Ordering.** by tick; in one tick timers of leaves before those of scopes, each in the order
/// they were added. Never early; late by at most one tick.
/// **Thread-safety.** one thread.
/// **Complexity.** add and cancel O(1), a few instructions; no allocation. A
/// cancelled timer is looked past once by next() or advance(). A timer moves at most
/// four times, and wakes its loop for that at most three times.
class timer_wheel {
 public:
  static constexpr duration tick = std::chrono::milliseconds(1);

  explicit timer_wheel(time_point now) noexcept : current_(floor_tick(now)) {
    for (detail::timer_link& end : slots_) end.after = end.before = &end;
  }
  timer_wheel(const timer_wheel&) = delete;
  timer_wheel& operator=(const timer_wheel&) = delete;

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  void add(detail::timer& t) noexcept {
    t.armed = true;
    ++size_;
    link(t, slot_of(t, ceil_tick(t.at)));
  }
  /// Adds `t` for `d` after the next advance(), which sets `t.at`: a timer that is cancelled before
  /// costs no look at a clock.
  void add_in(detail::timer& t, duration d) noexcept {
    t.at = time_point(d);
    t.armed = true;
    ++size_;
    link(t, fresh);
  }
  /// `t` is armed.
  void cancel(detail::timer& t) noexcept {
    t.armed = false;
    --size_;
    unlink(t);
  }

  /// When advance() has something to do, at the latest; `time_point::max()`: never. Not after the
  /// first timer is due; before it where timers have to move to a finer level.
  [[nodiscard]] time_point next() noexcept {
    if (!is_empty(late) || !is_empty(late + 1) || !is_empty(fresh))
      return time_point(tick * current_);
    const std::int64_t at = next_tick();
    return at == never ? (time_point::max)() : time_point(tick * at);
  }

  /// Calls `on_time` of what is due by `now`.
  void advance(time_point now) noexcept {
    if (!is_empty(fresh)) settle(now);
    fire(late);
    const std::int64_t target = floor_tick(now);
    while (size_ != 0) {
      const std::int64_t at = next_tick();
      if (at > target) break;
      current_ = at;
      move_down();
      fire(static_cast<std::size_t>(at & 255));
      fire(late);
    }
    if (current_ < target) current_ = target;
  }

 private:
  // Slots: level 0 twice, leaves and scopes, then levels 1 to 3, then two slots for what was late
  // when it was added, then one for what is more than four digits away, then one for what was added
  // without a clock.
  static constexpr std::size_t per_level = 256;
  static constexpr std::size_t late = 5 * per_level;
  static constexpr std::size_t far = late + 2;
  static constexpr std::size_t fresh = far + 1;
  static constexpr std::int64_t never = (std::numeric_limits<std::int64_t>::max)();
  static constexpr std::int64_t top = std::int64_t{1} << 32;  // ticks

  static constexpr std::int64_t floor_tick(time_point t) noexcept {
    return t.time_since_epoch() / tick;
  }
  static constexpr std::int64_t ceil_tick(time_point t) noexcept {
    const auto ns = t.time_since_epoch().count();
    if (ns <= 0) return 0;
    return static_cast<std::int64_t>((static_cast<std::uint64_t>(ns) + 999'999) / 1'000'000);
  }
  std::size_t slot_of(const detail::timer& t, std::int64_t at) const noexcept {
    const auto phase = static_cast<std::size_t>(t.phase);
    if (at <= current_) [[unlikely]]
      return late + phase;
    const auto digits = static_cast<std::uint64_t>(at);
    const auto differs = digits ^ static_cast<std::uint64_t>(current_);
    if (differs < per_level) return phase * per_level + (digits & 255);
    const auto level = (std::bit_width(differs) - 1u) / 8u;
    if (level > 3) [[unlikely]]
      return far;
    return (level + 1) * per_level + ((digits >> (8 * level)) & 255);
  }

  // A slot is a ring of its timers and an end that is none. Whether it is used is noted when it
  // gets its first, and corrected by who looks for the next used one: a cancellation does not know
  // its slot.
  void link(detail::timer& t, std::size_t slot) noexcept {
    detail::timer_link& end = slots_[slot];
    detail::timer_link* const last = end.before;
    if (last == &end) used_[slot / 64] |= std::uint64_t{1} << (slot % 64);
    t.before = last;
    t.after = &end;
    last->after = &t;
    end.before = &t;
  }
  static void unlink(detail::timer& t) noexcept {
    t.before->after = t.after;
    t.after->before = t.before;
  }
  bool is_empty(std::size_t slot) const noexcept { return slots_[slot].after == &slots_[slot]; }
  detail::timer& first(std::size_t slot) const noexcept {
    return static_cast<detail::timer&>(*slots_[slot].after);
  }

  void settle(time_point now) noexcept {
    while (!is_empty(fresh)) {
      detail::timer& t = first(fresh);
      unlink(t);
      t.at = add_saturated(now, t.at.time_since_epoch());
      link(t, slot_of(t, ceil_tick(t.at)));
    }
  }

  // `on_time` may add and cancel any timers; none is added to a slot of level 0 that is due.
  void fire(std::size_t leaves) noexcept {
    for (const std::size_t slot : {leaves, leaves < per_level ? leaves + per_level : leaves + 1}) {
      while (!is_empty(slot)) {
        detail::timer& t = first(slot);
        cancel(t);
        t.on_time();
      }
    }
  }
  // The slots that the wheel's tick has just reached, highest level first.
  void move_down() noexcept {
    if ((current_ & 255) != 0) return;
    if ((current_ & (top - 1)) == 0) empty_into_place(far);
    for (unsigned level = 3; level > 0; --level) {
      if ((current_ & ((std::int64_t{1} << (8 * level)) - 1)) != 0) continue;
      const auto digit = static_cast<std::size_t>((current_ >> (8 * level)) & 255);
      empty_into_place((level + 1) * per_level + digit);
    }
  }
  // What belongs to the current tick goes to level 0, where it is fired next.
  void empty_into_place(std::size_t slot) noexcept {
    detail::timer_link* const end = &slots_[slot];
    detail::timer_link* following = end->after;
    // Off the slot first: a timer may come back to it.
    end->after = end->before = end;
    while (following != end) {
      auto& t = static_cast<detail::timer&>(*following);
      following = t.after;
      const std::int64_t at = ceil_tick(t.at);
      link(t, at <= current_ ? static_cast<std::size_t>(t.phase) * per_level +
                                   static_cast<std::size_t>(current_ & 255)
                             : slot_of(t, at));
    }
  }

  // The first tick after the current one at which a slot is used, or `never`.
  std::int64_t next_tick() noexcept {
    for (unsigned level = 0; level < 4; ++level) {
      const unsigned shift = 8 * level;
      const auto digit = static_cast<unsigned>((current_ >> shift) & 255);
      const unsigned found = next_used(level, digit);
      if (found == per_level) continue;
      return ((current_ >> (shift + 8)) << (shift + 8)) | (std::int64_t{found} << shift);
    }
    return is_empty(far) ? never : (current_ / top + 1) * top;
  }
  // The first used digit after `digit`, or 256.
  unsigned next_used(unsigned level, unsigned digit) noexcept {
    unsigned found = noted_after(level, digit);
    while (found < per_level && !is_used(level, found)) found = noted_after(level, found);
    return found;
  }
  bool is_used(unsigned level, unsigned digit) noexcept {
    const std::size_t slot = (level == 0 ? 0 : (level + 1) * per_level) + digit;
    const bool used = corrected(slot);
    return level == 0 ? corrected(slot + per_level) || used : used;
  }
  // Whether the slot is used, as its note says from now on.
  bool corrected(std::size_t slot) noexcept {
    if (!is_empty(slot)) return true;
    used_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
    return false;
  }
  unsigned noted_after(unsigned level, unsigned digit) const noexcept {
    if (digit == 255) return per_level;
    unsigned word = (digit + 1) / 64;
    std::uint64_t bits = word_of(level, word) & (~std::uint64_t{0} << ((digit + 1) % 64));
    while (bits == 0) {
      if (++word == per_level / 64) return per_level;
      bits = word_of(level, word);
    }
    return word * 64 + static_cast<unsigned>(std::countr_zero(bits));
  }
  std::uint64_t word_of(unsigned level, unsigned word) const noexcept {
    if (level == 0) return used_[word] | used_[word + per_level / 64];
    return used_[(level + 1) * (per_level / 64) + word];
  }

  std::array<detail::timer_link, fresh + 1> slots_;
  std::array<std::uint64_t, fresh / 64 + 1> used_{};
  std::int64_t current_;  // the last tick that was fired
  std::size_t size_ = 0;
};

}  // namespace penstock
