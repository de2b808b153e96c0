// penstock/resilience/rate_reservation.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Permits of a rate limiter for a later time, for who waits in a way of his own. To wait for them:
/// `rate_limiter::acquire`.

#include <penstock/base/assert.hpp>
#include <penstock/base/intrusive_list.hpp>
#include <penstock/core/scheduler.hpp>

#include <cstdint>
#include <memory>
#include <utility>

namespace penstock {
namespace detail {
// Permits of a later time, not in the core yet: it does not go back in time.
struct reserved_node : list_node {
  std::uint64_t number = 0;  // its place among those who wait
  time_point at{};
  std::uint32_t cost = 0;
};
class reservation_book {
 public:
  // False: its time has come, and it is used.
  virtual bool cancel(reserved_node& node, time_point now) noexcept = 0;

 protected:
  ~reservation_book() = default;
};
}  // namespace detail

/// Permits that are to be used at `at()` or later.
///
/// **Shape.** reserved -> `at()` has come: used | given back before.
/// **Cancellation.** one that ends before its time, as when its task is stopped, is given back.
/// **Thread-safety.** distinct: safe; same object: one owner. It may end on any thread; there
/// without a loop it is used.
/// **Complexity.** 24 bytes, and an allocation if `at()` is not now.
/// **Lifetime.** the limiter, or a copy of it, outlives it.
/// **Example.** @snippet tests/resilience/rate_limiter_test.cpp reserve
class [[nodiscard("a reservation that is destroyed at once is given back")]] rate_reservation {
 public:
  /// For `rate_limiter::reserve`.
  rate_reservation(detail::reservation_book & book, time_point at,
                   std::unique_ptr<detail::reserved_node> node) noexcept
      : book_(&book), at_(at), node_(std::move(node)) {}
  rate_reservation(rate_reservation && other) noexcept = default;
  rate_reservation& operator=(rate_reservation&& other) noexcept {
    if (this != &other) {
      end();
      book_ = other.book_;
      at_ = other.at_;
      node_ = std::move(other.node_);
    }
    return *this;
  }
  ~rate_reservation() { end(); }

  [[nodiscard]] time_point at() const noexcept { return at_; }
  /// Gives the permits back, so that others come earlier. False: it was too late, or done before.
  bool cancel() noexcept {
    PENSTOCK_ASSERT(scheduler::current(), "there is no loop here: use cancel(now)");
    return cancel(scheduler::current()->now());
  }
  /// The same anywhere, at that time of the loop.
  bool cancel(time_point now) noexcept {
    const auto node = std::move(node_);
    return node && book_->cancel(*node, now);
  }

 private:
  void end() noexcept {
    if (!node_) return;
    scheduler* const loop = scheduler::current();
    static_cast<void>(book_->cancel(*node_, loop ? loop->now() : (time_point::max)()));
    node_ = nullptr;
  }

  detail::reservation_book* book_;
  time_point at_;
  std::unique_ptr<detail::reserved_node> node_;  // null: used from the beginning, or given back
};

}  // namespace penstock
