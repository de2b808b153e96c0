// penstock/resilience/detail/adaptive_object.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What the copies of an adaptive limit share: a bulkhead, and the calls of the present window.

#include <penstock/base/spin_lock.hpp>
#include <penstock/resilience/adaptive_limit_options.hpp>
#include <penstock/resilience/bulkhead.hpp>
#include <penstock/resilience/detail/checked_options.hpp>
#include <penstock/resilience/detail/limit_cores.hpp>

#include <optional>
#include <utility>
#include <variant>

namespace penstock::detail {

class adaptive_object {
 public:
  // The options are valid; `name` outlives it.
  adaptive_object(const adaptive_limit_options& o, const char* name,
                  observer<adaptive_limit_event> on_event)
      : options_(o),
        on_event_(std::move(on_event)),
        core_(core_of(o)),
        places_({limit(), o.max_waiting, o.max_wait}, name, {}) {}

  bulkhead_object& places() noexcept { return places_; }
  // A call has its place. How many have one now.
  std::size_t begin() noexcept { return running_.fetch_add(1, memory_order_relaxed) + 1; }
  // It has ended; it began with so many at once.
  void ended(call_outcome how, time_point began, std::size_t at_once, time_point now) noexcept {
    const std::size_t here = running_.fetch_sub(1, memory_order_relaxed);
    if (how == call_outcome::canceled || how == call_outcome::ignored) return;
    adaptive_limit_event told;
    lock_.lock();
    const bool good = how != call_outcome::failure;
    if (good && now - began >= options_.shortest) {
      ++calls_;
      took_ += now - began;
    }
    failed_ |= !good;
    at_once_ = larger(at_once_, larger(at_once, here));
    const bool over = now >= window_end_ && (calls_ >= options_.min_calls || failed_);
    if (over) told = close_window(now);
    lock_.unlock();
    if (over && told.from != told.to) on_event_(told);
  }
  [[nodiscard]] adaptive_limit_stats stats() noexcept {
    const bulkhead_stats b = places_.stats();
    adaptive_limit_stats s;
    s.running = running_.load(memory_order_relaxed);
    s.waiting = b.waiting;
    s.admitted = b.admitted;
    s.waited = b.waited;
    s.refused_full = b.refused_full;
    s.refused_late = b.refused_late;
    lock_.lock();
    s.limit = limit();
    s.windows = windows_;
    lock_.unlock();
    return s;
  }

 private:
  using core = std::variant<vegas_core, gradient_core, aimd_core>;
  static core core_of(const adaptive_limit_options& o) noexcept {
    const limit_bounds b{o.initial, o.least, o.most};
    switch (o.algorithm) {
      case limit_algorithm::gradient:
        return gradient_core(b, o.measure_every);
      case limit_algorithm::aimd:
        return aimd_core(b, o.too_long);
      case limit_algorithm::vegas:
        break;
    }
    return vegas_core(b);
  }
  [[nodiscard]] std::size_t limit() const noexcept {
    return std::visit([](const auto& c) { return c.limit(); }, core_);
  }
  // Under the lock.
  adaptive_limit_event close_window(time_point now) noexcept {
    limit_sample s;
    s.took = calls_ == 0 ? duration::zero() : took_ / static_cast<std::int64_t>(calls_);
    s.at_once = at_once_;
    s.failed = failed_;
    s.now = now;
    if (scheduler* const loop = scheduler::current()) s.chance = loop->random().uniform_real();
    const std::size_t before = limit();
    const std::size_t after = std::visit([&](auto& c) { return c.update(s); }, core_);
    if (after != before) places_.places().resize(after);
    ++windows_;
    window_end_ = add_saturated(now, options_.window);
    calls_ = at_once_ = 0;
    took_ = duration::zero();
    failed_ = false;
    return {places_.name(), before, after, s.took, s.at_once, s.failed};
  }

  const adaptive_limit_options options_;
  const observer<adaptive_limit_event> on_event_;
  atomic<std::size_t> running_{0};
  spin_lock lock_;
  core core_;  // this and what follows, but places_, guarded by lock_
  time_point window_end_{};
  std::size_t calls_ = 0;
  std::size_t at_once_ = 0;
  duration took_{};
  bool failed_ = false;
  std::uint64_t windows_ = 0;
  bulkhead_object places_;
};

// A place, and when it was taken. One that is not told how its call ended was canceled.
class adaptive_permit {
 public:
  static constexpr bool exact_time = true;
  adaptive_permit(adaptive_object& o, semaphore_permit place, time_point began) noexcept
      : object_(&o), place_(std::move(place)), began_(began), at_once_(o.begin()) {}
  adaptive_permit(adaptive_permit&& o) noexcept
      : object_(std::exchange(o.object_, nullptr)),
        place_(std::move(o.place_)),
        began_(o.began_),
        at_once_(o.at_once_) {}
  adaptive_permit& operator=(adaptive_permit&& o) noexcept {
    std::swap(object_, o.object_);
    std::swap(place_, o.place_);
    std::swap(began_, o.began_);
    std::swap(at_once_, o.at_once_);
    return *this;
  }
  ~adaptive_permit() {
    if (object_) ended(call_outcome::canceled, began_);
  }
  void ended(call_outcome how, time_point now) noexcept {
    std::exchange(object_, nullptr)->ended(how, began_, at_once_, now);
    const semaphore_permit gone(std::move(place_));
  }

 private:
  adaptive_object* object_;  // null: it was told
  semaphore_permit place_;
  time_point began_;
  std::size_t at_once_;
};

}  // namespace penstock::detail
