// A backend is down for ten seconds. Without a circuit breaker each caller finds that out by
// itself, again and again; with one the backend is left alone, but for a probe now and then. Run:
// survive_an_outage. It runs under virtual time, so it takes no real time. Change first: the
// options of the breaker; the order of the policies.
#include <penstock/core.hpp>
#include <penstock/resilience.hpp>
#include <penstock/test.hpp>

#include <cstdio>
#include <string>

using namespace penstock;
using namespace std::chrono_literals;

// [backend]
struct backend {
  int reached_while_down = 0;

  task<result<int>> call() {
    const auto now = co_await this_task::now();
    co_await sleep_for(5ms);
    if (now.time_since_epoch() >= 10s) co_return 42;
    ++reached_while_down;
    co_return fail(std::errc::connection_refused, "backend");
  }
};
// [/backend]

// [watch]
// Told each change of the breaker's state.
void print(const breaker_event& e) {
  const auto name = [](std::string_view s) { return std::string(s); };
  std::printf("  %s: %s -> %s, because: %s\n", name(e.name).c_str(),
              name(to_string(e.from)).c_str(), name(to_string(e.to)).c_str(),
              name(to_string(e.why)).c_str());
}
// [/watch]

struct report {
  int calls = 0;
  int refused = 0;     // by the breaker: the caller knew at once
  duration healthy{};  // the first good answer
};

// A call each 50 ms for 20 s. `guarded` is any composition of policies.
template <policy Policy>
task<report> call_for_a_while(const Policy& guarded, backend& server) {
  report r;
  auto call = [&] { return server.call(); };
  for (const auto begin = co_await this_task::now();;) {
    const auto answer = co_await guarded(idempotent(call));
    const auto passed = co_await this_task::now() - begin;
    if (passed >= 20s) co_return r;
    ++r.calls;
    if (!answer && answer.error() == errc::circuit_open) ++r.refused;
    if (answer && r.healthy == 0s) r.healthy = passed;
    co_await sleep_for(50ms);
  }
}

// [without]
task<report> without_breaker(backend& server) {
  const auto guarded = retry({.attempts = 3, .backoff = exponential(100ms)}) | attempt_timeout(1s);
  co_return co_await call_for_a_while(guarded, server);
}
// [/without]

// [with]
task<report> with_breaker(backend& server) {
  const circuit_breaker breaker(
      {.window = 20, .min_calls = 10, .open_for = 2s, .max_open = 4s, .half_open_calls = 1},
      "backend", print);
  // Outermost first: the breaker sees each attempt, and each attempt has its time.
  const auto guarded =
      retry({.attempts = 3, .backoff = exponential(100ms)}) | breaker | attempt_timeout(1s);
  co_return co_await call_for_a_while(guarded, server);
}
// [/with]

template <class Fn>
void show(const char* title, Fn fn) {
  std::printf("%s\n", title);
  test::test_runtime rt({.seed = 1});
  backend server;
  const report r = rt.run(fn(server));
  std::printf("  %d calls, %d refused at once, %d reached the backend while it was down\n", r.calls,
              r.refused, server.reached_while_down);
  std::printf("  good again after %.1f s\n", std::chrono::duration<double>(r.healthy).count());
}

int main() {
  show("without a breaker", without_breaker);
  show("with one", with_breaker);
}

// Output:
// without a breaker
//   224 calls, 0 refused at once, 129 reached the backend while it was down
//   good again after 10.0 s
// with one
//   backend: closed -> open, because: failure rate
//   backend: open -> half open, because: waited
//   backend: half open -> open, because: failure rate
//   backend: open -> half open, because: waited
//   backend: half open -> open, because: failure rate
//   backend: open -> half open, because: waited
//   backend: half open -> closed, because: probes passed
//   371 calls, 199 refused at once, 12 reached the backend while it was down
//   good again after 10.7 s
