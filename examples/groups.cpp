// Tasks in a group: all of them end before the group does, the first error stops the others, and at
// most three run at once when you say so.
// Run: groups.
// Change first: .max_running, or let fetch fail for another number.
#include <penstock/core.hpp>

#include <cstdio>

using namespace penstock;
using namespace std::chrono_literals;

task<result<>> fetch(int i, int& sum) {
  co_await sleep_for(std::chrono::milliseconds(i));
  if (i == 13) co_return fail(errc::not_found, "fetch", "13");
  sum += i;
  co_return {};
}

// [group]
task<result<int>> sum_up_to(int n) {
  int sum = 0;  // outside the body: children refer to it until they end
  auto body = [&](task_group& group) -> task<> {
    for (int i = 1; i <= n; ++i) group.start(fetch(i, sum));
    co_return;
  };
  auto all = co_await as_result(with_group(body));
  if (!all) co_return fail(all.error());
  co_return sum;
}
// [/group]

// [limit]
task<result<>> three_at_a_time(int n, int& sum) {
  co_return co_await with_group({.max_running = 3}, [&](task_group& group) -> task<result<>> {
    for (int i = 1; i <= n; ++i) co_await group.start(fetch(i, sum));
    co_return {};
  });
}
// [/limit]

// [all]
task<int> both() {
  int a = 0, b = 0;
  auto done = co_await when_all(fetch(1, a), fetch(2, b));
  co_return done ? a + b : -1;
}
// [/all]

// [race]
task<std::size_t> faster() {
  auto winner = co_await when_any(sleep_for(50ms), sleep_for(1ms));
  co_return winner.index;
}
// [/race]

int main() {
  std::printf("sum %d\n", sync_wait(sum_up_to(4)).value());
  int sum = 0;
  auto limited = sync_wait(three_at_a_time(20, sum));
  std::printf("%s\n", limited.error().message().c_str());
  std::printf("both %d, faster %zu\n", sync_wait(both()), sync_wait(faster()));
}

// Output:
// sum 10
// ...13...
// both 3, faster 1
