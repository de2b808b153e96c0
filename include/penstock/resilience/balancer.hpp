// penstock/resilience/balancer.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Spreads calls over several endpoints that do the same, and leaves out for a while what fails.

#include <penstock/base/spin_lock.hpp>
#include <penstock/core/scheduler.hpp>
#include <penstock/resilience/detail/admitted_call.hpp>
#include <penstock/resilience/detail/balance_core.hpp>
#include <penstock/resilience/detail/checked_options.hpp>
#include <penstock/resilience/observer.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace penstock {
namespace detail {
template <class Endpoint>
struct balanced_endpoint : balance_node {
  explicit balanced_endpoint(Endpoint e) : endpoint(std::move(e)) {}
  Endpoint endpoint;
};
struct balancer_object {
  balancer_object(const balancer_options& o, const char* n, observer<balancer_event> f)
      : name(n), on_event(std::move(f)), core(o) {}
  const char* const name;
  const observer<balancer_event> on_event;
  spin_lock lock;
  balance_core core;  // this and what follows guarded by the lock, the nodes too
  std::uint64_t last = 0;

  void ended(balance_node& n, call_outcome how, time_point began, time_point now) noexcept {
    lock.lock();
    const duration out = core.ended(n, how, began, now);
    lock.unlock();
    if (out != duration::zero()) on_event({name, n.seen.endpoint, out});
  }
};
}  // namespace detail

/// One call of an endpoint: tells the balancer how it ended. Destroyed without that, the call was
/// canceled.
///
/// **Thread-safety.** distinct: safe; same object: one owner.
/// **Lifetime.** the endpoint lives as long, also when it was removed meanwhile.
template <class Endpoint>
class [[nodiscard]] balancer_lease {
  using node = detail::balanced_endpoint<Endpoint>;

 public:
  static constexpr bool exact_time = true;

  balancer_lease(balancer_lease&& o) noexcept = default;
  balancer_lease& operator=(balancer_lease&& o) noexcept {
    balancer_lease old(std::move(*this));
    object_ = std::move(o.object_);
    node_ = std::move(o.node_);
    began_ = o.began_;
    return *this;
  }
  ~balancer_lease() {
    if (node_) ended(call_outcome::canceled, began_);
  }

  [[nodiscard]] Endpoint& operator*() const noexcept { return node_->endpoint; }
  [[nodiscard]] Endpoint* operator->() const noexcept { return &node_->endpoint; }
  /// The endpoint's number.
  [[nodiscard]] std::uint64_t endpoint() const noexcept { return node_->seen.endpoint; }
  /// The call has ended so, at that time of the loop. Once.
  void ended(call_outcome how, time_point now) noexcept {
    const auto n = std::exchange(node_, nullptr);
    object_->ended(*n, how, began_, now);
  }

 private:
  template <class>
  friend class balancer;
  balancer_lease(std::shared_ptr<detail::balancer_object> o, std::shared_ptr<node> n,
                 time_point began) noexcept
      : object_(std::move(o)), node_(std::move(n)), began_(began) {}

  std::shared_ptr<detail::balancer_object> object_;
  std::shared_ptr<node> node_;  // null: it was told
  time_point began_;
};

/// Endpoints, and which of them gets the next call.
///
/// **Shape.** pick -> call -> outcome -> the next pick knows more; failures in a row -> left out
/// for a while -> back.
/// **Parameters.** `Endpoint` - whatever a call needs: an address, a client.
/// **Errors.** `errc::exhausted` when there is no endpoint; invalid options stop the program,
/// naming the option.
/// **Suspends.** `pick` never; `call` as what it calls.
/// **Cancellation.** a call that is stopped is not counted; one that a deadline ends has failed.
/// **Thread-safety.** any thread, the same object too. Copies are the same balancer; the observer
/// is called without a lock.
/// **Complexity.** O(endpoints) under a short lock; no allocation but in `add`.
/// **Lifetime.** a handle; leases keep what they need.
/// **Example.** @snippet tests/resilience/balancer_test.cpp balancer
/// **See also.** `circuit_breakers`, `retry`, `hedge`.
template <class Endpoint>
class balancer {
  using node = detail::balanced_endpoint<Endpoint>;

 public:
  using lease = balancer_lease<Endpoint>;

  /// **Parameters.** `name` - in errors and events, a string literal; `on_event` - told which
  /// endpoint is left out, and for how long.
  explicit balancer(const balancer_options& o = {}, const char* name = "balancer",
                    observer<balancer_event> on_event = {})
      : object_(std::make_shared<detail::balancer_object>(detail::checked_options(o), name,
                                                          std::move(on_event))),
        nodes_(std::make_shared<std::vector<std::shared_ptr<node>>>()) {}

  /// Adds one; gives its number, from 1. Inside of a task, or with the loop's time.
  std::uint64_t add(Endpoint e) const { return add(std::move(e), now_here()); }
  std::uint64_t add(Endpoint e, time_point now) const {
    auto added = std::make_shared<node>(std::move(e));
    const std::scoped_lock guard(object_->lock);
    nodes_->reserve(nodes_->size() + 1);
    object_->core.add(*added, now);
    added->seen.endpoint = ++object_->last;
    nodes_->push_back(added);
    return added->seen.endpoint;
  }
  /// Removes one: it gets no more calls, those under way end as they do. False: there is none.
  bool remove(std::uint64_t endpoint) const {
    std::shared_ptr<node> removed;  // destroyed without the lock
    const std::scoped_lock guard(object_->lock);
    for (auto at = nodes_->begin(); at != nodes_->end(); ++at) {
      if ((*at)->seen.endpoint != endpoint) continue;
      object_->core.remove(**at);
      removed = std::move(*at);
      nodes_->erase(at);
      return true;
    }
    return false;
  }

  /// The endpoint for one call. Inside of a task, or with the loop's time and randomness.
  ///
  /// **Parameters.** `avoided` - the number of one that is taken only when there is no other.
  [[nodiscard]] result<lease> pick(std::uint64_t avoided = 0) const {
    return pick(now_here(), scheduler::current()->random(), avoided);
  }
  [[nodiscard]] result<lease> pick(time_point now, random_engine& random,
                                   std::uint64_t avoided = 0) const {
    std::shared_ptr<node> picked;
    {
      const std::scoped_lock guard(object_->lock);
      const auto by_number = [&](std::uint64_t number) -> std::shared_ptr<node> {
        for (const auto& n : *nodes_)
          if (n->seen.endpoint == number) return n;
        return nullptr;
      };
      const auto other = avoided ? by_number(avoided) : nullptr;
      if (detail::balance_node* const n = object_->core.pick(now, random, other.get()))
        picked = by_number(n->seen.endpoint);
    }
    if (!picked) return fail(errc::exhausted, object_->name, "no endpoint");
    return lease(object_, std::move(picked), now);
  }

  /// An operation for policies: each call of it picks an endpoint and gives `fn(endpoint)`; the one
  /// that has failed in the attempt before is avoided.
  ///
  /// **Parameters.** `fn` - from `Endpoint&` to an awaitable of a `result`. `judge` - tells its
  /// results apart.
  /// **Lifetime.** the operation outlives its calls; it has a copy of the balancer.
  template <class Fn, outcome_classifier Judge = default_classifier>
  [[nodiscard]] auto operation(Fn fn, Judge judge = {}) const {
    return [self = *this, fn = std::move(fn), judge = std::move(judge),
            failed = std::uint64_t{0}]() mutable { return self.call_one(fn, judge, failed); };
  }
  /// One call: `co_await b.call(fn)`.
  template <class Fn>
  [[nodiscard]] auto call(Fn fn) const {
    return call_kept(*this, std::move(fn));
  }

  [[nodiscard]] std::vector<endpoint_stats> stats() const { return stats(now_here()); }
  [[nodiscard]] std::vector<endpoint_stats> stats(time_point now) const {
    std::vector<endpoint_stats> all;
    const std::scoped_lock guard(object_->lock);
    for (const auto& n : *nodes_) {
      all.push_back(n->seen);
      all.back().ejected = detail::balance_core::is_ejected(*n, now);
    }
    return all;
  }
  [[nodiscard]] std::string_view name() const noexcept { return object_->name; }

 private:
  template <class Fn>
  using result_of = await_result_t<std::invoke_result_t<Fn&, Endpoint&>>;

  static time_point now_here() noexcept {
    PENSTOCK_ASSERT(scheduler::current(), "there is no loop here: give the time");
    return scheduler::current()->now();
  }
  // `self`, `fn`, `judge` and `failed` are the operation's.
  template <class Fn, class Judge>
  task<result_of<Fn>> call_one(Fn& fn, const Judge& judge, std::uint64_t& failed) const {
    const environment& env = co_await this_task::env();
    auto picked = pick(env.sched->now(), env.sched->random(), failed);
    if (!picked) co_return tl::unexpected<error>(std::move(picked).error());
    const std::uint64_t number = picked->endpoint();
    failed = number;  // unless it ends otherwise
    Endpoint& endpoint = **picked;
    detail::admitted call(std::move(*picked), env);
    try {
      result_of<Fn> answer = co_await std::invoke(fn, endpoint);
      const call_outcome how = detail::classify(judge, answer);
      failed = how == call_outcome::failure ? number : 0;
      call.ended(how);
      co_return answer;
    } catch (...) {
      call.ended(call_outcome::failure);
      throw;
    }
  }
  template <class Fn>
  static task<result_of<Fn>> call_kept(balancer self, Fn fn) {
    std::uint64_t failed = 0;
    const default_classifier judge;
    co_return co_await self.call_one(fn, judge, failed);
  }

  std::shared_ptr<detail::balancer_object> object_;
  std::shared_ptr<std::vector<std::shared_ptr<node>>> nodes_;  // guarded by the object's lock
};

}  // namespace penstock
