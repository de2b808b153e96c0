// penstock/sync/select.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// One of several sends and receives, whichever can be done first. To race other awaitables use
/// `when_any` (core/when_any.hpp), whose losers may have been done too.

#include <penstock/core/awaitable.hpp>
#include <penstock/sync/channel.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>

namespace penstock {

/// What `select` gives: which operation was done, from 0, and what it yielded.
///
/// **Shape.** `value` is a `std::variant` when the operations yield different types.
template <class Value>
struct select_result {
  std::size_t index;
  Value value;
};

namespace detail {

template <class... Arms>
class select_awaiter : public leaf<select_awaiter<Arms...>>, stop_node {
  static constexpr std::size_t count = sizeof...(Arms);
  using first_type = resume_t<std::tuple_element_t<0, std::tuple<Arms...>>>;
  static constexpr bool alike = (std::is_same_v<resume_t<Arms>, first_type> && ...);
  using value_type = std::conditional_t<alike, first_type, std::variant<resume_t<Arms>...>>;

 public:
  explicit select_awaiter(Arms&&... arms) noexcept : arms_(std::move(arms)...) {}
  select_awaiter(select_awaiter&& o) noexcept
      : leaf<select_awaiter>(), stop_node(), arms_(std::move(o.arms_)) {}
  ~select_awaiter() {
    if (!who_) return;
    scope_stop::remove(*this);
    choice_.made.store(true, memory_order_release);
    leave_all();
  }

  bool await_ready() noexcept {
    each([](auto& arm) { static_cast<void>(arm.offers()); });
    from_ = static_cast<std::size_t>(scheduler::current()->random().uniform_int(0, count - 1));
    for (std::size_t i = 0; i < count && !ready_; ++i)
      at((from_ + i) % count, [this](auto& arm) {
        wake_section section(arm.lock());
        ready_ = arm.try_now(section.wake);
        if (!ready_) arm.drop(section.wake);
      });
    return ready_;
  }
  suspension start(waiter& w) noexcept {
    const bool stopping = stop_requested(w);
    wake_list wake;
    lock_all();
    for (std::size_t i = 0; i < count && !ready_; ++i)
      at((from_ + i) % count, [&](auto& arm) { ready_ = arm.try_now(wake); });
    if (!ready_ && !stopping) {
      who_ = &w;
      each([&](auto& arm) {
        arm.choice_ = &choice_;
        arm.join_for(w);
      });
    } else {
      each([&](auto& arm) {
        if (!arm.done()) arm.drop(wake);
      });
    }
    unlock_all();
    wake.post_all();
    if (ready_) return resume_now(w);
    if (stopping) return stopped_now(w);
    w.env->stop->add(*this);
    return parked();
  }
  [[nodiscard]] select_result<value_type> await_resume() noexcept {
    if (who_) {
      scope_stop::remove(*this);
      leave_all();
      who_ = nullptr;
    }
    return take(std::index_sequence_for<Arms...>());
  }

 private:
  template <class Fn>
  void each(Fn fn) noexcept {
    std::apply([&](auto&... arm) { (fn(arm), ...); }, arms_);
  }
  template <class Fn>
  void at(std::size_t index, Fn fn) noexcept {
    std::size_t i = 0;
    each([&](auto& arm) {
      if (i++ == index) fn(arm);
    });
  }
  template <std::size_t... Index>
  select_result<value_type> take(std::index_sequence<Index...>) noexcept {
    std::size_t done = 0;
    static_cast<void>(((std::get<Index>(arms_).done() ? (done = Index, true) : false) || ...));
    std::optional<value_type> value;
    static_cast<void>(((Index == done ? (value.emplace(value_of<Index>()), true) : false) || ...));
    return {done, std::move(*value)};
  }
  template <std::size_t Index>
  value_type value_of() noexcept {
    if constexpr (alike)
      return std::get<Index>(arms_).await_resume();
    else
      return value_type(std::in_place_index<Index>, std::get<Index>(arms_).await_resume());
  }

  // All channels at once, in the order of their addresses, each once.
  struct held {
    const void* channel;
    void* arm;
    void (*lock)(void*) noexcept;
    void (*unlock)(void*) noexcept;
  };
  void lock_all() noexcept {
    std::size_t i = 0;
    each([&](auto& arm) {
      using A = std::remove_reference_t<decltype(arm)>;
      held_[i++] = {arm.object(), &arm, [](void* a) noexcept { static_cast<A*>(a)->lock().lock(); },
                    [](void* a) noexcept { static_cast<A*>(a)->lock().unlock(); }};
    });
    std::sort(held_.begin(), held_.end(), [](const held& a, const held& b) {
      return std::less<const void*>()(a.channel, b.channel);
    });
    each_held([](held& h) { h.lock(h.arm); });
  }
  void unlock_all() noexcept {
    each_held([](held& h) { h.unlock(h.arm); });
  }
  template <class Fn>
  void each_held(Fn fn) noexcept {
    for (std::size_t i = 0; i < count; ++i)
      if (i == 0 || held_[i].channel != held_[i - 1].channel) fn(held_[i]);
  }
  // Out of all lists.
  void leave_all() noexcept {
    each([](auto& arm) {
      wake_section section(arm.lock());
      arm.leave_list();
      arm.drop(section.wake);
    });
  }
  void on_stop() noexcept override {
    if (!claim(&choice_)) return;  // one is done: its result is delivered
    waiter& who = *who_;
    leave_all();
    who_ = nullptr;
    who.env->sched->post_stopped(who);
  }
  wait_info info() const noexcept override { return {"select", this, who_}; }

  std::tuple<Arms...> arms_;
  choice choice_;
  waiter* who_ = nullptr;  // while it waits
  std::size_t from_ = 0;
  bool ready_ = false;
  std::array<held, count> held_;
};
}  // namespace detail

/// Does one of several sends and receives on channels: the first that can be done, and no other.
///
/// **Parameters.** `operations` - what `receive()`, `send()` of channels return, of any of the
/// threading policies; the same channel may occur several times.
/// **Result.** `select_result`: its index and what it yielded. A receive from a closed channel can
/// be done: it yields the reason.
/// **Suspends.** until one can be done; resumes on the waiting task's loop.
/// **Cancellation.** nothing is received, nothing sent.
/// **Ordering.** of several that can be done at once a random one (of the loop's `random()`), as
/// Go's select; while it waits it has its place in the queue of each channel.
/// **Complexity.** O(operations): the locks of all channels are taken together, in the order of
/// their addresses, once; no allocation.
/// **Example.** @snippet tests/sync/select_test.cpp select
/// **See also.** `channel`, `when_any`.
template <class... Operations>
requires(sizeof...(Operations) > 0 && (!std::is_lvalue_reference_v<Operations> && ...))
    [[nodiscard]] auto select(Operations&&... operations) noexcept {
  return detail::select_awaiter<Operations...>(std::move(operations)...);
}

}  // namespace penstock
