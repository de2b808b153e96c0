// penstock/resilience/detail/hedge_object.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What the copies of a hedge share.

#include <penstock/base/spin_lock.hpp>
#include <penstock/core/environment.hpp>
#include <penstock/core/scheduler.hpp>
#include <penstock/resilience/detail/hedge_core.hpp>
#include <penstock/resilience/observer.hpp>
#include <penstock/resilience/retry_budget.hpp>

#include <optional>
#include <utility>

namespace penstock::detail {

class hedge_object {
 public:
  // `shared`, if there is one, decides instead of the budget of the options.
  hedge_object(const hedge_options& o, std::optional<retry_budget> shared, const char* name,
               observer<hedge_event> on_event)
      : most_(o.attempts + 1),
        adaptive_(o.percentile > 0),
        name_(name),
        on_event_(std::move(on_event)),
        shared_(std::move(shared)),
        core_(o) {}

  struct call {
    time_point began{};
    duration delay{};
  };
  // A call begins in `mine`.
  call begin(environment& mine) noexcept {
    if (shared_ && mine.budget != shared_->id()) {
      mine.budget = shared_->id();
      shared_->deposit(shared_->time_of(*mine.sched));
    }
    call c{time_of(mine), {}};
    lock_.lock();
    ++stats_.calls;
    c.delay = core_.begin(c.began);
    lock_.unlock();
    return c;
  }
  // Whether the attempt with this number may begin.
  bool try_hedge(const call& c, std::size_t number, bool after_failure, scheduler& loop) noexcept {
    const bool paid = !shared_ || shared_->try_withdraw(shared_->time_of(loop));
    lock_.lock();
    const bool granted = paid && (shared_ || core_.try_hedge());
    ++(granted ? stats_.hedges : stats_.refused);
    lock_.unlock();
    on_event_(
        {name_, granted ? hedge_step::began : hedge_step::refused, number, after_failure, c.delay});
    return granted;
  }
  void succeeded(const call& c, std::size_t number, const environment& mine) noexcept {
    const time_point now = time_of(mine);
    lock_.lock();
    core_.succeeded();
    if (adaptive_) core_.took(now, now - c.began);
    if (number != 1) ++stats_.won;
    lock_.unlock();
    if (number != 1) on_event_({name_, hedge_step::won, number, false, c.delay});
  }
  hedge_stats stats() noexcept {
    lock_.lock();
    hedge_stats s = stats_;
    s.budget = core_.budget();
    s.delay = core_.delay();
    lock_.unlock();
    return s;
  }
  // Attempts of one call, the first one too.
  [[nodiscard]] std::size_t most() const noexcept { return most_; }
  [[nodiscard]] const char* name() const noexcept { return name_; }

 private:
  [[nodiscard]] time_point time_of(const environment& mine) const noexcept {
    return adaptive_ ? mine.sched->now() : time_point{};
  }

  const std::size_t most_;
  const bool adaptive_;
  const char* const name_;
  const observer<hedge_event> on_event_;
  const std::optional<retry_budget> shared_;
  spin_lock lock_;
  hedge_core core_;  // this and what follows guarded by lock_
  hedge_stats stats_;
};

}  // namespace penstock::detail
