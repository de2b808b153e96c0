// What a stop does: a timeout ends the leaf that waits, destructors run, cleanup may await, and a
// drain point lets work that has begun finish.
// Run: stopping.
// Change first: the two durations in drain.
#include <penstock/core.hpp>
#include <penstock/test.hpp>

#include <cstdio>

using namespace penstock;
using namespace std::chrono_literals;

// [timeout]
task<> timeout() {
  auto slow = []() -> task<int> {
    scope_exit note([] { std::puts("slow: destructor ran"); });
    co_await sleep_for(10s);
    std::puts("never printed");
    co_return 1;
  };
  result<int> answer = co_await with_timeout(50ms, slow());
  if (!answer && answer.error() == errc::timed_out) std::puts("timed out");
}
// [/timeout]

// [finally]
task<> cleanup() {
  auto work = []() -> task<> { co_await sleep_for(1h); };
  auto roll_back = []() -> task<> {  // shielded: the stop does not reach it
    co_await sleep_for(5ms);
    std::puts("rolled back");
  };
  auto outcome = co_await with_timeout(1ms, finally(work(), roll_back));
  std::printf("outcome: %s\n", outcome.error().message().c_str());
}
// [/finally]

// [drain]
task<result<>> serve(int& finished) {
  auto job = [&]() -> task<> {
    co_await sleep_for(30ms);
    ++finished;
  };
  co_return co_await with_group({.grace = 100ms}, [&](task_group& group) -> task<result<>> {
    for (;;) {
      group.start(job);
      co_await sleep_for(20ms);
    }
  });
}
// [/drain]

task<> drain() {
  int finished = 0;
  auto outcome = co_await with_timeout(50ms, serve(finished));  // stands for SIGTERM after 50 ms
  std::printf("drained %s, %d jobs finished\n", outcome ? "well" : "badly", finished);
}

int main() {
  test::test_runtime rt;  // virtual time: this program takes no real time
  rt.run(timeout());
  rt.run(cleanup());
  rt.run(drain());
}

// Output:
// slow: destructor ran
// timed out
// rolled back
// outcome: with_timeout '1 ms': timed out
// drained well, 3 jobs finished
