// penstock/runtime/runtime.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What a program's main runs its tasks on: event loops with a driver each, the cpu pool, signals.

#include <penstock/runtime/detail/choose_driver.hpp>
#include <penstock/runtime/detail/open_files.hpp>
#include <penstock/runtime/detail/run_guests.hpp>
#include <penstock/runtime/detail/signal_stop.hpp>
#include <penstock/runtime/event_loop.hpp>

#include <deque>
#include <thread>
#include <vector>

namespace penstock {
namespace detail {
// Of no other thread of this process; ids of threads that have ended are used again.
inline constinit atomic<std::uint64_t> thread_numbers{0};
inline const thread_local std::uint64_t this_thread_number =
    thread_numbers.fetch_add(1, memory_order_relaxed) + 1;
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
[[nodiscard]] inline result<> validate(const runtime_options& o) {
  if (o.threads < 1 || o.threads > 1024) return fail(errc::invalid_option, "runtime", "threads");
  if (o.cpu_threads > 1024) return fail(errc::invalid_option, "runtime", "cpu_threads");
  if (o.driver > driver_kind::reactor) return fail(errc::invalid_option, "runtime", "driver");
  if (o.spin < duration::zero() || o.spin > std::chrono::seconds(1))
    return fail(errc::invalid_option, "runtime", "spin");
  return validate(o.io);
}

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
  explicit runtime(runtime_options options = {})
      : options_(checked(options)), pool_(cpus(options)) {
    detail::raise_open_files();
    for (unsigned i = 0; i < options_.threads; ++i)
      loops_.emplace_back(pool_, event_loop_options{.spin = options_.spin});
    start();
  }
  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;
  ~runtime() {
    PENSTOCK_ASSERT(!running_, "a runtime is destroyed during its run");
    for (std::size_t i = 1; i < loops_.size(); ++i)
      if (loops_[i].io()) loops_[i].quit();
    for (auto& t : threads_) t.join();
  }

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
    detail::each_outcome outcome([this] { request_stop(); });
    std::deque<detail::each_guest<Fn>> mains;
    for (std::size_t i = 0; i < loops_.size(); ++i)
      crew_.add_main(i, mains.emplace_back(crew_, fn, outcome));
    std::exception_ptr background = crew_.run();
    return outcome.get(std::move(background));
  }

  /// Runs `a` on a loop as a part of the run that is on, or else of the next one.
  ///
  /// **Shape.** submitted -> begun on the loop -> over: the future is ready, and then the run may
  /// end. It joins the run that is on until that run's task has ended or a stop was requested;
  /// later it waits for the next run. The destructor cancels what no run has begun.
  /// **Parameters.** `loop` - which loop, default the first; `a` - moved to the loop; what it
  /// refers to must live until the future is ready.
  /// **Result.** a future of what `a` yields; nothing of `a` is left when it is ready.
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
  [[nodiscard]] std::future<await_result_t<A>> submit(A&& a) {
    return submit(0, std::forward<A>(a));
  }
  template <awaitable A>
  [[nodiscard]] std::future<await_result_t<A>> submit(std::size_t loop, A&& a) {
    PENSTOCK_ASSERT(loop < loops_.size(), "there is no such loop");
    using submission = detail::submission<detail::awaiter_t<A>>;
    auto s = std::make_unique<submission>(crew_, detail::awaiter_of(std::forward<A>(a)));
    auto outcome = s->get_future();
    s->where = loop;
    crew_.submit(*s.release());
    return outcome;
  }

  /// Stops the run that is on, as a signal does; without one it does nothing.
  void request_stop() noexcept {
    crew_.note_stop();
    for (auto& l : loops_) l.request_stop();
  }
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
    explicit running(runtime& r)
        : r_(begin(r)), signals_(r.options_.handle_signals ? &r : nullptr) {}
    running(const running&) = delete;
    running& operator=(const running&) = delete;
    ~running() { r_.running_ = false; }

   private:
    static runtime& begin(runtime& r) {
      PENSTOCK_ASSERT(!r.running_, "a runtime runs one task at a time");
      if (r.started_ && r.home_ != detail::this_thread_number) r.start_first();
      r.crew_.forget_stop();
      for (auto& l : r.loops_) l.forget_stop();
      r.running_ = true;
      return r;
    }
    runtime& r_;
    detail::signal_scope signals_;
  };

  static const runtime_options& checked(const runtime_options& o) {
    if (auto valid = validate(o); !valid) detail::stop_program(valid.error().message().c_str());
    return o;
  }
  static unsigned cpus(const runtime_options& o) noexcept {
    return o.cpu_threads ? o.cpu_threads : (std::max)(1u, std::thread::hardware_concurrency());
  }
  void stop() noexcept override { request_stop(); }

  void start() {
    start_first();
    for (std::size_t i = 1; started_ && i < loops_.size(); ++i) start_thread(i);
  }
  void start_first() {
    loops_[0].use(nullptr);
    auto made = detail::start_driver(options_.driver, pool_, options_.io);
    home_ = detail::this_thread_number;
    if (made) {
      loops_[0].use(std::move(*made));
    } else {
      started_ = tl::unexpected<error>(std::move(made.error()));
    }
  }
  // The driver is made on its thread, of the kind that the first loop got if it can be had.
  void start_thread(std::size_t i) {
    auto kind = driver_name() == "uring" ? driver_kind::uring : driver_kind::reactor;
    const auto asked = detail::driver_from_environment(options_.driver);
    if (kind == driver_kind::uring && asked && *asked == driver_kind::automatic) kind = *asked;
    const auto body = [this, i, kind] {
      ::pthread_setname_np(::pthread_self(), "penstock-loop");
      auto& loop = loops_[i];
      auto made = detail::make_driver(kind, pool_, options_.io);
      const bool good = made.has_value();
      if (good) {
        loop.use(std::move(*made));
      } else {
        started_ = tl::unexpected<error>(std::move(made.error()));
      }
      live_.store(static_cast<std::uint32_t>(i), detail::memory_order_release);
      detail::futex_wake(live_, 1);
      if (good) loop.serve();
    };
    try {
      threads_.emplace_back(body);
    } catch (const std::system_error& e) {
      started_ = fail(e.code(), "start a loop's thread");
      return;
    }
    const auto before = static_cast<std::uint32_t>(i - 1);
    while (live_.load(detail::memory_order_acquire) == before) detail::futex_wait(live_, before);
  }

  runtime_options options_;
  cpu_pool pool_;
  std::deque<event_loop> loops_;
  detail::run_crew crew_{loops_};
  std::vector<std::thread> threads_;
  detail::atomic<std::uint32_t> live_{0};  // the last loop whose thread has said how it started
  std::uint64_t home_ = 0;                 // the thread whose driver the first loop has
  result<> started_;
  bool running_ = false;
};

}  // namespace penstock
