// penstock/core/stop_token.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A stop request with its reason: source, token, callback, with the interface of the C++26
/// `std::inplace_stop_*` types. No allocation: the source owns nothing, callbacks are intrusive.
/// Tasks need none of this: a stop reaches them through their environment (this_task.hpp).

#include <penstock/base/assert.hpp>
#include <penstock/base/atomic.hpp>
#include <penstock/base/spin_lock.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace penstock {

/// Why work was asked to stop. A policy counts `deadline` as a failure of what it guards, and the
/// other three not at all.
enum class stop_reason : unsigned char {
  none,            ///< no stop was requested
  requested,       ///< someone asked: a signal, `request_stop()`
  deadline,        ///< a `with_timeout` or `with_deadline` around the work expired
  sibling_failed,  ///< another task of the same group or `when_all` failed
  race_lost,       ///< another alternative of a `when_any` completed first
};

class inplace_stop_source;
template <class Fn>
class inplace_stop_callback;

namespace detail {
struct stop_callback_base {
  stop_callback_base* next = nullptr;
  stop_callback_base** link = nullptr;  // null: not in the list
  void (*run)(stop_callback_base*) noexcept = nullptr;
  bool* removed = nullptr;       // while running: set when the callback is destroyed by itself
  atomic<bool> finished{false};  // set by request_stop() after run(); read by the destructor
};
// Its address identifies the thread.
inline constinit thread_local char thread_mark = 0;
}  // namespace detail

/// A handle to a stop source: asks whether and why to stop.
///
/// **Thread-safety.** all members may be called from any thread.
/// **Lifetime.** the source must outlive its tokens' use.
class inplace_stop_token {
 public:
  template <class Fn>
  using callback_type = inplace_stop_callback<Fn>;

  constexpr inplace_stop_token() noexcept = default;
  [[nodiscard]] bool stop_requested() const noexcept;
  [[nodiscard]] bool stop_possible() const noexcept { return source_ != nullptr; }
  [[nodiscard]] stop_reason reason() const noexcept;
  void swap(inplace_stop_token& other) noexcept {
    inplace_stop_source* const mine = source_;
    source_ = other.source_;
    other.source_ = mine;
  }
  friend bool operator==(const inplace_stop_token&, const inplace_stop_token&) = default;

 private:
  friend class inplace_stop_source;
  template <class Fn>
  friend class inplace_stop_callback;
  explicit constexpr inplace_stop_token(inplace_stop_source* s) noexcept : source_(s) {}
  inplace_stop_source* source_ = nullptr;
};

/// Requests a stop, once, and runs the callbacks registered with it.
///
/// **Shape.** not requested -> requested (for ever); the first reason stays.
/// **Thread-safety.** all members may be called from any thread. A callback runs on the thread that
/// requests the stop, or in the callback's constructor when the stop was requested before.
/// **Memory order.** request_stop() synchronises-with a stop_requested() that returns true.
/// **Complexity.** registering, removing: O(1), one lock, no allocation; request_stop():
/// O(callbacks).
/// **Lifetime.** the source must outlive its callbacks and the use of its tokens.
class inplace_stop_source {
 public:
  inplace_stop_source() = default;
  inplace_stop_source(const inplace_stop_source&) = delete;
  inplace_stop_source& operator=(const inplace_stop_source&) = delete;

  [[nodiscard]] inplace_stop_token get_token() noexcept { return inplace_stop_token(this); }
  [[nodiscard]] static constexpr bool stop_possible() noexcept { return true; }
  [[nodiscard]] bool stop_requested() const noexcept { return reason() != stop_reason::none; }
  [[nodiscard]] stop_reason reason() const noexcept {
    return stop_reason{reason_.load(std::memory_order_acquire)};
  }
  /// True for the one call that made the request.
  bool request_stop(stop_reason why = stop_reason::requested) noexcept {
    PENSTOCK_ASSERT(why != stop_reason::none, "a stop has a reason");
    auto expected = static_cast<unsigned char>(stop_reason::none);
    const auto wanted = static_cast<unsigned char>(why);
    if (!reason_.compare_exchange_strong(expected, wanted, std::memory_order_acq_rel)) return false;
    run_callbacks();
    return true;
  }

 private:
  template <class Fn>
  friend class inplace_stop_callback;

  // False: the stop was requested before, the callback is not registered.
  bool add(detail::stop_callback_base& c) noexcept {
    lock_.lock();
    if (stop_requested()) {
      lock_.unlock();
      return false;
    }
    c.next = head_;
    c.link = &head_;
    if (head_) head_->link = &c.next;
    head_ = &c;
    lock_.unlock();
    return true;
  }
  // After this the callback neither runs nor will run, unless it is running on this very thread.
  void remove(detail::stop_callback_base& c) noexcept {
    lock_.lock();
    const bool listed = c.link != nullptr;
    const bool own_thread = runner_ == &detail::thread_mark;
    if (listed) {
      unlink(c);
    } else if (own_thread && c.removed) {
      *c.removed = true;
    }
    lock_.unlock();
    if (listed || own_thread) return;
    detail::spin_wait waiting;
    while (!c.finished.load(std::memory_order_acquire)) waiting.once();
  }
  void run_callbacks() noexcept {
    lock_.lock();
    runner_ = &detail::thread_mark;
    while (auto* c = head_) {
      unlink(*c);
      bool removed = false;
      c->removed = &removed;
      lock_.unlock();
      c->run(c);
      if (!removed) {
        c->removed = nullptr;
        c->finished.store(true, std::memory_order_release);
      }
      lock_.lock();
    }
    lock_.unlock();
  }
  static void unlink(detail::stop_callback_base& c) noexcept {
    *c.link = c.next;
    if (c.next) c.next->link = c.link;
    c.link = nullptr;
  }

  detail::atomic<unsigned char> reason_{0};  // a stop_reason
  detail::spin_lock lock_;
  detail::stop_callback_base* head_ = nullptr;  // guarded by lock_
  const char* runner_ = nullptr;                // guarded by lock_: the thread that runs callbacks
};

inline bool inplace_stop_token::stop_requested() const noexcept {
  return source_ && source_->stop_requested();
}
inline stop_reason inplace_stop_token::reason() const noexcept {
  return source_ ? source_->reason() : stop_reason::none;
}

/// Runs `fn` when the token's source is asked to stop; in the constructor if it was already.
///
/// **Thread-safety.** see inplace_stop_source. The destructor waits for a callback that runs on
/// another thread; destroyed by its own callback it does not wait.
template <class Fn>
class [[nodiscard]] inplace_stop_callback : detail::stop_callback_base {
  static_assert(std::invocable<Fn>, "a stop callback is called without arguments");

 public:
  using callback_type = Fn;
  template <class Init>
  requires std::constructible_from<Fn, Init>
  explicit inplace_stop_callback(inplace_stop_token token,
                                 Init&& init) noexcept(std::is_nothrow_constructible_v<Fn, Init>)
      : fn_(std::forward<Init>(init)), source_(token.source_) {
    this->run = [](detail::stop_callback_base* c) noexcept {
      std::forward<Fn>(static_cast<inplace_stop_callback*>(c)->fn_)();
    };
    if (!source_) return;
    if (source_->add(*this)) return;
    source_ = nullptr;
    this->run(this);
  }
  inplace_stop_callback(const inplace_stop_callback&) = delete;
  inplace_stop_callback& operator=(const inplace_stop_callback&) = delete;
  ~inplace_stop_callback() {
    if (source_) source_->remove(*this);
  }

 private:
  Fn fn_;
  inplace_stop_source* source_;
};
template <class Fn>
inplace_stop_callback(inplace_stop_token, Fn) -> inplace_stop_callback<Fn>;

}  // namespace penstock
