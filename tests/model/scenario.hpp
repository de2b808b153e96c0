// tests/model/scenario.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What is explored, and how a schedule of it is told: a setup, two or three threads of a few
/// operations each, a check at the end.

#include <model/atomic.hpp>

#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace model {

inline constexpr std::size_t most_threads = 4;

struct scenario {
  std::function<std::shared_ptr<void>()> make;
  std::vector<std::function<void(void*)>> threads;
  std::function<void(void*)> check;  // when all threads have ended; then what was made is destroyed
};

// An atomic is known by its maker, a thread or the setup (most_threads), and a number.
inline cell_id cell_of(std::size_t maker, cell_id number) noexcept {
  return static_cast<cell_id>(maker) * most_cells + number;
}

// Which threads have used which atomic, in all schedules up to now. An access of what one thread
// alone uses is no step of a schedule: nobody could tell when it was.
class sharing {
 public:
  // `all`: everything counts as shared, as where a schedule is repeated.
  explicit sharing(bool all = false) noexcept : all_(all) {}

  // An access. True: of what is shared; `learned` is set when it was not before.
  bool note(cell_id cell, int thread, bool& learned) {
    auto& used = used_[cell / most_cells];
    const auto at = cell % most_cells;
    if (used.size() <= at) used.resize(at + 1);
    unsigned& mask = used[at];
    const unsigned before = mask;
    mask |= 1U << thread;
    const bool is_shared = (mask & (mask - 1)) != 0;
    if (is_shared && before != mask && (before & (before - 1)) == 0) learned = true;
    return is_shared || all_;
  }

 private:
  bool all_;
  std::vector<unsigned> used_[most_threads + 1];
};

// Threads that can go on.
struct able {
  int of[most_threads] = {};
  std::size_t count = 0;
};

// Decides who goes on.
class chooser {
 public:
  // One of `those`, which are two at least; -1: there is no such schedule. `stays`: the first of
  // them need not be interrupted. `at`: accesses up to now.
  virtual int choose(const able& those, bool stays, std::size_t at) = 0;

 protected:
  ~chooser() = default;
};

// One access.
struct step {
  int thread;
  const char* what;
  cell_id cell;
  std::uint64_t value;  // afterwards
};

// "thread 0: exchange of atomic s2, now 1": the second that the setup has made.
inline std::string told(const std::vector<step>& steps) {
  std::string text;
  for (const step& s : steps) {
    const auto maker = s.cell / most_cells;
    char line[160];
    std::snprintf(line, sizeof line, "  thread %d: %s of atomic %c%u, now %lld\n", s.thread, s.what,
                  maker == most_threads ? 's' : static_cast<char>('0' + maker), s.cell % most_cells,
                  static_cast<long long>(s.value));
    text += line;
  }
  return text;
}

}  // namespace model
