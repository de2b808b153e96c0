// penstock/sync/subscriber.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// One who receives what is published in the rooms that it has joined: topics.hpp.

#include <penstock/sync/detail/mailbox.hpp>
#include <penstock/sync/local.hpp>
#include <penstock/sync/thread_safe.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace penstock {
namespace detail {
// Where a subscriber signs off.
template <class T, class Policy>
class topic_directory {
 public:
  virtual void sign_off(mailbox<T, Policy>& m) noexcept = 0;

 protected:
  ~topic_directory() = default;
};
}  // namespace detail

/// A subscriber of a `topics`: its mailbox. It leaves all rooms when it ends.
///
/// **Thread-safety.** distinct: safe; same object: one task. `topics` may be used meanwhile.
/// **Complexity.** a mailbox is allocated once, with room for all messages that may wait.
/// **Lifetime.** its topics outlive it, and it outlives its wait.
/// **See also.** `subscriber_options`.
template <class T, class Policy>
class [[nodiscard]] basic_subscriber {
 public:
  using value_type = std::shared_ptr<const T>;
  class receive_awaiter;

  basic_subscriber(basic_subscriber&&) noexcept = default;
  basic_subscriber& operator=(basic_subscriber&& o) noexcept {
    if (this != &o) {
      sign_off();
      directory_ = o.directory_;
      box_ = std::move(o.box_);
    }
    return *this;
  }
  ~basic_subscriber() { sign_off(); }

  /// Receives the next message.
  ///
  /// **Result.** `result<std::shared_ptr<const T>>`.
  /// **Errors.** `errc::lagged` in the place of messages that were lost, naming how many: the next
  /// receive goes on behind them. At the end `errc::overloaded` of one who was disconnected, or the
  /// reason of `topics::close`.
  /// **Suspends.** only while there is none; resumes on the receiving task's loop.
  /// **Cancellation.** takes nothing: the message is there for the next receive.
  [[nodiscard]] receive_awaiter receive() noexcept { return receive_awaiter(*this); }
  /// The same if it need not wait.
  [[nodiscard]] std::optional<result<value_type>> try_receive() { return box_->take(); }

  /// Messages that wait.
  [[nodiscard]] std::size_t size() const noexcept { return box_->size(); }
  /// Messages that it has lost so far.
  [[nodiscard]] std::uint64_t missed() const noexcept { return box_->missed(); }
  /// Whether nothing is to come but what waits.
  [[nodiscard]] bool closed() const noexcept { return box_->closed(); }

 private:
  template <class, class, class, class>
  friend class basic_topics;
  using box = detail::mailbox<T, Policy>;
  basic_subscriber(detail::topic_directory<T, Policy>& d, std::shared_ptr<box> b) noexcept
      : directory_(&d), box_(std::move(b)) {}
  void sign_off() noexcept {
    if (box_) directory_->sign_off(*box_);
    box_.reset();
  }

  detail::topic_directory<T, Policy>* directory_;
  std::shared_ptr<box> box_;
};

/// The awaiter of `receive()`.
template <class T, class Policy>
class [[nodiscard]] basic_subscriber<T, Policy>::receive_awaiter
    : public detail::primitive_leaf<receive_awaiter> {
 public:
  explicit receive_awaiter(basic_subscriber& s) noexcept : box_(s.box_.get()) {}

  bool await_ready() const noexcept { return box_->size() != 0; }
  [[nodiscard]] result<value_type> await_resume() {
    this->end();
    auto next = box_->take();
    PENSTOCK_ASSERT(next.has_value(), "two tasks receive from one subscriber");
    return *std::move(next);
  }

 private:
  friend detail::primitive_leaf<receive_awaiter>;

  bool try_now(detail::wake_list&) const noexcept { return box_->ready(); }
  auto& lock() noexcept { return box_->lock; }
  detail::waiter_list& list() noexcept { return box_->waiters; }
  const char* what() const noexcept { return box_->name(); }
  const void* object() const noexcept { return box_; }

  box* box_;
};

/// The subscriber of tasks on any loops.
template <class T>
using subscriber = basic_subscriber<T, thread_safe>;
namespace local {
/// The subscriber of tasks of one loop.
template <class T>
using subscriber = basic_subscriber<T, one_loop>;
}  // namespace local

}  // namespace penstock
