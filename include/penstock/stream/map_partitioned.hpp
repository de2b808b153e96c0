// penstock/stream/map_partitioned.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Works on several items at once, but only on so many of the same key: the events of an account
/// one after the other, those of different accounts at once.

#include <penstock/stream/detail/concurrent.hpp>

#include <cstddef>
#include <functional>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace penstock {
namespace detail {
template <class Up, class K, class F>
class map_partitioned_stream : public concurrent_stream<map_partitioned_stream<Up, K, F>, Up, F> {
  using base = concurrent_stream<map_partitioned_stream, Up, F>;
  using place = typename base::place;
  using key_type = std::remove_cvref_t<std::invoke_result_t<K&, const typename Up::value_type&>>;
  friend base;

 public:
  map_partitioned_stream(Up&& up, K&& key, F&& fn, std::size_t n, std::size_t per_key)
      : base(std::move(up), std::move(fn), n, "map_partitioned"),
        key_(std::move(key)),
        per_key_(per_key) {}
  map_partitioned_stream(map_partitioned_stream&& o)
      : base(std::move(o)), key_(std::move(o.key_)), per_key_(o.per_key_) {}

  void open(flow& f) {
    base::open(f);
    if (per_key_ == 0) f.fail(error(errc::invalid_option).with("map_partitioned", "0 of a key"));
  }

 private:
  // The places of one key, in the order of their items: done or running ones, then those whose
  // turn has not come.
  struct partition {
    typename base::place_queue places;
    place* begun = nullptr;  // the last that has
    std::size_t running = 0;
    bool starts = false;    // a loop over it is on
    bool is_ready = false;  // its first place is done: it is in ready_
    partition* next_ready = nullptr;
    const key_type* key = nullptr;
  };
  using table = std::unordered_map<key_type, partition>;

  void arrived(place& p) {
    auto&& key = std::invoke(key_, std::as_const(*p.item()));
    auto at = table_.find(key);
    if (at == table_.end()) at = insert(std::forward<decltype(key)>(key));
    partition& of = at->second;
    of.places.push(p);
    p.group = &of;
    start(of);
  }
  void done(place& p) {
    partition& of = *static_cast<partition*>(p.group);
    --of.running;
    if (of.places.first == &p) ready(of);
    start(of);
  }
  place* next_done() noexcept {
    partition* const of = ready_;
    if (!of) return nullptr;
    ready_ = of->next_ready;
    of->is_ready = false;
    place* const p = of->places.pop();
    if (of->begun == p) of->begun = nullptr;
    if (!of->places.first)
      spare_.push_back(table_.extract(*of->key));  // reserved
    else if (of->places.first->output)
      ready(*of);  // behind the others
    return p;
  }

  void start(partition& of) {
    if (std::exchange(of.starts, true)) return;
    const auto next = [&] { return of.begun ? of.begun->next : of.places.first; };
    while (of.running < per_key_ && next()) {
      of.begun = next();
      ++of.running;
      this->begin(*of.begun);
    }
    of.starts = false;
  }
  void ready(partition& of) noexcept {
    if (std::exchange(of.is_ready, true)) return;
    of.next_ready = nullptr;
    (ready_ ? last_ready_->next_ready : ready_) = &of;
    last_ready_ = &of;
  }
  template <class Key>
  typename table::iterator insert(Key&& key) {
    if (spare_.empty()) {
      const auto at = table_.try_emplace(std::forward<Key>(key)).first;
      spare_.reserve(table_.size());
      at->second.key = &at->first;
      return at;
    }
    auto node = std::move(spare_.back());
    spare_.pop_back();
    node.key() = std::forward<Key>(key);
    node.mapped() = {};
    const auto at = table_.insert(std::move(node)).position;
    at->second.key = &at->first;
    return at;
  }

  K key_;
  std::size_t per_key_;
  table table_;
  std::vector<typename table::node_type> spare_;
  partition* ready_ = nullptr;
  partition* last_ready_ = nullptr;
};
template <class K, class F>
class map_partitioned_stage : public stream_stage {
 public:
  map_partitioned_stage(std::size_t n, std::size_t per_key, K key, F fn)
      : n_(n), per_key_(per_key), key_(std::move(key)), fn_(std::move(fn)) {}
  template <class Up>
  requires std::invocable<F&, typename Up::value_type> &&
      std::invocable<K&, const typename Up::value_type&>
  auto over(Up&& up) && {
    return map_partitioned_stream<Up, K, F>(std::move(up), std::move(key_), std::move(fn_), n_,
                                            per_key_);
  }

 private:
  std::size_t n_, per_key_;
  K key_;
  F fn_;
};
}  // namespace detail

/// Options of `map_partitioned`.
struct partition_options {
  std::size_t per_key = 1;  ///< items of one key in work at once
};

/// Each item as `fn(item)`, `n` at once, of each key so many.
///
/// **Shape.** keys a and b, a takes 5 ms: `-aAb-|` map_partitioned(4, letter, work) `----b-a(A|)`;
/// with two places: `-aAb-|` map_partitioned(2, letter, work) `------a(Ab|)`
/// **Parameters.** `n` - items that are in work, wait for their key, or are done and not yet taken,
/// at least 1: many of one key may use them up. `key` - from `const T&` to what std::hash takes; it
/// does not wait. `fn` - as for `map_concurrent`. `o` - see there.
/// **Errors.** as `map_concurrent`; an exception of `key` is the stream's.
/// **Ordering.** emits when the oldest item of any key is done: in the order of the items for each
/// key, and without waiting for other keys; backpressures with `n` items; completes when all are
/// emitted; fails at once; cancels all that run.
/// **Complexity.** eager: needs a sink. Allocates `n` places, and a record for each key that is in
/// work, which is used again: at most `n`.
/// **Example.** @snippet tests/stream/map_unordered_test.cpp map_partitioned
template <class Key, class Fn>
[[nodiscard]] auto map_partitioned(std::size_t n, Key&& key, Fn&& fn, partition_options o = {}) {
  detail::check_closure<Key>();
  detail::check_closure<Fn>();
  return detail::map_partitioned_stage<std::decay_t<Key>, std::decay_t<Fn>>(
      n, o.per_key, std::forward<Key>(key), std::forward<Fn>(fn));
}

}  // namespace penstock
