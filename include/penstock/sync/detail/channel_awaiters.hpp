// penstock/sync/detail/channel_awaiters.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The awaiters of a channel, and its members that need them. Included by channel.hpp only.

#include <penstock/sync/channel.hpp>
#include <penstock/sync/channel_slot.hpp>

#include <algorithm>

namespace penstock {

// One that wants places: for the values from at_ to end_, or, without any, for a reservation.
template <class T, class Policy>
class basic_channel<T, Policy>::sending : public detail::primitive_leaf<sending> {
 public:
  explicit sending(basic_channel& c) noexcept : channel_(&c) {}
  sending(sending&& o) noexcept : detail::primitive_leaf<sending>(), channel_(o.channel_) {}

 protected:
  friend basic_channel;
  friend detail::primitive_leaf<sending>;
  template <class...>
  friend class detail::select_awaiter;

  // False: all that is left has to wait.
  bool push() noexcept {
    while (at_ != end_ && channel_->ring_.try_push(*at_)) ++at_;
    return at_ == end_;
  }
  bool try_now(detail::wake_list& wake) noexcept {
    if (reserves()) return reserve_now();
    sent answer = sent::accepted;
    while (at_ != end_) {
      answer = channel_->put(*at_, wake);
      if (answer != sent::accepted) break;
      ++at_;
    }
    if (answer == sent::closed) refused_.set(channel_->reason_.why());
    if (answer == sent::full) return false;
    channel_->settle();
    return true;
  }
  [[nodiscard]] bool reserves() const noexcept { return !at_; }
  bool reserve_now() noexcept {
    auto& c = *channel_;
    c.ring_.shut();
    if (c.closed_) {
      refused_.set(c.reason_.why());
    } else if (c.capacity() == 0) {
      refused_.set(error(errc::never_satisfiable).with(what(), "a place of a channel of none"));
    } else {
      if (!c.has_room() || !c.senders_.empty()) return false;
      ++c.reserved_;
    }
    c.settle();
    return true;
  }
  // Its next value goes to a receiver, or into the ring.
  void hand_to(detail::landing<T>& to, detail::wake_list& wake) noexcept {
    to.emplace(std::move(*at_));
    step(wake);
  }
  void take_place(detail::wake_list& wake) noexcept {
    if (reserves()) {
      ++channel_->reserved_;
      return serve(wake);
    }
    channel_->ring_.push_back(std::move(*at_));
    step(wake);
  }
  void step(detail::wake_list& wake) noexcept {
    if (++at_ == end_) serve(wake);
  }
  [[nodiscard]] bool done() const noexcept { return at_ == end_ || refused_.there(); }
  void serve(detail::wake_list& wake) noexcept {
    auto& self = this->parked();
    channel_->senders_.erase(self);
    channel_->patience_.served(self.who());
    wake.push(self);
  }
  void left(detail::wake_list&) noexcept { channel_->settle(); }
  void drop(detail::wake_list& wake) noexcept {
    if (this->granted() && reserves() && !refused_.there())
      channel_->leave_place(wake);
    else
      channel_->settle();
  }
  auto& lock() noexcept { return channel_->lock_; }
  detail::waiter_list& list() noexcept { return channel_->senders_; }
  const char* what() const noexcept { return channel_->name("channel::send"); }
  const void* object() const noexcept { return channel_; }

  basic_channel* channel_;
  T* at_ = nullptr;
  T* end_ = nullptr;
  detail::refusal refused_;
  detail::choice* choice_ = nullptr;
};

/// The awaiter of `send()`.
template <class T, class Policy>
class [[nodiscard]] basic_channel<T, Policy>::send_awaiter : public sending {
 public:
  send_awaiter(basic_channel& c, T&& value) noexcept : sending(c), value_(std::move(value)) {}

  bool await_ready() noexcept {
    const auto fits = [this] { return this->channel_->ring_.try_push(value_); };
    if (fits() || this->channel_->patience_.wait(fits)) return true;
    return offers() && this->try_locked();
  }
  [[nodiscard]] result<> await_resume() noexcept {
    this->end();
    return this->refused_.status();
  }

 private:
  template <class...>
  friend class detail::select_awaiter;

  bool offers() noexcept {
    this->at_ = std::addressof(value_);
    this->end_ = this->at_ + 1;
    return true;
  }
  T value_;
};

/// The awaiter of `send_many()`.
template <class T, class Policy>
class [[nodiscard]] basic_channel<T, Policy>::send_many_awaiter : public sending {
 public:
  send_many_awaiter(basic_channel& c, std::span<T> values) noexcept : sending(c), values_(values) {}

  bool await_ready() noexcept {
    this->at_ = values_.data();
    this->end_ = this->at_ + values_.size();
    return this->push() || this->try_locked();
  }
  [[nodiscard]] result<std::size_t> await_resume() noexcept {
    this->end();
    const auto accepted = static_cast<std::size_t>(this->at_ - values_.data());
    if (this->refused_.there() && accepted == 0) return this->refused_.take();
    return accepted;
  }

 private:
  std::span<T> values_;
};

/// The awaiter of `reserve()`.
template <class T, class Policy>
class [[nodiscard]] basic_channel<T, Policy>::reserve_awaiter : public sending {
 public:
  explicit reserve_awaiter(basic_channel& c) noexcept : sending(c) {}

  bool await_ready() noexcept { return this->try_locked(); }
  [[nodiscard]] result<slot> await_resume() noexcept {
    this->end();
    if (this->refused_.there()) return this->refused_.take();
    return slot(*this->channel_);
  }
};

#if PENSTOCK_ASAN && !defined(__clang__)
// With the address sanitizer g++ 12 takes the empty value of an awaiter for one that is not
// initialised.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
/// The awaiter of `receive()`.
template <class T, class Policy>
class [[nodiscard]] basic_channel<T, Policy>::receive_awaiter
    : public detail::primitive_leaf<receive_awaiter> {
 public:
  explicit receive_awaiter(basic_channel& c) noexcept : channel_(&c) {}
  receive_awaiter(receive_awaiter&& o) noexcept
      : detail::primitive_leaf<receive_awaiter>(), channel_(o.channel_) {}

  bool await_ready() noexcept {
    const auto there = [this] { return channel_->ring_.try_pop(value_); };
    return there() || channel_->patience_.wait(there) || this->try_locked();
  }
  [[nodiscard]] result<T> await_resume() noexcept {
    this->end();
    return value_.take();
  }

 protected:
  friend basic_channel;
  friend detail::primitive_leaf<receive_awaiter>;
  template <class...>
  friend class detail::select_awaiter;

  bool offers() noexcept { return true; }
  [[nodiscard]] bool done() const noexcept { return !value_.empty(); }

  bool try_now(detail::wake_list& wake) noexcept {
    channel_->get(value_, wake);
    if (!value_.has_value()) {
      if (!channel_->closed_) return false;
      value_.refuse(channel_->reason_.why());
    }
    channel_->settle();
    return true;
  }
  void left(detail::wake_list&) noexcept { channel_->settle(); }
  void drop(detail::wake_list&) noexcept { channel_->settle(); }
  auto& lock() noexcept { return channel_->lock_; }
  detail::waiter_list& list() noexcept { return channel_->receivers_; }
  const char* what() const noexcept { return channel_->name("channel::receive"); }
  const void* object() const noexcept { return channel_; }

  basic_channel* channel_;
  detail::choice* choice_ = nullptr;
  detail::landing<T> value_;
};

/// The awaiter of `receive_many()`.
template <class T, class Policy>
class [[nodiscard]] basic_channel<T, Policy>::receive_many_awaiter : public receive_awaiter {
 public:
  receive_many_awaiter(basic_channel& c, std::vector<T>& to, std::size_t most)
      : receive_awaiter(c), to_(&to), most_((std::min)(most, c.capacity() + 1)) {
    PENSTOCK_ASSERT(most != 0, "channel::receive_many of no value");
    if (to.capacity() - to.size() < most_)  // by a factor: who appends often copies seldom
      to.reserve((std::max)(to.size() + most_, 2 * to.capacity()));
  }

  [[nodiscard]] result<std::size_t> await_resume() noexcept {
    auto first = receive_awaiter::await_resume();
    if (!first) return tl::unexpected<error>(std::move(first).error());
    to_->push_back(std::move(*first));
    std::size_t count = 1;
    for (; count < most_; ++count) {
      auto more = this->channel_->try_receive();
      if (!more) break;
      to_->push_back(std::move(*more));
    }
    return count;
  }

 private:
  std::vector<T>* to_;
  std::size_t most_;
};
#if PENSTOCK_ASAN && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

template <class T, class Policy>
bool basic_channel<T, Policy>::try_send(T&& value) noexcept {
  if (ring_.try_push(value)) return true;
  detail::wake_section section(lock_);
  const bool accepted = put(value, section.wake) == sent::accepted;
  settle();
  return accepted;
}

template <class T, class Policy>
auto basic_channel<T, Policy>::try_reserve() noexcept -> std::optional<slot> {
  detail::wake_section section(lock_);
  ring_.shut();
  const bool free = !closed_ && has_room() && senders_.empty();
  if (free) ++reserved_;
  settle();
  if (!free) return std::nullopt;
  return slot(*this);
}

template <class T, class Policy>
std::optional<T> basic_channel<T, Policy>::try_receive() noexcept {
  detail::landing<T> value;
  if (!ring_.try_pop(value)) {
    detail::wake_section section(lock_);
    get(value, section.wake);
    settle();
  }
  return value.take_if_there();
}

template <class T, class Policy>
void basic_channel<T, Policy>::close(error reason) noexcept {
  reason = detail::closing_reason(std::move(reason), name("channel"));
  detail::wake_section section(lock_);
  if (closed_) return;
  closed_ = true;
  ring_.shut();
  reason_.set(reason);
  while (auto* const first = senders_.pop_front()) {
    auto& sender = sending::owner_of(*first);
    if (!detail::claim(sender.choice_)) continue;
    sender.refused_.set(reason);
    section.wake.push(*first);
  }
  while (auto* const first = receivers_.pop_front()) {
    auto& receiver = receive_awaiter::owner_of(*first);
    if (!detail::claim(receiver.choice_)) continue;
    receiver.value_.refuse(reason);
    section.wake.push(*first);
  }
}

}  // namespace penstock
