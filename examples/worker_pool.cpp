// A pool of workers: paths go into a channel, several tasks take them out, and what they find comes
// back through another. The first error ends all, and says what was wrong.
// Run: worker_pool [FILE...]; without arguments it makes some files.
// Change first: workers and open_files; what count_lines does.
#include <penstock/core.hpp>
#include <penstock/io.hpp>
#include <penstock/runtime.hpp>
#include <penstock/sync.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

using namespace penstock;

constexpr int workers = 4;
constexpr std::size_t open_files = 2;

// [work]
task<result<std::size_t>> count_lines(const std::string& path) {
  auto f = co_await ok(file::open(path, open_mode::read));
  std::array<std::byte, 4096> piece;
  std::size_t lines = 0;
  for (std::uint64_t at = 0;;) {
    const std::size_t n = co_await ok(f.read_at(at, piece));
    if (n == 0) co_return lines;
    const auto end = piece.begin() + static_cast<std::ptrdiff_t>(n);
    lines += static_cast<std::size_t>(std::count(piece.begin(), end, std::byte{'\n'}));
    at += n;
  }
}

struct finding {
  std::string path;
  std::size_t lines = 0;
};

task<result<>> worker(channel<std::string>& paths, channel<finding>& found, semaphore& open) {
  while (auto path = co_await paths.receive()) {  // ends when paths is closed and empty
    finding f;
    {
      const auto permit = co_await ok(open.acquire());
      f.lines = co_await ok(count_lines(*path));
    }
    f.path = std::move(*path);
    co_await ok(found.send(std::move(f)));  // waits while nobody takes the findings
  }
  co_return {};
}
// [/work]

// [pool]
using counts = std::map<std::string, std::size_t>;

task<result<counts>> count_all(std::vector<std::string> files) {
  channel<std::string> paths{8};
  channel<finding> found{8};
  semaphore open{open_files};
  counts all;

  auto feed = [&]() -> task<result<>> {
    for (auto& f : files) co_await ok(paths.send(std::move(f)));
    paths.close();
    co_return {};
  };
  auto work = [&]() -> task<result<>> {
    auto start = [&](task_group& group) -> task<result<>> {
      for (int i = 0; i < workers; ++i) group.start(worker(paths, found, open));
      co_return {};
    };
    co_await ok(with_group(start));
    found.close();
    co_return {};
  };
  auto collect = [&]() -> task<result<>> {
    while (auto f = co_await found.receive()) all[std::move(f->path)] = f->lines;
    co_return {};
  };
  auto done = co_await when_all(feed(), work(), collect());  // the first error stops the others
  if (!done) co_return fail(std::move(done).error());
  co_return all;
}
// [/pool]

task<result<std::vector<std::string>>> make_files() {
  std::vector<std::string> made;
  for (int i = 1; i <= 5; ++i) {
    made.push_back("file" + std::to_string(i));
    auto f = co_await ok(file::open(made.back(), open_mode::write | open_mode::create));
    std::string text;
    for (int line = 0; line < 1000 * i; ++line) text += "line\n";
    co_await ok(f.write_all(std::as_bytes(std::span(text))));
    co_await ok(f.close());
  }
  co_return made;
}

task<result<>> demonstrate(std::vector<std::string> files) {
  if (files.empty()) files = co_await ok(make_files());
  const auto all = co_await ok(count_all(files));
  for (const auto& [path, lines] : all) std::printf("%s: %zu lines\n", path.c_str(), lines);
  files.push_back("is_not_there");
  const auto failed = co_await count_all(std::move(files));
  if (!failed) std::printf("%s\n", failed.error().message().c_str());
  co_return {};
}

int main(int argc, char** argv) {
  runtime rt;  // a SIGINT stops it in the middle of a file, and everything is closed
  auto outcome = rt.run(demonstrate({argv + 1, argv + argc}));
  if (!outcome) std::fprintf(stderr, "%s\n", outcome.error().message().c_str());
  return outcome ? 0 : 1;
}

// Output:
// file1: 1000 lines
// file2: 2000 lines
// file3: 3000 lines
// file4: 4000 lines
// file5: 5000 lines
// open 'is_not_there': No such file or directory
