// penstock/resilience/bulkhead.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// So many calls at once, and so many that wait: what one dependency can hold of a service. Where
/// the right number is not known adaptive_limit.hpp; by the time that calls wait load_shed.hpp.

#include <penstock/base/scope_exit.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/resilience/detail/admitted_call.hpp>
#include <penstock/resilience/observer.hpp>
#include <penstock/resilience/policy.hpp>
#include <penstock/sync/semaphore.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace penstock {

/// Options of `bulkhead`.
struct bulkhead_options {
  std::size_t max_calls = 25;             ///< at once; at least 1
  std::size_t max_waiting = 0;            ///< that wait for a place; with 0 nobody waits
  duration max_wait = (duration::max)();  ///< of each of them; more than 0
};
static_assert(std::is_trivially_copyable_v<bulkhead_options>);
[[nodiscard]] inline result<> validate(const bulkhead_options& o) {
  if (o.max_calls == 0) return fail(errc::invalid_option, "bulkhead_options", "max_calls is 0");
  if (o.max_calls > semaphore::max_permits)
    return fail(errc::invalid_option, "bulkhead_options", "max_calls is too large");
  if (o.max_wait <= duration::zero())
    return fail(errc::invalid_option, "bulkhead_options", "max_wait is zero or less");
  return {};
}

/// What a bulkhead has seen.
struct bulkhead_stats {
  std::size_t max_calls = 0;
  std::size_t running = 0;         ///< now
  std::size_t waiting = 0;         ///< now
  std::uint64_t admitted = 0;      ///< in all, those that waited too
  std::uint64_t waited = 0;        ///< and were admitted then
  std::uint64_t refused_full = 0;  ///< too many waited
  std::uint64_t refused_late = 0;  ///< `max_wait` passed
};

/// A call was refused.
struct bulkhead_event {
  std::string_view name;
  bool waited = false;  ///< for `max_wait`; else there was no room to wait
};

namespace detail {
class bulkhead_object {
 public:
  bulkhead_object(const bulkhead_options& o, const char* name, observer<bulkhead_event> on_event)
      : options_(o),
        name_(name),
        on_event_(std::move(on_event)),
        places_(o.max_calls, {.name = name}) {
    if (auto valid = validate(o); !valid) stop_program(valid.error().message().c_str());
  }

  std::optional<semaphore_permit> try_enter() noexcept {
    auto place = places_.try_acquire();
    if (place) add_one(admitted_);
    return place;
  }
  task<result<semaphore_permit>> enter() {
    if (waiting_.fetch_add(1, memory_order_relaxed) >= options_.max_waiting) {
      waiting_.fetch_sub(1, memory_order_relaxed);
      if (places_.closed()) co_return fail(errc::closed, name_);
      co_return refuse(refused_full_, false, "no room to wait");
    }
    const scope_exit leave([this]() noexcept { waiting_.fetch_sub(1, memory_order_relaxed); });
    auto place = co_await with_timeout(options_.max_wait, places_.acquire());
    if (place) {
      add_one(admitted_);
      add_one(waited_);
    } else if (place.error() == errc::timed_out) {
      co_return refuse(refused_late_, true, "waited too long");
    }
    co_return place;
  }
  semaphore& places() noexcept { return places_; }
  [[nodiscard]] const char* name() const noexcept { return name_; }
  [[nodiscard]] bulkhead_stats stats() const noexcept {
    bulkhead_stats s;
    s.max_calls = places_.capacity();
    const std::size_t free = places_.available();
    s.running = free < s.max_calls ? s.max_calls - free : 0;
    s.waiting = waiting_.load(memory_order_relaxed);
    s.admitted = admitted_.load(memory_order_relaxed);
    s.waited = waited_.load(memory_order_relaxed);
    s.refused_full = refused_full_.load(memory_order_relaxed);
    s.refused_late = refused_late_.load(memory_order_relaxed);
    return s;
  }

 private:
  using counter = atomic<std::uint64_t>;
  static void add_one(counter& c) noexcept { c.fetch_add(1, memory_order_relaxed); }
  tl::unexpected<error> refuse(counter& c, bool waited, const char* why) noexcept {
    add_one(c);
    on_event_({name_, waited});
    return fail(errc::overloaded, name_, why);
  }

  const bulkhead_options options_;
  const char* const name_;
  const observer<bulkhead_event> on_event_;
  semaphore places_;
  atomic<std::size_t> waiting_{0};
  counter admitted_{0}, waited_{0}, refused_full_{0}, refused_late_{0};
};

// A place in a bulkhead, for `admitted_call`.
struct bulkhead_permit {
  static constexpr bool exact_time = false;
  semaphore_permit place;
  void ended(call_outcome, time_point) noexcept { const semaphore_permit gone(std::move(place)); }
};
}  // namespace detail

/// Bounds how many calls run at once, as a policy.
///
/// **Shape.** call -> a place, or a wait of at most `max_wait` for one, or a refusal.
/// **Result.** the operation's own.
/// **Errors.** `errc::overloaded`, naming it and why; `errc::closed` after `close()`; invalid
/// options stop the program, naming the option.
/// **Suspends.** while all places are taken, if it may wait; then as the operation does.
/// **Cancellation.** a wait that is stopped takes no place; a call that is stopped gives it back.
/// **Ordering.** first come, first served.
/// **Thread-safety.** any thread, the same object too. Copies are the same bulkhead.
/// **Complexity.** two atomic read-modify-writes and a counter; a wait costs a frame from the
/// recycler; a refusal allocates the text of its error.
/// **Lifetime.** a handle; the last copy outlives the calls.
/// **Example.** @snippet tests/resilience/bulkhead_test.cpp bulkhead
/// **See also.** `semaphore`, `adaptive_limit`, `load_shed`.
class bulkhead : public policy_base<bulkhead> {
 public:
  /// **Parameters.** `name` - in errors and events, a string literal; `on_event` - told refusals.
  explicit bulkhead(const bulkhead_options& o = {}, const char* name = "bulkhead",
                    observer<bulkhead_event> on_event = {})
      : object_(std::make_shared<detail::bulkhead_object>(o, name, std::move(on_event))) {}

  /// For `policy_base`.
  template <policy_operation Fn>
  [[nodiscard]] auto run(Fn fn) const {
    return detail::admitted_call(*this, default_classifier{}, std::move(fn));
  }

  /// Changes how many may run at once, at least 1. Calls that run go on.
  void resize(std::size_t max_calls) const noexcept {
    PENSTOCK_ASSERT(max_calls != 0, "a bulkhead lets at least one call in");
    object_->places().resize(max_calls);
  }
  /// Ends all waits, and later calls at once, with `errc::closed`. What runs ends as it does.
  void close() const noexcept { object_->places().close(); }
  [[nodiscard]] bulkhead_stats stats() const noexcept { return object_->stats(); }
  [[nodiscard]] std::string_view name() const noexcept { return object_->name(); }

  /// For `detail::admitted_call`.
  [[nodiscard]] std::optional<result<detail::bulkhead_permit>> try_admit(
      const environment&) const noexcept {
    auto place = object_->try_enter();
    if (!place) return std::nullopt;
    return result<detail::bulkhead_permit>(detail::bulkhead_permit{*std::move(place)});
  }
  /// The same, when that has found no place.
  [[nodiscard]] auto admit(const environment&) const { return wait_in(*object_); }

 private:
  static task<result<detail::bulkhead_permit>> wait_in(detail::bulkhead_object& o) {
    auto place = co_await o.enter();
    if (!place) co_return tl::unexpected<error>(std::move(place).error());
    co_return detail::bulkhead_permit{*std::move(place)};
  }

  std::shared_ptr<detail::bulkhead_object> object_;
};

}  // namespace penstock
