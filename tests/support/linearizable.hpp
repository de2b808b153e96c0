// tests/support/linearizable.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Whether a history of operations of several threads can be explained by one order of them: each
/// takes effect at some instant between its call and its return, and gives what the sequential
/// specification says. The search of Wing and Gong with Lowe's memory of what was tried, as in
/// Porcupine.
///
/// A specification (specifications.hpp) has
///     struct state;       with <=>
///     struct operation;
///     struct result;
///     bool apply(state&, const operation&, const result&) const;   false: not in this state
///     std::string tell(const operation&, const result&) const;

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace support {

// An operation that was called and has returned.
template <class Spec>
struct recorded {
  std::size_t thread;
  std::uint64_t called;
  std::uint64_t returned;
  typename Spec::operation what;
  typename Spec::result gave;
};

// Records operations; a thread (or a task) writes only what is its own. Times are taken from one
// counter.
template <class Spec>
class history {
 public:
  explicit history(std::size_t threads) : of_thread_(threads) {}

  std::uint64_t now() noexcept { return clock_.fetch_add(1); }
  void add(std::size_t thread, std::uint64_t called, typename Spec::operation what,
           typename Spec::result gave) {
    of_thread_[thread].push_back({thread, called, now(), what, gave});
  }
  // When all threads have ended: in the order of the calls.
  [[nodiscard]] std::vector<recorded<Spec>> all() const {
    std::vector<recorded<Spec>> both;
    for (const auto& some : of_thread_) both.insert(both.end(), some.begin(), some.end());
    std::sort(both.begin(), both.end(),
              [](const auto& a, const auto& b) { return a.called < b.called; });
    return both;
  }

 private:
  std::atomic<std::uint64_t> clock_{0};
  std::vector<std::vector<recorded<Spec>>> of_thread_;
};

// The operations without those that `may` fail for no reason while another one is under way, and
// had another one beside them.
template <class Spec, class May>
std::vector<recorded<Spec>> without_excused(const std::vector<recorded<Spec>>& operations,
                                            May may) {
  std::vector<recorded<Spec>> kept;
  for (const auto& o : operations) {
    const auto beside = [&](const auto& p) {
      return p.thread != o.thread && p.called < o.returned && o.called < p.returned;
    };
    if (!may(o) || std::none_of(operations.begin(), operations.end(), beside)) kept.push_back(o);
  }
  return kept;
}

template <class Spec>
class order_search {
 public:
  order_search(const Spec& spec, const std::vector<recorded<Spec>>& operations)
      : spec_(spec), operations_(operations), done_((operations.size() + 63) / 64) {
    std::vector<std::tuple<std::uint64_t, std::size_t, bool>> events;
    for (std::size_t i = 0; i < operations.size(); ++i) {
      events.emplace_back(operations[i].called, i, true);
      events.emplace_back(operations[i].returned, i, false);
    }
    std::sort(events.begin(), events.end());
    events_.resize(events.size() + 2);  // with both ends
    return_of_.resize(operations.size());
    for (std::size_t at = 1; at + 1 < events_.size(); ++at) {
      const auto& [time, operation, is_call] = events[at - 1];
      events_[at] = {operation, is_call, at - 1, at + 1};
      if (!is_call) return_of_[operation] = at;
    }
    events_.front().after = 1;
    events_.back().before = events_.size() - 2;
  }

  bool run(typename Spec::state state) {
    std::size_t at = events_.front().after;
    while (events_.front().after != events_.size() - 1) {
      const event& e = events_[at];
      if (e.is_call) {
        auto then = state;
        const auto& o = operations_[e.operation];
        if (spec_.apply(then, o.what, o.gave) && is_new(e.operation, then)) {
          chosen_.emplace_back(at, std::exchange(state, std::move(then)));
          take_out(at);
          at = events_.front().after;
        } else {
          at = e.after;
        }
      } else {
        // It has returned, and nothing that may come first explains it.
        if (chosen_.empty()) return false;
        at = chosen_.back().first;
        state = std::move(chosen_.back().second);
        chosen_.pop_back();
        put_back(at);
        at = events_[at].after;
      }
    }
    return true;
  }

 private:
  struct event {
    std::size_t operation = 0;
    bool is_call = false;
    std::size_t before = 0;
    std::size_t after = 0;
  };

  void flip(std::size_t operation) { done_[operation / 64] ^= std::uint64_t{1} << operation % 64; }
  bool is_new(std::size_t operation, const typename Spec::state& then) {
    flip(operation);
    const bool first = tried_.emplace(done_, then).second;
    flip(operation);
    return first;
  }
  void unlink(std::size_t at) {
    events_[events_[at].before].after = events_[at].after;
    events_[events_[at].after].before = events_[at].before;
  }
  void relink(std::size_t at) {
    events_[events_[at].before].after = at;
    events_[events_[at].after].before = at;
  }
  void take_out(std::size_t call) {
    flip(events_[call].operation);
    unlink(call);
    unlink(return_of_[events_[call].operation]);
  }
  void put_back(std::size_t call) {
    relink(return_of_[events_[call].operation]);
    relink(call);
    flip(events_[call].operation);
  }

  const Spec& spec_;
  const std::vector<recorded<Spec>>& operations_;
  std::vector<event> events_;
  std::vector<std::size_t> return_of_;
  std::vector<std::uint64_t> done_;
  std::set<std::pair<std::vector<std::uint64_t>, typename Spec::state>> tried_;
  std::vector<std::pair<std::size_t, typename Spec::state>> chosen_;
};

// "" when there is such an order; else the history.
template <class Spec>
std::string refuted(const Spec& spec, const std::vector<recorded<Spec>>& operations,
                    typename Spec::state initial) {
  if (order_search<Spec>(spec, operations).run(std::move(initial))) return "";
  std::string text = "there is no order that explains\n";
  for (const auto& o : operations) {
    text += "  [" + std::to_string(o.called) + ", " + std::to_string(o.returned) + "] thread " +
            std::to_string(o.thread) + ": " + spec.tell(o.what, o.gave) + "\n";
  }
  return text;
}

}  // namespace support
