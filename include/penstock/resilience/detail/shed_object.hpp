// penstock/resilience/detail/shed_object.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What the copies of a load_shed share: places, a queue for each priority, and the rule for who
/// has waited too long.

#include <penstock/base/spin_lock.hpp>
#include <penstock/resilience/call_outcome.hpp>
#include <penstock/resilience/detail/codel_core.hpp>
#include <penstock/resilience/load_shed_options.hpp>
#include <penstock/resilience/observer.hpp>
#include <penstock/sync/detail/waiter_list.hpp>

#include <cstddef>
#include <utility>

namespace penstock::detail {

class shed_object {
 public:
  enum class refusal : unsigned char { none, full, late, closed };

  // `name` outlives it.
  shed_object(const load_shed_options& o, const char* name, observer<load_shed_event> on_event)
      : options_(o), name_(name), on_event_(std::move(on_event)), codel_(o.target, o.interval) {}
  shed_object(const shed_object&) = delete;
  shed_object& operator=(const shed_object&) = delete;
  ~shed_object() {
    PENSTOCK_ASSERT(!has_waiters(), "a load_shed is destroyed while calls wait");
    PENSTOCK_ASSERT(stats_.running == 0, "a load_shed is destroyed while its calls run");
  }

  // It is its own lock, for wake_section: what changed is told when that is left.
  void lock() noexcept { lock_.lock(); }
  void unlock() noexcept {
    if (told_ == codel_.standing()) [[likely]]
      return lock_.unlock();
    told_ = codel_.standing();
    const load_shed_event e{name_, told_, waiting_.load(memory_order_relaxed)};
    lock_.unlock();
    on_event_(e);
  }

  // A call that had a place has ended.
  void leave(time_point now) noexcept {
    wake_section section(*this);
    --stats_.running;
    serve(now, section.wake);
  }
  void close() noexcept;
  [[nodiscard]] load_shed_stats stats() const noexcept {
    lock_.lock();
    load_shed_stats all = stats_;
    all.waiting = waiting_.load(memory_order_relaxed);
    all.overloaded = codel_.standing();
    lock_.unlock();
    return all;
  }
  // Whether the time matters: somebody waits.
  [[nodiscard]] bool has_waiters() const noexcept {
    return waiting_.load(memory_order_relaxed) != 0;
  }
  [[nodiscard]] const char* name() const noexcept { return name_; }

 private:
  friend class shed_awaiter;

  static constexpr std::size_t priorities = 4;

  // All below under the lock.
  bool enter(time_point now) noexcept {
    if (has_waiters() || stats_.running >= options_.running) return false;
    static_cast<void>(codel_.waited(duration::zero(), now));
    ++stats_.running;
    ++stats_.admitted;
    return true;
  }
  // Whether one of `p` may wait; with a full queue, in the place of one that matters less.
  [[nodiscard]] bool has_room(shed_priority p) const noexcept {
    if (waiting_.load(memory_order_relaxed) < options_.waiting) return true;
    for (std::size_t i = priorities - 1; i > static_cast<std::size_t>(p); --i)
      if (!queues_[i].empty()) return true;
    return false;
  }
  void count_waiter(std::ptrdiff_t n) noexcept {
    waiting_.store(waiting_.load(memory_order_relaxed) + static_cast<std::size_t>(n),
                   memory_order_relaxed);
  }
  void serve(time_point now, wake_list& wake) noexcept;
  void make_room(wake_list& wake) noexcept;
  void refuse(parked_leaf& leaf, refusal why, wake_list& wake) noexcept;

  const load_shed_options options_;
  const char* const name_;
  const observer<load_shed_event> on_event_;
  mutable spin_lock lock_;
  atomic<std::size_t> waiting_{0};  // written under the lock, read as a hint
  bool closed_ = false;             // this and what follows guarded by the lock
  bool told_ = false;               // what the observer was told last
  codel_core codel_;
  waiter_list queues_[priorities];
  load_shed_stats stats_;
};

}  // namespace penstock::detail

#include <penstock/resilience/detail/shed_awaiter.hpp>
