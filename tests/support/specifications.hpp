// tests/support/specifications.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What primitives do when one thread uses them at a time: specifications for linearizable.hpp. An
/// operation that waits takes effect when it is served; one that was stopped has none.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

namespace support {

enum class answer : unsigned char {
  done,     // accepted, granted, released, closed
  refused,  // full, closed, not enough permits
  value,    // a value was received
  nothing,  // the end, or nothing is there
  stopped,
};
inline const char* name_of(answer a) {
  constexpr const char* names[] = {"done", "refused", "value", "nothing", "stopped"};
  return names[static_cast<unsigned>(a)];
}

// A bounded queue that is first in, first out, with an end. With capacity 0 a send and a receive
// are one: no other operation is between them; that they are at one time is for each_meets().
struct queue_specification {
  enum class verb : unsigned char { send, try_send, receive, try_receive, close };
  struct operation {
    verb what;
    int value = 0;
  };
  struct result {
    answer is;
    int value = 0;
  };
  struct state {
    std::deque<int> values{};
    bool closed = false;
    auto operator<=>(const state&) const = default;
  };

  std::size_t capacity;

  bool apply(state& s, const operation& o, const result& r) const {
    if (r.is == answer::stopped) return true;
    const bool meeting = capacity == 0 && !s.values.empty();
    if (r.is == answer::value) {
      if (s.values.empty() || s.values.front() != r.value) return false;
      s.values.pop_front();
      return true;
    }
    if (meeting) return false;
    switch (o.what) {
      case verb::send:
      case verb::try_send:
        if (r.is == answer::done) {
          if (s.closed || s.values.size() >= (capacity == 0 ? 1 : capacity)) return false;
          s.values.push_back(o.value);
          return true;
        }
        return s.closed || (o.what == verb::try_send && s.values.size() >= capacity);
      case verb::receive:
        return s.closed && s.values.empty();
      case verb::try_receive:
        return s.values.empty();
      case verb::close:
        s.closed = true;
        return true;
    }
    return false;
  }
  std::string tell(const operation& o, const result& r) const {
    constexpr const char* names[] = {"send", "try_send", "receive", "try_receive", "close"};
    std::string text = names[static_cast<unsigned>(o.what)];
    if (o.what <= verb::try_send) text += " " + std::to_string(o.value);
    text += std::string(" -> ") + name_of(r.is);
    return r.is == answer::value ? text + " " + std::to_string(r.value) : text;
  }
};

// Every value, sent once, was received while its sender was sending.
template <class History>
bool each_meets(const History& operations) {
  for (const auto& r : operations) {
    if (r.gave.is != answer::value) continue;
    for (const auto& s : operations) {
      const bool is_its = s.what.what <= queue_specification::verb::try_send &&
                          s.gave.is == answer::done && s.what.value == r.gave.value;
      if (is_its && (s.returned < r.called || r.returned < s.called)) return false;
    }
  }
  return true;
}

// Permits, all of one size: a request for one never stands in line behind a larger one, so that
// try_acquire is refused only when there is none.
struct permits_specification {
  enum class verb : unsigned char { acquire, try_acquire, release, resize, close };
  struct operation {
    verb what;
    std::int64_t n = 1;  // of resize
  };
  struct result {
    answer is;
  };
  struct state {
    std::int64_t capacity = 1;
    std::int64_t free = 1;
    bool closed = false;
    auto operator<=>(const state&) const = default;
  };

  bool apply(state& s, const operation& o, const result& r) const {
    if (r.is == answer::stopped) return true;
    switch (o.what) {
      case verb::acquire:
      case verb::try_acquire:
        if (r.is == answer::refused) return s.closed || (o.what == verb::try_acquire && s.free < 1);
        return !s.closed && s.free-- >= 1;
      case verb::release:
        return s.free++ < s.capacity;
      case verb::resize:
        s.free += o.n - s.capacity;
        s.capacity = o.n;
        return true;
      case verb::close:
        s.closed = true;
        return true;
    }
    return false;
  }
  std::string tell(const operation& o, const result& r) const {
    constexpr const char* names[] = {"acquire", "try_acquire", "release", "resize", "close"};
    std::string text = names[static_cast<unsigned>(o.what)];
    if (o.what == verb::resize) text += " " + std::to_string(o.n);
    return text + " -> " + name_of(r.is);
  }
};

// A try_acquire or a try_lock that was refused: a semaphore may do that for no reason while another
// operation is under way.
inline auto refused_try = [](const auto& o) {
  using verb = decltype(o.what.what);
  if constexpr (requires { verb::try_acquire; })
    return o.what.what == verb::try_acquire && o.gave.is == answer::refused;
  else
    return o.what.what == verb::try_lock && o.gave.is == answer::refused;
};

// A lock has one owner, who unlocks it.
struct lock_specification {
  enum class verb : unsigned char { lock, try_lock, unlock };
  struct operation {
    verb what;
    int who;
  };
  struct result {
    answer is;
  };
  struct state {
    int owner = -1;
    auto operator<=>(const state&) const = default;
  };

  bool apply(state& s, const operation& o, const result& r) const {
    if (r.is == answer::stopped) return true;
    if (r.is == answer::refused) return o.what == verb::try_lock && s.owner != -1;
    const int before = o.what == verb::unlock ? o.who : -1;
    if (s.owner != before) return false;
    s.owner = o.what == verb::unlock ? -1 : o.who;
    return true;
  }
  std::string tell(const operation& o, const result& r) const {
    constexpr const char* names[] = {"lock", "try_lock", "unlock"};
    return std::string(names[static_cast<unsigned>(o.what)]) + " by " + std::to_string(o.who) +
           " -> " + name_of(r.is);
  }
};

}  // namespace support
