// penstock/resilience/detail/keyed_limiter_object.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What the copies of a keyed rate limiter share: shards of cells with a core each, and the lines
/// of the keys that somebody waits for.

#include <penstock/base/atomic.hpp>
#include <penstock/base/unique_function.hpp>
#include <penstock/resilience/detail/keyed_cells.hpp>
#include <penstock/resilience/detail/limiter_object.hpp>
#include <penstock/resilience/keyed_rate_limiter_options.hpp>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace penstock::detail {

// Any thread. The tier function is called without a lock; hash and comparison of keys under one.
template <class Key, limiter_core Core, class Hash>
class keyed_limiter_object {
 public:
  using lock_type = typename shared_core<Core>::lock_type;
  using tier_function = unique_function<Core(const Key&)>;
  struct body {
    Core core;
    Key key;
    time_point gate;  // nothing passes before
  };
  using cells = keyed_cells<body>;
  using cell = typename cells::cell;
  struct key_line : limiter_line {
    std::uint64_t queued = 0;  // cost of those who wait; guarded by the shard's lock
    std::size_t users = 0;     // guarded by lines_mutex_
  };

  keyed_limiter_object(Core standard, tier_function tier, const keyed_rate_limiter_options& o,
                       std::string_view name, observer<rate_limiter_event> on_event)
      : options_(o),
        name_(name),
        standard_(standard),
        tier_(std::move(tier)),
        on_event_(std::move(on_event)),
        shift_(shift_of(o.max_keys)) {
    const std::size_t count = std::size_t{1} << (64 - shift_);
    shards_.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
      shards_.push_back(std::make_unique<shard>(o.max_keys / count + 1));
    if (o.when_full == when_full::share) {
      const rate_limiter_options each{.max_waiting = o.max_waiting,
                                      .when_limited = o.when_limited,
                                      .max_penalty = o.max_penalty};
      shared_.emplace(std::move(standard), each, name_, observer<rate_limiter_event>());
    }
  }

  static std::uint64_t hash_of(const Key& key) noexcept {
    // Of a number std::hash is the number: its digits are to count, too, in the high bits.
    return static_cast<std::uint64_t>(Hash{}(key)) * 0x9E3779B97F4A7C15u;
  }

  // Calls fn(cell, line) for the cell of `key`, under its lock. False: it has none, and there is no
  // room. `at`: then, when there may be.
  template <class Fn>
  bool with_cell(const Key& key, std::uint64_t hash, time_point now, time_point& at, Fn&& fn) {
    shard& s = shard_of(hash);
    const std::uint32_t tag = cells::tag_of(hash >> 16);
    s.table.prefetch(tag);
    {
      const std::lock_guard in(s.lock);
      if (cell* const c = s.table.find(tag, key)) [[likely]] {
        fn(*c);
        return true;
      }
    }
    body made{tier_ ? tier_(key) : standard_, key, (time_point::min)()};
    const std::lock_guard in(s.lock);
    cell* c = s.table.find(tag, key);
    if (!c) {
      if (!has_room(s, now, at)) return false;
      c = s.table.insert(tag, std::move(made));
      if (!c) {
        keys_.fetch_sub(1, memory_order_relaxed);
        return false;
      }
      made_.fetch_add(1, memory_order_relaxed);
    }
    fn(*c);
    return true;
  }
  // The same, if it has one.
  template <class Fn>
  void if_cell(const Key& key, std::uint64_t hash, Fn&& fn) {
    shard& s = shard_of(hash);
    const std::lock_guard in(s.lock);
    if (cell* const c = s.table.find(cells::tag_of(hash >> 16), key)) fn(*c);
  }

  std::shared_ptr<key_line> enter_line(const Key& key) {
    const std::lock_guard in(lines_mutex_);
    auto& line = lines_[key];
    if (!line) line = std::make_shared<key_line>();
    ++line->users;
    return line;
  }
  void leave_line(const Key& key, key_line& line) noexcept {
    const std::lock_guard in(lines_mutex_);
    if (--line.users == 0) lines_.erase(key);
  }
  // The first who waits for `key`, if anybody does, looks again.
  void nudge(const Key& key) noexcept {
    std::shared_ptr<key_line> line;
    {
      const std::lock_guard in(lines_mutex_);
      if (const auto found = lines_.find(key); found != lines_.end()) line = found->second;
    }
    if (line) line->changed.set();
  }
  void close() {
    if (closed_.exchange(true, memory_order_acq_rel)) return;
    std::vector<std::shared_ptr<key_line>> all;
    {
      const std::lock_guard in(lines_mutex_);
      for (const auto& [key, line] : lines_) {
        if (line) all.push_back(line);
      }
    }
    for (const auto& line : all) {
      line->turn.close();
      line->changed.set();
    }
    if (shared_) shared_->close();
    tell({name_, {}, rate_limiter_event::kind::closed, 0, {}});
  }
  [[nodiscard]] bool closed() const noexcept { return closed_.load(memory_order_acquire); }

  [[nodiscard]] keyed_rate_limiter_stats stats() const noexcept {
    const auto read = [](const auto& n) { return n.load(memory_order_relaxed); };
    keyed_rate_limiter_stats s;
    s.keys = read(keys_);
    s.made = read(made_);
    s.evicted = read(evicted_);
    s.full = read(full_);
    s.refused = read(refused_);
    s.waited = read(waited_);
    s.given_up = read(given_up_);
    s.penalized = read(penalized_);
    if (shared_) {
      const auto shared = shared_->stats();
      s.waited += shared.waited;
      s.given_up += shared.given_up;
    }
    return s;
  }
  void tell(const rate_limiter_event& e) const noexcept { on_event_(e); }
  [[nodiscard]] const keyed_rate_limiter_options& options() const noexcept { return options_; }
  [[nodiscard]] std::string_view name() const noexcept { return name_; }
  [[nodiscard]] limiter_object<Core>* shared() noexcept { return shared_ ? &*shared_ : nullptr; }
  static void count(atomic<std::uint64_t>& n) noexcept { n.fetch_add(1, memory_order_relaxed); }

  atomic<std::uint64_t> refused_{0}, waited_{0}, given_up_{0}, penalized_{0};

 private:
  struct alignas(64) shard {
    explicit shard(std::size_t most) : table(most) {}
    lock_type lock;
    cells table;  // guarded by lock
  };

  // So many shards that each has a thousand keys, at most 64.
  static int shift_of(std::size_t max_keys) noexcept {
    int bits = 0;
    while (bits < 6 && (max_keys >> (bits + 11)) != 0) ++bits;
    return 64 - bits;
  }
  [[nodiscard]] shard& shard_of(std::uint64_t hash) const noexcept {
    return *shards_[shift_ == 64 ? 0 : static_cast<std::size_t>(hash >> shift_)];
  }
  // For one more key, under the lock of `s`. Only one that is as new is forgotten: nobody gets a
  // permit by being forgotten.
  bool has_room(shard& s, time_point now, time_point& at) noexcept {
    if (keys_.fetch_add(1, memory_order_relaxed) < options_.max_keys) return true;
    keys_.fetch_sub(1, memory_order_relaxed);
    const bool gone = s.table.remove_one([&](cell& c) {
      const time_point fresh = (std::max)(c.body().core.fresh_at(), c.body().gate);
      if (c.waiting == 0 && fresh <= now) return true;
      at = (std::min)(at, fresh);
      return false;
    });
    count(gone ? evicted_ : full_);
    return gone;
  }

  const keyed_rate_limiter_options options_;
  const std::string name_;
  const Core standard_;
  tier_function tier_;
  const observer<rate_limiter_event> on_event_;
  const int shift_;  // of the hash, what is left tells the shard
  std::vector<std::unique_ptr<shard>> shards_;
  std::optional<limiter_object<Core>> shared_;  // of the keys for which there is no room
  atomic<bool> closed_{false};
  atomic<std::size_t> keys_{0};
  atomic<std::uint64_t> made_{0}, evicted_{0}, full_{0};
  std::mutex lines_mutex_;
  std::unordered_map<Key, std::shared_ptr<key_line>, Hash> lines_;  // guarded by lines_mutex_
};

}  // namespace penstock::detail
