// penstock/runtime/detail/run_crew.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What takes part in a run of a runtime: guests, which are the main tasks and what was submitted,
/// and on each loop that has a guest their host. The run ends when the last guest has ended,
/// wherever: until then every host's loop turns and its services live.

#include <penstock/base/fixed_vector.hpp>
#include <penstock/base/owned.hpp>
#include <penstock/core/root.hpp>
#include <penstock/runtime/event_loop.hpp>

#include <cstddef>
#include <exception>
#include <mutex>

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
  run_host(run_crew& c, scheduler& s, run_guest* main) noexcept;
  void start() override;
  bool over() const noexcept override { return over_; }
  void request_stop(stop_reason why) noexcept override { stop_.request_stop(why); }
  void ended() noexcept override;

  const environment& env() const noexcept { return env_; }
  // No guest is left in the run. From any thread.
  void end() noexcept { env_.sched->post(end_); }
  // What a background task threw.
  std::exception_ptr thrown() noexcept;

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
    step done(waiter&, waiter*) noexcept override;
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
  explicit run_crew(fixed_vector<event_loop>& loops) noexcept;
  run_crew(const run_crew&) = delete;
  run_crew& operator=(const run_crew&) = delete;
  ~run_crew();

  // Before a run: takes back the stop of the one before.
  void forget_stop() noexcept { stopping_.store(false, memory_order_relaxed); }
  // Any thread and signal handlers, before the loops are told: closes the door.
  void note_stop() noexcept { stopping_.store(true, memory_order_release); }

  // A main task; before run().
  void add_main(std::size_t loop, run_guest& g);
  // Runs the main tasks and what was and will be submitted to the end of all; the first loop on
  // this thread. Gives what a background task threw.
  std::exception_ptr run();
  // Any thread. For the run that is on, until its main tasks have ended or a stop; else the next.
  void submit(run_guest& g);
  // On the guest's loop, by a guest that is no more.
  void main_ended() noexcept;
  // The last one's own host cannot end before this returns, and so the run cannot either.
  void guest_ended() noexcept;
  // By the loops but the first.
  void host_ended() noexcept;

 private:
  // Under the lock.
  void accept(run_guest& g);
  void assign(std::size_t loop) noexcept;

  fixed_vector<event_loop>& loops_;
  fixed_vector<owned<run_host>> hosts_;  // of the run; a loop's is made with its first guest
  atomic<std::size_t> live_{0};          // guests of the run
  atomic<std::uint32_t> serving_{0};     // hosts on other loops
  atomic<bool> stopping_{false};
  std::mutex mutex_;
  bool open_ = false;             // these are guarded by mutex_
  std::size_t mains_ = 0;         // main tasks that have not ended
  run_guest* waiting_ = nullptr;  // submitted for the next run
  run_guest** last_ = &waiting_;
};

}  // namespace penstock::detail

#ifndef PENSTOCK_SEPARATE
#include <penstock/runtime/detail/run_crew_impl.hpp>
#endif
