// tests/model/schedule.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Runs a scenario once: at each access of a shared atomic a chooser says which logical thread goes
/// on. A thread that spins is blocked until another writes what it has read last; when nobody can
/// go on the schedule has failed.

#include <model/fiber.hpp>
#include <model/scenario.hpp>

#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace model {

class schedule final : observer {
 public:
  schedule(const scenario& what, sharing& cells) : what_(what), cells_(cells) {
    for (std::size_t i = 0; i <= what.threads.size(); ++i) fibers_.emplace_back(stack_size);
  }

  // False: it has failed; what runs is abandoned, and this object is to be kept and not used.
  bool run(chooser& c) {
    chooser_ = &c;
    count_ = what_.threads.size();
    made_ = {};
    accesses_ = 0;
    learned_ = false;
    alone([](schedule& s) { s.world_ = s.what_.make(); });
    if (problem_.empty()) {
      for (std::size_t i = 0; i < count_; ++i) {
        threads_[i] = {this, static_cast<int>(i)};
        fibers_[i].prepare(&run_thread, &threads_[i]);
      }
      go(home_, next(nobody));
    }
    if (problem_.empty()) {
      alone([](schedule& s) {
        s.what_.check(s.world_.get());
        s.world_.reset();
      });
    }
    return problem_.empty();
  }
  // Whether an atomic has turned out to be shared: schedules before it were too coarse.
  [[nodiscard]] bool learned() const { return learned_; }
  [[nodiscard]] const std::string& problem() const { return problem_; }
  // The thread of each access, as "00110".
  [[nodiscard]] std::string order() const {
    std::string text;
    for (std::size_t i = 0; i < accesses_; ++i) text += static_cast<char>('0' + steps_[i].thread);
    return text;
  }
  [[nodiscard]] std::size_t accesses() const { return accesses_; }
  [[nodiscard]] std::vector<step> steps() const { return {steps_, steps_ + accesses_}; }
  [[noreturn]] void fail(const char* what) noexcept override {
    problem_ = what;
    watching = nullptr;
    fiber_of(present_).switch_to(home_);
    std::abort();
  }

 private:
  static constexpr std::size_t stack_size = std::size_t{1} << 18;
  static constexpr std::size_t most_steps = 5000;
  static constexpr int nobody = -1;
  struct logical {
    schedule* self = nullptr;
    int id = 0;
    bool over = false;
    bool blocked = false;
    cell_id last = unwatched;  // what it has accessed last
  };

  // Setup and check: nobody else runs.
  void alone(void (*body)(schedule&)) {
    body_ = body;
    present_ = nobody;
    fibers_.back().prepare(
        [](void* p) {
          auto& self = *static_cast<schedule*>(p);
          self.guarded([&] { self.body_(self); });
          watching = nullptr;
          self.fibers_.back().switch_to(self.home_);
        },
        this);
    watching = this;
    home_.switch_to(fibers_.back());
  }
  static void run_thread(void* p) {
    auto& me = *static_cast<logical*>(p);
    schedule& self = *me.self;
    self.guarded([&] { self.what_.threads[static_cast<std::size_t>(me.id)](self.world_.get()); });
    me.over = true;
    self.go(self.fiber_of(me.id), self.next(nobody));
  }
  template <class Body>
  void guarded(Body body) noexcept {
    try {
      body();
    } catch (...) {
      fail("an exception leaves the scenario");
    }
  }

  fiber& fiber_of(int thread) noexcept {
    return thread == nobody ? fibers_.back() : fibers_[static_cast<std::size_t>(thread)];
  }
  logical& present() noexcept { return threads_[static_cast<std::size_t>(present_)]; }
  // Nobody: all are over.
  void go(fiber& from, int to) noexcept {
    if (to != nobody) present_ = to;
    watching = to == nobody ? nullptr : this;
    chosen_ = true;
    from.switch_to(to == nobody ? home_ : fiber_of(to));
  }
  // Who goes on: `now`, which could, or another.
  int next(int now) noexcept {
    able those;
    if (now != nobody) those.of[those.count++] = now;
    bool all_over = true;
    for (std::size_t i = 0; i < count_; ++i) {
      const logical& t = threads_[i];
      all_over = all_over && t.over;
      if (!t.over && !t.blocked && t.id != now) those.of[those.count++] = t.id;
    }
    if (those.count == 0) {
      if (!all_over) fail("nobody can go on: a deadlock, or a wakeup is lost");
      return nobody;
    }
    if (those.count == 1) return those.of[0];
    const int chosen = chooser_->choose(those, now != nobody, accesses_);
    if (chosen == nobody) fail("this schedule is not one of the scenario");
    return chosen;
  }

  cell_id created() noexcept override {
    const auto maker = present_ == nobody ? most_threads : static_cast<std::size_t>(present_);
    return cell_of(maker, ++made_.of[maker]);
  }
  void before(cell_id cell, const char* what) noexcept override {
    if (present_ == nobody || cell == unwatched) return;
    if (accesses_ == most_steps) fail("no end after so many steps");
    if (cells_.note(cell, present_, learned_)) {
      // One who was chosen for its next step takes it.
      const int me = present_;
      const int then = chosen_ ? me : next(me);
      if (then != me) go(fiber_of(me), then);
      chosen_ = false;
    }
    steps_[accesses_++] = {present_, what, cell, 0};
  }
  void after(cell_id cell, std::uint64_t value, bool wrote) noexcept override {
    if (present_ == nobody || cell == unwatched) return;
    present().last = cell;
    steps_[accesses_ - 1].value = value;
    if (!wrote) return;
    for (std::size_t i = 0; i < count_; ++i)
      if (threads_[i].last == cell) threads_[i].blocked = false;
  }
  void spins() noexcept override {
    if (present_ == nobody) fail("nobody else is there to be waited for");
    const int me = present_;
    present().blocked = true;
    go(fiber_of(me), next(nobody));
  }

  const scenario& what_;
  sharing& cells_;
  chooser* chooser_ = nullptr;
  std::deque<fiber> fibers_;  // of the threads, and of setup and check
  fiber home_;
  logical threads_[most_threads];
  std::size_t count_ = 0;
  struct {
    cell_id of[most_threads + 1] = {};
  } made_;
  std::shared_ptr<void> world_;
  void (*body_)(schedule&) = nullptr;
  int present_ = nobody;
  bool chosen_ = false;  // the present thread has just been chosen
  bool learned_ = false;
  std::string problem_;
  // Plain arrays: without optimisation a vector takes the time of ten.
  std::size_t accesses_ = 0;
  step steps_[most_steps];
};

}  // namespace model
