// penstock/runtime/detail/run_crew.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What takes part in a run of a runtime: guests, which are the main tasks and what was submitted,
/// and on each loop that has a guest their host. The run ends when the last guest has ended,
/// wherever: until then every host's loop turns and its services live.

#include <penstock/core/root.hpp>
#include <penstock/runtime/detail/futex.hpp>
#include <penstock/runtime/event_loop.hpp>

#include <cstddef>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>

namespace penstock::detail {
class run_crew;

// Something that a loop runs as a part of a run. Posted to its loop once, where it begins.
class run_guest : public waiter, public hook {
 public:
  run_guest() noexcept {
    parent = nullptr;
    hooked = this;
  }
  // It will never begin: no run came.
  virtual void drop() noexcept = 0;

  std::size_t where = 0;           // its loop
  run_guest* following = nullptr;  // while it waits for a run

 protected:
  ~run_guest() = default;
};

// The part of a run that is on one loop.
class run_host final : public loop_work {
 public:
  run_host(run_crew& c, scheduler& s, run_guest* main) noexcept : crew_(c), main_(main) {
    env_.sched = &s;
    env_.stop = &stop_;
    env_.services = &services_.group();
    services_.open(env_, this, [](void* self) noexcept {
      static_cast<run_host*>(self)->over_ = true;
      return step{};
    });
    end_.open(*this);
    if (main) main->env = &env_;
  }
  void start() override {
    if (main_) drive(completed(*main_));
  }
  bool over() const noexcept override { return over_; }
  void request_stop(stop_reason why) noexcept override { stop_.request_stop(why); }
  void ended() noexcept override;

  const environment& env() const noexcept { return env_; }
  // No guest is left in the run. From any thread.
  void end() noexcept { env_.sched->post(end_); }
  // What a background task threw.
  std::exception_ptr thrown() noexcept {
    try {
      services_.rethrow();
    } catch (...) {
      return std::current_exception();
    }
    return nullptr;
  }

 private:
  // The end of the run, on its way to the loop.
  class arrival final : public waiter, hook {
   public:
    void open(run_host& h) noexcept {
      host_ = &h;
      env = &h.env_;
      parent = nullptr;
      hooked = this;
    }

   private:
    step done(waiter&, waiter*) noexcept override { return host_->services_.close(); }
    run_host* host_ = nullptr;
  };

  run_crew& crew_;
  run_guest* main_;
  environment env_;
  scope_stop stop_;
  service_scope services_;
  arrival end_;
  bool over_ = false;
};

// A runtime's hosts and guests, of one run after the other.
class run_crew {
 public:
  explicit run_crew(std::deque<event_loop>& loops) noexcept : loops_(loops) {}
  run_crew(const run_crew&) = delete;
  run_crew& operator=(const run_crew&) = delete;
  ~run_crew() {
    while (waiting_) std::exchange(waiting_, waiting_->following)->drop();
  }

  // Before a run: takes back the stop of the one before.
  void forget_stop() noexcept { stopping_.store(false, memory_order_relaxed); }
  // Any thread and signal handlers, before the loops are told: closes the door.
  void note_stop() noexcept { stopping_.store(true, memory_order_release); }

  // A main task; before run().
  void add_main(std::size_t loop, run_guest& g) {
    if (hosts_.size() != loops_.size()) hosts_.resize(loops_.size());
    hosts_[loop].emplace(*this, loops_[loop], &g);
    ++mains_;
    live_.fetch_add(1, memory_order_relaxed);
  }
  // Runs the main tasks and what was and will be submitted to the end of all; the first loop on
  // this thread. Gives what a background task threw.
  std::exception_ptr run() {
    {
      const std::lock_guard lock(mutex_);
      open_ = true;
      for (std::size_t i = 1; i < hosts_.size(); ++i)
        if (hosts_[i]) assign(i);
      while (waiting_) {
        run_guest& g = *std::exchange(waiting_, waiting_->following);
        accept(g);
        loops_[g.where].post(g);
      }
      last_ = &waiting_;
    }
    loops_[0].run(*hosts_[0]);
    while (const auto n = serving_.load(memory_order_acquire)) futex_wait(serving_, n);
    std::exception_ptr thrown;
    for (auto& h : hosts_) {
      if (h && !thrown) thrown = h->thrown();
      h.reset();
    }
    return thrown;
  }
  // Any thread. For the run that is on, until its main tasks have ended or a stop; else the next.
  void submit(run_guest& g) {
    {
      const std::lock_guard lock(mutex_);
      if (!open_ || stopping_.load(memory_order_acquire)) {
        g.following = nullptr;
        *last_ = &g;
        last_ = &g.following;
        return;
      }
      accept(g);
    }
    loops_[g.where].post(g);  // the run goes on for as long as it is not over
  }
  // On the guest's loop, by a guest that is no more.
  void main_ended() noexcept {
    {
      const std::lock_guard lock(mutex_);
      if (--mains_ == 0) open_ = false;
    }
    guest_ended();
  }
  // The last one's own host cannot end before this returns, and so the run cannot either.
  void guest_ended() noexcept {
    if (live_.fetch_sub(1, memory_order_acq_rel) != 1) return;
    for (auto& h : hosts_)
      if (h) h->end();
  }
  // By the loops but the first.
  void host_ended() noexcept {
    serving_.fetch_sub(1, memory_order_release);
    futex_wake(serving_, 1);
  }

 private:
  // Under the lock.
  void accept(run_guest& g) {
    auto& host = hosts_[g.where];
    if (!host) {
      host.emplace(*this, loops_[g.where], nullptr);
      assign(g.where);
    }
    live_.fetch_add(1, memory_order_relaxed);
    g.env = &host->env();
  }
  void assign(std::size_t loop) noexcept {
    serving_.fetch_add(1, memory_order_relaxed);
    loops_[loop].assign(*hosts_[loop]);
  }

  std::deque<event_loop>& loops_;
  std::deque<std::optional<run_host>> hosts_;  // of the run; a loop's is made with its first guest
  atomic<std::size_t> live_{0};                // guests of the run
  atomic<std::uint32_t> serving_{0};           // hosts on other loops
  atomic<bool> stopping_{false};
  std::mutex mutex_;
  bool open_ = false;             // these are guarded by mutex_
  std::size_t mains_ = 0;         // main tasks that have not ended
  run_guest* waiting_ = nullptr;  // submitted for the next run
  run_guest** last_ = &waiting_;
};

inline void run_host::ended() noexcept { crew_.host_ended(); }

}  // namespace penstock::detail
