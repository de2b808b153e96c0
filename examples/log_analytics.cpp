// What happened on a server: lines of its log become requests, requests become a report. The file
// may be larger than the memory.
// Run: log_analytics [FILE]; without one it makes a log of its own.
// Change first: what is counted in add.
#include <penstock/core.hpp>
#include <penstock/io.hpp>
#include <penstock/runtime.hpp>
#include <penstock/stream.hpp>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>

using namespace penstock;

// "GET /page 200 17": method, path, status, milliseconds.
struct request {
  std::string path;
  int status = 0;
  int milliseconds = 0;
};

struct statistics {
  std::map<int, int> by_status;
  request slowest;
  int bad_lines = 0;
};

static result<request> parse(const buffer& line) {
  char path[64];
  request r;
  const std::string text(line.text());
  if (std::sscanf(text.c_str(), "%*7s %63s %d %d", path, &r.status, &r.milliseconds) != 3)
    return fail(errc::corrupt, "log line", text);
  r.path = path;
  return r;
}

// [report]
static task<result<statistics>> analyse(std::string path) {
  auto log = co_await ok(file::open(std::move(path), open_mode::read));
  int bad = 0;
  const auto no_comment = [](const buffer& line) { return line.text().substr(0, 1) != "#"; };
  const auto skip_bad = [&](error e) -> result<std::optional<request>> {
    if (e != errc::corrupt) return fail(std::move(e));  // the disk, say: that ends it
    ++bad;
    return std::nullopt;
  };
  statistics first;
  const auto add = [](statistics s, request r) {
    ++s.by_status[r.status];
    if (r.milliseconds > s.slowest.milliseconds) s.slowest = std::move(r);
    return s;
  };
  auto all = co_await ok(read_lines(log) | filter(no_comment) | map(parse) | recover(skip_bad) |
                         fold(first, add));
  all.bad_lines = bad;
  co_return all;
}
// [/report]

static task<result<>> make_log(std::string path) {
  const auto line = [n = 0]() mutable -> std::optional<std::string> {
    if (++n > 10'000) return std::nullopt;
    if (n == 1) return "# a log\n";
    if (n % 1000 == 0) return "garbage\n";
    const int status = n % 50 == 0 ? 500 : n % 10 == 0 ? 404 : 200;
    return "GET /page/" + std::to_string(n % 7) + ' ' + std::to_string(status) + ' ' +
           std::to_string(n * 7919 % 1009) + '\n';
  };
  co_await ok(generate(line) | write_file(std::move(path)));
  co_return {};
}

static task<result<>> run(std::optional<std::string> given) {
  const std::string path = given.value_or("requests.log");
  if (!given) co_await ok(make_log(path));
  const auto s = co_await ok(analyse(path));
  for (const auto& [status, count] : s.by_status) std::printf("%d: %d\n", status, count);
  std::printf("slowest: %s %d ms\n", s.slowest.path.c_str(), s.slowest.milliseconds);
  std::printf("bad lines: %d\n", s.bad_lines);
  co_return {};
}

int main(int argc, char** argv) {
  runtime rt;
  auto outcome = rt.run(run(argc > 1 ? std::optional<std::string>(argv[1]) : std::nullopt));
  if (!outcome) std::fprintf(stderr, "%s\n", outcome.error().message().c_str());
  return outcome ? 0 : 1;
}

// Output:
// 200: 8999
// 404: 800
// 500: 190
// slowest: /page/2 1008 ms
// bad lines: 10
