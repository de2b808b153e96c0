// penstock/sync/channel_slot.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What `channel::reserve` gives: a free place of a channel. The channel: channel.hpp.

#include <penstock/base/taken.hpp>
#include <penstock/sync/channel.hpp>

namespace penstock {

/// A place in a channel that nobody else can take; given back when it ends unused.
///
/// **Shape.** a place -> send() or the end -> nothing.
/// **Thread-safety.** distinct: safe; same object: one owner. It may end on any thread.
/// **Complexity.** 8 bytes. While any slot is out the channel works under its lock.
/// **Lifetime.** the channel outlives it.
/// **Example.** @snippet tests/sync/channel_test.cpp reserve
template <class T, class Policy>
class [[nodiscard("the place is given back when this object ends")]] basic_channel_slot {
 public:
  /// No place.
  constexpr basic_channel_slot() noexcept = default;
  basic_channel_slot(basic_channel_slot && o) noexcept : channel_(detail::taken(o.channel_)) {}
  basic_channel_slot& operator=(basic_channel_slot&& o) noexcept {
    if (this != &o) {
      release();
      channel_ = detail::taken(o.channel_);
    }
    return *this;
  }
  ~basic_channel_slot() { release(); }

  /// Whether there is a place.
  explicit operator bool() const noexcept { return channel_ != nullptr; }
  /// Puts the value there; never waits. False: the channel was closed meanwhile, and `value` is not
  /// moved from. The place is used either way.
  bool send(T && value) noexcept {
    PENSTOCK_ASSERT(channel_, "a channel's slot is used twice");
    auto* const c = detail::taken(channel_);
    detail::wake_section section(c->lock_);
    const bool accepted = !c->closed_;
    if (accepted && !c->hand_over(value, section.wake)) c->ring_.push_back(std::move(value));
    c->leave_place(section.wake);
    return accepted;
  }
  bool send(const T& value) requires std::is_copy_constructible_v<T> { return send(T(value)); }
  /// Gives the place back now.
  void release() noexcept {
    if (!channel_) return;
    auto* const c = detail::taken(channel_);
    detail::wake_section section(c->lock_);
    c->leave_place(section.wake);
  }

 private:
  friend basic_channel<T, Policy>;
  explicit basic_channel_slot(basic_channel<T, Policy> & c) noexcept : channel_(&c) {}

  basic_channel<T, Policy>* channel_ = nullptr;
};

template <class T>
using channel_slot = basic_channel_slot<T, thread_safe>;

}  // namespace penstock
