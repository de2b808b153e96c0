// penstock/resilience/detail/limiter_queue.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Who waits for a rate limiter and who has reserved, in the order in which they came: numbers, and
/// what they cost. Without a clock.

#include <penstock/base/intrusive_list.hpp>
#include <penstock/resilience/detail/limiter_door.hpp>
#include <penstock/resilience/rate_reservation.hpp>

#include <cstddef>
#include <cstdint>

namespace penstock::detail {

// Under the limiter's lock.
class limiter_queue {
 public:
  using place = limiter_door::place;

  [[nodiscard]] bool empty() const noexcept { return waiting_ == 0 && reserved_.empty(); }
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
  [[nodiscard]] std::size_t reservations() const noexcept { return reservations_; }
  // What those who wait cost, and with those who have reserved.
  [[nodiscard]] std::uint64_t waiting_cost() const noexcept { return queued_; }
  [[nodiscard]] std::uint64_t cost() const noexcept { return queued_ + booked_; }
  // Of those that come before one at place `p`, who is the first who waits, or waits not at all.
  [[nodiscard]] std::uint64_t cost_before(place p) const noexcept {
    if (p == limiter_door::no_place) return cost();
    std::uint64_t sum = 0;
    for (const reserved_node& r : reserved_) {
      if (r.number > p) break;
      sum += r.cost;
    }
    return sum;
  }
  // Ordered by their places and by their times.
  [[nodiscard]] const intrusive_list<reserved_node>& reserved() const noexcept { return reserved_; }

  place join(std::uint32_t cost) noexcept {
    ++waiting_;
    queued_ += cost;
    return ++last_place_;
  }
  void leave(std::uint32_t cost) noexcept {
    --waiting_;
    queued_ -= cost;
  }
  void reserve(reserved_node& node, time_point at, std::uint32_t cost) noexcept {
    node.number = ++last_place_;
    node.at = at;
    node.cost = cost;
    booked_ += cost;
    ++reservations_;
    reserved_.push_back(node);
  }
  void forget(reserved_node& node) noexcept {
    booked_ -= node.cost;
    --reservations_;
    reserved_.erase(node);
  }

 private:
  place last_place_ = limiter_door::no_place;
  std::size_t waiting_ = 0;
  std::uint64_t queued_ = 0;  // their cost
  std::size_t reservations_ = 0;
  std::uint64_t booked_ = 0;  // their cost
  intrusive_list<reserved_node> reserved_;
};

}  // namespace penstock::detail
