// SPDX-License-Identifier: BSL-1.0
// stream.lines: the lines of a log of 256 MiB on tmpfs that hold a word are counted: read + memchr
// + memmem by hand; std::getline; and read_lines | filter | count. Setting: tmpfs=DIR (/dev/shm).
#include <penstock/core.hpp>
#include <penstock/io.hpp>
#include <penstock/stream.hpp>

#include "../support/harness.hpp"
#include "../support/loop.hpp"

#include <fcntl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using bench::judged;
using bench::values;

constexpr std::size_t size = 256u << 20;
constexpr std::string_view word = "status=500";

class log_file {
 public:
  explicit log_file(const std::string& folder)
      : path_(folder + "/penstock-lines-" + std::to_string(::getpid())) {
    std::FILE* const f = std::fopen(path_.c_str(), "wb");
    bench::check(f != nullptr, "stream.lines: cannot write the log");
    std::size_t written = 0;
    for (unsigned i = 0; written < size; ++i) {
      written += static_cast<std::size_t>(std::fprintf(
          f, "2026-11-26T12:%02u:%02u.%06u host-%u GET /items/%u status=%d took=%uus%s\n",
          i / 60 % 60, i % 60, i * 7919 % 1000000, i % 17, i * 31 % 100000, i % 50 == 0 ? 500 : 200,
          i * 13 % 5000, i % 3 == 0 ? " agent=a-long-one" : ""));
      if (i % 50 == 0) ++matches_;
    }
    bench::check(std::fclose(f) == 0, "stream.lines: cannot write the log");
    bytes_ = written;
  }
  log_file(const log_file&) = delete;
  log_file& operator=(const log_file&) = delete;
  ~log_file() { std::filesystem::remove(path_); }

  [[nodiscard]] const std::string& path() const { return path_; }
  values rate(const bench::stopwatch& time, std::size_t found) const {
    const double seconds = time.nanoseconds() * 1e-9;
    bench::check(found == matches_, "stream.lines: a wrong count");
    return {static_cast<double>(bytes_) / 1e6 / seconds};
  }

 private:
  std::string path_;
  std::size_t matches_ = 0;
  std::size_t bytes_ = 0;
};

std::string tmpfs() { return bench::setting("tmpfs", "/dev/shm"); }
const log_file& log() {
  static const log_file file(tmpfs());
  return file;
}
const char* missing() {
  struct statfs s {};
  if (::statfs(tmpfs().c_str(), &s) != 0) return "there is no such folder";
  if (static_cast<std::uint64_t>(s.f_bavail) * static_cast<std::uint64_t>(s.f_bsize) < 2 * size)
    return "less than 512 MiB are free";
  return nullptr;
}

bool holds_word(const char* line, std::size_t length) {
  return ::memmem(line, length, word.data(), word.size()) != nullptr;
}
values by_hand() {
  const int fd = ::open(log().path().c_str(), O_RDONLY | O_CLOEXEC);
  std::vector<char> block(65536);
  std::size_t kept = 0, found = 0;  // bytes of a line that is not all there
  const bench::stopwatch time;
  for (;;) {
    if (kept == block.size()) block.resize(2 * block.size());
    const ssize_t n = ::read(fd, block.data() + kept, block.size() - kept);
    if (n <= 0) break;
    const std::size_t end = kept + static_cast<std::size_t>(n);
    std::size_t begin = 0;
    while (const void* const at = std::memchr(block.data() + begin, '\n', end - begin)) {
      const auto stop = static_cast<std::size_t>(static_cast<const char*>(at) - block.data());
      if (holds_word(block.data() + begin, stop - begin)) ++found;
      begin = stop + 1;
    }
    kept = end - begin;
    std::memmove(block.data(), block.data() + begin, kept);
  }
  if (kept != 0 && holds_word(block.data(), kept)) ++found;
  const values v = log().rate(time, found);
  ::close(fd);
  return v;
}
values by_getline() {
  std::ifstream in(log().path(), std::ios::binary);
  std::size_t found = 0;
  const bench::stopwatch time;
  for (std::string line; std::getline(in, line);)
    if (holds_word(line.data(), line.size())) ++found;
  return log().rate(time, found);
}
penstock::task<penstock::result<values>> by_pipeline() {
  auto in = co_await penstock::ok(penstock::file::open(log().path(), penstock::open_mode::read));
  const auto matches = [](const penstock::buffer& line) {
    return holds_word(line.text().data(), line.size());
  };
  const bench::stopwatch time;
  const auto found = co_await penstock::ok(penstock::read_lines(in) | penstock::filter(matches) |
                                           penstock::count());
  co_return log().rate(time, found);
}
values subject() {
  auto v = bench::in_loop(by_pipeline());
  bench::check(v.has_value(), "stream.lines: an error");
  return *v;
}

const bench::add lines_added({.metrics = {{"stream.lines", "MB/s", judged::ratio_at_least, {0.9}}},
                              .baseline = by_hand,
                              .subject = subject,
                              .missing = missing});
const bench::add getline_added(
    {.metrics = {{"stream.lines.getline", "MB/s", judged::ratio_at_least, {3}}},
     .baseline = by_getline,
     .subject = subject,
     .missing = missing});

}  // namespace
