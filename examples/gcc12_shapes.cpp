// The shapes that g++ 12.2 compiles correctly, beside what they replace: see
// docs/writing-for-gcc-12.md. Run: gcc12_shapes. Change first: nothing; the rules below are the
// point.
#include <penstock/core.hpp>

#include <cstdio>
#include <memory>
#include <string>

using namespace penstock;

task<bool> ready() { co_return true; }
task<std::size_t> measure(std::string text) { co_return text.size(); }

// [condition]
task<int> condition() {
  bool is_ready = co_await ready();  // a declaration, then the test of a name
  if (is_ready) co_return 1;
  co_return 0;
}
// [/condition]

// [choice]
task<std::size_t> choice(bool longer) {
  std::string text;  // instead of a ?: between two strings inside the co_await
  if (longer)
    text = "a longer text";
  else
    text = "short";
  co_return co_await measure(std::move(text));
}
// [/choice]

// [closure]
task<std::size_t> closure() {
  auto shared = std::make_shared<std::string>("kept alive");
  std::size_t total = 0;
  auto add = [shared,
              &total]() -> task<> {  // captures that are not trivial: the closure has a name
    total += shared->size();
    co_return;
  };
  co_await with_group([&](task_group& group) -> task<> {  // [&] is trivial: may stay in place
    group.start(add);
    group.start(add);
    co_return;
  });
  co_return total;
}
// [/closure]

int main() {
  std::printf("%d %zu %zu\n", sync_wait(condition()), sync_wait(choice(true)),
              sync_wait(closure()));
}

// Output:
// 1 13 20
