// penstock/core/scheduler.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The abstract scheduler that every loop implements: a ready queue that other threads may post to,
/// timers, the clock, randomness, and a place for blocking work. User code reaches it through
/// tasks; who writes a loop derives from it (runtime/ and test/ do).

#include <penstock/base/assert.hpp>
#include <penstock/base/atomic.hpp>
#include <penstock/base/clock.hpp>
#include <penstock/base/random.hpp>
#include <penstock/core/waiter.hpp>

#include <cstdint>

namespace penstock {
class driver;

namespace detail {
// Timers of one instant fire in this order; within one phase in the order they were added.
enum class timer_phase : unsigned char { leaf, scope };

struct timer_link {
  timer_link* after = nullptr;
  timer_link* before = nullptr;
};
// An intrusive timer: in an awaiter or a scope. Belongs to one loop, which fires it there, once.
class timer : public timer_link {
 public:
  timer() noexcept = default;
  timer(const timer&) = delete;
  timer& operator=(const timer&) = delete;
  // On the loop, no longer armed. Must not throw, resume or destroy: it posts or requests a stop.
  virtual void on_time() noexcept = 0;

  time_point at{};
  std::uint64_t order = 0;     // the loop's: phase in the top byte, then a sequence number
  timer_link* back = nullptr;  // the loop's, as after and before
  timer_phase phase = timer_phase::leaf;
  bool armed = false;  // the loop's

 protected:
  ~timer() = default;
};

// Blocking or long work for the cpu pool; the awaiter that holds it waits until done() was called.
class offload_item {
 public:
  virtual void run() noexcept = 0;  // on a pool thread
  duration virtual_cost{};          // what the test runtime's clock advances by

 protected:
  ~offload_item() = default;
};
}  // namespace detail

/// What a clock that is read cheaply says: it is now between these times.
struct about_now {
  time_point earliest;
  time_point latest;
};

/// A loop, as tasks see it.
///
/// **Shape.** ready queue (FIFO) + timers + clock; one thread runs it at a time.
/// **Thread-safety.** post() and post_stopped() from any thread; all else on the loop's own thread.
/// **Complexity.** a post is O(1), allocates nothing and cannot fail: the node is in the waiter.
class scheduler {
 public:
  scheduler(const scheduler&) = delete;
  scheduler& operator=(const scheduler&) = delete;

  /// Monotonic time of this loop.
  virtual time_point now() noexcept = 0;
  /// Calendar time of this loop: for cron, signatures, logs.
  virtual wall_time wall_now() noexcept = 0;
  /// The time of `now()`, to a few milliseconds, for a tenth of its cost; exact in a test runtime.
  virtual about_now about() noexcept {
    const time_point t = now();
    return {t, t};
  }
  virtual void add_timer(detail::timer& t) noexcept = 0;
  /// Adds `t` for `d` from now, or from the end of the loop's present turn; sets `t.at`, if not at
  /// once.
  virtual void add_timer_in(detail::timer& t, duration d) noexcept {
    t.at = add_saturated(now(), d);
    add_timer(t);
  }
  virtual void cancel_timer(detail::timer& t) noexcept = 0;
  /// Runs `item` on the cpu pool. May be called from the loop's thread only.
  virtual void offload(detail::offload_item& item) noexcept = 0;

  /// What executes I/O for this loop (runtime/driver.hpp), or null: this loop has no I/O.
  [[nodiscard]] driver* io_driver() const noexcept { return driver_; }
  /// For who writes a loop: not while I/O is in flight.
  void set_io_driver(driver* d) noexcept { driver_ = d; }
  /// Randomness of this loop: seeded in tests.
  random_engine& random() noexcept { return random_; }

  /// Makes `w` run on this loop as completed; its turn comes after what is ready now.
  void post(waiter& w) noexcept { push(w, 0); }
  /// The same, by the loop's own thread.
  void post_here(waiter& w) noexcept {
    PENSTOCK_ASSERT(current_ == this, "on the loop's own thread only");
    push_here(w, reinterpret_cast<std::uintptr_t>(&w));
  }
  /// The same as post(), as stopped: what it awaits is unwound up to the nearest scope.
  void post_stopped(waiter& w) noexcept { push(w, stopped_bit); }

  /// Whether nothing is ready: what runs now is the only one. On the loop's own thread.
  [[nodiscard]] bool idle() const noexcept { return head_ == 0; }

  /// The loop that runs on this thread, or null.
  static scheduler* current() noexcept { return current_; }

 protected:
  static constexpr std::uintptr_t stopped_bit = 1;

  explicit scheduler(std::uint64_t seed = 0) noexcept : random_(seed) {}
  ~scheduler() = default;

  // Wakes the loop from its sleep; called by a foreign thread, once per sleep.
  virtual void wake() noexcept = 0;

  // Sets current() for a scope: a loop's run().
  class enter {
   public:
    explicit enter(scheduler& s) noexcept : before_(current_) { current_ = &s; }
    enter(const enter&) = delete;
    enter& operator=(const enter&) = delete;
    ~enter() { current_ = before_; }

   private:
    scheduler* before_;
    [[maybe_unused]] [[no_unique_address]] detail::inner_loop inner_;
  };

  [[nodiscard]] bool has_ready() const noexcept { return head_ != 0; }
  // Takes the first ready entry and runs it until it suspends. False: there is none.
  bool run_one() {
    const std::uintptr_t entry = pop_ready();
    if (!entry) return false;
    run_entry(entry);
    return true;
  }
  std::uintptr_t pop_ready() noexcept {
    const std::uintptr_t entry = head_;
    if (!entry) return 0;
    head_ = waiter_of(entry)->next;
    if (!head_) [[unlikely]]
      tail_ = &head_;
    return entry;
  }
  static waiter* waiter_of(std::uintptr_t entry) noexcept {
    return reinterpret_cast<waiter*>(entry & ~stopped_bit);
  }
  static void run_entry(std::uintptr_t entry) {
    waiter& w = *waiter_of(entry);
    detail::drive((entry & stopped_bit) ? detail::stopped_at(w) : detail::completed(w));
  }

  // Moves what other threads posted to the ready queue, in order. True: there was something.
  bool take_remote() noexcept {
    if (remote_.load(std::memory_order_relaxed) <= asleep) return false;
    return append_remote(remote_.exchange(0, std::memory_order_acquire));
  }
  // Before the loop sleeps. False: something was posted, do not sleep.
  // After true, exactly one foreign post calls wake(), unless woke_up() comes first.
  bool prepare_sleep() noexcept {
    std::uintptr_t none = 0;
    return remote_.compare_exchange_strong(none, asleep, std::memory_order_seq_cst);
  }
  // After the sleep, whatever ended it. True: a poster saw the loop asleep, and wake() was called
  // or is about to be; the loop must see that wake before it is destroyed.
  bool woke_up() noexcept {
    const std::uintptr_t list = remote_.exchange(0, std::memory_order_acquire);
    if (list == asleep) return false;
    append_remote(list);
    return true;
  }

 private:
  static constexpr std::uintptr_t asleep = 1;  // in remote_: empty, and the loop sleeps

  void push(waiter& w, std::uintptr_t tag) noexcept {
    const std::uintptr_t entry = reinterpret_cast<std::uintptr_t>(&w) | tag;
    if (current_ == this) [[likely]]
      push_here(w, entry);
    else
      push_remote(w, entry);
  }
  void push_here(waiter& w, std::uintptr_t entry) noexcept {
    w.next = 0;
    *tail_ = entry;
    tail_ = &w.next;
  }
  PENSTOCK_NOINLINE void push_remote(waiter& w, std::uintptr_t entry) noexcept {
    std::uintptr_t head = remote_.load(std::memory_order_relaxed);
    bool sleeps = false;
    do {
      sleeps = head == asleep;
      w.next = sleeps ? 0 : head;
    } while (!remote_.compare_exchange_weak(head, entry, std::memory_order_seq_cst,
                                            std::memory_order_relaxed));
    // w may be gone from here on.
    if (sleeps) wake();
  }
  // The list is newest first.
  bool append_remote(std::uintptr_t list) noexcept {
    std::uintptr_t reversed = 0;
    std::uintptr_t* last = nullptr;
    while (list) {
      waiter& w = *waiter_of(list);
      if (!last) last = &w.next;
      const std::uintptr_t older = w.next;
      w.next = reversed;
      reversed = list;
      list = older;
    }
    if (!reversed) return false;
    *tail_ = reversed;
    tail_ = last;
    return true;
  }

  static inline constinit thread_local scheduler* current_ = nullptr;

  std::uintptr_t head_ = 0;
  std::uintptr_t* tail_ = &head_;
  driver* driver_ = nullptr;
  random_engine random_;
  // Posted by other threads, newest first; `asleep`; or 0. Written by all, emptied by the loop.
  detail::atomic<std::uintptr_t> remote_{0};
};

}  // namespace penstock
