// SPDX-License-Identifier: BSL-1.0
// A chunked upload into a directory as a thread pool does it: each thread takes the next part,
// copies it block by block, and computes its checksum; then fsync, rename, fsync of the directory.
//
//   upload_threads SOURCE TARGET [--block BYTES] [--part BYTES] [--threads N] [--direct]
//
// Prints: RESULT bytes=N seconds=S mb_per_s=M cpu_seconds=C peak_rss_mib=R
#include <penstock/base/checksum.hpp>

#include "../support/program_report.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t page = 4096;

struct options {
  std::string source, target;
  std::size_t block = 64 * 1024;
  std::size_t part = 8 * 1024 * 1024;
  std::size_t threads = 4;
  bool direct = false;
};

[[noreturn]] void fail(const char* what, const std::string& object) {
  std::fprintf(stderr, "upload_threads: %s %s: %s\n", what, object.c_str(), std::strerror(errno));
  std::exit(1);
}

class descriptor {
 public:
  descriptor(const std::string& path, int flags) : path_(path) {
    fd_ = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
    if (fd_ < 0) fail("open", path);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() { ::close(fd_); }

  [[nodiscard]] std::size_t size() const {
    struct stat s {};
    if (::fstat(fd_, &s) != 0) fail("stat", path_);
    return static_cast<std::size_t>(s.st_size);
  }
  // Fewer bytes than asked for only at the end of the file.
  std::size_t read(std::byte* to, std::size_t n, std::size_t offset) const {
    std::size_t done = 0;
    while (done < n) {
      const ssize_t r = ::pread(fd_, to + done, n - done, static_cast<off_t>(offset + done));
      if (r < 0 && errno == EINTR) continue;
      if (r < 0) fail("read", path_);
      if (r == 0) break;
      done += static_cast<std::size_t>(r);
    }
    return done;
  }
  void write(const std::byte* from, std::size_t n, std::size_t offset) const {
    while (n > 0) {
      const ssize_t r = ::pwrite(fd_, from, n, static_cast<off_t>(offset));
      if (r < 0 && errno == EINTR) continue;
      if (r < 0) fail("write", path_);
      from += r;
      offset += static_cast<std::size_t>(r);
      n -= static_cast<std::size_t>(r);
    }
  }
  // Room for direct writes, which otherwise take turns to extend the file. Not everywhere possible.
  void preallocate(std::size_t n) const { (void)!::fallocate(fd_, 0, 0, static_cast<off_t>(n)); }
  void truncate(std::size_t n) const {
    if (::ftruncate(fd_, static_cast<off_t>(n)) != 0) fail("truncate", path_);
  }
  void sync() const {
    if (::fsync(fd_) != 0) fail("fsync", path_);
  }

 private:
  std::string path_;
  int fd_;
};

struct free_memory {
  void operator()(std::byte* p) const { std::free(p); }
};
std::unique_ptr<std::byte, free_memory> aligned(std::size_t n) {
  auto* p = static_cast<std::byte*>(std::aligned_alloc(page, n));
  if (!p) fail("allocate", "a block");
  return std::unique_ptr<std::byte, free_memory>(p);
}

// Copies [begin, end) and gives its checksum.
std::uint32_t copy_part(const descriptor& in, const descriptor& out, std::byte* buffer,
                        const options& o, std::size_t begin, std::size_t end) {
  std::uint32_t crc = 0;
  for (std::size_t at = begin; at < end;) {
    const std::size_t n = std::min(o.block, end - at);
    // A direct read or write is a whole number of pages, also at the end of the file.
    const std::size_t whole = o.direct ? (n + page - 1) / page * page : n;
    if (in.read(buffer, whole, at) < n) {
      std::fprintf(stderr, "upload_threads: %s became shorter\n", o.source.c_str());
      std::exit(1);
    }
    crc = penstock::crc32c({buffer, n}, crc);
    out.write(buffer, whole, at);
    at += n;
  }
  return crc;
}

std::size_t upload(const options& o) {
  std::size_t size = 0;
  const std::string temporary = o.target + ".part";
  const int direct = o.direct ? O_DIRECT : 0;
  std::vector<std::uint32_t> checksums;  // of the parts: a receiver would compare them
  {
    const descriptor in(o.source, O_RDONLY | direct);
    const descriptor out(temporary, O_WRONLY | O_CREAT | O_TRUNC | direct);
    size = in.size();
    if (o.direct) out.preallocate(size);
    const std::size_t parts = (size + o.part - 1) / o.part;
    checksums.resize(parts);

    std::atomic<std::size_t> next{0};
    const auto work = [&] {
      const auto buffer = aligned(o.block);
      for (std::size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < parts;) {
        const std::size_t begin = i * o.part;
        checksums[i] = copy_part(in, out, buffer.get(), o, begin, std::min(begin + o.part, size));
      }
    };
    std::vector<std::thread> pool;
    for (std::size_t i = 0; i < o.threads; ++i) pool.emplace_back(work);
    for (auto& thread : pool) thread.join();

    if (o.direct && size % page != 0) out.truncate(size);
    out.sync();
  }
  if (std::rename(temporary.c_str(), o.target.c_str()) != 0) fail("rename to", o.target);
  const auto slash = o.target.rfind('/');
  descriptor(slash == std::string::npos ? "." : o.target.substr(0, slash + 1),
             O_RDONLY | O_DIRECTORY)
      .sync();

  return size;
}

options parse(int argc, char** argv) {
  const auto usage = [] {
    std::fputs(
        "usage: upload_threads SOURCE TARGET [--block BYTES] [--part BYTES] [--threads N] "
        "[--direct]\n",
        stderr);
    std::exit(2);
  };
  options o;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto number = [&] {
      const long n = i + 1 < argc ? std::atol(argv[++i]) : 0;
      if (n <= 0) usage();
      return static_cast<std::size_t>(n);
    };
    if (word == "--block")
      o.block = number();
    else if (word == "--part")
      o.part = number();
    else if (word == "--threads")
      o.threads = number();
    else if (word == "--direct")
      o.direct = true;
    else if (word[0] == '-' || !o.target.empty())
      usage();
    else if (o.source.empty())
      o.source = word;
    else
      o.target = word;
  }
  if (o.target.empty() || o.block % page != 0 || o.part % o.block != 0) usage();
  return o;
}

}  // namespace

int main(int argc, char** argv) {
  const options o = parse(argc, argv);
  const bench::program_report report;
  const std::size_t size = upload(o);
  report.print(size);
}
