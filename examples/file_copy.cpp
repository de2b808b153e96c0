// Copies a file, eight blocks at a time, in bounded memory; what it writes is durable before it has
// its name. Without arguments it makes a file and copies that.
// Run: file_copy [FROM TO]. Change first: lanes and block; open_mode::direct for files that need
// not stay in the page cache.
#include <penstock/base.hpp>
#include <penstock/core.hpp>
#include <penstock/io.hpp>
#include <penstock/pool.hpp>
#include <penstock/runtime.hpp>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

using namespace penstock;
using namespace penstock::literals;

constexpr std::size_t block = 256_KiB;
constexpr std::size_t lanes = 8;

// [block]
// One block: from its place in one file to the same place in the other.
task<result<>> copy_block(file& from, file& to, buffer memory, std::uint64_t at) {
  std::size_t n = co_await ok(from.read_at(at, memory.mutable_bytes()));
  co_await ok(to.write_at(at, memory.first(n)));
  co_return {};
}
// [/block]

// [copy]
task<result<std::uint64_t>> copy(std::string source, std::string target) {
  auto from = co_await ok(file::open(source, open_mode::read));
  const std::uint64_t size = co_await ok(from.size());
  const std::string partial = target + ".partial";
  auto to = co_await ok(file::open(partial, open_mode::write | open_mode::create));
  co_await ok(to.truncate(size));

  buffer_pool memory{{.buffer_size = block, .count = lanes}};  // the bound on what is in flight
  auto blocks = [&](task_group& group) -> task<result<>> {
    for (std::uint64_t at = 0; at < size; at += block) {
      buffer b = co_await ok(memory.acquire());
      group.start(copy_block(from, to, std::move(b), at));
    }
    co_return {};
  };
  co_await ok(with_group(blocks));  // an error stops the others, and is the group's

  co_await ok(to.fsync());
  co_await ok(to.close());
  co_await ok(rename_file(partial, target));
  co_return size;
}
// [/copy]

task<result<>> make(std::string path, std::size_t size) {
  auto f = co_await ok(file::open(path, open_mode::write | open_mode::create));
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 131 >> 7);
  co_await ok(f.write_all(bytes));
  co_return co_await f.close();
}

task<result<bool>> same(std::string a, std::string b) {
  auto first = co_await ok(file::open(a, open_mode::read));
  auto second = co_await ok(file::open(b, open_mode::read));
  std::vector<std::byte> x(block), y(block);
  for (std::uint64_t at = 0;; at += block) {
    const std::size_t n = co_await ok(first.read_at(at, x));
    const std::size_t m = co_await ok(second.read_at(at, y));
    if (n != m || !std::equal(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(n), y.begin()))
      co_return false;
    if (n < block) co_return true;
  }
}

task<result<>> demonstrate() {
  co_await ok(make("original", 3 * block + 17));
  const std::uint64_t size = co_await ok(copy("original", "copy"));
  const bool equal = co_await ok(same("original", "copy"));
  std::printf("copied %llu bytes, %s\n", static_cast<unsigned long long>(size),
              equal ? "the same" : "NOT the same");
  auto missing = co_await copy("no such file", "copy");
  std::printf("%s\n", missing.error().message().c_str());
  co_return {};
}

int main(int argc, char** argv) {
  runtime rt;
  result<> outcome;
  if (argc == 3) {
    auto copied = rt.run(copy(argv[1], argv[2]));
    if (!copied) outcome = fail(copied.error());
  } else {
    outcome = rt.run(demonstrate());
  }
  if (!outcome) std::fprintf(stderr, "%s\n", outcome.error().message().c_str());
  return outcome ? 0 : 1;
}

// Output:
// copied 786449 bytes, the same
// open 'no such file': No such file or directory
