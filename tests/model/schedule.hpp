// tests/model/schedule.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Runs a scenario once: at each access of a shared atomic a chooser says which logical thread goes
/// on. A thread that spins is blocked until another writes what it has read last; when nobody can
/// go on the schedule has failed.

#include <model/fiber.hpp>
#include <model/scenario.hpp>

#include <algorithm>
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
    threads_.assign(what_.threads.size(), logical{});
    made_.assign(fibers_.size(), 0);
    order_.clear();
    steps_.clear();
    learned_ = false;
    alone([](schedule& s) { s.world_ = s.what_.make(); });
    if (problem_.empty()) {
      for (std::size_t i = 0; i < threads_.size(); ++i) {
        threads_[i].self = this;
        threads_[i].id = static_cast<int>(i);
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
  [[nodiscard]] const std::string& order() const { return order_; }
  [[nodiscard]] const std::vector<step>& steps() const { return steps_; }
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
    able_.clear();
    if (now != nobody) able_.push_back(now);
    bool all_over = true;
    for (const logical& t : threads_) {
      all_over = all_over && t.over;
      if (!t.over && !t.blocked && t.id != now) able_.push_back(t.id);
    }
    if (able_.empty()) {
      if (!all_over) fail("nobody can go on: a deadlock, or a wakeup is lost");
      return nobody;
    }
    if (able_.size() == 1) return able_.front();
    const int chosen = chooser_->choose(able_, now != nobody, order_.size());
    if (chosen == nobody) fail("this schedule is not one of the scenario");
    return chosen;
  }

  cell_id created() noexcept override {
    const auto maker = present_ == nobody ? most_threads : static_cast<std::size_t>(present_);
    return cell_of(maker, ++made_[std::min(maker, threads_.size())]);
  }
  void before(cell_id cell, const char* what) noexcept override {
    if (present_ == nobody || cell == unwatched) return;
    learned_ = cells_.note(cell, present_) || learned_;
    if (order_.size() == most_steps) fail("no end after so many steps");
    if (cells_.shared(cell)) {
      // One who was chosen for its next step takes it.
      const int me = present_;
      const int then = chosen_ ? me : next(me);
      if (then != me) go(fiber_of(me), then);
      chosen_ = false;
    }
    order_ += static_cast<char>('0' + present_);
    steps_.push_back({present_, what, cell, 0});
  }
  void after(cell_id cell, std::uint64_t value, bool wrote) noexcept override {
    if (present_ == nobody || cell == unwatched) return;
    present().last = cell;
    steps_.back().value = value;
    if (!wrote) return;
    for (logical& t : threads_)
      if (t.last == cell) t.blocked = false;
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
  std::vector<logical> threads_;
  std::vector<cell_id> made_;
  std::vector<int> able_;
  std::shared_ptr<void> world_;
  void (*body_)(schedule&) = nullptr;
  int present_ = nobody;
  bool chosen_ = false;  // the present thread has just been chosen
  bool learned_ = false;
  std::string problem_;
  std::string order_;
  std::vector<step> steps_;
};

}  // namespace model
