// Every file of a list is read, its letters are made large on other threads, and it is written
// again; three files at a time. The same with threads: file_processor_threads.cpp.
// Run: file_processor; it makes the files. Change first: how many files at once, or work.
#include <penstock/core.hpp>
#include <penstock/io.hpp>
#include <penstock/runtime.hpp>
#include <penstock/stream.hpp>

#include <cctype>
#include <cstdio>
#include <string>
#include <vector>

using namespace penstock;

// Computes: on the cpu pool.
static buffer large(buffer b) {
  for (auto& c : b.mutable_bytes())
    c = static_cast<std::byte>(std::toupper(static_cast<unsigned char>(c)));
  return b;
}

struct totals {
  int files = 0;
  std::uint64_t bytes = 0;
};

// [process]
// Memory: two chunks of a file at once, whatever its size. A file that fails leaves no output.
static task<result<>> process(std::string name, totals& t) {
  auto in = co_await ok(file::open(name, open_mode::read));
  t.bytes +=
      co_await ok(read_chunks(in, 65536) | offload_map(2, large) | write_file(name + ".out"));
  ++t.files;
  co_return {};
}
static task<result<>> process_all(std::vector<std::string> names, totals& t) {
  const auto one = [&](std::string name) { return process(std::move(name), t); };
  co_return co_await (from(std::move(names)) | for_each_concurrent(3, one));
}
// [/process]

static task<result<>> make_files(std::vector<std::string> names) {
  const auto make = [](const std::string& name) -> task<result<>> {
    const std::vector<std::string> content(20'000, "some words in " + name + "\n");
    co_await ok(from(content) | write_file(name));
    co_return {};
  };
  co_return co_await (from(std::move(names)) | for_each(make));
}

static task<result<>> run(totals& t) {
  std::vector<std::string> names;
  for (int i = 0; i < 8; ++i) names.push_back("text-" + std::to_string(i));
  co_await ok(make_files(names));
  co_return co_await process_all(std::move(names), t);
}

int main() {
  runtime rt;
  totals t;
  auto outcome = rt.run(run(t));
  if (!outcome) {
    std::fprintf(stderr, "%s\n", outcome.error().message().c_str());
    return 1;
  }
  std::printf("%d files, %llu bytes\n", t.files, static_cast<unsigned long long>(t.bytes));
}

// Output:
// 8 files, 3360000 bytes
