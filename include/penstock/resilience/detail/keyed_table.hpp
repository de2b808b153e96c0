// penstock/resilience/detail/keyed_table.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A value for each key, at most so many: who was not asked for lately goes first, and what is
/// worth keeping goes last. Without a clock.

#include <penstock/base/clock.hpp>
#include <penstock/base/intrusive_list.hpp>

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

namespace penstock::detail {

// One thread at a time; O(1) amortised. What goes is moved into `gone`, to be destroyed by the
// caller when it has left its lock.
template <class Key, class Value, class Hash>
class keyed_table {
  struct entry : list_node {
    explicit entry(Value v) : value(std::move(v)) {}
    Value value;
    const Key* key = nullptr;
    time_point used{};
    bool kept = false;  // in kept_
  };
  using map = std::unordered_map<Key, entry, Hash>;

 public:
  using graveyard = std::vector<typename map::node_type>;
  struct counts {
    std::size_t keys = 0;
    std::uint64_t made = 0;
    std::uint64_t idle = 0;          // gone because nobody asked for them
    std::uint64_t evicted = 0;       // gone for a new key
    std::uint64_t evicted_kept = 0;  // of those, worth keeping
  };

  keyed_table(std::size_t most, duration idle) : most_(most), idle_(idle) {}

  // The value of `key`, made by make() when there is none. `keeps(value)`: it is worth keeping now.
  template <class Make, class Keeps>
  Value& at(const Key& key, time_point now, Make&& make, Keeps&& keeps, graveyard& gone) {
    if (const auto found = map_.find(key); found != map_.end()) {
      entry& e = found->second;
      list_of(e).erase(e);
      e.kept = false;
      e.used = now;
      recent_.push_back(e);
      return e.value;
    }
    forget_idle(now, keeps, gone);
    if (map_.size() >= most_) evict(keeps, gone);
    const auto made = map_.try_emplace(key, make()).first;
    entry& e = made->second;
    e.key = &made->first;
    e.used = now;
    recent_.push_back(e);
    ++counts_.made;
    return e.value;
  }
  [[nodiscard]] counts numbers() const noexcept {
    counts c = counts_;
    c.keys = map_.size();
    return c;
  }
  template <class Fn>
  void for_each(Fn&& fn) const {
    for (const auto& [key, e] : map_) fn(key, e.value);
  }

 private:
  using list = intrusive_list<entry>;

  list& list_of(const entry& e) noexcept { return e.kept ? kept_ : recent_; }
  void keep(entry& e) noexcept {
    list_of(e).erase(e);
    e.kept = true;
    kept_.push_back(e);
  }
  void drop(entry& e, graveyard& gone) {
    gone.reserve(gone.size() + 1);
    list_of(e).erase(e);
    gone.push_back(map_.extract(*e.key));
  }
  // A few at a time: more go than come.
  template <class Keeps>
  void forget_idle(time_point now, Keeps& keeps, graveyard& gone) {
    for (list* from : {&recent_, &recent_, &kept_}) {
      entry* const e = from->front();
      if (!e || now - e->used < idle_) continue;
      if (keeps(e->value)) {
        keep(*e);
        continue;
      }
      drop(*e, gone);
      ++counts_.idle;
    }
  }
  template <class Keeps>
  void evict(Keeps& keeps, graveyard& gone) {
    ++counts_.evicted;
    while (entry* const e = recent_.front()) {
      if (!keeps(e->value)) return drop(*e, gone);
      keep(*e);
    }
    int looked = 0;
    for (entry& e : kept_) {
      if (!keeps(e.value)) return drop(e, gone);
      if (++looked == 16) break;
    }
    ++counts_.evicted_kept;
    drop(*kept_.front(), gone);
  }

  const std::size_t most_;
  const duration idle_;
  map map_;
  list recent_;  // the one that was asked for last is last
  list kept_;    // were worth keeping when they had become the oldest of recent_
  counts counts_;
};

}  // namespace penstock::detail
