// SPDX-License-Identifier: BSL-1.0
// stream.lines: counts the lines of a log that have a word in them, in the page cache on tmpfs: a
// loop of read, memchr and memmem; std::getline; and penstock.
// Settings: tmpfs=DIR (/dev/shm), log=MIB (256).
#include <penstock/core.hpp>
#include <penstock/io.hpp>
#include <penstock/stream.hpp>

#include "../support/harness.hpp"
#include "../support/loop.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using bench::judged;
using bench::values;

std::string tmpfs() { return bench::setting("tmpfs", "/dev/shm"); }
std::size_t log_size() { return std::stoul(bench::setting("log", "256")) << 20; }

constexpr std::string_view word = "status=503";
bool has_word(std::string_view line) {
  return ::memmem(line.data(), line.size(), word.data(), word.size()) != nullptr;
}

// A log for as long as the program runs: lines of 80 to 220 bytes, one in 64 with the word.
class log_file {
 public:
  log_file() : path_(tmpfs() + "/penstock-bench-" + std::to_string(::getpid()) + ".log") {
    static constexpr const char* paths[] = {"/", "/index.html", "/api/v1/orders/%u/items",
                                            "/static/css/style-%u.css", "/search?q=%u&page=2"};
    static constexpr const char* agents[] = {
        "curl/7.88.1", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:109.0) Gecko/20100101"};
    std::ofstream out(path_, std::ios::binary);
    std::uint64_t x = 88172645463325252;
    const std::size_t size = log_size();
    std::string line;
    for (std::size_t written = 0; written < size; written += line.size()) {
      x ^= x << 13;
      x ^= x >> 7;
      x ^= x << 17;
      const auto bits = [x](int from, unsigned below) {
        return static_cast<unsigned>(x >> from) % below;
      };
      const bool is_wanted = bits(0, 64) == 0;
      line = "2024-05-01T12:" + std::to_string(10 + bits(6, 50)) + ":00Z host-" +
             std::to_string(bits(12, 9)) + " nginx: 10.0.0." + std::to_string(bits(16, 256)) +
             " GET ";
      line += paths[bits(24, 5)];
      if (const auto at = line.find("%u"); at != line.npos)
        line.replace(at, 2, std::to_string(bits(8, 100'000)));
      line += is_wanted ? " status=503" : bits(32, 9) == 0 ? " status=404" : " status=200";
      line += " bytes=" + std::to_string(bits(20, 100'000)) + " agent=\"" + agents[bits(40, 3)];
      line += "\"\n";
      wanted_ += is_wanted ? 1 : 0;
      out << line;
    }
    bench::check(out.flush().good(), "stream.lines: cannot write the log");
  }
  log_file(const log_file&) = delete;
  log_file& operator=(const log_file&) = delete;
  ~log_file() { ::unlink(path_.c_str()); }

  [[nodiscard]] const std::string& path() const { return path_; }
  values judge(const bench::stopwatch& time, std::size_t found) const {
    const double ns = time.nanoseconds();
    bench::check(found == wanted_, "stream.lines: the count is wrong");
    return {static_cast<double>(log_size()) / 1e6 / (ns / 1e9)};
  }

 private:
  std::string path_;
  std::size_t wanted_ = 0;
};
const log_file& log() {
  static const log_file file;
  return file;
}

values read_and_memchr() {
  const bench::stopwatch time;
  const int fd = ::open(log().path().c_str(), O_RDONLY | O_CLOEXEC);
  std::vector<char> block(64 << 10);
  std::size_t found = 0, kept = 0;  // kept: bytes of an unfinished line, at the front of the block
  for (ssize_t n; (n = ::read(fd, block.data() + kept, block.size() - kept)) > 0;) {
    const char* at = block.data();
    const char* const end = at + kept + n;
    while (const void* newline = std::memchr(at, '\n', static_cast<std::size_t>(end - at))) {
      const char* const line_end = static_cast<const char*>(newline);
      found += has_word({at, static_cast<std::size_t>(line_end - at)}) ? 1 : 0;
      at = line_end + 1;
    }
    kept = static_cast<std::size_t>(end - at);
    std::memmove(block.data(), at, kept);
  }
  ::close(fd);
  return log().judge(time, found);
}
values getline_each() {
  const bench::stopwatch time;
  std::ifstream in(log().path(), std::ios::binary);
  std::size_t found = 0;
  for (std::string line; std::getline(in, line);) found += has_word(line) ? 1 : 0;
  return log().judge(time, found);
}

penstock::task<penstock::result<std::size_t>> count_lines() {
  auto file = co_await penstock::ok(penstock::file::open(log().path(), penstock::open_mode::read));
  auto wanted = [](const penstock::buffer& line) { return has_word(line.text()); };
  co_return co_await (penstock::read_lines(file) | penstock::filter(wanted) | penstock::count());
}
values read_lines() {
  log();
  const bench::stopwatch time;
  const auto found = bench::in_loop(count_lines());
  return log().judge(time, found ? *found : 0);
}

const char* missing() {
  struct statvfs s {};
  if (::statvfs(tmpfs().c_str(), &s) != 0) return "there is no such folder";
  return s.f_bavail * s.f_frsize < 2 * log_size() ? "too little is free there" : nullptr;
}
const bench::add lines_added({.metrics = {{"stream.lines", "MB/s", judged::ratio_at_least, {0.9}}},
                              .baseline = read_and_memchr,
                              .subject = read_lines,
                              .place = bench::place::all_cpus,
                              .missing = missing});
const bench::add getline_added(
    {.metrics = {{"stream.lines.getline", "MB/s", judged::ratio_at_least, {3}}},
     .baseline = getline_each,
     .subject = read_lines,
     .place = bench::place::all_cpus,
     .missing = missing});

}  // namespace
