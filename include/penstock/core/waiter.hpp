// penstock/core/waiter.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Who waits: the base of every task's promise and of every scope's receiver, and how a completion,
/// an error and a stop travel from a leaf to the one that handles it.
///
/// Nothing here recurses: a chain of 100,000 tasks completes, fails or stops in constant stack. A
/// waiter without a hook is a plain coroutine: a completion resumes it. A hook is installed by
/// `ok`, which must see an error before the coroutine is resumed, and by scopes. A stop walks up
/// the parents to the nearest scope and destroys the frames on its way, leaf first; none is
/// resumed.

#include <penstock/base/config.hpp>

#include <coroutine>
#include <cstddef>
#include <cstdint>

namespace penstock {

struct environment;
class waiter;

namespace detail {
using handle = std::coroutine_handle<>;

// What a hook decided: resume `go` (which may be null: nothing to do now), or, with `up` set, the
// completion (or the stop) goes on upwards at `up`, whose child was `child`.
struct step {
  handle go{};
  waiter* up = nullptr;
  waiter* child = nullptr;
  bool stopped = false;
};

handle unwind(step s) noexcept;

// Installed in a waiter that must not simply be resumed.
class hook {
 public:
  // What `at` waited for completed; `child` is the task, or null for a leaf.
  virtual step done(waiter& at, waiter* child) noexcept = 0;
  // The same as the first step of a completion: the coroutine to resume, or null. Overridden where
  // the usual outcome is known without a walk.
  virtual handle arrive(waiter& at, waiter* child) noexcept {
    const step s = done(at, child);
    return s.up ? unwind(s) : s.go;  // a copy that was just written is slow to read
  }
  // Whether stopped() ends the walk of a stop.
  virtual bool is_scope() const noexcept { return false; }
  // A scope: the work under `at` was stopped; `child`, not yet destroyed, is its uppermost task, or
  // null for a leaf.
  virtual step stopped(waiter& at, waiter* child) noexcept {
    static_cast<void>(child);
    return {{}, &at, nullptr, true};
  }

  // How many tasks may end with a value and just be destroyed: it need not be told.
  std::uint32_t untold = 0;
  // A task that ends with a value takes this hook off and resumes the waiter.
  bool only_errors = false;

 protected:
  hook() noexcept = default;
  ~hook() = default;
};
}  // namespace detail

/// One that waits for a task or a leaf: a coroutine of this library, or a scope around it.
///
/// **Shape.** parent -> parent -> ... -> the `run` at the root: also the asynchronous backtrace.
/// **Lifetime.** lives in the coroutine's frame or in the scope's awaiter; its address is stable.
class waiter {
 public:
  waiter() noexcept {}
  waiter(const waiter&) = delete;
  waiter& operator=(const waiter&) = delete;

  waiter* parent;          // whom this one completes into; set when it is awaited
  const environment* env;  // inherited from the one that awaits it; set when it is awaited
  detail::hook* hooked = nullptr;
  union {
    std::uintptr_t
        next;       // in a ready queue: the next entry, bit 0: that one is delivered as stopped
    waiter** slot;  // while this one awaits a task: the owner's pointer to that task
    unsigned char store_[sizeof(void*)];  // after the end: the exception, or where the error is
  };

 protected:
  ~waiter() = default;
};
static_assert(alignof(waiter) <= 16, "handle_of() relies on it");

namespace detail {
inline handle handle_of(waiter& w) noexcept {
  return std::coroutine_handle<waiter>::from_promise(w);
}
inline void destroy_frame(waiter& w) noexcept { handle_of(w).destroy(); }

// What `w` waited for is there: the coroutine to resume, or null.
inline handle completed(waiter& w, waiter* child = nullptr) noexcept {
  if (!w.hooked) [[likely]]
    return handle_of(w);
  return w.hooked->arrive(w, child);
}
// The leaf that `w` waited for was stopped.
inline handle stopped_at(waiter& w) noexcept { return unwind({{}, &w, nullptr, true}); }

// A stop: `w` awaits `child`, its owner's no more.
inline void destroy_child(waiter& w, waiter* child) noexcept {
  if (!child) return;
  *w.slot = nullptr;
  destroy_frame(*child);
}

// Destroys the tasks between `w` (whose child is `child`) and the nearest scope, leaf first.
inline step stop_step(waiter* w, waiter* child) noexcept {
  while (!(w->hooked && w->hooked->is_scope())) {
    destroy_child(*w, child);
    child = w;
    w = w->parent;
  }
  return w->hooked->stopped(*w, child);
}
PENSTOCK_NOINLINE inline handle unwind(step s) noexcept {
  while (s.up) {
    if (s.stopped) {
      s = stop_step(s.up, s.child);
    } else if (s.up->hooked) {
      s = s.up->hooked->done(*s.up, s.child);
    } else {
      return handle_of(*s.up);
    }
  }
  return s.go;
}

// How await_suspend hands over to the next coroutine, and how a loop starts one.
#if PENSTOCK_TRAMPOLINE
inline constinit thread_local void* next_handle = nullptr;  // null whenever a coroutine is resumed
using transfer = void;
inline void go(handle h) noexcept { next_handle = h.address(); }
inline void go_known(handle h) noexcept { next_handle = h.address(); }
inline void drive(handle h) {
  if (!h) return;
  h.resume();
  while (void* const next = next_handle) {
    next_handle = nullptr;
    handle::from_address(next).resume();
  }
}
// A loop that runs inside a destructor: the coroutine that is to be next waits.
class inner_loop {
 public:
  inner_loop() noexcept : next_(next_handle) { next_handle = nullptr; }
  inner_loop(const inner_loop&) = delete;
  inner_loop& operator=(const inner_loop&) = delete;
  ~inner_loop() { next_handle = next_; }

 private:
  void* next_;
};
#else
class inner_loop {};
using transfer = handle;
inline handle go(handle h) noexcept { return h ? h : std::noop_coroutine(); }
inline handle go_known(handle h) noexcept { return h; }  // h is not null
inline void drive(handle h) {
  if (h) h.resume();
}
#endif
}  // namespace detail
}  // namespace penstock
