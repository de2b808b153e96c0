// penstock/resilience/detail/limiter_awaiter.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What `acquire()` of a limiter gives: the permit at once, or a task that waits for it.

#include <penstock/core/awaitable.hpp>
#include <penstock/resilience/call_outcome.hpp>
#include <penstock/resilience/detail/limiter_door.hpp>

#include <cstdint>
#include <new>
#include <optional>
#include <utility>

namespace penstock::detail {

// `Ref` is where to ask: ref.try_take(now, cost) and ref.door(). `Out` is what is yielded.
template <class Ref>
class [[nodiscard]] limiter_awaiter : public leaf<limiter_awaiter<Ref>> {
 public:
  limiter_awaiter(Ref ref, std::uint32_t cost, bool waits)
      : ref_(std::move(ref)), cost_(cost), waits_(waits) {}

  bool await_ready() noexcept {
    const time_point now = scheduler::current()->now();
    try {
      if (ref_.try_take(now, cost_)) return true;
      if (waits_) return false;
      const auto v = ref_.door().take(now, cost_, limiter_door::no_place);
      if (v.what != limiter_verdict::kind::admitted)
        refused_.emplace(ref_.door().refusal(v, cost_, now));
    } catch (...) {
      refused_.emplace(std::errc::not_enough_memory);
    }
    return true;
  }
  suspension start(waiter& w) noexcept {
    try {
      line_.emplace(wait_in_line(ref_.door(), cost_).into_awaiter());
    } catch (...) {
      refused_.emplace(std::errc::not_enough_memory);
      return resume_now(w);
    }
    return line_->start(w);
  }
  result<> await_resume() {
    if (line_) return line_->await_resume();
    if (refused_) return tl::unexpected<error>(std::move(*refused_));
    return {};
  }

 private:
  Ref ref_;
  std::uint32_t cost_;
  bool waits_;
  std::optional<error> refused_;
  std::optional<task_awaiter<result<>>> line_;
};

// The same for detail::admitted_call: gives a permit that is told the errors of the other side.
template <class Ref>
class limiter_admission : public limiter_awaiter<Ref> {
 public:
  class permit {
   public:
    static constexpr bool exact_time = false;
    explicit permit(Ref ref) : ref_(std::move(ref)) {}
    void ended(call_outcome, time_point) noexcept {}
    void ended(call_outcome, time_point, const error& e) noexcept {
      if (e != errc::rate_limited || e.template attached<refused_here>()) return;
      const auto pause = e.retry_after();
      if (!pause || *pause <= duration::zero()) return;
      const time_point now = scheduler::current()->now();
      ref_.penalize(now, add_saturated(now, *pause));
    }

   private:
    Ref ref_;
  };

  limiter_admission(Ref ref, bool waits) : limiter_awaiter<Ref>(ref, 1, waits), ref_(ref) {}
  result<permit> await_resume() {
    auto taken = limiter_awaiter<Ref>::await_resume();
    if (!taken) return tl::unexpected<error>(std::move(taken).error());
    return permit(std::move(ref_));
  }

 private:
  Ref ref_;
};

}  // namespace penstock::detail
