// penstock/sync/topics.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Rooms: who has joined one receives what is published there, at its own pace and by its own rule
/// for when it is too slow. Everything to everybody, from one ring, is a broadcast.hpp.

#include <penstock/base/assert.hpp>
#include <penstock/base/result.hpp>
#include <penstock/sync/detail/topic_rooms.hpp>
#include <penstock/sync/subscriber.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace penstock {

/// What a `topics` has done so far.
struct topics_stats {
  std::uint64_t published = 0;     ///< messages
  std::uint64_t delivered = 0;     ///< to one subscriber each
  std::uint64_t dropped = 0;       ///< by full mailboxes, the oldest or the new one
  std::uint64_t disconnected = 0;  ///< subscribers that were too slow
  std::size_t rooms = 0;           ///< now, as what follows
  std::size_t subscribers = 0;
};

/// Options of `topics::publish`. A plain struct: changed fields are named.
template <class Subscriber>
struct topic_publish_options {
  /// Who does not receive it: whom it comes from.
  const Subscriber* except = nullptr;
  /// For subscribers that conflate: a message replaces the one with the same key.
  std::optional<std::uint64_t> key = {};
};

/// Rooms, made by the first who joins and gone with the last who leaves.
///
/// **Shape.** publish(room, value) -> the mailbox of each member -> receive().
/// **Parameters.** `T` - what is published: stored once, for all. `Key` - what rooms are called.
/// **Ordering.** a subscriber receives the messages of one publisher in the order in which they
/// were published, in all its rooms (with `slow_consumer::conflate` a message takes the place of
/// the older one of its key). Who joins, or leaves, while a message is published receives it or
/// not.
/// **Thread-safety.** any thread, the same object too; also outside of any task.
/// **Memory order.** a publish synchronises-with the receives of its message.
/// **Complexity.** publish is O(members) and waits for nobody; it allocates the message, and the
/// list of members when somebody has joined or left since. join and leave are O(rooms of one
/// subscriber) and allocate.
/// **Lifetime.** outlives its subscribers.
/// **Example.** @snippet tests/sync/topics_test.cpp topics
/// **See also.** `broadcast`. After Socket.IO's rooms and NATS's slow consumers.
template <class T, class Key = std::string, class Hash = detail::topic_hash<Key>,
          class Policy = thread_safe>
class basic_topics final : detail::topic_directory<T, Policy> {
 public:
  using value_type = T;
  using subscriber = basic_subscriber<T, Policy>;
  /// How a room is named in a call: `std::string_view` for `std::string`.
  using key_view = typename detail::topic_rooms<T, Key, Hash, Policy>::key_view;

  using publish_options = topic_publish_options<subscriber>;

  basic_topics() noexcept : basic_topics("topics") {}
  /// **Parameters.** `name` - in errors; outlives the topics: a string literal.
  explicit basic_topics(const char* name) noexcept : name_(name) {}
  basic_topics(const basic_topics&) = delete;
  basic_topics& operator=(const basic_topics&) = delete;
  ~basic_topics() {
    PENSTOCK_ASSERT(rooms_.subscribers() == 0, "topics are destroyed before their subscribers");
  }

  /// One who receives what is published in the rooms that it will have joined.
  ///
  /// **Errors.** std::bad_alloc. A capacity of 0 stops the program.
  [[nodiscard]] subscriber subscribe(subscriber_options o = {}) {
    auto box = std::make_shared<detail::mailbox<T, Policy>>(o);
    const std::lock_guard lock(mutex_);
    if (reason_.there()) box->close(reason_.why());
    rooms_.sign_on(*box);
    return subscriber(*this, std::move(box));
  }
  /// Joins a room. False: it is in it already, was disconnected, or all is closed.
  bool join(const subscriber& s, key_view room) {
    const std::lock_guard lock(mutex_);
    return !reason_.there() && rooms_.join(s.box_, room);
  }
  /// Leaves a room. False: it is not in it.
  bool leave(const subscriber& s, key_view room) noexcept {
    const std::lock_guard lock(mutex_);
    return rooms_.leave(*s.box_, room);
  }

  /// Publishes a value in a room; never waits.
  ///
  /// **Result.** `result<std::size_t>`: how many have it in their mailbox; 0 is no error.
  /// **Errors.** the reason of `close`.
  result<std::size_t> publish(key_view room, T value, publish_options o = {}) {
    auto members = members_of(room);
    if (!members) return tl::unexpected<error>(std::move(members).error());
    if (!*members) return 0;
    return deliver(**members, std::make_shared<const T>(std::move(value)), o);
  }
  /// The same of a value that is shared already: no allocation.
  result<std::size_t> publish_shared(key_view room, const std::shared_ptr<const T>& value,
                                     publish_options o = {}) {
    auto members = members_of(room);
    if (!members) return tl::unexpected<error>(std::move(members).error());
    if (!*members) return 0;
    return deliver(**members, value, o);
  }

  /// There will be no other message. The first reason counts.
  void close(error reason = errc::closed) noexcept {
    reason = detail::closing_reason(std::move(reason), name_);
    const std::lock_guard lock(mutex_);
    if (reason_.there()) return;
    reason_.set(reason);
    rooms_.close(reason);
  }
  [[nodiscard]] bool closed() const noexcept {
    const std::lock_guard lock(mutex_);
    return reason_.there();
  }
  /// How many are in a room.
  [[nodiscard]] std::size_t members(key_view room) const noexcept {
    const std::lock_guard lock(mutex_);
    return rooms_.members(room);
  }
  [[nodiscard]] topics_stats stats() const noexcept {
    const std::lock_guard lock(mutex_);
    topics_stats s = stats_;
    s.rooms = rooms_.size();
    s.subscribers = rooms_.subscribers();
    return s;
  }

 private:
  using rooms = detail::topic_rooms<T, Key, Hash, Policy>;
  using snapshot = typename rooms::snapshot;

  void sign_off(detail::mailbox<T, Policy>& m) noexcept override {
    const std::lock_guard lock(mutex_);
    rooms_.sign_off(m);
  }
  // Null: none.
  result<snapshot> members_of(key_view room) {
    const std::lock_guard lock(mutex_);
    if (reason_.there()) return tl::unexpected<error>(reason_.why());
    ++stats_.published;
    return rooms_.members_now(room);
  }
  // Without the mutex: whoever joins or leaves does not wait for it.
  std::size_t deliver(const typename rooms::list& members, const std::shared_ptr<const T>& value,
                      const publish_options& o) noexcept {
    const auto* const except = o.except ? o.except->box_.get() : nullptr;
    std::size_t reached = 0, dropped = 0, disconnected = 0;
    for (const auto& m : members) {
      if (m.get() == except) continue;
      const detail::delivery d = m->offer(value, o.key);
      if (d == detail::delivery::dropped) ++dropped;
      if (d == detail::delivery::disconnected) ++disconnected;
      if (d == detail::delivery::queued || (d == detail::delivery::dropped && m->takes_new()))
        ++reached;
    }
    const std::lock_guard lock(mutex_);
    stats_.delivered += reached;
    stats_.dropped += dropped;
    stats_.disconnected += disconnected;
    if (disconnected != 0)
      for (const auto& m : members)
        if (m->closed()) rooms_.leave_all(*m);
    return reached;
  }

  mutable std::conditional_t<Policy::concurrent, std::mutex, detail::no_lock> mutex_;
  rooms rooms_;  // guarded by mutex_, as what follows
  topics_stats stats_;
  detail::refusal reason_;
  const char* name_;
};

/// The topics of tasks on any loops.
template <class T, class Key = std::string>
using topics = basic_topics<T, Key>;
namespace local {
/// The topics of tasks of one loop.
template <class T, class Key = std::string>
using topics = basic_topics<T, Key, detail::topic_hash<Key>, one_loop>;
}  // namespace local

}  // namespace penstock
