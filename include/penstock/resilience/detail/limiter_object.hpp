// penstock/resilience/detail/limiter_object.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What the copies of a rate limiter share: its core, who waits for it, and who has reserved.

#include <penstock/core/scheduler.hpp>
#include <penstock/resilience/detail/limiter_door.hpp>
#include <penstock/resilience/detail/limiter_queue.hpp>
#include <penstock/resilience/detail/shared_gcra.hpp>
#include <penstock/resilience/observer.hpp>
#include <penstock/resilience/rate_decision.hpp>
#include <penstock/resilience/rate_limiter_options.hpp>
#include <penstock/resilience/rate_reservation.hpp>

#include <algorithm>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace penstock::detail {

// Any thread. Nothing of the user's is called under the lock.
template <limiter_core Core>
class limiter_object final : public limiter_door, public reservation_book {
  using kind = limiter_verdict::kind;

 public:
  limiter_object(const limiter_object&) = delete;
  limiter_object& operator=(const limiter_object&) = delete;
  limiter_object(Core core, const rate_limiter_options& o, std::string_view name,
                 observer<rate_limiter_event> on_event)
      : options_(o), name_(name), on_event_(std::move(on_event)), core_(std::move(core)) {}

  // Without waiting; a refusal is not counted.
  quick_answer try_now(time_point now, std::uint32_t cost) noexcept {
    return core_.try_now(now, cost);
  }
  bool try_take(time_point now, std::uint32_t cost) {
    const quick_answer quick = core_.try_now(now, cost);
    if (quick != quick_answer::unknown) [[likely]]
      return quick == quick_answer::admitted;
    return take(now, cost, no_place).what == kind::admitted;
  }

  limiter_verdict take(time_point now, std::uint32_t cost, place p) override {
    const section in(*this, now);
    charge_due(now);
    const auto v = look(now, cost, p);
    if (v.what != kind::admitted) return v;
    const auto d = core_.acquire(now, cost);
    return {d.admitted ? kind::admitted : kind::later, d.at};
  }
  void refund(time_point at, std::uint32_t cost) override {
    {
      const std::lock_guard in(lock_);
      core_.refund(at, cost);
    }
    line_.changed.set();
  }
  limiter_verdict join(time_point now, std::uint32_t cost, time_point deadline, place& p) override {
    limiter_verdict v;
    {
      const section in(*this, now);
      charge_due(now);
      v = look(now, cost, no_place);
      if (v.what == kind::never || v.what == kind::closed) return v;
      if (v.at > deadline) return {kind::later, v.at};
      if (queue_.waiting() >= options_.max_waiting) return {kind::crowded, v.at};
      p = queue_.join(cost);
      ++numbers_.waited;
    }
    on_event_({name_, {}, rate_limiter_event::kind::waits, cost, wait_until(v, now)});
    return {kind::admitted, v.at};
  }
  void leave(time_point now, std::uint32_t cost, bool served) noexcept override {
    const section in(*this, now);
    queue_.leave(cost);
    if (!served) ++numbers_.given_up;
  }
  limiter_line& line() noexcept override { return line_; }

  // `node` is null: only what is there now. `booked`: it is in the list, until cancel() or its
  // time.
  limiter_verdict reserve(time_point now, std::uint32_t cost, time_point last, reserved_node* node,
                          bool& booked) {
    const section in(*this, now);
    charge_due(now);
    auto v = look(now, cost, no_place);
    if (v.what == kind::admitted) {
      const auto d = core_.acquire(now, cost);
      return {d.admitted ? kind::admitted : kind::later, d.at};
    }
    if (v.what != kind::later || !node) return v;
    if (queue_.reservations() >= options_.max_waiting) return {kind::crowded, v.at};
    v.at =
        core_.ready_behind(queue_.reserved(), (std::max)(now, gate_), queue_.waiting_cost() + cost);
    if (v.at > last) return v;
    if (!core_.far_ahead && queue_.cost() + cost > core_.limit()) return v;
    queue_.reserve(*node, v.at, cost);
    ++numbers_.reserved;
    booked = true;
    return {kind::admitted, v.at};
  }
  bool cancel(reserved_node& node, time_point now) noexcept override {
    {
      const section in(*this, now);
      if (node.linked() && node.at <= now) charge(node);
      if (!node.linked()) return false;
      queue_.forget(node);
      ++numbers_.canceled;
    }
    line_.changed.set();
    return true;
  }

  // Nothing passes before `until`.
  void penalize(time_point now, time_point until) noexcept {
    until = (std::min)(until, add_saturated(now, options_.max_penalty));
    {
      const section in(*this, now);
      if (until <= gate_ || until <= now) return;
      gate_ = until;
      ++numbers_.penalized;
    }
    line_.changed.set();
    on_event_({name_, {}, rate_limiter_event::kind::penalized, 0, until - now});
  }
  void close() noexcept {
    {
      const std::lock_guard in(lock_);
      if (closed_) return;
      closed_ = true;
      core_.freeze();
    }
    line_.turn.close();
    line_.changed.set();
    on_event_({name_, {}, rate_limiter_event::kind::closed, 0, {}});
  }

  [[nodiscard]] rate_decision decide(time_point now, std::uint32_t cost) {
    rate_decision d;
    const section in(*this, now);
    charge_due(now);
    const auto v = look(now, cost, no_place);
    if (v.what == kind::admitted) d.admitted = core_.acquire(now, cost).admitted;
    d.limit = core_.limit();
    const bool shut = closed_ || now < gate_;
    const std::uint64_t left = core_.available(now);
    const std::uint64_t promised = queue_.cost();
    if (!shut && left > promised) d.remaining = static_cast<std::uint32_t>(left - promised);
    const time_point fresh = (std::max)(core_.fresh_at(), gate_);
    if (fresh > now) d.reset = fresh - now;
    if (!d.admitted) d.retry_after = wait_until(v, now);
    if (!d.admitted) ++numbers_.refused;
    return d;
  }
  [[nodiscard]] rate_limiter_stats stats() const noexcept {
    const std::lock_guard in(lock_);
    rate_limiter_stats s = numbers_;
    s.refused += refused_.load(memory_order_relaxed);
    s.waiting = queue_.waiting();
    return s;
  }
  void count_refused() noexcept { refused_.fetch_add(1, memory_order_relaxed); }

  PENSTOCK_NOINLINE error refusal(const limiter_verdict& v, std::uint32_t cost,
                                  time_point now) noexcept override {
    count_refused();
    if (v.what == kind::closed) return error(errc::closed).with(name_);
    if (v.what == kind::never) return error(errc::never_satisfiable).with(name_);
    const duration wait = wait_until(v, now);
    on_event_({name_, {}, rate_limiter_event::kind::refused, cost, wait});
    return error(errc::rate_limited).with(name_).retry_after(wait).attach(refused_here{});
  }
  [[nodiscard]] std::string_view name() const noexcept { return name_; }
  [[nodiscard]] const rate_limiter_options& options() const noexcept { return options_; }

 private:
  using lock_type = typename shared_core<Core>::lock_type;

  // Under the lock; at its end the way without the lock is open, or not.
  class section {
   public:
    section(limiter_object& o, time_point now) : lock_(o.lock_), object_(o), now_(now) {}
    section(const section&) = delete;
    section& operator=(const section&) = delete;
    ~section() { object_.settle(now_); }

   private:
    const std::lock_guard<lock_type> lock_;
    limiter_object& object_;
    const time_point now_;
  };

  static duration wait_until(const limiter_verdict& v, time_point now) noexcept {
    if (is_never(v.at)) return (duration::max)();
    return v.at > now ? v.at - now : duration::zero();
  }

  // All below under the lock.
  void charge_due(time_point now) noexcept {
    while (auto* const first = queue_.reserved().front()) {
      if (first->at > now) return;
      charge(*first);
    }
  }
  // Those before it are due as well: their times are not later.
  void charge(reserved_node& last) noexcept {
    for (bool more = true; more;) {
      reserved_node& first = *queue_.reserved().front();
      more = &first != &last;
      try {
        core_.charge(first.at, first.cost);
      } catch (...) {  // memory is out: it is not counted
      }
      queue_.forget(first);
    }
  }
  void settle(time_point now) noexcept {
    if (!queue_.empty() || closed_ || now < gate_)
      core_.freeze();
    else
      core_.thaw(now);
  }
  // Whether one at place `p` may go now, or when.
  [[nodiscard]] limiter_verdict look(time_point now, std::uint32_t cost, place p) const {
    if (closed_) return {kind::closed};
    if (cost > core_.limit()) return {kind::never};
    const time_point from = (std::max)(now, gate_);
    const time_point at = core_.ready_at(from, queue_.cost_before(p) + cost);
    if (at > now || (p == no_place && queue_.waiting() != 0)) return {kind::later, at};
    return {kind::admitted, now};
  }

  const rate_limiter_options options_;
  const std::string name_;
  const observer<rate_limiter_event> on_event_;
  shared_core<Core> core_;
  mutable lock_type lock_;
  bool closed_ = false;  // this and what follows guarded by lock_
  time_point gate_ = (time_point::min)();
  limiter_queue queue_;
  rate_limiter_stats numbers_;
  atomic<std::uint64_t> refused_{0};
  limiter_line line_;
};

}  // namespace penstock::detail
