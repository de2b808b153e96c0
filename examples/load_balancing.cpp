// Four replicas, one of them slow, one that fails for a while: who gets how many calls by turns, by
// connections, and by expected time. Run: load_balancing. It runs under virtual time. Change first:
// the options of the balancer; which replica is slow.
#include <penstock/core.hpp>
#include <penstock/resilience.hpp>
#include <penstock/test.hpp>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;

// [replica]
struct replica {
  const char* name;
  duration takes;
  bool fails_at_first = false;  // for ten seconds
  int calls = 0;

  task<result<int>> get() {
    ++calls;
    co_await sleep_for(takes);
    const auto now = co_await this_task::now();
    if (fails_at_first && now.time_since_epoch() < 10s) co_return fail(std::errc::host_unreachable);
    co_return 1;
  }
};
// [/replica]

// [clients]
// Eight clients that ask all the time. An attempt avoids the replica that failed in the one before.
task<> client(const balancer<replica*>& all, int& errors, int& answers) {
  auto get = all.operation([](replica* r) { return r->get(); });
  const auto patient = retry({.attempts = 2, .backoff = constant(1ms)});
  while ((co_await this_task::now()).time_since_epoch() < 20s) {
    const auto answer = co_await patient(idempotent(get));
    ++(answer ? answers : errors);
  }
}
// [/clients]

task<> serve(balance how) {
  std::vector<replica> replicas{{.name = "a", .takes = 10ms},
                                {.name = "b", .takes = 10ms},
                                {.name = "slow", .takes = 100ms},
                                {.name = "broken", .takes = 2ms, .fails_at_first = true}};
  const balancer<replica*> all({.how = how}, "replicas", [&](const balancer_event& e) {
    std::printf("  left out for %d s: %s\n", static_cast<int>(e.ejected_for / 1s),
                replicas[e.endpoint - 1].name);
  });
  for (replica& r : replicas) all.add(&r);
  int errors = 0, answers = 0;
  auto clients = [&](task_group& group) -> task<> {
    for (int i = 0; i < 8; ++i)
      group.start(client, std::cref(all), std::ref(errors), std::ref(answers));
    co_return;
  };
  co_await with_group(clients);
  std::printf(" ");
  for (const replica& r : replicas) std::printf(" %s %d,", r.name, r.calls);
  std::printf(" answers %d, errors %d\n", answers, errors);
}

void show(const char* title, balance how) {
  std::printf("%s\n", title);
  test::test_runtime rt({.seed = 1});
  rt.run(serve(how));
}

int main() {
  show("round robin", balance::round_robin);
  show("least connections", balance::least_connections);
  show("the better of two by expected time", balance::peak_ewma);
}

// Output:
// round robin
//   left out for 30 s: broken
//   a 1334, b 1334, slow 1336, broken 5, answers 4004, errors 0
// least connections
//   left out for 30 s: broken
//   a 5061, b 5050, slow 590, broken 5, answers 10701, errors 0
// the better of two by expected time
//   left out for 30 s: broken
//   a 7991, b 7929, slow 8, broken 5, answers 15928, errors 0
