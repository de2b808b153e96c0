// penstock/resilience/detail/limiter_door.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How tasks wait for a limiter: in a line, in which only the first looks at the time. Who comes
/// first has the one permit of `turn`; it sleeps until it may go, which is the limiter's one timer,
/// or until something has changed. Giving up, anywhere, is the end of a frame: nothing to undo in
/// the core, which is asked by the first alone.

#include <penstock/base/result.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/task.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/when_any.hpp>
#include <penstock/sync/auto_reset_event.hpp>
#include <penstock/sync/semaphore.hpp>

#include <cstdint>
#include <optional>
#include <utility>

namespace penstock::detail {

// Put into errors by a limiter of this library, to tell them from those of the other side.
struct refused_here {};

// What became of one request.
struct limiter_verdict {
  enum class kind : unsigned char { admitted, later, never, crowded, closed };
  kind what = kind::never;
  // admitted: what it was charged to; later and crowded: not before that.
  time_point at = (time_point::max)();
};

struct limiter_line {
  semaphore turn{1, {.name = "rate_limiter::acquire"}};
  auto_reset_event changed{"rate_limiter::acquire"};  // the first has to look again
};

// One limiter, or one key of many, as who waits sees it. Any thread.
class limiter_door {
 public:
  using place = std::uint64_t;          // in the order of arrival
  static constexpr place no_place = 0;  // of one who does not wait: behind all others
  // Behind all who have reserved, before all who wait.
  static constexpr place passes_waiting = static_cast<place>(-1);

  // Takes the permits, if they are there and nobody comes before.
  virtual limiter_verdict take(time_point now, std::uint32_t cost, place p) = 0;
  virtual void refund(time_point at, std::uint32_t cost) = 0;
  // Admitted: it has a place in the line now, until leave().
  virtual limiter_verdict join(time_point now, std::uint32_t cost, time_point deadline,
                               place& p) = 0;
  virtual void leave(time_point now, std::uint32_t cost, bool served) noexcept = 0;
  virtual limiter_line& line() noexcept = 0;
  // Counts and tells it.
  virtual error refusal(const limiter_verdict& v, std::uint32_t cost, time_point now) noexcept = 0;

 protected:
  limiter_door() noexcept = default;
  limiter_door(const limiter_door&) noexcept = default;
  limiter_door& operator=(const limiter_door&) noexcept = default;
  ~limiter_door() = default;
};

// A place in a line, and the turn when it has come.
class place_in_line {
 public:
  place_in_line(limiter_door& door, std::uint32_t cost, const environment& env) noexcept
      : door_(&door), cost_(cost), env_(&env) {}
  place_in_line(const place_in_line&) = delete;
  place_in_line& operator=(const place_in_line&) = delete;
  ~place_in_line() { end(false); }

  limiter_verdict join() {
    auto v = door_->join(env_->sched->now(), cost_, env_->deadline, place_);
    joined_ = v.what == limiter_verdict::kind::admitted;
    return v;
  }
  void came(semaphore_permit turn) noexcept { turn_.emplace(std::move(turn)); }
  void end(bool served) noexcept {
    if (!joined_) return;
    joined_ = false;
    turn_.reset();  // first: the line may go with the last who leaves
    door_->leave(env_->sched->now(), cost_, served);
  }
  [[nodiscard]] limiter_door& door() const noexcept { return *door_; }
  [[nodiscard]] limiter_door::place number() const noexcept { return place_; }

 private:
  limiter_door* door_;
  std::uint32_t cost_;
  const environment* env_;
  limiter_door::place place_ = limiter_door::no_place;
  bool joined_ = false;
  std::optional<semaphore_permit> turn_;
};

// The way of one that could not go at once.
inline task<result<>> wait_in_line(limiter_door& door, std::uint32_t cost) {
  using kind = limiter_verdict::kind;
  const environment& env = co_await this_task::env();
  place_in_line place(door, cost, env);
  const auto joined = place.join();
  if (joined.what != kind::admitted)
    co_return tl::unexpected<error>(door.refusal(joined, cost, env.sched->now()));
  auto turn = co_await door.line().turn.acquire();
  if (!turn) co_return tl::unexpected<error>(door.refusal({kind::closed}, cost, env.sched->now()));
  place.came(std::move(*turn));
  for (;;) {
    const time_point now = env.sched->now();
    const auto v = door.take(now, cost, place.number());
    if (v.what == kind::admitted) {
      place.end(true);
      co_return result<>();
    }
    if (v.what != kind::later || v.at > env.deadline)
      co_return tl::unexpected<error>(door.refusal(v, cost, now));
    co_await when_any(sleep_until(v.at), door.line().changed.wait());
  }
}

}  // namespace penstock::detail
