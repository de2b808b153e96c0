// penstock/core/from_callback.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A callback API as an awaitable: `from_callback<T>(fn)` calls `fn` with a handle and continues
/// when the handle is called, on whatever thread. To write a leaf of one's own see awaitable.hpp.

#include <penstock/base/taken.hpp>
#include <penstock/core/detail/callback_state.hpp>

#include <concepts>
#include <exception>

namespace penstock {

/// In the place of `cancel`: a stop ends the await at once, and the API is left to itself.
struct abandon_on_stop_t {};
inline constexpr abandon_on_stop_t abandon_on_stop{};

/// Ends the `from_callback` that it belongs to: `done(value)`.
///
/// **Shape.** copies share one call: called once -> the task continues. The last copy is gone
/// without a call -> the task continues with `errc::closed`.
/// **Errors.** a second call asserts. When the value's constructor throws, it was no call.
/// **Thread-safety.** any thread, also within the function that it was handed to, and after the
/// task is gone: then it does nothing. It never resumes the task itself.
/// **Memory order.** what happened before the call happens before the task continues.
/// **Complexity.** a copy is one atomic increment; a call posts the task, without allocation.
template <class T>
class callback {
 public:
  callback(const callback& o) noexcept : state_(o.state_) {
    if (state_) state_->add_handle();
  }
  callback(callback&& o) noexcept : state_(detail::taken(o.state_)) {}
  callback& operator=(callback o) noexcept {
    std::swap(state_, o.state_);
    return *this;
  }
  ~callback() {
    if (state_) state_->drop_handle();
  }
  /// Completes the await with a value, or with an error: `done(fail(errc::corrupt))`.
  template <class U = T>
  requires std::constructible_from<as_result_t<T>, U &&> void operator()(U&& value) const {
    state().call(std::forward<U>(value));
  }
  /// The same, where there is no value.
  void operator()() const requires std::is_void_v<result_value_t<as_result_t<T>>> {
    state().call();
  }

 private:
  template <class, class, class>
  friend class detail::from_callback_awaiter;
  explicit callback(detail::callback_state<T>* s) noexcept : state_(s) { s->open(); }
  detail::callback_state<T>& state() const noexcept {
    PENSTOCK_ASSERT(state_, "a callback that was moved from is not called");
    return *state_;
  }

  detail::callback_state<T>* state_;
};

namespace detail {
template <class T>
using decayed_ref = std::add_lvalue_reference_t<std::decay_t<T>>;
template <class T, class Fn>
concept begins_call = std::invocable<decayed_ref<Fn>, callback<T>>;
template <class Cancel>
concept meets_stop =
    std::invocable<decayed_ref<Cancel>> || std::is_same_v<std::decay_t<Cancel>, abandon_on_stop_t>;

// Cancel is what asks the API to end early, or no_cancel, or abandon_on_stop_t.
template <class T, class Fn, class Cancel>
class from_callback_awaiter : public leaf<from_callback_awaiter<T, Fn, Cancel>>, stop_node {
  static constexpr bool abandons = std::is_same_v<Cancel, abandon_on_stop_t>;
  static constexpr bool can_cancel = !abandons && !std::is_same_v<Cancel, no_cancel>;

 public:
  from_callback_awaiter(Fn&& fn, Cancel&& cancel)
      : fn_(std::move(fn)), cancel_(std::move(cancel)), state_(new callback_state<T>) {}
  from_callback_awaiter(from_callback_awaiter&& o)
      : leaf<from_callback_awaiter>(),
        stop_node(),
        fn_(std::move(o.fn_)),
        cancel_(std::move(o.cancel_)),
        state_(detail::taken(o.state_)) {}
  ~from_callback_awaiter() {
    scope_stop::remove(*this);
    if (!state_) return;
    state_->abandon();
    state_->drop();
  }

  suspension start(waiter& w) noexcept {
    if (!w.env->stop->try_add(*this)) return stopped_now(w);
    who_ = &w;
    try {
      fn_(callback<T>(state_));
    } catch (...) {
      thrown_ = std::current_exception();
      state_->abandon();
      return resume_now(w);
    }
    if (!state_->park(w)) return resume_now(w);
    parked_ = true;
    if (stop_came_) stop();  // by what fn did
    return parked();
  }
  [[nodiscard]] as_result_t<T> await_resume() {
    scope_stop::remove(*this);
    if (thrown_) std::rethrow_exception(std::move(thrown_));
    return state_->take();
  }

 private:
  // The stop, as a turn of its own: cancel() is the user's code.
  class cancelling final : public waiter, hook {
   public:
    void open(from_callback_awaiter& s) noexcept {
      self_ = &s;
      env = s.who_->env;
      parent = nullptr;
      hooked = this;
    }

   private:
    step done(waiter&, waiter*) noexcept override { return self_->cancel(); }
    from_callback_awaiter* self_ = nullptr;
  };

  void on_stop() noexcept override {
    if (parked_)
      stop();
    else
      stop_came_ = true;
  }
  void stop() noexcept {
    if constexpr (can_cancel) {
      if (!state_->hold()) return;
      cancelling_.open(*this);
      who_->env->sched->post(cancelling_);
    } else if constexpr (abandons) {
      if (state_->abandon()) who_->env->sched->post_stopped(*who_);
    } else {
      state_->expect_stop();
    }
  }
  step cancel() noexcept {
    if constexpr (can_cancel) {
      if (state_->is_waiting()) cancel_();
    }
    switch (state_->let_go()) {
      case callback_end::none:
        return {};
      case callback_end::called:
        return {{}, who_, nullptr, false};
      case callback_end::dropped:
        break;
    }
    return {{}, who_, nullptr, true};
  }
  wait_info info() const noexcept override { return {"from_callback", nullptr, who_}; }

  Fn fn_;
  [[no_unique_address]] Cancel cancel_;
  callback_state<T>* state_;
  waiter* who_ = nullptr;
  std::exception_ptr thrown_;
  bool parked_ = false;
  bool stop_came_ = false;
  [[no_unique_address]] std::conditional_t<can_cancel, cancelling, no_cancel> cancelling_;
};
}  // namespace detail

/// Calls `fn(callback<T>)` and continues on this loop when that callback was called.
///
/// **Shape.** fn begins the operation and keeps the callback -> done(value), once, any time later
/// or still inside fn -> the task continues.
/// **Parameters.** `T` - what the callback is called with, may be void or a `result`; `fn` - moved,
/// called once, on this loop; `cancel` - called at most once, on this loop, when a stop comes
/// first: asks the API for an early end, must not throw; or `abandon_on_stop`.
/// **Result.** `result<T>`, or the `result` that `T` is.
/// **Errors.** `errc::closed` when every copy of the callback is gone without a call; what
/// done(fail(...)) was given; an exception of `fn` is rethrown here, whatever became of the
/// callback.
/// **Suspends.** unless the callback was called inside `fn`.
/// **Cancellation.** stopped before: `fn` is not called. Else the await ends when the callback was
/// called, with its value, or when every copy is gone, stopped; a stop calls `cancel` meanwhile.
/// With `abandon_on_stop` it ends at once, and a later call does nothing: what the API refers to
/// must not be on this task's stack.
/// **Thread-safety.** the callback may be called and dropped on any thread.
/// **Complexity.** one record, recycled as frames are: no call of operator new in steady state.
/// **Lifetime.** `fn` and `cancel` live until the await has ended. On g++ 12 a closure that owns
/// something must be named and moved in: a temporary one is destroyed twice by the compiler's
/// fault.
/// **Example.** @snippet tests/core/from_callback_test.cpp from_callback
template <class T, class Fn>
requires detail::begins_call<T, Fn>
[[nodiscard]] auto from_callback(Fn&& fn) {
  using awaiter = detail::from_callback_awaiter<T, std::decay_t<Fn>, detail::no_cancel>;
  return awaiter(std::decay_t<Fn>(std::forward<Fn>(fn)), detail::no_cancel{});
}
template <class T, class Fn, class Cancel>
requires detail::begins_call<T, Fn> && detail::meets_stop<Cancel>
[[nodiscard]] auto from_callback(Fn&& fn, Cancel&& cancel) {
  using awaiter = detail::from_callback_awaiter<T, std::decay_t<Fn>, std::decay_t<Cancel>>;
  return awaiter(std::decay_t<Fn>(std::forward<Fn>(fn)),
                 std::decay_t<Cancel>(std::forward<Cancel>(cancel)));
}

}  // namespace penstock
