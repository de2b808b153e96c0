// penstock/core/timer_heap.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// An exact, intrusive timer queue: a pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986) over
/// detail::timer. Adding is O(1), removing O(log n) amortised, nothing is allocated. For loops that
/// need exact order (test runtime) or few timers (sync_wait); runtime/ has a wheel.

#include <penstock/core/scheduler.hpp>

#include <utility>

namespace penstock::detail {

class timer_heap {
 public:
  timer_heap() noexcept = default;
  timer_heap(const timer_heap&) = delete;
  timer_heap& operator=(const timer_heap&) = delete;

  [[nodiscard]] bool empty() const noexcept { return !root_; }
  [[nodiscard]] time_point next() const noexcept {
    return root_ ? of(*root_).at : (time_point::max)();
  }

  void add(timer& t) noexcept {
    t.order = (static_cast<std::uint64_t>(t.phase) << 56) | ++sequence_;
    t.armed = true;
    child(t) = sibling(t) = back(t) = nullptr;
    root_ = merge(root_, &t);
  }
  void remove(timer& t) noexcept {
    t.armed = false;
    timer_link* const rest = merge_pairs(child(t));
    if (&t == root_) {
      root_ = rest;
      return;
    }
    timer_link*& link = child(*back(t)) == &t ? child(*back(t)) : sibling(*back(t));
    link = sibling(t);
    if (sibling(t)) back(*sibling(t)) = back(t);
    root_ = merge(root_, rest);
  }
  // The first timer that is due by `now`, removed; null: none.
  timer* pop_due(time_point now) noexcept {
    if (!root_ || count_of(next()) > count_of(now)) return nullptr;
    timer& first = of(*root_);
    remove(first);
    return &first;
  }

 private:
  static timer& of(timer_link& t) noexcept { return static_cast<timer&>(t); }
  static timer_link*& child(timer_link& t) noexcept { return t.after; }
  static timer_link*& sibling(timer_link& t) noexcept { return t.before; }
  static timer_link*& back(timer_link& t) noexcept { return of(t).back; }  // or the parent

  static bool before(const timer& a, const timer& b) noexcept {
    const std::int64_t x = count_of(a.at);
    const std::int64_t y = count_of(b.at);
    return x < y || (x == y && a.order < b.order);
  }
  static timer_link* merge(timer_link* a, timer_link* b) noexcept {
    if (!a) return b;
    if (!b) return a;
    if (before(of(*b), of(*a))) return merge(b, a);
    sibling(*b) = child(*a);
    if (sibling(*b)) back(*sibling(*b)) = b;
    child(*a) = b;
    back(*b) = a;
    return a;
  }
  // Two passes over a list of siblings, without recursion.
  static timer_link* merge_pairs(timer_link* first) noexcept {
    timer_link* merged = nullptr;  // pairs, latest first, linked by sibling
    while (first) {
      timer_link* a = first;
      timer_link* b = sibling(*a);
      first = b ? sibling(*b) : nullptr;
      sibling(*a) = back(*a) = nullptr;
      if (b) sibling(*b) = back(*b) = nullptr;
      timer_link* pair = merge(a, b);
      sibling(*pair) = merged;
      merged = pair;
    }
    timer_link* all = nullptr;
    while (merged) {
      timer_link* following = sibling(*merged);
      sibling(*merged) = nullptr;
      all = merge(all, merged);
      merged = following;
    }
    if (all) back(*all) = nullptr;
    return all;
  }

  timer_link* root_ = nullptr;
  std::uint64_t sequence_ = 0;
};

}  // namespace penstock::detail
