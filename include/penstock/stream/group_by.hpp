// penstock/stream/group_by.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A stream of its own for each key, and what they emit as one: batches per customer, sums per
/// sensor. Only an order per key: map_partitioned.hpp.

#include <penstock/base/intrusive_list.hpp>
#include <penstock/core/with_group.hpp>
#include <penstock/stream/detail/alarm.hpp>
#include <penstock/stream/detail/eager.hpp>
#include <penstock/stream/detail/guarded.hpp>
#include <penstock/stream/detail/item_queue.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <unordered_map>
#include <utility>

namespace penstock {

/// Options of `group_by`.
struct group_by_options {
  std::size_t max_groups = 1024;      ///< at once; for another one the longest idle group is ended
  duration idle = (duration::max)();  ///< a group without an item for so long is ended
  std::size_t buffered = 16;  ///< items that wait in a group; more, and the source is not asked
};
/// `errc::invalid_option`, naming the member, when `o` cannot work.
[[nodiscard]] inline result<> validate(const group_by_options& o) {
  if (o.max_groups == 0) return fail(errc::invalid_option, "group_by", "max_groups");
  if (o.idle <= duration::zero()) return fail(errc::invalid_option, "group_by", "idle");
  if (o.buffered == 0) return fail(errc::invalid_option, "group_by", "buffered");
  return {};
}

namespace detail {
// Wakes who waits in the next turn: this may be inside of a pull.
inline void wake_later(pump*& waiting) noexcept {
  if (pump* const p = std::exchange(waiting, nullptr)) p->of().rest(*p);
}
// What a group's source and the stage share.
template <class T>
struct group_inbox {
  item_queue<T> items;
  bool ended = false;
  pump* reader = nullptr;  // waits for an item
  pump* writer = nullptr;  // waits for room
};
}  // namespace detail

/// The items of one group: a source for the function of `group_by`.
///
/// **Lifetime.** used in the stream that the function returns, which the stage owns.
template <class T>
class group_stream : public detail::stream_interface<group_stream<T>> {
 public:
  using value_type = T;
  static constexpr bool is_eager = true;

  explicit group_stream(detail::group_inbox<T>& from) noexcept : from_(&from) {}

  void open(detail::flow&) const noexcept {}
  detail::pulled pull(detail::pump& p, std::optional<T>& out) {
    if (from_->items.pop(out)) {
      detail::wake_later(from_->writer);
      return detail::pulled::item;
    }
    if (from_->ended) return detail::pulled::end;
    from_->reader = &p;
    return detail::pulled::wait;
  }

 private:
  detail::group_inbox<T>* from_;
};

namespace detail {
template <class Up, class K, class F>
struct group_types {
  using item = typename Up::value_type;
  using key = std::remove_cvref_t<std::invoke_result_t<K&, const item&>>;
  using inner = pullable_t<std::invoke_result_t<F&, const key&, group_stream<item>>>;
};

template <class Up, class K, class F>
class group_by_stream : public eager_stream<group_by_stream<Up, K, F>,
                                            typename group_types<Up, K, F>::inner::value_type>,
                        pump {
  using types = group_types<Up, K, F>;
  using T = typename types::item;
  using key_type = typename types::key;
  using value = typename types::inner::value_type;
  using base = eager_stream<group_by_stream, value>;
  using source = branch<group_by_stream, Up>;
  friend base;
  friend source;
  friend alarm<group_by_stream>;

 public:
  group_by_stream(Up&& up, K&& key, F&& fn, const group_by_options& o)
      : up_(std::move(up)), key_(std::move(key)), fn_(std::move(fn)), options_(o) {}
  group_by_stream(group_by_stream&& o)
      : base(),
        pump(),
        up_(std::move(o.up_)),
        key_(std::move(o.key_)),
        fn_(std::move(o.fn_)),
        options_(o.options_) {}

  void open(flow& f) {
    this->open_stage(f);
    pump::attach(f);
    up_.open(*this, f);
    alarm_.open(*this, f);
    if (auto valid = validate(options_); !valid) f.fail(std::move(valid.error()));
  }

 private:
  struct record : list_node {
    step news() noexcept { return stage->woken(*this); }

    group_by_stream* stage = nullptr;
    group_inbox<T> inbox;
    time_point last{};  // when an item came
    std::optional<guarded<record, typename types::inner>> stream;
    std::optional<value> output;
    record* next_ready = nullptr;
    const key_type* key = nullptr;
  };

  bool wants(source&) const noexcept { return !pending_; }
  void put(source&, T&& item) {
    pending_.emplace(std::move(item));
    place();
  }
  step woken(record& r) noexcept {
    try {
      if (!base::of().is_cut() && !r.output) go_on(r);
    } catch (...) {
      base::of().fail(std::current_exception());
    }
    return this->news();
  }
  step wake() noexcept override { return this->news(); }

  void fill() {
    if (pending_) place();
    up_.fill();
    while (!open_.empty() && options_.idle != (duration::max)() &&
           alarm_.is_past(add_saturated(open_.front()->last, options_.idle)))
      end(*open_.front());
    if (up_.ended() && !pending_)
      while (!open_.empty()) end(*open_.front());
  }
  bool take(std::optional<value>& out) {
    record* const r = ready_;
    if (!r) return false;
    ready_ = r->next_ready;
    out.emplace(*std::move(r->output));
    r->output.reset();
    go_on(*r);
    return true;
  }
  [[nodiscard]] bool finished() const noexcept {
    return up_.ended() && !pending_ && groups_.empty();
  }

  // The pending item goes into its group, if there is room.
  void place() {
    auto&& key = std::invoke(key_, std::as_const(*pending_));
    const auto at = groups_.find(key);
    record* r = at == groups_.end() ? nullptr : at->second.get();
    if (!r) {
      if (groups_.size() >= options_.max_groups) {
        if (ending_ == 0) end(*open_.front());  // then there is room
        return;
      }
      r = &begin(std::forward<decltype(key)>(key));
    } else if (r->inbox.ended) {
      return;  // another one of that key, when this one is gone
    } else if (r->inbox.items.size() >= options_.buffered) {
      r->inbox.writer = this;
      return;
    } else {
      open_.erase(*r);
    }
    r->last = alarm_.now();
    open_.push_back(*r);
    r->inbox.items.push(*std::exchange(pending_, std::nullopt));
    wake_later(r->inbox.reader);
    if (!r->stream) {
      r->stream.emplace(pullable_of(std::invoke(fn_, *r->key, group_stream<T>(r->inbox))));
      r->stream->open(*r, base::of());
      go_on(*r);
    }
  }
  template <class Key>
  record& begin(Key&& key) {
    const auto at = groups_.emplace(std::forward<Key>(key), std::make_unique<record>()).first;
    record& r = *at->second;
    r.stage = this;
    r.key = &at->first;
    r.inbox.items.reserve(options_.buffered);
    return r;
  }
  void end(record& r) noexcept {
    open_.erase(r);
    r.inbox.ended = true;
    ++ending_;
    wake_later(r.inbox.reader);
  }
  // Pulls the group's stream; one that is over is gone then.
  void go_on(record& r) {
    switch (r.stream->pull(r.output)) {
      case guarded_pull::item:
        r.next_ready = nullptr;
        (ready_ ? last_ready_->next_ready : ready_) = &r;
        last_ready_ = &r;
        break;
      case guarded_pull::wait:
        break;
      case guarded_pull::failed:
        if (auto why = r.stream->take_error()) base::of().fail(*std::move(why));
        break;
      case guarded_pull::end:
        if (r.inbox.ended)
          --ending_;
        else
          open_.erase(r);  // it wants no more items: they begin another one
        groups_.erase(groups_.find(*r.key));
        break;
    }
  }

  source up_;
  K key_;
  F fn_;
  group_by_options options_;
  alarm<group_by_stream> alarm_;
  std::optional<T> pending_;
  std::unordered_map<key_type, std::unique_ptr<record>> groups_;
  intrusive_list<record> open_;  // not ended; the longest idle one first
  std::size_t ending_ = 0;       // the others
  record* ready_ = nullptr;
  record* last_ready_ = nullptr;
};
template <class K, class F>
class group_by_stage : public stream_stage {
 public:
  group_by_stage(K key, F fn, const group_by_options& o)
      : key_(std::move(key)), fn_(std::move(fn)), options_(o) {}
  template <class Up>
  requires std::invocable<K&, const typename Up::value_type&>
  auto over(Up&& up) && {
    return group_by_stream<Up, K, F>(std::move(up), std::move(key_), std::move(fn_), options_);
  }

 private:
  K key_;
  F fn_;
  group_by_options options_;
};
}  // namespace detail

/// A stream for each key, which gets its items; what all of them emit.
///
/// **Shape.** by letter, a chunk at the end of a group: `abab--|` group_by(itself, at_end)
/// `------([aa][bb]|)`; `ab#` group_by(itself, at_end) `--#`
/// **Parameters.** `key` - from `const T&` to what std::hash takes. `fn` - from `const Key&` and a
/// `group_stream<T>` to a stream of any items: called once for each group. Both are copied, as by
/// `map`, and do not wait. `o` - see there.
/// **Errors.** those of the groups' streams: the first ends all; `errc::invalid_option`.
/// **Ordering.** emits what a group emits, of several in the order in which they had it;
/// backpressures when an item's group has no room, or there is no room for its group until another
/// has ended; completes when the stream and then all groups have ended; fails at once; cancels all.
/// A group ends with the stream, when it is idle for too long, or to make room; a later item of its
/// key begins another one.
/// **Complexity.** eager: needs a sink. O(1) for an item. Allocates for each group: its record with
/// the stream, and room for the items that wait.
/// **Lifetime.** a group's key lives as long as its stream.
/// **Example.** @snippet tests/stream/group_by_test.cpp group_by
template <class Key, class Fn>
[[nodiscard]] auto group_by(Key&& key, Fn&& fn, group_by_options o = {}) {
  detail::check_closure<Key>();
  detail::check_closure<Fn>();
  return detail::group_by_stage<std::decay_t<Key>, std::decay_t<Fn>>(std::forward<Key>(key),
                                                                     std::forward<Fn>(fn), o);
}
}  // namespace penstock
