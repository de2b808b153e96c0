// penstock/resilience/reconnect.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A connection that is to be there always: connects, serves, looks whether the other side still
/// answers, and when it is lost connects again. For single calls use retry.hpp.

#include <penstock/base/backoff.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/task.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/when_any.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/resilience/is_transient.hpp>
#include <penstock/resilience/observer.hpp>

#include <chrono>
#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

namespace penstock {

/// Options of `reconnect`.
struct reconnect_options {
  penstock::backoff backoff = exponential(std::chrono::milliseconds(100));
  std::size_t attempts = 0;  ///< failures in a row, and it gives up; 0: never
  duration connect_timeout = std::chrono::seconds(10);
  /// A connection that has lasted so long was a good one: the backoff begins anew.
  duration healthy_after = std::chrono::seconds(30);
  duration heartbeat = std::chrono::seconds(25);          ///< between two pings
  duration heartbeat_timeout = std::chrono::seconds(60);  ///< of the answer to one
};
static_assert(std::is_trivially_copyable_v<reconnect_options>);

/// Whether one can connect so.
[[nodiscard]] inline result<> validate(const reconnect_options& o) {
  const auto refuse = [](const char* why) {
    return fail(errc::invalid_option, "reconnect_options", why);
  };
  if (o.connect_timeout <= duration::zero()) return refuse("connect_timeout is zero or less");
  if (o.healthy_after < duration::zero()) return refuse("healthy_after is negative");
  if (o.heartbeat <= duration::zero()) return refuse("heartbeat is zero or less");
  if (o.heartbeat_timeout <= duration::zero()) return refuse("heartbeat_timeout is zero or less");
  return {};
}

/// What became of a connection.
enum class reconnect_step : unsigned char {
  connected,  ///< it is there
  failed,     ///< it could not be made
  lost,       ///< it was there, and is not any more
};
/// Told by `reconnect`.
struct reconnect_event {
  reconnect_step step = reconnect_step::connected;
  std::size_t failures = 0;  ///< in a row, with this one
  error why;                 ///< of `failed` and `lost`
  duration delay{};          ///< until the next attempt
};

namespace detail {
struct no_ping {};

// Pings until one is not answered.
template <class Ping, class Connection>
task<result<>> heartbeat(const reconnect_options& o, Ping& ping, Connection& c) {
  for (;;) {
    co_await sleep_for(o.heartbeat);
    auto answered = co_await with_timeout(o.heartbeat_timeout, std::invoke(ping, c));
    if (!answered) co_return tl::unexpected<error>(std::move(answered).error().with("heartbeat"));
  }
}
template <class Serve, class Ping, class Connection>
task<result<>> serve_alive(const reconnect_options& o, Serve& serve, Ping& ping, Connection& c) {
  if constexpr (std::is_same_v<Ping, no_ping>) {
    co_return co_await std::invoke(serve, c);
  } else {
    auto first = co_await when_any(std::invoke(serve, c), heartbeat(o, ping, c));
    co_return std::move(first.value);
  }
}

template <class Connect, class Serve, class Ping>
task<result<>> reconnect_loop(reconnect_options o, Connect connect, Serve serve, Ping ping,
                              observer<reconnect_event> told) {
  if (auto valid = validate(o); !valid) co_return tl::unexpected<error>(std::move(valid).error());
  const environment& env = co_await this_task::env();
  std::size_t failures = 0;
  for (;;) {
    reconnect_event e;
    auto connection = co_await with_timeout(o.connect_timeout, std::invoke(connect));
    if (connection) {
      const time_point since = env.sched->now();
      told(e);
      auto served = co_await serve_alive(o, serve, ping, *connection);
      if (served) co_return served;
      if (env.sched->now() - since >= o.healthy_after) failures = 0;
      e.step = reconnect_step::lost;
      e.why = std::move(served).error();
    } else {
      e.step = reconnect_step::failed;
      e.why = std::move(connection).error();
    }
    e.failures = ++failures;
    const bool worth_it = is_transient(e.why) || e.why == errc::closed;
    const bool over = !worth_it || (o.attempts != 0 && failures >= o.attempts);
    if (!over) e.delay = o.backoff.delay(failures, env.sched->random());
    told(e);
    if (over)
      co_return tl::unexpected<error>(std::move(e.why).stopped_because(
          worth_it ? retry_stop::attempts : retry_stop::non_retryable));
    co_await sleep_for(e.delay);
  }
}
}  // namespace detail

/// Keeps a connection, until `serve` says that it is done.
///
/// **Shape.** connect -> serve -> done; failed or lost -> delay -> connect ...
/// **Parameters.** `connect()` - an awaitable of `result<C>`. `serve(c)` - an awaitable of
/// `result<>`: a value when all is done, an error when the connection is lost. `told` - an
/// `observer<reconnect_event>`. All are kept until the end.
/// **Result.** `result<>`: what `serve` ended with.
/// **Errors.** the last one, when `attempts` failures in a row are reached (`why()` is `attempts`)
/// or another attempt is useless (not `is_transient`, but `errc::closed`, which is a lost
/// connection; `non_retryable`); `errc::invalid_option`. Exceptions pass through.
/// **Suspends.** until then.
/// **Cancellation.** at once, in an attempt, in `serve` and in a delay; the connection is
/// destroyed.
/// **Ordering.** one connection at a time: the old one is gone before the next is made.
/// **Complexity.** a task's frame for all of it, from the recycler.
/// **Example.** @snippet tests/resilience/reconnect_test.cpp reconnect
/// **See also.** `retry`, `exponential`.
template <class Connect, class Serve>
[[nodiscard]] task<result<>> reconnect(const reconnect_options& o, Connect connect, Serve serve,
                                       observer<reconnect_event> told = {}) {
  return detail::reconnect_loop(o, std::move(connect), std::move(serve), detail::no_ping{},
                                std::move(told));
}
/// The same with a heartbeat: each `heartbeat` it awaits `ping(c)`, a `result<>`, and the
/// connection is lost when that fails or takes longer than `heartbeat_timeout`.
template <class Connect, class Serve, class Ping>
requires(!std::convertible_to<Ping, observer<reconnect_event>>)
    [[nodiscard]] task<result<>> reconnect(const reconnect_options& o, Connect connect, Serve serve,
                                           Ping ping, observer<reconnect_event> told = {}) {
  return detail::reconnect_loop(o, std::move(connect), std::move(serve), std::move(ping),
                                std::move(told));
}

}  // namespace penstock
