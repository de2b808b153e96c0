// SPDX-License-Identifier: BSL-1.0
// Limits of a service for each of its callers: requests by tier, log-ins by address, chat by user,
// and everything together.
// Run: tenant_limits. It takes 20 minutes of virtual time.
// Change first: the tiers.
#include <penstock/core.hpp>
#include <penstock/resilience.hpp>
#include <penstock/test.hpp>

#include <cstdio>
#include <string>
#include <string_view>

using namespace penstock;
using namespace std::chrono_literals;

// [limits]
struct limits {
  using by_text = keyed_rate_limiter<std::string, exact_window_core>;

  // Of 15 minutes, wherever they begin: 1000 requests of premium users, 100 of others.
  static exact_window_core tier(const std::string& user) {
    return exact_window_core({user.starts_with("premium:") ? 1000u : 100u, 15min});
  }
  by_text requests{exact_window_core({100, 15min}), tier, {.max_keys = 100'000}, "requests"};
  // Five log-ins of one address in 15 minutes.
  by_text logins{exact_window_core({5, 15min}), {.max_keys = 100'000}, "logins"};
  // A message per second and user; more of them wait, ten at most.
  keyed_rate_limiter<std::string> chat{gcra_core(per_second(1)), {.max_waiting = 10}, "chat"};
  // Whoever asks: what the database can take.
  gcra database{per_second(50), 100, {}, "database"};
};
// [/limits]

// [headers]
std::string answer(const limits& all, const std::string& user) {
  const rate_decision d = all.requests.decide(user);
  const rate_limit_headers headers(d);
  std::string head = d.admitted ? "200" : "429";
  const auto add = [&](std::string_view field, std::string_view value) {
    if (!value.empty()) head.append("; ").append(field).append(": ").append(value);
  };
  add("RateLimit-Limit", headers.limit());
  add("RateLimit-Remaining", headers.remaining());
  add("RateLimit-Reset", headers.reset());
  add("Retry-After", headers.retry_after());
  return head;
}
// [/headers]

task<> log_in_often(const limits& all) {
  for (int i = 1; i <= 6; ++i) {
    const auto d = all.logins.decide("10.0.0.1");
    if (d.admitted)
      std::printf("log-in %d: may try\n", i);
    else
      std::printf("log-in %d: come back in %lld s\n", i,
                  static_cast<long long>(d.retry_after / 1s));
    co_await sleep_for(20s);
  }
}

// [chat]
task<> say(const limits& all, std::string user, const char* text) {
  const auto turn = co_await all.chat.acquire(user);  // waits for the user's own turn
  if (!turn) co_return;
  const auto seconds = (co_await this_task::now()).time_since_epoch() / 1s;
  std::printf("%llds %s: %s\n", static_cast<long long>(seconds), user.c_str(), text);
}
// [/chat]

// [together]
task<result<>> query(const limits& all, const std::string& user) {
  // A permit of both, or of none: one who has no more requests takes nothing from the database.
  co_await ok(acquire_all(all.requests.of(user), all.database));
  co_return result<>();
}
// [/together]

void show(const limits& all, const std::string& user) {
  const std::string head = answer(all, user);
  std::printf("%s: %s\n", user.c_str(), head.c_str());
}

task<> day(const limits& all) {
  co_await when_all(say(all, "ann", "hello"), say(all, "ann", "is anybody here?"),
                    say(all, "ann", "hello?"), say(all, "bob", "yes"));
  co_await log_in_often(all);
  show(all, "carl");
  show(all, "premium:dora");
  for (int i = 0; i < 99; ++i) static_cast<void>(co_await query(all, "carl"));
  show(all, "carl");
  const auto refused = co_await with_timeout(1s, query(all, "carl"));
  std::printf("%s\n", refused.error().message().c_str());
  co_await sleep_for(15min);
  show(all, "carl");
}

int main() {
  test::test_runtime rt;  // virtual time
  const limits all;
  rt.run(day(all));
}

// Output:
// 0s ann: hello
// 0s bob: yes
// 1s ann: is anybody here?
// 2s ann: hello?
// log-in 1: may try
// log-in 2: may try
// log-in 3: may try
// log-in 4: may try
// log-in 5: may try
// log-in 6: come back in 800 s
// carl: 200; RateLimit-Limit: 100; RateLimit-Remaining: 99; RateLimit-Reset: 900
// premium:dora: 200; RateLimit-Limit: 1000; RateLimit-Remaining: 999; RateLimit-Reset: 900
// carl: 429; RateLimit-Limit: 100; RateLimit-Remaining: 0; RateLimit-Reset: 900; Retry-After: 900
// requests 'carl': rate limit reached
// carl: 200; RateLimit-Limit: 100; RateLimit-Remaining: 99; RateLimit-Reset: 900
