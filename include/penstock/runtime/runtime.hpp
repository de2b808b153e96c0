// penstock/runtime/runtime.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What a program's main runs its tasks on: event loops with a driver each, the cpu pool, signals.

#include <penstock/base/fixed_vector.hpp>
#include <penstock/runtime/cpu_pool.hpp>
#include <penstock/runtime/detail/run_guests.hpp>
#include <penstock/runtime/detail/signal_stop.hpp>
#include <penstock/runtime/event_loop.hpp>

#include <pthread.h>

namespace penstock {
namespace detail {
template <class A>
class submission;
}  // namespace detail

/// Options of `runtime`.
struct runtime_options {
  /// Event loops, one thread each; the thread that calls `run` is the first. 1 to 1024.
  unsigned threads = 1;
  /// `automatic` asks the environment variable PENSTOCK_DRIVER first: uring, reactor or automatic.
  driver_kind driver = driver_kind::automatic;
  /// Threads for `offload` and for files without io_uring, at most 1024; 0: one per processor.
  unsigned cpu_threads = 0;
  /// SIGINT and SIGTERM request a stop of the run that is on; a second one ends the process. One
  /// that the program was started with ignoring stays ignored.
  bool handle_signals = true;
  /// How long a loop looks for work before it sleeps, at most, up to a second: it burns the
  /// processor while work comes sooner than that, and hardly when it does not.
  duration spin = duration::zero();
  /// What each loop lends to sockets: `.io = {.receive_buffers = 256}`.
  driver_options io = {};
};
static_assert(std::is_trivially_copyable_v<runtime_options>);

/// `errc::invalid_option`, naming the member, when `o` cannot work.
[[nodiscard]] result<> validate(const runtime_options& o);

/// Runs tasks: event loops, I/O, timers, blocking work, signals.
///
/// **Shape.** run(task) -> the task, all it started and what was submitted -> the service scope,
/// stopped and joined -> the outcome; may be called again.
/// **Errors.** invalid options stop the program with the option's name. A driver that does not
/// start is the outcome of `run`. Says in the log once when there is no io_uring, and when few
/// files may be open: it raises the limit to the hard limit; and what error a background task
/// returned.
/// **Thread-safety.** request_stop() and submit() from any thread; `run` from one thread at a time.
/// **Complexity.** threads of the cpu pool are started when they are needed.
/// **Lifetime.** no run may be on when it is destroyed; it joins its threads and cancels what was
/// submitted and never run.
/// **Example.** @snippet tests/runtime/runtime_test.cpp run
/// **See also.** `sync_wait` for code without I/O, `test::test_runtime` for tests.
class runtime : detail::signal_target {
 public:
  explicit runtime(runtime_options options = {});
  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;
  ~runtime();

  /// Runs `a` and all that it starts on the calling thread's loop, until all has ended.
  ///
  /// **Result.** what `a` yields.
  /// **Errors.** a stop that reached the top is `errc::canceled`, and a driver that did not start
  /// is its error: as the value when `a` yields a `result`, else thrown as `std::system_error`.
  /// Exceptions pass through.
  /// **Cancellation.** request_stop() and, with `handle_signals`, SIGINT and SIGTERM.
  template <awaitable A>
  await_result_t<A> run(A&& a) {
    using R = await_result_t<A>;
    auto awaiter = detail::awaiter_of(std::forward<A>(a));
    const running now(*this);
    if (!started_) {
      if constexpr (is_result_v<R>)
        return tl::unexpected<error>(started_.error());
      else
        throw_error(started_.error());
    }
    detail::main_guest<detail::awaiter_t<A>> main(crew_, std::move(awaiter));
    crew_.add_main(0, main);
    const std::exception_ptr background = crew_.run();
    return main.outcome(background);
  }

  /// Runs `fn()`, which yields `result<>`, on each loop at once, until all have ended.
  ///
  /// **Parameters.** `fn` - copied for each loop, called on its thread.
  /// **Errors.** the first error, or the first exception, of any loop: the others are stopped then.
  /// **Cancellation.** as `run`.
  template <class Fn>
  requires std::same_as<await_result_t<std::invoke_result_t<Fn&>>, result<>> result<>
  run_on_each_loop(Fn fn) {
    const running now(*this);
    if (!started_) return started_;
    detail::each_outcome outcome(*this);
    detail::fixed_vector<detail::each_guest<Fn>> mains(loops_.size());
    for (std::size_t i = 0; i < loops_.size(); ++i)
      crew_.add_main(i, mains.emplace_back(crew_, fn, outcome));
    std::exception_ptr background = crew_.run();
    return outcome.get(std::move(background));
  }

  /// Runs `a` on a loop as a part of the run that is on, or else of the next one. Who calls it
  /// includes submit.hpp.
  ///
  /// **Shape.** submitted -> begun on the loop -> over: the future is ready, and then the run may
  /// end. It joins the run that is on until that run's task has ended or a stop was requested;
  /// later it waits for the next run. The destructor cancels what no run has begun.
  /// **Parameters.** `loop` - which loop, default the first; `a` - moved to the loop; what it
  /// refers to must live until the future is ready.
  /// **Result.** a `std::future` of what `a` yields; nothing of `a` is left when it is ready.
  /// **Errors.** exceptions arrive in the future. When it was stopped, or never begun, it holds
  /// `errc::canceled`: as the value when `a` yields a `result`, else as `std::system_error`.
  /// **Suspends.** never. Do not wait for the future on a loop's thread: the loop would wait for
  /// itself.
  /// **Cancellation.** the stop of the run it is a part of; it is not begun when that came before.
  /// **Ordering.** what one thread submits to one loop begins in that order.
  /// **Thread-safety.** any thread, several at once; wakes a loop that sleeps.
  /// **Memory order.** what the caller did before happens before `a`, and `a` before the future.
  /// **Complexity.** two allocations: its own record and the future's.
  /// **Example.** @snippet tests/runtime/submit_test.cpp submit
  template <awaitable A>
  [[nodiscard]] auto submit(A&& a) {
    return submit(0, std::forward<A>(a));
  }
  template <awaitable A>
  [[nodiscard]] auto submit(std::size_t loop, A&& a) {
    PENSTOCK_ASSERT(loop < loops_.size(), "there is no such loop");
    using submission = detail::submission<detail::awaiter_t<A>>;  // of submit.hpp
    auto s = std::make_unique<submission>(crew_, detail::awaiter_of(std::forward<A>(a)));
    auto outcome = s->get_future();
    s->where = loop;
    crew_.submit(*s.release());
    return outcome;
  }

  /// Stops the run that is on, as a signal does; without one it does nothing.
  void request_stop() noexcept;
  /// "uring", "reactor", or "none" when no driver started.
  [[nodiscard]] std::string_view driver_name() const noexcept { return loops_[0].driver_name(); }
  /// How many event loops there are.
  [[nodiscard]] std::size_t size() const noexcept { return loops_.size(); }
  /// The `i`-th loop, for `resume_on`; 0 is that of the thread that calls `run`.
  [[nodiscard]] event_loop& loop(std::size_t i) noexcept {
    PENSTOCK_ASSERT(i < loops_.size(), "there is no such loop");
    return loops_[i];
  }
  /// The pool behind `offload`.
  [[nodiscard]] cpu_pool& cpu() noexcept { return pool_; }

 private:
  // One run: signals go to it, and the first loop's driver belongs to this thread.
  class running {
   public:
    explicit running(runtime& r);
    running(const running&) = delete;
    running& operator=(const running&) = delete;
    ~running();

   private:
    static runtime& begin(runtime& r);
    runtime& r_;
    detail::signal_scope signals_;
  };

  void stop() noexcept override;

  void start();
  void start_first();
  // The driver is made on its thread, of the kind that the first loop got if it can be had.
  void start_thread(std::size_t i);
  struct thread_order;
  static void* thread_main(void* order) noexcept;

  runtime_options options_;
  cpu_pool pool_;
  detail::fixed_vector<event_loop> loops_;
  detail::run_crew crew_{loops_};
  detail::fixed_vector<::pthread_t> threads_;
  detail::atomic<std::uint32_t> live_{0};  // the last loop whose thread has said how it started
  std::uint64_t home_ = 0;                 // the thread whose driver the first loop has
  result<> started_;
  bool running_ = false;
};

}  // namespace penstock

#ifndef PENSTOCK_SEPARATE
#include <penstock/runtime/detail/runtime_impl.hpp>
#endif
