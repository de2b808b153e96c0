// Several sources become one stream, which goes to two sinks: a file with everything, and a sum.
// Run: fan_out_merge. Change first: the sensors, or a third sink in tee.
#include <penstock/core.hpp>
#include <penstock/io.hpp>
#include <penstock/runtime.hpp>
#include <penstock/stream.hpp>

#include <cstdio>
#include <string>

using namespace penstock;
using namespace std::chrono_literals;

// [merge]
// A sensor, as a coroutine: it yields a line for each measurement.
static generator<std::string> sensor(std::string name, duration every, int measurements) {
  for (int i = 0; i < measurements; ++i) {
    co_await sleep_for(every);
    co_yield name + ' ' + std::to_string(i) + '\n';
  }
}

static task<result<>> record(std::string path) {
  const auto longest = [](std::size_t most, const std::string& line) {
    return line.size() > most ? line.size() : most;
  };
  auto all =
      merge(sensor("temperature", 1ms, 30), sensor("pressure", 2ms, 20), sensor("wind", 5ms, 10));
  // Each line goes to all three; the file is there when all is in it.
  auto [bytes, lines, width] =
      co_await ok(std::move(all) | tee(write_file(path), count(), fold(std::size_t{0}, longest)));
  std::printf("%zu lines, %zu bytes, the longest of %zu\n", lines, static_cast<std::size_t>(bytes),
              width - 1);
  co_return {};
}
// [/merge]

int main() {
  runtime rt;
  auto outcome = rt.run(record("measurements.txt"));
  if (!outcome) std::fprintf(stderr, "%s\n", outcome.error().message().c_str());
  return outcome ? 0 : 1;
}

// Output:
// 60 lines, 740 bytes, the longest of 14
