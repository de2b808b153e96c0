// Collects readings into a file until SIGINT or SIGTERM comes, and then finishes the file: what was
// collected is in it, and it has its name. Without this a stop leaves no file.
// Run: finish_on_sigint. Change first: the grace period, or .keep_open.
#include <penstock/core.hpp>
#include <penstock/io.hpp>
#include <penstock/runtime.hpp>
#include <penstock/stream.hpp>
#include <penstock/sync.hpp>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

using namespace penstock;
using namespace std::chrono_literals;

// Never ends by itself. The signal stands for yours.
static generator<std::string> readings() {
  for (int i = 0;; ++i) {
    co_await sleep_for(1ms);
    if (i == 20) std::raise(SIGINT);
    co_yield "reading " + std::to_string(i) + '\n';
  }
}

// [collect]
static task<result<std::uint64_t>> collect_into(std::string path) {
  channel<std::string> collected{64};
  std::optional<std::uint64_t> written;
  const auto write = [&]() -> task<result<>> {  // the child: has the grace period to finish
    written = co_await ok(receive(collected) | write_file(path));
    co_return {};
  };
  auto collect = [&](task_group& group) -> task<result<>> {  // the body: ends at once
    const scope_exit no_more([&] { collected.close(); });
    group.start(write);
    co_return co_await (readings() | to_channel(collected, {.keep_open = true}));
  };
  co_await ok(with_group({.grace = 2s}, collect));
  if (!written) co_return fail(errc::canceled, "finish", path);  // the grace period was too short
  co_return *written;
}
// [/collect]

static task<result<std::size_t>> lines_in(std::string path) {
  file in = co_await ok(file::open(std::move(path), open_mode::read));
  co_return co_await (read_lines(in) | count());
}

int main() {
  runtime rt;
  const auto written = rt.run(collect_into("readings.txt"));
  std::printf("collected: %s\n", written ? "yes" : "no");
  const auto lines = rt.run(lines_in("readings.txt"));
  std::printf("%s\n", lines && *lines >= 20 ? "all readings are in the file" : "readings are lost");
}

// Output:
// collected: yes
// all readings are in the file
