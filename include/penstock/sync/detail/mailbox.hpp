// penstock/sync/detail/mailbox.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What waits for one subscriber of topics.hpp: a ring of shared messages, each with how many were
/// lost right before it.

#include <penstock/base/assert.hpp>
#include <penstock/base/atomic.hpp>
#include <penstock/base/intrusive_list.hpp>
#include <penstock/base/result.hpp>
#include <penstock/sync/detail/landing.hpp>
#include <penstock/sync/detail/waiter_list.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace penstock {

/// What happens to a message for a subscriber whose mailbox is full.
enum class slow_consumer : unsigned char {
  drop_oldest,  ///< the oldest message goes; the next receive says how many are missing
  drop_new,     ///< the message is not taken; a receive says so when it comes to that place
  disconnect,   ///< the subscriber is cut off: what it has is received, then `errc::overloaded`
  conflate,     ///< a message replaces one with the same key, also before it is full; else as
                ///< drop_oldest
};

/// Options of a subscriber. A plain struct: changed fields are named.
struct subscriber_options {
  /// Messages that may wait; at least 1.
  std::size_t capacity = 64;
  /// What happens when as many wait.
  slow_consumer when_full = slow_consumer::drop_oldest;
  /// In dumps and errors; outlives the subscriber: a string literal.
  const char* name = "subscriber";
};

namespace detail {

// What became of a message.
enum class delivery : unsigned char { queued, dropped, disconnected, closed };

struct topic_room;
// Where a subscriber is in a room's members.
struct membership {
  topic_room* room;
  std::size_t index;
};

template <class T, class Policy>
class mailbox : public list_node {
 public:
  using pointer = std::shared_ptr<const T>;
  using key = std::optional<std::uint64_t>;

  explicit mailbox(const subscriber_options& o) : options_(o), slots_(slots_of(o)) {}
  mailbox(const mailbox&) = delete;
  mailbox& operator=(const mailbox&) = delete;

  delivery offer(const pointer& value, const key& k) noexcept {
    pointer gone;  // what is let go is not destroyed under the lock
    wake_section section(lock);
    if (reason_.there()) return delivery::closed;
    if (options_.when_full == slow_consumer::conflate && k) {
      if (message* const same = find(*k)) {
        gone = std::exchange(same->value, value);
        return delivery::queued;
      }
    }
    delivery answer = delivery::queued;
    if (size() == options_.capacity) [[unlikely]] {
      answer = delivery::dropped;
      if (options_.when_full == slow_consumer::disconnect) return cut_off();
      ++missed_;
      if (options_.when_full == slow_consumer::drop_new) {
        ++lost_last_;
        return answer;
      }
      gone = drop_oldest();
    }
    at(size()) = message{value, k, std::exchange(lost_last_, 0)};
    size_.store(size() + 1, memory_order_relaxed);
    if (auto* const first = waiters.pop_front()) section.wake.push(*first);
    return answer;
  }
  void close(const error& reason) noexcept {
    wake_section section(lock);
    if (reason_.there()) return;
    reason_.set(reason);
    while (auto* const first = waiters.pop_front()) section.wake.push(*first);
  }
  // There will be no other message in it.
  [[nodiscard]] bool is_cut_off() noexcept {
    wake_section section(lock);
    return reason_.there();
  }
  // Under the lock: whether take() would not be empty.
  [[nodiscard]] bool ready() const noexcept {
    return size() != 0 || lost_last_ != 0 || reason_.there();
  }
  // The next message, a gap, or the end; nothing: one has to wait.
  std::optional<result<pointer>> take() {
    std::uint64_t lost = 0;
    {
      wake_section section(lock);
      if (!ready()) return std::nullopt;
      if (size() == 0 && lost_last_ == 0)
        return result<pointer>(tl::unexpected<error>(reason_.why()));
      lost = std::exchange(size() != 0 ? at(0).lost_before : lost_last_, 0);
      if (lost == 0) {
        result<pointer> oldest(std::move(at(0).value));
        pop();
        return oldest;
      }
    }
    char text[48];
    std::snprintf(text, sizeof text, "%llu messages missed", static_cast<unsigned long long>(lost));
    return result<pointer>(fail(errc::lagged, options_.name, text));
  }
  // Also without the lock: what it was a moment ago.
  [[nodiscard]] std::size_t size() const noexcept { return size_.load(memory_order_relaxed); }
  [[nodiscard]] std::uint64_t missed() const noexcept {
    wake_section section(lock);
    return missed_;
  }
  [[nodiscard]] bool closed() const noexcept {
    wake_section section(lock);
    return reason_.there();
  }
  // Whether a message that finds it full is taken, and another one lost.
  [[nodiscard]] bool takes_new() const noexcept {
    return options_.when_full != slow_consumer::drop_new;
  }
  [[nodiscard]] const char* name() const noexcept { return options_.name; }

  mutable typename Policy::lock lock;
  waiter_list waiters;                  // guarded by lock
  std::vector<membership> memberships;  // guarded by the mutex of its topics

 private:
  struct message {
    pointer value;
    key conflation;
    std::uint64_t lost_before = 0;
  };
  static std::unique_ptr<message[]> slots_of(const subscriber_options& o) {
    if (o.capacity == 0) stop_program("topics: a subscriber with a capacity of 0");
    return std::make_unique<message[]>(o.capacity);
  }
  message& at(std::size_t i) noexcept {
    i += first_;
    return slots_[i < options_.capacity ? i : i - options_.capacity];
  }
  message* find(std::uint64_t k) noexcept {
    for (std::size_t i = 0; i < size(); ++i)
      if (at(i).conflation == k) return &at(i);
    return nullptr;
  }
  void pop() noexcept {
    at(0).value.reset();
    if (++first_ == options_.capacity) first_ = 0;
    size_.store(size() - 1, memory_order_relaxed);
  }
  pointer drop_oldest() noexcept {
    pointer gone = std::move(at(0).value);
    const std::uint64_t lost = at(0).lost_before + 1;
    pop();
    (size() != 0 ? at(0).lost_before : lost_last_) += lost;
    return gone;
  }
  delivery cut_off() noexcept {
    char text[64];
    std::snprintf(text, sizeof text, "slow consumer: %zu messages wait", size());
    reason_.set(error(errc::overloaded).with(options_.name, text));
    return delivery::disconnected;
  }

  const subscriber_options options_;
  std::unique_ptr<message[]> slots_;  // guarded by lock, as what follows
  std::size_t first_ = 0;
  typename Policy::template atomic<std::size_t> size_{0};  // written under lock
  std::uint64_t lost_last_ = 0;                            // behind the last message
  std::uint64_t missed_ = 0;
  refusal reason_;
};

}  // namespace detail
}  // namespace penstock
