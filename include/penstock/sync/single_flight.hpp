// penstock/sync/single_flight.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// One load for each key at a time, whose outcome all get who ask meanwhile. It keeps nothing
/// afterwards: that is a cache. One value without a key is a `lazy` (once.hpp).

#include <penstock/base/assert.hpp>
#include <penstock/base/intrusive_list.hpp>
#include <penstock/base/result.hpp>
#include <penstock/base/scope_exit.hpp>
#include <penstock/core/finally.hpp>
#include <penstock/core/task_group.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/when_any.hpp>
#include <penstock/sync/event.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <unordered_map>
#include <utility>

namespace penstock {

/// Options of `single_flight`.
struct single_flight_options {
  /// A load that nobody waits for any more is stopped; else it goes on, and late comers join it.
  bool cancel_abandoned = false;
};
static_assert(std::is_trivially_copyable_v<single_flight_options>);

namespace detail {
// Whether `root` is among those that the present task completes into.
class is_inside {
 public:
  explicit is_inside(const waiter* root) noexcept : root_(root) {}
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> h) noexcept {
    me_ = &static_cast<waiter&>(h.promise());
    return false;
  }
  handle start(waiter& w) noexcept {
    me_ = &w;
    return completed(w);
  }
  // The present task itself is told, for whoever asks for no other.
  const waiter* await_resume() const noexcept {
    if (!root_) return me_;
    for (const waiter* w = me_; w; w = w->parent)
      if (w == root_) return w;
    return nullptr;
  }

 private:
  const waiter* root_;
  const waiter* me_ = nullptr;
};
}  // namespace detail

/// Loads by key, each key once at a time.
///
/// **Shape.** for each key: nothing -> run() starts a flight -> others join -> the load ends: all
/// get a copy of its outcome -> nothing.
/// **Parameters.** `Value` - copied to each who waits.
/// **Ordering.** who comes while a flight is on joins it; after `forget` of its key, starts
/// another.
/// **Thread-safety.** any thread, the same object too. A load runs on the loop of the one that
/// started it, in its service scope.
/// **Complexity.** O(1); a flight allocates its record, a coroutine and a place in the table.
/// **Lifetime.** outlives its runs; destroying it before they are over asserts: `co_await close()`
/// first.
/// **Example.** @snippet tests/sync/single_flight_test.cpp single_flight
/// **See also.** `lazy`. After Go's x/sync `singleflight`.
template <class Key, class Value, class Hash = std::hash<Key>>
class single_flight {
 public:
  single_flight() noexcept = default;
  explicit single_flight(single_flight_options o) noexcept : options_(o) {}
  single_flight(const single_flight&) = delete;
  single_flight& operator=(const single_flight&) = delete;
  ~single_flight() {
    const std::lock_guard lock(mutex_);
    PENSTOCK_ASSERT(all_.empty() && inside_ == 0,
                    "a single_flight is destroyed while loads are in flight: close() it");
  }

  /// The outcome of the flight of `key`; without one, starts `load()` as one.
  ///
  /// **Parameters.** `load` - a callable that returns an awaitable of `result<Value>` or `Value`;
  /// copied into the flight, which outlives this call: what it captures by reference has to, too.
  /// On g++ 12 a temporary closure must be trivially copyable: else name it.
  /// **Result.** `result<Value>`, a copy.
  /// **Errors.** those of the load, to all; its exception likewise. `errc::would_deadlock` when a
  /// load asks for its own key itself (loads that ask for one another's keys wait for ever);
  /// `errc::canceled` when the loop that the load ran on has ended; `errc::closed`.
  /// **Suspends.** until the load is over.
  /// **Cancellation.** leaves the flight: neither the one that started it nor a follower stops it
  /// for the others; with `cancel_abandoned` the last to leave does.
  template <class Load>
  [[nodiscard]] task<result<Value>> run(Key key, Load&& load) {
    detail::check_closure<Load>();
    return join(std::move(key), std::decay_t<Load>(std::forward<Load>(load)));
  }
  /// Who comes from now on does not join the flight of `key` that is on, if there is one: its key
  /// is out of date. Who waits for it still gets its outcome.
  void forget(const Key& key) {
    const std::lock_guard lock(mutex_);
    flights_.erase(key);
  }
  /// Refuses later runs, stops what is in flight and waits until all runs are over.
  ///
  /// **Suspends.** until then.
  /// **Cancellation.** they end all the same.
  [[nodiscard]] task<> close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      for (flight& f : all_) f.abandoned.set();
      tell_if_empty();
    }
    co_await empty_.wait();
  }

  /// Loads that are in flight.
  [[nodiscard]] std::size_t in_flight() const {
    const std::lock_guard lock(mutex_);
    return flying_;
  }

 private:
  struct flight : detail::list_node {
    event done{"single_flight::run"};
    event abandoned;
    std::size_t waiting = 0;               // guarded by the mutex
    const waiter* root = nullptr;          // the load's task; the same
    std::optional<result<Value>> outcome;  // written before `done`
    std::exception_ptr thrown;
  };
  using shared_flight = std::shared_ptr<flight>;

  template <class Load>
  task<result<Value>> join(Key key, Load load) {
    shared_flight f;
    bool mine = false;
    const waiter* root = nullptr;
    {
      const std::lock_guard lock(mutex_);
      if (closed_) co_return fail(errc::closed, "single_flight::run");
      const auto at = flights_.find(key);
      if (at != flights_.end()) {
        f = at->second;
      } else {
        f = std::make_shared<flight>();
        flights_.emplace(key, f);
        all_.push_back(*f);  // nothing throws from here on
        ++flying_;
        empty_.reset();
        mine = true;
      }
      root = f->root;
      ++f->waiting;
      ++inside_;
    }
    const scope_exit left{[&] { leave(key, f); }};
    if (mine) {
      task_group& services = co_await this_task::services();
      try {
        services.start(&single_flight::fly<Load>, this, key, f, std::move(load));
      } catch (...) {
        f->thrown = std::current_exception();
        landed(key, *f);
      }
    } else if (root && co_await detail::is_inside(root)) {
      co_return fail(errc::would_deadlock, "single_flight::run", "a load of the same key");
    }
    co_await f->done.wait();
    if (f->thrown) std::rethrow_exception(f->thrown);
    co_return *f->outcome;
  }
  // The last to leave may stop it: then nobody joins it any more.
  void leave(const Key& key, const shared_flight& f) noexcept {
    {
      const std::lock_guard lock(mutex_);
      --inside_;
      tell_if_empty();
      if (--f->waiting != 0 || !options_.cancel_abandoned) return;
      close_to_others(key, *f);
    }
    f->abandoned.set();
  }
  // Under the mutex.
  void close_to_others(const Key& key, const flight& f) noexcept {
    const auto at = flights_.find(key);
    if (at != flights_.end() && at->second.get() == &f) flights_.erase(at);
  }

  // The flight itself, in the service scope. However it ends, all are told.
  template <class Load>
  static task<> fly(single_flight* self, Key key, shared_flight f, Load load) {
    const scope_exit ended{[&] { self->landed(key, *f); }};
    const waiter* const me = co_await detail::is_inside(nullptr);
    {
      const std::lock_guard lock(self->mutex_);
      f->root = me;
    }
    try {
      auto first = co_await when_any(outcome_of(load), f->abandoned.wait());
      if (auto* r = std::get_if<result<Value>>(&first.value))
        f->outcome.emplace(std::move(*r));
      else if (auto& late = std::get<0>(first.losers))
        f->outcome.emplace(std::move(*late));
    } catch (...) {
      f->thrown = std::current_exception();
    }
  }
  template <class Load>
  static task<result<Value>> outcome_of(Load& load) {
    co_return co_await load();
  }
  void landed(const Key& key, flight& f) noexcept {
    if (!f.outcome && !f.thrown)
      f.outcome.emplace(fail(errc::canceled, "single_flight::run", "the load was stopped"));
    {
      const std::lock_guard lock(mutex_);
      close_to_others(key, f);
      all_.erase(f);
      --flying_;
      tell_if_empty();
    }
    f.done.set();  // the flight is its task's, still: this may be gone by then
  }
  // Under the mutex. Who is told may destroy this once the mutex is free.
  void tell_if_empty() noexcept {
    if (flying_ == 0 && inside_ == 0) empty_.set();
  }

  const single_flight_options options_;
  mutable std::mutex mutex_;                              // never held across an await
  std::unordered_map<Key, shared_flight, Hash> flights_;  // that can be joined; guarded by mutex_
  detail::intrusive_list<flight> all_;                    // the same
  std::size_t flying_ = 0;                                // how many they are
  std::size_t inside_ = 0;                                // runs that are not over
  bool closed_ = false;                                   // the same
  event empty_;
};

}  // namespace penstock
