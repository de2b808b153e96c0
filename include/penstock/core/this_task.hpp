// penstock/core/this_task.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What a task can ask about itself: `co_await this_task::now()` and its siblings. None of them
/// suspends or allocates; each reads the environment that the task inherited.

#include <penstock/base/random.hpp>
#include <penstock/core/awaitable.hpp>
#include <penstock/core/scheduler.hpp>

namespace penstock {
namespace detail {
// Reads the waiter's environment; never suspends.
template <class Read>
class environment_query {
 public:
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> h) noexcept {
    env_ = static_cast<waiter&>(h.promise()).env;
    return false;
  }
  handle start(waiter& w) noexcept {
    env_ = w.env;
    return completed(w);
  }
  decltype(auto) await_resume() const noexcept { return Read{}(*env_); }

 private:
  const environment* env_ = nullptr;
};
struct read_now {
  time_point operator()(const environment& e) const noexcept { return e.sched->now(); }
};
struct read_wall_now {
  wall_time operator()(const environment& e) const noexcept { return e.sched->wall_now(); }
};
struct read_stop_token {
  inplace_stop_token operator()(const environment& e) const noexcept { return e.stop->get_token(); }
};
struct read_deadline {
  time_point operator()(const environment& e) const noexcept { return e.deadline; }
};
struct read_scheduler {
  scheduler& operator()(const environment& e) const noexcept { return *e.sched; }
};
struct read_random {
  random_engine& operator()(const environment& e) const noexcept { return e.sched->random(); }
};
struct read_name {
  const char* operator()(const environment& e) const noexcept { return e.name; }
};
struct read_services {
  task_group& operator()(const environment& e) const noexcept {
    PENSTOCK_ASSERT(e.services, "there are no background tasks inside resume_on");
    return *e.services;
  }
};
struct read_retries {
  std::uint32_t operator()(const environment& e) const noexcept { return e.retries; }
};
struct read_attempt {
  std::uint32_t operator()(const environment& e) const noexcept { return e.attempt; }
};
struct read_environment {
  const environment& operator()(const environment& e) const noexcept { return e; }
};

// Makes a task run under an environment of its own from here on: a copy of what it inherited, which
// outlives all that it awaits. For coroutines, where a scope around each call would cost more.
class install_environment {
 public:
  explicit install_environment(environment& mine) noexcept : mine_(&mine) {}
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> h) const noexcept {
    waiter& w = h.promise();
    *mine_ = *w.env;
    w.env = mine_;
    return false;
  }
  void await_resume() const noexcept {}

 private:
  environment* mine_;
};
}  // namespace detail

namespace this_task {
/// Monotonic time; virtual in a test runtime.
[[nodiscard]] inline detail::environment_query<detail::read_now> now() noexcept { return {}; }
/// Calendar time, for cron and signatures; virtual in a test runtime.
[[nodiscard]] inline detail::environment_query<detail::read_wall_now> wall_now() noexcept {
  return {};
}
/// The stop token of the innermost scope: for polling in long computations and for foreign APIs.
/// Leaves look at it by themselves.
[[nodiscard]] inline detail::environment_query<detail::read_stop_token> stop_token() noexcept {
  return {};
}
/// The earliest deadline of the scopes around; `time_point::max()` without one.
[[nodiscard]] inline detail::environment_query<detail::read_deadline> deadline() noexcept {
  return {};
}
/// The loop that the task runs on.
[[nodiscard]] inline detail::environment_query<detail::read_scheduler> scheduler() noexcept {
  return {};
}
/// The loop's random engine: seeded in tests.
[[nodiscard]] inline detail::environment_query<detail::read_random> random() noexcept { return {}; }
/// The name given by `named()`, or "".
[[nodiscard]] inline detail::environment_query<detail::read_name> name() noexcept { return {}; }
/// The loop's service scope: background work that `run` stops and joins last. `run` throws what a
/// task in it throws, and writes an error that one returns to the log: give it a name,
/// `services.start(named("upkeep", work()))`.
[[nodiscard]] inline detail::environment_query<detail::read_services> services() noexcept {
  return {};
}
/// How many retries are around: each of them multiplies the attempts.
[[nodiscard]] inline detail::environment_query<detail::read_retries> retries_around() noexcept {
  return {};
}
/// Which attempt of the innermost retry this is, counted from 1; 0 outside of retries.
[[nodiscard]] inline detail::environment_query<detail::read_attempt> attempt() noexcept {
  return {};
}
/// All of it, by reference; valid while the task lives.
[[nodiscard]] inline detail::environment_query<detail::read_environment> env() noexcept {
  return {};
}
}  // namespace this_task

}  // namespace penstock
