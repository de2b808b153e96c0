// First tasks: a function that waits, one that fails, and how a caller sees both.
// Run: first_task.
// Change first: the name in greet_all, to see the error leave the function early.
#include <penstock/core.hpp>

#include <cstdio>
#include <string>

using namespace penstock;
using namespace std::chrono_literals;

// [task]
task<result<std::string>> look_up(int id) {
  co_await sleep_for(1ms);  // a database would go here
  if (id < 0) co_return fail(errc::not_found, "look up", std::to_string(id));
  co_return "user " + std::to_string(id);
}
// [/task]

// [ok]
task<result<std::size_t>> greet_all(int first, int second) {
  std::string a = co_await ok(look_up(first));  // the value, or out of here with the error
  std::string b = co_await ok(look_up(second));
  std::printf("hello %s and %s\n", a.c_str(), b.c_str());
  co_return a.size() + b.size();
}
// [/ok]

// [wait]
int main() {
  for (int id : {2, -3}) {
    result<std::size_t> length = sync_wait(greet_all(1, id));
    if (length)
      std::printf("%zu characters\n", *length);
    else
      std::printf("failed: %s\n", length.error().message().c_str());
  }
}
// [/wait]

// Output:
// hello user 1 and user 2
// 12 characters
// failed: ...-3...
