// SPDX-License-Identifier: BSL-1.0
// upload.*: 1 GiB in blocks of 64 KiB with checksums, fsync and rename: a pool of 4 threads, and
// penstock; through the page cache on tmpfs, and with O_DIRECT on a disk.
// Settings: tmpfs=DIR (/dev/shm), disk=DIR (where this program is).
#include <penstock/base/checksum.hpp>

#include "../support/harness.hpp"

#include <fcntl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace {

using bench::judged;
using bench::values;

constexpr std::size_t size = std::size_t{1} << 30;
constexpr std::size_t part = 8 << 20;

// A folder with the source in it, for as long as the program runs.
class workplace {
 public:
  workplace(const std::string& parent, bool direct) : direct_(direct) {
    folder_ = parent + "/penstock-bench-" + std::to_string(::getpid());
    std::filesystem::create_directory(folder_);
    write_source();
    checksum_ = checksum(source());
  }
  workplace(const workplace&) = delete;
  workplace& operator=(const workplace&) = delete;
  ~workplace() { std::filesystem::remove_all(folder_); }

  values upload(const char* program) const {
    std::vector<std::string> command = {bench::program_folder() + '/' + program, source(),
                                        folder_ + "/target", "--part", std::to_string(part)};
    if (direct_) command.push_back("--direct");
    const values v = bench::run_program(command, {"mb_per_s", "cpu_seconds", "peak_rss_mib"});
    bench::check(std::filesystem::file_size(folder_ + "/target") == size, "upload: wrong size");
    if (checked_.insert(program).second) {
      bench::check(checksum(folder_ + "/target") == checksum_, "upload: wrong contents");
    }
    std::filesystem::remove_all(folder_ + "/target");
    ::sync();  // what one run leaves to be written is not the other's affair
    return v;
  }

  // Why it cannot be done there, or null.
  static const char* missing(const std::string& parent, bool direct) {
    struct statfs s {};
    if (::statfs(parent.c_str(), &s) != 0) return "there is no such folder";
    if (static_cast<std::uint64_t>(s.f_bavail) * static_cast<std::uint64_t>(s.f_bsize) < 3 * size)
      return "less than 3 GiB are free";
    if (!direct) return nullptr;
    const std::string probe = parent + "/penstock-bench-probe-" + std::to_string(::getpid());
    const int fd = ::open(probe.c_str(), O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);
    ::unlink(probe.c_str());
    if (fd < 0) return "no O_DIRECT there";
    ::close(fd);
    return nullptr;
  }

 private:
  [[nodiscard]] std::string source() const { return folder_ + "/source"; }
  void write_source() const {
    const int fd = ::open(source().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    std::vector<std::uint64_t> block(1 << 17);
    std::uint64_t x = 88172645463325252;
    for (std::size_t at = 0; at < size; at += block.size() * 8) {
      for (auto& word : block) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        word = x;
      }
      const auto n = ::write(fd, block.data(), block.size() * 8);
      bench::check(n == static_cast<ssize_t>(block.size() * 8), "upload: cannot write the source");
    }
    ::fsync(fd);
    ::close(fd);
  }
  std::uint32_t checksum(const std::string& path) const {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    std::vector<std::byte> block(1 << 20);
    std::uint32_t crc = 0;
    for (ssize_t n; (n = ::read(fd, block.data(), block.size())) > 0;) {
      crc = penstock::crc32c({block.data(), static_cast<std::size_t>(n)}, crc);
    }
    if (direct_) ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    ::close(fd);
    return crc;
  }

  std::string folder_;
  bool direct_;
  std::uint32_t checksum_ = 0;
  mutable std::set<std::string> checked_;  // programs whose first copy was compared
};

std::string tmpfs() { return bench::setting("tmpfs", "/dev/shm"); }
std::string disk() { return bench::setting("disk", bench::program_folder()); }

const workplace& cached() {
  static const workplace place(tmpfs(), false);
  return place;
}
const workplace& direct() {
  static const workplace place(disk(), true);
  return place;
}

const bench::add upload_tmpfs(
    {.metrics = {{"upload.tmpfs", "MB/s", judged::ratio_at_least, {0.9}},
                 {"upload.tmpfs.cpu", "s", judged::ratio_at_most, {1.2}},
                 {"upload.tmpfs.rss", "MiB", judged::value_at_most, {64}}},
     .baseline = [] { return cached().upload("upload_threads"); },
     .subject = [] { return cached().upload("upload_penstock"); },
     .place = bench::place::all_cpus,
     .missing = [] { return workplace::missing(tmpfs(), false); }});
const bench::add upload_direct(
    {.metrics = {{"upload.direct", "MB/s", judged::ratio_at_least, {1.0}},
                 {"upload.direct.cpu", "s", judged::ratio_at_most, {0.5}},
                 {"upload.direct.rss", "MiB", judged::value_at_most, {64}}},
     .baseline = [] { return direct().upload("upload_threads"); },
     .subject = [] { return direct().upload("upload_penstock"); },
     .place = bench::place::all_cpus,
     .missing = [] { return workplace::missing(disk(), true); }});

}  // namespace
