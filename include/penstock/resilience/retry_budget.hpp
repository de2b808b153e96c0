// penstock/resilience/retry_budget.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How many of the calls of a client may be repeated: what keeps retries from multiplying the load
/// of a server that is down. One for each server, shared by all that call it.

#include <penstock/base/result.hpp>
#include <penstock/base/spin_lock.hpp>
#include <penstock/core/scheduler.hpp>
#include <penstock/resilience/detail/checked_options.hpp>
#include <penstock/resilience/detail/retry_budget_core.hpp>
#include <penstock/resilience/observer.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace penstock {

/// Options of `retry_budget`.
struct retry_budget_options {
  double ratio = 0.2;          ///< so many retries for each request, 0 to 1000
  double min_per_second = 10;  ///< and so many a second besides, which are there at the start
  /// Requests and retries of the last so long count, to a hundredth of it.
  duration window = std::chrono::seconds(10);
};
static_assert(std::is_trivially_copyable_v<retry_budget_options>);

/// Whether there is such a budget.
[[nodiscard]] inline result<> validate(const retry_budget_options& o) {
  const auto refuse = [](const char* why) {
    return fail(errc::invalid_option, "retry_budget_options", why);
  };
  if (!(o.ratio >= 0 && o.ratio <= 1000)) return refuse("ratio is not in [0, 1000]");
  if (!(o.min_per_second >= 0 && o.min_per_second <= 1e9))
    return refuse("min_per_second is not in [0, 1e9]");
  if (o.window < std::chrono::microseconds(1)) return refuse("window is below a microsecond");
  return {};
}

/// A budget is used up, or there is something in it again.
struct retry_budget_event {
  std::string_view name;   ///< the budget's
  bool exhausted = false;  ///< since now
};

/// Numbers of a `retry_budget`.
struct retry_budget_stats {
  std::uint64_t deposits = 0;    ///< requests since it was made
  std::uint64_t withdrawn = 0;   ///< retries that it has allowed since then
  std::uint64_t given_back = 0;  ///< of those, the ones that did not begin
  std::uint64_t refused = 0;     ///< retries that it has refused
  double balance = 0;            ///< how many it would allow at the time of its last use
};

namespace detail {
class retry_budget_object {
 public:
  retry_budget_object(const retry_budget_options& o, const char* name,
                      observer<retry_budget_event> on_event)
      : exact_(o.window < std::chrono::seconds(1)),
        name_(name),
        on_event_(std::move(on_event)),
        core_(o.ratio, o.min_per_second, o.window) {}

  void deposit(time_point now) noexcept {
    lock_.lock();
    core_.deposit(now);
    ++stats_.deposits;
    last_ = now;
    lock_.unlock();
  }
  bool try_withdraw(time_point now) noexcept {
    lock_.lock();
    const bool granted = core_.try_withdraw(now);
    ++(granted ? stats_.withdrawn : stats_.refused);
    last_ = now;
    const bool changed = granted == exhausted_;
    exhausted_ = !granted;
    lock_.unlock();
    if (changed) [[unlikely]]
      on_event_({name_, !granted});
    return granted;
  }
  void give_back(time_point when) noexcept {
    lock_.lock();
    core_.give_back(when);
    ++stats_.given_back;
    lock_.unlock();
  }
  retry_budget_stats stats() noexcept {
    lock_.lock();
    retry_budget_stats s = stats_;
    s.balance = core_.balance(last_);
    lock_.unlock();
    return s;
  }
  // To a few milliseconds, where those make no difference.
  [[nodiscard]] time_point time_of(scheduler& loop) const noexcept {
    return exact_ ? loop.now() : loop.about().earliest;
  }
  [[nodiscard]] const char* name() const noexcept { return name_; }

 private:
  const bool exact_;
  const char* const name_;
  const observer<retry_budget_event> on_event_;
  spin_lock lock_;
  retry_budget_core core_;  // this and what follows guarded by lock_
  retry_budget_stats stats_;
  time_point last_{};
  bool exhausted_ = false;
};
}  // namespace detail

/// A budget of retries, for `retry`, `hedge` and whoever else repeats.
///
/// **Shape.** balance = min_per_second * window + ratio * requests of the window - retries of the
/// window; a retry needs a balance of 1.
/// **Errors.** a retry that it refuses ends with its last error, whose `why()` is
/// `retry_stop::budget`; invalid options stop the program, naming the option.
/// **Suspends.** never: who is refused does not wait.
/// **Cancellation.** a retry that is stopped before it begins gives back what it has withdrawn.
/// **Thread-safety.** any thread, the same object too; the check and the withdrawal are one step.
/// Copies are the same budget; the observer is called without the lock.
/// **Complexity.** O(1) under a short lock; no allocation after the constructor.
/// **Lifetime.** a handle; the last copy outlives the calls.
/// **Example.** @snippet tests/resilience/retry_budget_test.cpp retry_budget
/// **See also.** `retry`, `hedge`, `circuit_breaker`.
class retry_budget {
 public:
  /// **Parameters.** `name` - in events, a string literal; `on_event` - told when it is used up and
  /// when it allows something again.
  explicit retry_budget(const retry_budget_options& o = {}, const char* name = "retry_budget",
                        observer<retry_budget_event> on_event = {})
      : object_(std::make_shared<detail::retry_budget_object>(detail::checked_options(o), name,
                                                              std::move(on_event))) {}

  /// A request is sent: once for each, not for its retries. `retry` and `hedge` do that.
  void deposit(time_point now) const noexcept { object_->deposit(now); }
  /// The same by the clock of this thread's loop.
  void deposit() const noexcept { deposit(time_here()); }
  /// Whether one retry may be made; if so it is withdrawn.
  [[nodiscard]] bool try_withdraw(time_point now) const noexcept {
    return object_->try_withdraw(now);
  }
  [[nodiscard]] bool try_withdraw() const noexcept { return try_withdraw(time_here()); }
  /// The retry that was withdrawn at that time does not take place.
  void give_back(time_point when) const noexcept { object_->give_back(when); }

  [[nodiscard]] retry_budget_stats stats() const noexcept { return object_->stats(); }
  [[nodiscard]] std::string_view name() const noexcept { return object_->name(); }
  /// Whether both are the same budget.
  friend bool operator==(const retry_budget&, const retry_budget&) noexcept = default;

  /// For policies: the time that it counts by, and what tells it from others.
  [[nodiscard]] time_point time_of(scheduler& loop) const noexcept {
    return object_->time_of(loop);
  }
  [[nodiscard]] const void* id() const noexcept { return object_.get(); }

 private:
  [[nodiscard]] time_point time_here() const noexcept {
    PENSTOCK_ASSERT(scheduler::current(), "there is no loop here: give the time");
    return time_of(*scheduler::current());
  }

  std::shared_ptr<detail::retry_budget_object> object_;
};

}  // namespace penstock
