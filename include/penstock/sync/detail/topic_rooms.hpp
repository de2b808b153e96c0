// penstock/sync/detail/topic_rooms.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The rooms of topics.hpp and who is in them. All under the mutex of the topics; a list of members
/// that was given out stays as it is.

#include <penstock/base/intrusive_list.hpp>
#include <penstock/sync/detail/mailbox.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace penstock::detail {

// Strings are found by views of them.
template <class Key>
struct topic_hash : std::hash<Key> {};
template <>
struct topic_hash<std::string> : std::hash<std::string_view> {
  using is_transparent = void;
};

// What a membership knows of a room whatever its type.
struct topic_room {
 protected:
  ~topic_room() = default;
};

template <class T, class Key, class Hash, class Policy>
class topic_rooms {
 public:
  using box = mailbox<T, Policy>;
  using list = std::vector<std::shared_ptr<box>>;
  using snapshot = std::shared_ptr<const list>;
  using key_view =
      std::conditional_t<std::is_same_v<Key, std::string>, std::string_view, const Key&>;

  void sign_on(box& b) noexcept {
    all_.push_back(b);
    ++subscribers_;
  }
  void sign_off(box& b) noexcept {
    leave_all(b);
    all_.erase(b);
    --subscribers_;
  }
  [[nodiscard]] std::size_t subscribers() const noexcept { return subscribers_; }
  [[nodiscard]] std::size_t size() const noexcept { return rooms_.size(); }
  void close(const error& reason) noexcept {
    for (box& b : all_) b.close(reason);
  }

  bool join(const std::shared_ptr<box>& b, key_view name) {
    if (b->is_cut_off() || is_in(*b, name)) return false;
    if (b->memberships.size() == b->memberships.capacity())
      b->memberships.reserve(2 * b->memberships.size() + 1);
    auto at = rooms_.find(name);
    const bool is_new = at == rooms_.end();
    if (is_new) {
      at = rooms_.try_emplace(Key(name)).first;
      at->second.name = &at->first;
    }
    try {
      at->second.joined.push_back(b);
    } catch (...) {
      if (is_new) rooms_.erase(at);
      throw;
    }
    b->memberships.push_back({&at->second, at->second.joined.size() - 1});
    at->second.now.reset();
    return true;
  }
  bool leave(box& b, key_view name) noexcept {
    const auto at = rooms_.find(name);
    if (at == rooms_.end()) return false;
    for (auto& m : b.memberships) {
      if (m.room != &at->second) continue;
      take_out(m);
      m = b.memberships.back();
      b.memberships.pop_back();
      return true;
    }
    return false;
  }
  void leave_all(box& b) noexcept {
    for (const membership& m : b.memberships) take_out(m);
    b.memberships.clear();
  }
  [[nodiscard]] std::size_t members(key_view name) const noexcept {
    const auto at = rooms_.find(name);
    return at == rooms_.end() ? 0 : at->second.joined.size();
  }
  // Null: there is no such room.
  snapshot members_now(key_view name) {
    const auto at = rooms_.find(name);
    if (at == rooms_.end()) return nullptr;
    if (!at->second.now) at->second.now = std::make_shared<const list>(at->second.joined);
    return at->second.now;
  }

 private:
  struct room final : topic_room {
    const Key* name = nullptr;
    list joined;
    snapshot now;  // null: somebody has joined or left since
  };

  bool is_in(const box& b, key_view name) const noexcept {
    const auto at = rooms_.find(name);
    if (at == rooms_.end()) return false;
    return std::any_of(b.memberships.begin(), b.memberships.end(),
                       [&](const membership& m) { return m.room == &at->second; });
  }
  // The last one takes its place.
  void take_out(const membership& m) noexcept {
    room& r = static_cast<room&>(*m.room);
    r.now.reset();
    if (m.index + 1 != r.joined.size()) {
      auto& last = r.joined.back();
      for (membership& other : last->memberships)
        if (other.room == m.room) other.index = m.index;
      std::swap(r.joined[m.index], last);
    }
    r.joined.pop_back();
    if (r.joined.empty()) rooms_.erase(rooms_.find(*r.name));
  }

  std::unordered_map<Key, room, Hash, std::equal_to<>> rooms_;
  intrusive_list<box> all_;
  std::size_t subscribers_ = 0;
};

}  // namespace penstock::detail
