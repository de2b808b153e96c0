// penstock/stream/detail/await_slot.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What a stage waits for.

#include <penstock/core/awaitable.hpp>
#include <penstock/stream/detail/flow.hpp>

#include <memory>
#include <new>
#include <utility>

namespace penstock::detail {

struct no_item {
  static void reset() noexcept {}
};

// Room for one awaitable at a time: what a stage waits for; and for what it works on, an optional,
// which is dropped when it is stopped. After a stop it is free for the next one.
template <class A, class Item = no_item>
class await_slot final : waiter, hook {
 public:
  await_slot() noexcept { hooked = this; }
  // Only before anything was set.
  await_slot(await_slot&&) noexcept : waiter(), hook() { hooked = this; }
  ~await_slot() { reset(); }

  [[nodiscard]] bool busy() const noexcept { return state_ != state::idle; }
  Item& item() noexcept { return item_; }

  template <class Awaitable>
  void set(Awaitable&& a) {
    ::new (static_cast<void*>(std::addressof(aw_))) held(awaiter_of(std::forward<Awaitable>(a)));
    state_ = state::set;
  }
  // Begins what was set, or looks whether it is over. `item`: it is, take() is next.
  pulled advance(pump& p) {
    if (state_ == state::over) return pulled::item;
    if (state_ == state::running) return pulled::wait;
    if constexpr (!is_task_awaiter<A>) {
      // Once: it may claim its place, as semaphore::acquire does.
      if (state_ == state::set && aw_.awaiter.await_ready()) {
        state_ = state::over;
        return pulled::item;
      }
      state_ = state::asked;
    }
    if (!p.may_begin()) return pulled::wait;
    flow& f = p.of();
    if (f.is_cut()) return pulled::cut;  // nobody would stop it
    pump_ = &p;
    parent = &f.up();
    env = &f.env();
    state_ = state::starting;
    drive(aw_.awaiter.start(*this));  // a task that does not wait is over then
    if (state_ == state::starting) {
      state_ = state::running;
      f.begun();
      return pulled::wait;
    }
    if (state_ == state::over) return pulled::item;
    drop();
    f.stopped();
    return pulled::cut;
  }
  // What it yielded, void as monostate. The awaitable is gone afterwards.
  stored<resume_t<A>> take() {
    struct last {
      await_slot* self;
      ~last() { self->reset(); }
    } at_end{this};
    return resume_stored(aw_.awaiter);
  }
  void reset() noexcept {
    if (std::exchange(state_, state::idle) != state::idle) std::destroy_at(std::addressof(aw_));
  }

 private:
  // set -> (asked) -> starting -> (running) -> over | stopped; idle again afterwards.
  enum class state : unsigned char { idle, set, asked, starting, running, over, stopped };

  step done(waiter&, waiter*) noexcept override {
    if (std::exchange(state_, state::over) == state::starting) return {};
    return pump_->of().ended(*pump_);
  }
  step stopped(waiter&, waiter*) noexcept override {
    if constexpr (is_task_awaiter<A>) aw_.awaiter.discard();
    if (std::exchange(state_, state::stopped) == state::starting) return {};  // start() goes on
    drop();
    return pump_->of().ended_stopped();
  }
  bool is_scope() const noexcept override { return true; }
  void drop() noexcept {
    reset();
    item_.reset();
  }

  // Destroyed as a member: an awaiter with virtual functions that is not final draws warnings.
  struct held {
    explicit held(A&& a) : awaiter(std::move(a)) {}
    A awaiter;
  };
  pump* pump_ = nullptr;
  state state_ = state::idle;
  [[no_unique_address]] Item item_;
  union {
    held aw_;  // unless idle
  };
};

}  // namespace penstock::detail
