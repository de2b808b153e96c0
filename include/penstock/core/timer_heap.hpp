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
  [[nodiscard]] time_point next() const noexcept { return root_ ? root_->at : (time_point::max)(); }

  void add(timer& t) noexcept {
    t.order = (static_cast<std::uint64_t>(t.phase) << 56) | ++sequence_;
    t.armed = true;
    child(t) = sibling(t) = back(t) = nullptr;
    root_ = merge(root_, &t);
  }
  void remove(timer& t) noexcept {
    t.armed = false;
    timer* rest = merge_pairs(child(t));
    if (&t == root_) {
      root_ = rest;
      return;
    }
    timer*& link = child(*back(t)) == &t ? child(*back(t)) : sibling(*back(t));
    link = sibling(t);
    if (sibling(t)) back(*sibling(t)) = back(t);
    root_ = merge(root_, rest);
  }
  // The first timer that is due by `now`, removed; null: none.
  timer* pop_due(time_point now) noexcept {
    if (!root_ || root_->at > now) return nullptr;
    timer* t = root_;
    remove(*t);
    return t;
  }

 private:
  static timer*& child(timer& t) noexcept { return t.link[0]; }
  static timer*& sibling(timer& t) noexcept { return t.link[1]; }
  static timer*& back(timer& t) noexcept { return t.link[2]; }  // previous sibling or parent

  static bool before(const timer& a, const timer& b) noexcept {
    return a.at < b.at || (a.at == b.at && a.order < b.order);
  }
  static timer* merge(timer* a, timer* b) noexcept {
    if (!a) return b;
    if (!b) return a;
    if (before(*b, *a)) std::swap(a, b);
    sibling(*b) = child(*a);
    if (sibling(*b)) back(*sibling(*b)) = b;
    child(*a) = b;
    back(*b) = a;
    return a;
  }
  // Two passes over a list of siblings, without recursion.
  static timer* merge_pairs(timer* first) noexcept {
    timer* merged = nullptr;  // pairs, latest first, linked by sibling
    while (first) {
      timer* a = first;
      timer* b = sibling(*a);
      first = b ? sibling(*b) : nullptr;
      sibling(*a) = back(*a) = nullptr;
      if (b) sibling(*b) = back(*b) = nullptr;
      timer* pair = merge(a, b);
      sibling(*pair) = merged;
      merged = pair;
    }
    timer* all = nullptr;
    while (merged) {
      timer* following = sibling(*merged);
      sibling(*merged) = nullptr;
      all = merge(all, merged);
      merged = following;
    }
    if (all) back(*all) = nullptr;
    return all;
  }

  timer* root_ = nullptr;
  std::uint64_t sequence_ = 0;
};

}  // namespace penstock::detail
