// tests/model/loop.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The loop of a logical thread: the library's own ready queue and its queue of remote posts, which
/// are explored with the rest; and how a thread of a scenario awaits something on it.

#include <model/atomic.hpp>

#include <penstock/core/awaitable.hpp>
#include <penstock/core/scheduler.hpp>

#include <optional>
#include <utility>

namespace model {

class loop final : public penstock::scheduler {
 public:
  using scheduler::enter;

  loop() noexcept : scheduler(0) {}

  // By one thread. Ends when there is nothing ready any more and `over`.
  void turn_until(const bool& over) {
    enter inside(*this);
    for (;;) {
      take_remote();
      while (run_one()) {
      }
      if (over) return;
      if (!prepare_sleep()) continue;
      while (!woken_.load()) penstock::detail::wait_for_write();
      woken_.store(false);
      woke_up();
    }
  }
  template <class Fn>
  void inside(Fn&& fn) {
    enter here(*this);
    fn();
  }

  penstock::time_point now() noexcept override { return {}; }
  penstock::wall_time wall_now() noexcept override { return {}; }
  void add_timer(penstock::detail::timer&) noexcept override {}
  void cancel_timer(penstock::detail::timer&) noexcept override {}
  void offload(penstock::detail::offload_item&) noexcept override {}

 private:
  void wake() noexcept override { woken_.store(true); }

  penstock::detail::atomic<bool> woken_{false};
};

// An awaitable that has begun to run on a loop: the root of a run, without a service scope. All by
// the loop's thread.
template <class A>
class started final : penstock::waiter, penstock::detail::hook {
 public:
  // What it gave; empty: it was stopped.
  using result = std::optional<penstock::detail::stored<penstock::detail::resume_t<A>>>;

  template <class X>
  started(loop& on, X&& x) : loop_(on), aw_(penstock::detail::awaiter_of(std::forward<X>(x))) {
    env_.sched = &on;
    env_.stop = &stop_;
    env = &env_;
    parent = nullptr;
    hooked = this;
    loop_.inside([&] {
      if (aw_.await_ready())
        done(*this, nullptr);
      else
        penstock::detail::drive(aw_.start(*this));
    });
  }

  [[nodiscard]] bool over() const noexcept { return over_; }
  void stop() {
    loop_.inside([&] { stop_.request_stop(penstock::stop_reason::requested); });
  }
  result wait() {
    if (!over_) loop_.turn_until(over_);
    return std::move(result_);
  }

 private:
  penstock::detail::step done(waiter&, waiter*) noexcept override {
    result_.emplace(penstock::detail::resume_stored(aw_));
    over_ = true;
    return {};
  }
  penstock::detail::step stopped(waiter&, waiter* child) noexcept override {
    penstock::detail::destroy_child(*this, child);
    over_ = true;
    return {};
  }
  bool is_scope() const noexcept override { return true; }

  loop& loop_;
  A aw_;
  result result_;
  penstock::environment env_;
  penstock::detail::scope_stop stop_;
  bool over_ = false;
};
template <class X>
started(loop&, X&&) -> started<penstock::detail::awaiter_t<X>>;

// Awaits `x` on `on`, to its end.
template <class X>
auto run_on(loop& on, X&& x) {
  return started(on, std::forward<X>(x)).wait();
}
// The same, and asks it to stop once it has begun to wait.
template <class X>
auto stop_on(loop& on, X&& x) {
  started one(on, std::forward<X>(x));
  if (!one.over()) one.stop();
  return one.wait();
}

}  // namespace model
