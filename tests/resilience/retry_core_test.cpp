// tests/resilience/retry_core_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/resilience/detail/retry_core.hpp>

#include <doctest/doctest.h>

#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using detail::retry_core;

namespace {
constexpr time_point start{10s};
const error busy = errc::overloaded;
error asks(duration d) { return error(errc::rate_limited).retry_after(d); }

// A failure, and what is to be done about it.
struct failure {
  error e;
  retry_stop stop = retry_stop::none;
  duration delay{};
  bool retryable = true;
  deadline until = deadline::never();
};
struct row {
  const char* what;
  std::size_t attempts;
  duration max_delay;
  std::vector<failure> failures;
};
}  // namespace

TEST_CASE("failures and what is decided about them") {
  constexpr duration never = (duration::max)();
  const auto left = [](duration d) { return deadline::after(start, d); };
  const row rows[] = {
      {"attempts", 3, never, {{busy, {}, 100ms}, {busy, {}, 200ms}, {busy, retry_stop::attempts}}},
      {"one attempt", 1, never, {{busy, retry_stop::attempts}}},
      {"the backoff is cut", 9, 150ms, {{busy, {}, 100ms}, {busy, {}, 150ms}, {busy, {}, 150ms}}},
      {"no delay at all", 9, 0ms, {{busy, {}, 0ms}, {asks(0ms), {}, 0ms}}},
      {"canceled", 3, never, {{errc::canceled, retry_stop::canceled}}},
      {"canceled, and not worth it", 1, never, {{errc::canceled, retry_stop::canceled, {}, false}}},
      {"not worth it", 3, never, {{busy, retry_stop::non_retryable, {}, false}}},
      {"not worth it, and the last", 1, never, {{busy, retry_stop::non_retryable, {}, false}}},
      {"an open circuit", 3, never, {{errc::circuit_open, retry_stop::non_retryable}}},
      {"asked for", 3, never, {{asks(3s), {}, 3s}, {asks(5s), {}, 5s}}},
      {"asked for, the longest", 3, 3s, {{asks(3s), {}, 3s}}},
      {"asked for, too long", 3, 3s, {{asks(3s + 1ns), retry_stop::pushback}}},
      {"asked for, never", 3, never, {{asks(-1ns), retry_stop::pushback}}},
      {"asked for, behind the last", 1, never, {{asks(-1ns), retry_stop::attempts}}},
      {"the backoff begins anew",
       9,
       never,
       {{busy, {}, 100ms}, {busy, {}, 200ms}, {asks(1s), {}, 1s}, {busy, {}, 100ms}}},
      {"a deadline behind the delay", 3, never, {{busy, {}, 100ms, true, left(100ms + 1ns)}}},
      {"a deadline at its end", 3, never, {{busy, retry_stop::deadline, {}, true, left(100ms)}}},
      {"a deadline that has passed", 3, never, {{busy, retry_stop::deadline, {}, true, left(-1s)}}},
      {"a deadline before what is asked for",
       3,
       never,
       {{busy, {}, 100ms, true, left(2s)}, {asks(3s), retry_stop::deadline, {}, true, left(2s)}}},
  };
  random_engine random(1);
  for (const row& r : rows) {
    CAPTURE(r.what);
    retry_core core({r.attempts, exponential(100ms, {.jitter = jitter::none}), r.max_delay});
    for (const failure& f : r.failures) {
      const auto next = core.failed(f.e, f.retryable, start, f.until, random);
      CHECK(next.stop == f.stop);
      CHECK(next.delay == f.delay);
    }
  }
}
