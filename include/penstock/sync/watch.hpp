// penstock/sync/watch.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The newest value of something that changes: settings, a state, a progress. Whoever must see
/// every value takes a broadcast.hpp.

#include <penstock/base/assert.hpp>
#include <penstock/base/result.hpp>
#include <penstock/base/scope_exit.hpp>
#include <penstock/sync/detail/waiter_list.hpp>
#include <penstock/sync/local.hpp>
#include <penstock/sync/thread_safe.hpp>

#include <cstdint>
#include <type_traits>
#include <utility>

namespace penstock {

template <class T, class Policy>
class basic_watcher;

/// A value, and tasks that are told when it changes.
///
/// **Shape.** a value and its version -> set() -> the next one -> close(): the last one stays.
/// **Parameters.** `T` - copied to those who read, under a lock: what is large, or slow to copy,
/// goes into a `std::shared_ptr<const T>`.
/// **Ordering.** a watcher sees the newest value, not each of them; never an older one than before.
/// **Thread-safety.** any thread, the same object too.
/// **Memory order.** set() synchronises-with what sees its version.
/// **Complexity.** set() O(those who wait), the rest O(1); no allocation but what copies of `T`
/// allocate.
/// **Lifetime.** outlives its watchers; destroying it while tasks wait asserts: `close()` first.
/// **Example.** @snippet tests/sync/watch_test.cpp watch
/// **See also.** `broadcast`, `event`, `shared_mutex`.
template <class T, class Policy>
class basic_watch {
 public:
  using value_type = T;
  using watcher = basic_watcher<T, Policy>;

  /// **Parameters.** `name` - in dumps and errors; outlives the watch: a string literal.
  explicit basic_watch(T value, const char* name = "watch::changed")
      : value_(std::move(value)), name_(name) {}
  basic_watch(const basic_watch&) = delete;
  basic_watch& operator=(const basic_watch&) = delete;
  ~basic_watch() {
    lock_.lock();
    PENSTOCK_ASSERT(waiters_.empty(), "a watch is destroyed while tasks wait: close() it");
  }

  /// Puts a new value in the place of the old one and tells all who wait.
  void set(T value) {
    modify([&](T& now) { std::swap(now, value); });  // the old one goes without the lock
  }
  /// Changes the value in place, `change(T&)` under a lock, and tells all who wait; also when it
  /// throws, which passes through: the value may have changed.
  template <class Change>
  void modify(Change&& change) {
    modify_if([&](T& now) {
      change(now);
      return true;
    });
  }
  /// The same if `change` returns true: else nobody is told. The result is that.
  template <class Change>
  bool modify_if(Change&& change) {
    detail::wake_section section(lock_);
    bool changed = true;  // unless it says that it has not
    const scope_exit told([&] {
      if (changed) tell(section.wake);
    });
    changed = change(value_);
    return changed;
  }

  /// A copy of the value.
  [[nodiscard]] T get() const {
    detail::wake_section section(lock_);
    return value_;
  }
  /// Counts the changes; 0 at first.
  [[nodiscard]] std::uint64_t version() const noexcept {
    return version_.load(detail::memory_order_acquire);
  }
  /// One who watches from now on: has seen the present value.
  [[nodiscard]] watcher subscribe() noexcept { return watcher(*this, version()); }

  /// There will be no other value: ends all waits, and later ones, with `errc::closed`.
  void close() noexcept {
    detail::wake_section section(lock_);
    closed_ = true;
    while (auto* const first = waiters_.pop_front()) section.wake.push(*first);
  }
  [[nodiscard]] bool closed() const noexcept {
    detail::wake_section section(lock_);
    return closed_;
  }

 private:
  friend watcher;

  // Under the lock.
  void tell(detail::wake_list& wake) noexcept {
    version_.store(version_.load(detail::memory_order_relaxed) + 1, detail::memory_order_release);
    while (auto* const first = waiters_.pop_front()) wake.push(*first);
  }

  mutable typename Policy::lock lock_;
  bool closed_ = false;  // these are guarded by lock_; version_ is written under it
  typename Policy::template atomic<std::uint64_t> version_{0};
  T value_;
  detail::waiter_list waiters_;
  const char* name_;
};

/// One who watches: remembers which value it has seen. Copies remember for themselves.
///
/// **Thread-safety.** distinct: safe; same object: one task.
/// **Complexity.** 16 bytes.
/// **Lifetime.** the watch outlives it, and it outlives its wait.
template <class T, class Policy>
class basic_watcher {
 public:
  class changed_awaiter;

  basic_watcher(basic_watch<T, Policy>& w, std::uint64_t seen) noexcept : watch_(&w), seen_(seen) {}

  /// Waits for a value that this watcher has not seen; it counts as seen then.
  ///
  /// **Result.** `result<>`.
  /// **Errors.** `errc::closed` when there will be none; a change that came before the end is told
  /// first.
  /// **Suspends.** unless there is one already; resumes on the waiting task's loop.
  /// **Cancellation.** ends at once; the change is there for the next wait.
  [[nodiscard]] changed_awaiter changed() noexcept { return changed_awaiter(*this); }
  /// Whether there is a value that this watcher has not seen.
  [[nodiscard]] bool has_changed() const noexcept { return watch_->version() != seen_; }
  /// A copy of the value, which counts as seen.
  [[nodiscard]] T get() {
    detail::wake_section section(watch_->lock_);
    seen_ = watch_->version();
    return watch_->value_;
  }

 private:
  basic_watch<T, Policy>* watch_;
  std::uint64_t seen_;
};

/// The awaiter of `changed()`.
template <class T, class Policy>
class [[nodiscard]] basic_watcher<T, Policy>::changed_awaiter
    : public detail::primitive_leaf<changed_awaiter> {
 public:
  explicit changed_awaiter(basic_watcher& w) noexcept : watcher_(&w) {}

  bool await_ready() const noexcept { return watcher_->has_changed(); }
  [[nodiscard]] result<> await_resume() noexcept {
    this->end();
    if (!watcher_->has_changed()) return fail(errc::closed, what());
    watcher_->seen_ = watcher_->watch_->version();
    return {};
  }

 private:
  friend detail::primitive_leaf<changed_awaiter>;

  bool try_now(detail::wake_list&) const noexcept {
    return watcher_->has_changed() || watcher_->watch_->closed_;
  }
  auto& lock() noexcept { return watcher_->watch_->lock_; }
  detail::waiter_list& list() noexcept { return watcher_->watch_->waiters_; }
  const char* what() const noexcept { return watcher_->watch_->name_; }
  const void* object() const noexcept { return watcher_->watch_; }

  basic_watcher* watcher_;
};

/// The watch of tasks on any loops.
template <class T>
using watch = basic_watch<T, thread_safe>;
namespace local {
/// The watch of tasks of one loop.
template <class T>
using watch = basic_watch<T, one_loop>;
}  // namespace local

}  // namespace penstock
