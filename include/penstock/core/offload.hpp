// penstock/core/offload.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Blocking or CPU-heavy code on the loop's cpu pool, and back. For moving a task to another loop
/// use resume_on.hpp.

#include <penstock/base/atomic.hpp>
#include <penstock/core/awaitable.hpp>
#include <penstock/core/scheduler.hpp>

#include <concepts>
#include <exception>
#include <optional>

namespace penstock {
namespace detail {
template <class Fn>
class offload_awaiter : public leaf<offload_awaiter<Fn>>, offload_item, stop_node {
  using R = std::invoke_result_t<Fn&>;

 public:
  offload_awaiter(Fn&& fn, duration cost) : fn_(std::move(fn)) { virtual_cost = cost; }
  offload_awaiter(offload_awaiter&& o)
      : leaf<offload_awaiter>(), offload_item(), stop_node(), fn_(std::move(o.fn_)) {
    virtual_cost = o.virtual_cost;
  }
  ~offload_awaiter() { scope_stop::remove(*this); }

  suspension start(waiter& w) noexcept {
    if (!w.env->stop->try_add(*this)) return stopped_now(w);
    who_ = &w;
    w.env->sched->offload(*this);
    return parked();
  }
  R await_resume() { return take_outcome(); }
  [[nodiscard]] R await_resume() requires is_result_v<R> { return take_outcome(); }

 private:
  R take_outcome() {
    scope_stop::remove(*this);
    if (thrown_) std::rethrow_exception(std::move(thrown_));
    if constexpr (!std::is_void_v<R>) return static_cast<R&&>(*value_);
  }
  enum class stage : unsigned char { queued, running, canceled };

  void run() noexcept override {
    waiter& w = *who_;
    scheduler& home = *w.env->sched;
    auto expected = stage::queued;
    if (!stage_.compare_exchange_strong(expected, stage::running, std::memory_order_acq_rel)) {
      home.post_stopped(w);
      return;
    }
    try {
      if constexpr (std::is_void_v<R>)
        fn_();
      else
        value_.emplace(fn_());
    } catch (...) {
      thrown_ = std::current_exception();
    }
    home.post(w);
  }
  void on_stop() noexcept override {
    auto expected = stage::queued;
    stage_.compare_exchange_strong(expected, stage::canceled, std::memory_order_acq_rel);
  }
  wait_info info() const noexcept override { return {"offload", nullptr, who_}; }

  Fn fn_;
  waiter* who_ = nullptr;
  std::optional<stored<R>> value_;
  std::exception_ptr thrown_;
  atomic<stage> stage_{stage::queued};  // the pool and the loop race for `queued`
};
}  // namespace detail

/// Options of `offload`.
struct offload_options {
  /// What the call takes on a test runtime's virtual clock; nothing elsewhere.
  duration virtual_cost = duration::zero();
};

/// Runs `fn` on the cpu pool and continues on this loop with what it returned.
///
/// **Parameters.** `fn` - any move-only callable without arguments; moved, destroyed with the
/// awaiter. On g++ 12 a closure that owns something must be named and moved in: a temporary one is
/// destroyed twice by the compiler's fault.
/// **Result.** what `fn` returns, also when that is a `result`.
/// **Errors.** an exception of `fn` is rethrown here.
/// **Suspends.** always; until a pool thread has run `fn`.
/// **Cancellation.** while queued `fn` is not run; while running it is waited for and its result
/// kept.
/// **Thread-safety.** `fn` runs on another thread, after everything that this task did before.
/// **Complexity.** no allocation besides the pool's queue.
/// **Lifetime.** what `fn` refers to must outlive the await.
template <class Fn>
requires std::invocable < std::decay_t<Fn>
& > [[nodiscard]] auto offload(Fn&& fn, offload_options options = {}) {
  return detail::offload_awaiter<std::decay_t<Fn>>(std::decay_t<Fn>(std::forward<Fn>(fn)),
                                                   options.virtual_cost);
}

}  // namespace penstock
