// penstock/resilience/detail/shed_object.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What the copies of a load_shed share: places, a queue for each priority, and the rule for who
/// has waited too long.

#include <penstock/base/intrusive_list.hpp>
#include <penstock/base/spin_lock.hpp>
#include <penstock/resilience/call_outcome.hpp>
#include <penstock/resilience/detail/codel_core.hpp>
#include <penstock/resilience/load_shed_options.hpp>
#include <penstock/resilience/observer.hpp>
#include <penstock/sync/event.hpp>

#include <cstddef>
#include <mutex>
#include <utility>

namespace penstock::detail {

enum class shed_refusal : unsigned char { none, full, late, closed };

// One that waits. It is in a queue exactly while nothing is decided.
struct shed_waiter : list_node {
  explicit shed_waiter(shed_priority p) noexcept : priority(p) {}
  event decided;
  time_point since{};
  shed_priority priority;
  shed_refusal why = shed_refusal::none;  // decided: none when it has a place
};

class shed_object {
 public:
  // `name` outlives it.
  shed_object(const load_shed_options& o, const char* name, observer<load_shed_event> on_event)
      : options_(o), name_(name), on_event_(std::move(on_event)), codel_(o.target, o.interval) {}
  shed_object(const shed_object&) = delete;
  shed_object& operator=(const shed_object&) = delete;
  ~shed_object() {
    PENSTOCK_ASSERT(!has_waiters(), "a load_shed is destroyed while calls wait");
    PENSTOCK_ASSERT(stats_.running == 0, "a load_shed is destroyed while its calls run");
  }

  // What becomes of a call now.
  enum class entry : unsigned char { runs, refused, waits };
  entry enter(shed_waiter& w) noexcept {
    const std::scoped_lock guard(*this);
    return enter_now(w);
  }
  // The same; when it waits, it is in its queue.
  template <class OnWait>
  entry enter_or_wait(shed_waiter& w, OnWait on_wait) noexcept {
    const std::scoped_lock guard(*this);
    const entry e = enter_now(w);
    if (e == entry::waits && on_wait()) join(w);
    return e;
  }
  // It waits no more, and gives back what it was given.
  void abandon(shed_waiter& w, time_point now) noexcept {
    const std::scoped_lock guard(*this);
    if (w.linked())
      take_out(w);
    else if (w.why == shed_refusal::none)
      free_place(now);
  }
  // It has waited for an interval.
  void expire(shed_waiter& w, time_point now) noexcept {
    const std::scoped_lock guard(*this);
    if (!w.linked()) return;  // decided at this instant
    static_cast<void>(codel_.waited(now - w.since, now));
    refuse(w, shed_refusal::late);
  }
  // A call that had a place has ended.
  void leave(time_point now) noexcept {
    const std::scoped_lock guard(*this);
    free_place(now);
  }
  void close() noexcept {
    const std::scoped_lock guard(*this);
    closed_ = true;
    for (auto& queue : queues_)
      while (shed_waiter* const first = queue.front()) refuse(*first, shed_refusal::closed);
  }

  [[nodiscard]] load_shed_stats stats() const noexcept {
    const std::scoped_lock guard(lock_);
    load_shed_stats all = stats_;
    all.waiting = waiting_.load(memory_order_relaxed);
    all.overloaded = codel_.standing();
    return all;
  }
  // Whether the time matters: somebody waits.
  [[nodiscard]] bool has_waiters() const noexcept {
    return waiting_.load(memory_order_relaxed) != 0;
  }
  [[nodiscard]] const char* name() const noexcept { return name_; }
  [[nodiscard]] duration interval() const noexcept { return options_.interval; }

  // It is its own lock: what has changed is told when that is left.
  void lock() noexcept { lock_.lock(); }
  void unlock() noexcept {
    if (told_ == codel_.standing()) [[likely]]
      return lock_.unlock();
    told_ = codel_.standing();
    const load_shed_event e{name_, told_, waiting_.load(memory_order_relaxed)};
    lock_.unlock();
    on_event_(e);
  }

 private:
  using shed_queue = intrusive_list<shed_waiter>;
  static constexpr std::size_t priorities = 4;

  // All below under the lock. Whoever is decided on is woken, by a post, under it: who waits may
  // be gone as soon as it is left.
  static std::size_t index(const shed_waiter& w) noexcept {
    return static_cast<std::size_t>(w.priority);
  }
  entry enter_now(shed_waiter& w) noexcept {
    if (closed_) return refused_now(w, shed_refusal::closed);
    if (!has_waiters() && stats_.running < options_.running) {
      static_cast<void>(codel_.waited(duration::zero(), w.since));
      ++stats_.running;
      ++stats_.admitted;
      return entry::runs;
    }
    return has_room(w) ? entry::waits : refused_now(w, shed_refusal::full);
  }
  entry refused_now(shed_waiter& w, shed_refusal why) noexcept {
    w.why = why;
    count_refusal(w);
    return entry::refused;
  }
  // Whether it may wait; with a full queue, in the place of one that matters less.
  [[nodiscard]] bool has_room(const shed_waiter& w) const noexcept {
    if (waiting_.load(memory_order_relaxed) < options_.waiting) return true;
    for (std::size_t i = priorities - 1; i > index(w); --i)
      if (!queues_[i].empty()) return true;
    return false;
  }
  // The last of the least important ones goes, when there are too many.
  void join(shed_waiter& w) noexcept {
    queues_[index(w)].push_back(w);
    count_waiters(1);
    if (waiting_.load(memory_order_relaxed) <= options_.waiting) return;
    for (std::size_t i = priorities; i-- > 0;)
      if (shed_waiter* const last = queues_[i].back()) return refuse(*last, shed_refusal::full);
  }
  void free_place(time_point now) noexcept {
    --stats_.running;
    for (auto& queue : queues_) {
      while (shed_waiter* const first = queue.front()) {
        if (stats_.running >= options_.running) return;
        if (!codel_.waited(now - first->since, now)) {
          refuse(*first, shed_refusal::late);
          continue;
        }
        take_out(*first);
        ++stats_.running;
        ++stats_.admitted;
        ++stats_.waited;
        first->decided.set();
      }
    }
  }
  void refuse(shed_waiter& w, shed_refusal why) noexcept {
    take_out(w);
    w.why = why;
    count_refusal(w);
    w.decided.set();
  }
  void take_out(shed_waiter& w) noexcept {
    queues_[index(w)].erase(w);
    count_waiters(-1);
  }
  void count_waiters(std::ptrdiff_t n) noexcept {
    waiting_.store(waiting_.load(memory_order_relaxed) + static_cast<std::size_t>(n),
                   memory_order_relaxed);
  }
  void count_refusal(const shed_waiter& w) noexcept {
    stats_.refused_full += w.why == shed_refusal::full;
    stats_.refused_late += w.why == shed_refusal::late;
    stats_.refused[index(w)] += w.why != shed_refusal::closed;
  }

  const load_shed_options options_;
  const char* const name_;
  const observer<load_shed_event> on_event_;
  mutable spin_lock lock_;
  atomic<std::size_t> waiting_{0};  // written under the lock, read as a hint
  bool closed_ = false;             // this and what follows guarded by the lock
  bool told_ = false;               // what the observer was told last
  codel_core codel_;
  shed_queue queues_[priorities];
  load_shed_stats stats_;
};

}  // namespace penstock::detail
