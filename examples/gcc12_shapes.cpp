// The shapes that g++ 12.2 compiles correctly, beside what they replace: see
// docs/writing-for-gcc-12.md. Run: gcc12_shapes. Change first: nothing; the rules below are the
// point.
#include <penstock/core.hpp>
#include <penstock/runtime.hpp>
#include <penstock/stream.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

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

// [logging]
task<std::size_t> logged(result<int> r) {
  // Not: co_await measure(r ? "ok" : r.error().message()). Without the co_await it is good.
  std::string text = "ok";
  if (!r) text = r.error().message();
  co_return co_await measure(std::move(text));
}
// [/logging]

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

// [offload]
task<std::size_t> words_in(std::string text) {
  auto work = [text] {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), ' '));
  };
  co_return co_await offload(std::move(work));  // a name, and moved in
}
// [/offload]

// [aggregate]
struct totals {
  std::string name;
  std::size_t bytes = 0;
};
task<result<std::size_t>> bytes_of(std::vector<std::string> lines) {
  totals first{"all"};  // a name, or a constructor: not fold(totals{"all"}, add)
  auto add = [](totals t, const std::string& line) {
    t.bytes += line.size();
    return t;
  };
  const totals all = co_await ok(from(std::move(lines)) | fold(first, add));
  co_return all.bytes;
}
// [/aggregate]

int main() {
  std::printf("%d %zu %zu\n", sync_wait(condition()), sync_wait(choice(true)),
              sync_wait(closure()));
  runtime rt;
  std::printf("%zu %zu %zu\n", rt.run(logged(1)), rt.run(words_in("one two")),
              rt.run(bytes_of({"a", "bc"})).value());
}

// Output:
// 1 13 20
// 2 1 3
