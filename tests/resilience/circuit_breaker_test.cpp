// tests/resilience/circuit_breaker_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/resilience/circuit_breaker.hpp>

#include <penstock/core.hpp>
#include <penstock/resilience/attempt_timeout.hpp>
#include <penstock/resilience/retry.hpp>
#include <penstock/test.hpp>
#include <support/penstock_test.hpp>
#include <support/stopped.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;

static_assert(policy<circuit_breaker>);
static_assert(std::is_nothrow_move_constructible_v<breaker_permit>);
static_assert(!std::is_copy_constructible_v<breaker_permit>);
static_assert(sizeof(breaker_permit) == 24);

namespace {
struct server {
  bool down = false;
  duration takes = 1ms;
  int calls = 0;
  task<result<int>> call() {
    ++calls;
    co_await sleep_for(takes);
    if (down) co_return fail(std::errc::connection_refused);
    co_return 42;
  }
};
constexpr circuit_breaker_options touchy{.window = 1, .open_for = 10s, .half_open_calls = 1};

std::string text(const breaker_event& e) {
  return std::string(to_string(e.from)) + " -> " + std::string(to_string(e.to)) + ": " +
         std::string(to_string(e.why));
}
// A call that ends as wished, without waiting.
task<result<int>> ends(std::optional<error> e) {
  if (e) co_return tl::unexpected<error>(std::move(*e));
  co_return 1;
}
task<> call(const circuit_breaker& b, std::optional<error> e) {
  auto operation = [&] { return ends(e); };
  static_cast<void>(co_await b(operation));
}
task<bool> is_refused(const circuit_breaker& b) {
  const auto permit = co_await b.acquire();
  co_return !permit;
}
}  // namespace

// [policy]
static task<result<int>> ask(server& s, const circuit_breaker& breaker) {
  auto call = [&] { return s.call(); };
  const auto guarded = breaker | attempt_timeout(2s);
  co_return co_await guarded(call);  // or errc::circuit_open at once
}
// [/policy]

// [by_hand]
static task<result<int>> ask_by_hand(server& s, const circuit_breaker& breaker) {
  auto permit = co_await ok(breaker.acquire());
  const auto answer = co_await s.call();  // stopped here, the permit counts nothing
  if (answer)
    permit.success();
  else
    permit.failure(answer.error());
  co_return answer;
}
// [/by_hand]

// [stacked]
// Ten seconds for all of it; three attempts, if the breaker lets them; two seconds for each.
static task<result<int>> ask_patiently(server& s, const circuit_breaker& breaker) {
  auto call = [&] { return s.call(); };
  const auto guarded =
      attempt_timeout(10s) | retry({.attempts = 3}) | breaker | attempt_timeout(2s);
  co_return co_await guarded(idempotent(call));
}
// [/stacked]

// [refused]
// The answer, or an older one while the server is away.
static task<int> ask_or_remember(server& s, const circuit_breaker& breaker, int older) {
  const auto answer = co_await ask_patiently(s, breaker);
  if (answer) co_return *answer;
  co_return older;  // answer.error() says why: errc::circuit_open, errc::timed_out, ...
}
// [/refused]

PENSTOCK_TEST("a breaker refuses at once while it is open, names itself, and says for how long") {
  server s{.down = true};
  const circuit_breaker breaker({.window = 2, .open_for = 10s}, "payments");
  CHECK(!co_await ask(s, breaker));
  CHECK(!co_await ask_by_hand(s, breaker));
  CHECK(breaker.state() == breaker_state::open);
  co_await sleep_for(4s);
  const auto refused = co_await ask(s, breaker);
  CHECK(refused.error() == errc::circuit_open);
  CHECK(refused.error().retry_after() == std::optional<duration>(6s));
  CHECK(refused.error().message().find("payments") != std::string::npos);
  CHECK(s.calls == 2);
  s.down = false;
  co_await sleep_for(6s);
  CHECK(co_await ask(s, breaker));
  CHECK(co_await ask_by_hand(s, breaker));
  CHECK(breaker.state() == breaker_state::closed);
  CHECK(breaker.name() == "payments");
}

PENSTOCK_TEST("total timeout, retry, breaker, attempt timeout: each does its part") {
  const circuit_breaker breaker({.window = 2, .open_for = 10s});
  server hangs{.takes = 1h};
  const int older = co_await ask_or_remember(hangs, breaker, 7);
  CHECK(older == 7);
  CHECK(hangs.calls == 2);  // the third attempt was refused
  CHECK(rt.now() < time_point(5s));
  CHECK(breaker.stats().failures == 2);
  co_await sleep_for(10s);
  server well;
  const int fresh = co_await ask_or_remember(well, breaker, 7);
  CHECK(fresh == 42);
}

PENSTOCK_TEST("copies are the same breaker, and events tell each change in order") {
  std::vector<std::string> told;
  std::uint64_t generation = 0;
  auto note = [&](const breaker_event& e) {
    told.push_back(text(e));
    CHECK(e.name == "circuit_breaker");
    CHECK(e.generation > generation);
    generation = e.generation;
    CHECK((e.open_for > 0s) == (e.to == breaker_state::open));
  };
  const circuit_breaker breaker(touchy, "circuit_breaker", note);
  const circuit_breaker same = breaker;
  co_await call(same, errc::overloaded);
  CHECK(co_await is_refused(breaker));
  co_await sleep_for(10s);
  co_await call(breaker, std::nullopt);
  same.force_open();
  CHECK(co_await is_refused(breaker));
  breaker.metrics_only();
  breaker.disable();
  breaker.reset();
  CHECK(told == std::vector<std::string>{
                    "closed -> open: failure rate", "open -> half open: waited",
                    "half open -> closed: probes passed", "closed -> forced open: asked",
                    "forced open -> metrics only: asked", "metrics only -> disabled: asked",
                    "disabled -> closed: asked"});
}

PENSTOCK_TEST("B2, B3: all are refused while it is open, then of 1000 at once exactly 10 get in") {
  server s{.down = true};
  const circuit_breaker breaker({.window = 100, .min_calls = 1, .open_for = 10s});
  static_cast<void>(co_await ask(s, breaker));
  for (int i = 0; i < 100; ++i) CHECK(co_await is_refused(breaker));
  co_await sleep_for(10s);
  s.down = false;
  s.calls = 0;
  int refused = 0;
  auto one = [&]() -> task<> {
    const auto answer = co_await ask(s, breaker);
    refused += !answer;
  };
  // The first result decides, for min_calls is 1: all have asked before it is there.
  auto all = [&](task_group& group) -> task<> {
    for (int i = 0; i < 1000; ++i) group.start(one);
    co_return;
  };
  co_await with_group(all);
  CHECK(s.calls == 10);
  CHECK(refused == 990);
  CHECK(breaker.state() == breaker_state::closed);
}

PENSTOCK_TEST("B4, T1: probes that are stopped leave it half open, with all places") {
  server s{.down = true};
  const circuit_breaker breaker({.window = 1, .open_for = 10s, .half_open_calls = 3});
  static_cast<void>(co_await ask(s, breaker));
  co_await sleep_for(10s);
  s.takes = 1h;
  auto probe = [&]() -> task<> { static_cast<void>(co_await breaker([&] { return s.call(); })); };
  auto stopped = [&](task_group& group) -> task<result<>> {
    for (int i = 0; i < 3; ++i) group.start(probe);
    co_await sleep_for(1s);
    CHECK(co_await is_refused(breaker));
    group.request_stop();
    co_return {};
  };
  static_cast<void>(co_await with_group(stopped));
  const auto after = breaker.stats();
  CHECK(after.state == breaker_state::half_open);
  CHECK(after.canceled == 3);
  CHECK(after.calls == 1);
  s.takes = 1ms;
  s.down = false;
  auto permit = co_await breaker.acquire();
  auto second = co_await breaker.acquire();
  auto third = co_await breaker.acquire();
  CHECK(permit.has_value());
  CHECK(second.has_value());
  CHECK(third.has_value());
}

PENSTOCK_TEST("T1: a probe that a deadline ends has failed, whoever set the deadline") {
  server s{.down = true};
  const circuit_breaker breaker(touchy);
  static_cast<void>(co_await ask(s, breaker));
  s = {.takes = 1h};
  co_await sleep_for(10s);
  auto operation = [&] { return s.call(); };
  const auto late = co_await with_timeout(1s, breaker(operation));
  CHECK(late.error() == errc::timed_out);
  CHECK(breaker.state() == breaker_state::open);
  co_await sleep_for(20s);
  const auto guarded = breaker | attempt_timeout(1s);
  const auto inside = co_await guarded(operation);
  CHECK(inside.error() == errc::timed_out);
  CHECK(breaker.stats().opened == 3);
}

PENSTOCK_TEST("T2: a probe whose result is ignored gives its place back") {
  const circuit_breaker breaker(touchy);
  co_await call(breaker, errc::overloaded);
  co_await sleep_for(10s);
  for (int i = 0; i < 5; ++i) {
    co_await call(breaker, errc::not_found);  // the request is wrong, not the server
    CHECK(breaker.state() == breaker_state::half_open);
  }
  CHECK(breaker.stats().ignored == 5);
  co_await call(breaker, std::nullopt);
  CHECK(breaker.state() == breaker_state::closed);
}

PENSTOCK_TEST("B5, T4: calls that began before do not decide while it is half open") {
  const circuit_breaker breaker(touchy);
  auto old = co_await breaker.acquire();
  auto older = co_await breaker.acquire();
  co_await call(breaker, errc::overloaded);
  co_await sleep_for(10s);
  auto probe = co_await breaker.acquire();
  CHECK(breaker.state() == breaker_state::half_open);
  old->failure();
  older->success();
  CHECK(breaker.state() == breaker_state::half_open);
  CHECK(breaker.stats().late == 2);
  probe->success();
  CHECK(breaker.state() == breaker_state::closed);
}

PENSTOCK_TEST("T5: a ramp lets no herd in: one probe, then two, then four") {
  server s{.down = true};
  const circuit_breaker breaker({.window = 10,
                                 .min_calls = 7,
                                 .open_for = 10s,
                                 .half_open_calls = 7,
                                 .half_open_ramp = true});
  for (int i = 0; i < 7; ++i) static_cast<void>(co_await ask(s, breaker));
  co_await sleep_for(10s);
  s.down = false;
  auto one = [&]() -> task<> { static_cast<void>(co_await ask(s, breaker)); };
  auto herd = [&](task_group& group) -> task<> {
    for (int i = 0; i < 100; ++i) group.start(one);
    co_return;
  };
  for (const int wave : {1, 2, 4}) {
    CHECK(breaker.state() != breaker_state::closed);
    s.calls = 0;
    co_await with_group(herd);
    CHECK(s.calls == wave);
  }
  CHECK(breaker.state() == breaker_state::closed);
}

// What one sees of an outage at such a calendar time.
static std::vector<std::string> outage_at(duration offset) {
  std::vector<std::string> seen;
  test::test_runtime rt({.wall_start = wall_time(1'000'000h) + offset});
  const circuit_breaker breaker(touchy);
  auto look = [&]() -> task<> {
    for (int i = 0; i < 40; ++i) {
      std::optional<error> e;
      if (i < 20) e = error(errc::overloaded);
      co_await call(breaker, e);
      seen.emplace_back(to_string(breaker.state()));
      co_await sleep_for(1s);
    }
  };
  rt.run(look());
  return seen;
}
TEST_CASE("B7, T6: calendar time an hour earlier or later changes nothing") {
  const auto seen = outage_at(0s);
  CHECK(outage_at(-1h) == seen);
  CHECK(outage_at(1h) == seen);
  CHECK(seen.front() == "open");
  CHECK(seen.back() == "closed");
}

PENSTOCK_TEST("T7: an observer may call the breaker, and what it throws changes nothing") {
  std::optional<circuit_breaker> breaker;
  std::uint64_t seen = 0;
  auto meddle = [&](const breaker_event& e) {
    seen = breaker->stats().opened;
    if (e.to == breaker_state::open) breaker->reset();
    if (e.to == breaker_state::closed) throw std::runtime_error("no");
  };
  breaker.emplace(touchy, "meddled", meddle);
  const auto level = set_log_level(log_level::off);
  co_await call(*breaker, errc::overloaded);
  set_log_level(level);
  CHECK(breaker->state() == breaker_state::closed);
  CHECK(seen == 1);
  CHECK(breaker->stats().closed == 1);
}

PENSTOCK_TEST("T8: inside a retry it counts each attempt, around one each operation once") {
  server s{.down = true};
  const auto patient = retry({.attempts = 3, .backoff = constant(1ms, {.jitter = jitter::none})});
  auto operation = [&] { return s.call(); };
  const circuit_breaker inner;
  const auto each_attempt = patient | inner;
  static_cast<void>(co_await each_attempt(idempotent(operation)));
  CHECK(inner.stats().failures == 3);
  const circuit_breaker outer;
  const auto each_operation = outer | patient;
  static_cast<void>(co_await each_operation(idempotent(operation)));
  CHECK(outer.stats().failures == 1);
  CHECK(s.calls == 6);
}

PENSTOCK_TEST("a retry around it ends when it opens") {
  server s{.down = true};
  const circuit_breaker breaker({.window = 2});
  const auto guarded = retry({.attempts = 10}) | breaker;
  auto operation = [&] { return s.call(); };
  const auto refused = co_await guarded(idempotent(operation));
  CHECK(refused.error() == errc::circuit_open);
  CHECK(refused.error().why() == retry_stop::non_retryable);
  CHECK(s.calls == 2);
}

PENSTOCK_TEST("B9: an error with retry_after opens it for that time, unless it is a refusal") {
  const circuit_breaker breaker;
  co_await call(breaker, error(errc::rate_limited).retry_after(1h));  // by a policy inside
  CHECK(breaker.state() == breaker_state::closed);
  co_await call(breaker, error(errc::overloaded).retry_after(7s));
  CHECK(breaker.state() == breaker_state::open);
  co_await sleep_for(7s - 1ns);
  CHECK(co_await is_refused(breaker));
  co_await sleep_for(1ns);
  CHECK(!co_await is_refused(breaker));
  const circuit_breaker deaf({.heeds_retry_after = false});
  co_await call(deaf, error(errc::overloaded).retry_after(7s));
  CHECK(deaf.state() == breaker_state::closed);
}

PENSTOCK_TEST("B10: nobody waits for a breaker; after close() all are refused with closed") {
  std::optional<circuit_breaker> breaker(touchy);
  auto under_way = co_await breaker->acquire();
  breaker->close();
  breaker->reset();  // in vain
  const auto refused = co_await breaker->acquire();
  CHECK(refused.error() == errc::closed);
  CHECK(breaker->state() == breaker_state::ended);
  CHECK(breaker->stats().in_flight == 1);
  under_way->success();
  CHECK(breaker->stats().late == 1);
}
TEST_CASE("B10: a breaker that is destroyed while a call is under way asserts") {
  const auto message = support::stopped_with([] {
    std::optional<circuit_breaker> breaker(touchy);
    auto permit = breaker->try_acquire(time_point{});
    breaker.reset();
    permit->cancel();
  });
  CHECK(message.find("under way") != std::string::npos);
}

PENSTOCK_TEST("a classifier of one's own decides what fails, also of values") {
  const circuit_breaker breaker(touchy);
  const auto odd_is_bad = [](const auto& what) {
    if constexpr (std::is_same_v<std::decay_t<decltype(what)>, int>)
      return what % 2 ? call_outcome::failure : call_outcome::success;
    else
      return call_outcome::ignored;
  };
  const auto judged = breaker.judged_by(odd_is_bad) | attempt_timeout(1s);
  auto even = []() -> task<result<int>> { co_return 2; };
  auto wrong = []() -> task<result<int>> { co_return fail(errc::overloaded); };
  auto odd = []() -> task<result<int>> { co_return 3; };
  CHECK(co_await judged(even));
  CHECK(!co_await judged(wrong));
  CHECK(breaker.state() == breaker_state::closed);
  CHECK(co_await judged(odd));
  CHECK(breaker.state() == breaker_state::open);
}

PENSTOCK_TEST("what an operation throws is a failure and passes through") {
  const circuit_breaker breaker(touchy);
  auto throws = []() -> task<result<int>> {
    co_await yield();
    throw std::runtime_error("no");
  };
  bool caught = false;
  try {
    static_cast<void>(co_await breaker(throws));
  } catch (const std::runtime_error&) {
    caught = true;
  }
  CHECK(caught);
  CHECK(breaker.state() == breaker_state::open);
}

PENSTOCK_TEST("a permit is moved, told once, and canceled by its end") {
  const circuit_breaker breaker;
  {
    auto first = co_await breaker.acquire();
    breaker_permit moved = std::move(*first);
    CHECK(!*first);
    CHECK(!!moved);
    auto second = co_await breaker.acquire();
    moved = std::move(*second);  // the first is canceled
    CHECK(breaker.stats().canceled == 1);
    CHECK(breaker.stats().in_flight == 1);
  }
  CHECK(breaker.stats().canceled == 2);
  auto slow = co_await breaker.acquire();
  co_await sleep_for(61s);
  slow->success();
  CHECK(breaker.stats().slow == 1);
  auto ignored = co_await breaker.acquire();
  ignored->ignore();
  auto failed = co_await breaker.acquire();
  failed->failure();
  const auto s = breaker.stats();
  CHECK(s.in_flight == 0);
  CHECK(s.calls == 2);
  CHECK(s.window_calls == 2);
  CHECK(s.failure_rate == 0.5);
  CHECK(s.slow_rate == 0.5);
}

PENSTOCK_TEST("a call through a closed breaker allocates nothing") {
  const circuit_breaker breaker;
  const circuit_breaker timed({.window = 0, .window_time = 10s});
  auto operation = []() -> task<result<int>> { co_return 1; };
  for (int warm = 0; warm < 2; ++warm) {
    const test::allocation_counter count;
    for (int i = 0; i < 200; ++i) {
      static_cast<void>(co_await breaker(operation));
      static_cast<void>(co_await timed(operation));
    }
    if (warm == 1) CHECK(count.allocations() == 0);
  }
}

TEST_CASE("an outage of ten seconds, with retries, a breaker and a timeout") {
  test::test_runtime rt({.seed = 7});
  server s{.takes = 5ms};
  const circuit_breaker breaker{{.failure_rate = 0.5,
                                 .window = 20,
                                 .min_calls = 10,
                                 .open_for = 5s,
                                 .open_factor = 1.0,
                                 .half_open_calls = 1}};
  const auto guarded =
      retry({.attempts = 3, .backoff = exponential(100ms)}) | breaker | attempt_timeout(1s);
  int reached_while_down = 0;
  duration healthy_at{};
  auto outage = [&]() -> task<> {
    for (int i = 0; i < 600; ++i) {
      s.down = rt.now() < time_point(10s);
      const int before = s.calls;
      auto operation = [&] { return s.call(); };
      const auto answer = co_await guarded(idempotent(operation));
      if (s.down) reached_while_down += s.calls - before;
      if (answer && healthy_at == 0s) healthy_at = rt.now().time_since_epoch();
      co_await sleep_for(50ms);
    }
  };
  rt.run(outage());
  CHECK(reached_while_down <= 15);
  CHECK(breaker.stats().opened >= 2);
  CHECK(healthy_at > 10s);
  CHECK(healthy_at <= 16s);
}

namespace {
// A loop whose cheap clock goes behind, as those of kernels do.
class coarse_loop final : public scheduler {
 public:
  time_point time{};
  duration behind{};
  time_point now() noexcept override { return time; }
  wall_time wall_now() noexcept override { return {}; }
  about_now about() noexcept override { return {time - behind, time - behind + 4ms}; }
  void add_timer(detail::timer&) noexcept override {}
  void cancel_timer(detail::timer&) noexcept override {}
  void offload(detail::offload_item&) noexcept override {}

 private:
  void wake() noexcept override {}
};
}  // namespace

TEST_CASE("who waits as long as it was told is let in, also where the cheap clock is behind") {
  const circuit_breaker breaker({.window = 1, .open_for = 7s});
  coarse_loop loop;
  environment env;
  env.sched = &loop;
  loop.time = time_point(10s);
  auto permit = breaker.admit(env).await_resume();
  permit->ended(call_outcome::failure, loop.about().earliest);
  const auto refused = breaker.admit(env).await_resume();
  REQUIRE(!refused);
  loop.time += refused.error().retry_after().value_or(0s);
  loop.behind = 4ms;
  CHECK(breaker.admit(env).await_resume().has_value());
}

TEST_CASE("a breaker with invalid options stops the program, naming the option") {
  const auto message =
      support::stopped_with([] { circuit_breaker breaker({.window = 10, .min_calls = 11}); });
  CHECK(message.find("min_calls") != std::string::npos);
}
