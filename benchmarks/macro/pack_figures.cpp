// SPDX-License-Identifier: BSL-1.0
// pipeline.zstd: 1 GiB of words on tmpfs, read in chunks of 64 KiB, compressed at level 3 by two
// threads, written in order: a thread pool with bounded queues, and a pipeline. Setting: tmpfs=DIR
// (/dev/shm).
#include "../support/harness.hpp"

#include <sys/vfs.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>

namespace {

using bench::judged;
using bench::values;

constexpr std::size_t size = std::size_t{1} << 30;

class packing_place {
 public:
  explicit packing_place(const std::string& parent)
      : folder_(parent + "/penstock-pack-" + std::to_string(::getpid())) {
    std::filesystem::create_directory(folder_);
    std::string words;  // as compressible as text is
    std::uint64_t x = 88172645463325252;
    while (words.size() < (16u << 20)) {
      x ^= x << 13;
      x ^= x >> 7;
      x ^= x << 17;
      const std::uint64_t word = x % 5000;
      for (std::uint64_t k = word * 2654435761u + 1, n = 2 + word % 8; n > 0; --n, k /= 26)
        words += static_cast<char>('a' + k % 26);
      words += ' ';
    }
    words.resize(16u << 20);
    std::FILE* const f = std::fopen(source().c_str(), "wb");
    bool good = f != nullptr;
    for (std::size_t at = 0; good && at < size; at += words.size())
      good = std::fwrite(words.data(), 1, words.size(), f) == words.size();
    bench::check(good && std::fclose(f) == 0, "pipeline.zstd: cannot write the source");
  }
  packing_place(const packing_place&) = delete;
  packing_place& operator=(const packing_place&) = delete;
  ~packing_place() { std::filesystem::remove_all(folder_); }

  values pack(const char* program) const {
    const values v =
        bench::run_program({bench::program_folder() + '/' + program, source(), folder_ + "/target"},
                           {"mb_per_s", "cpu_seconds", "peak_rss_mib"});
    bench::check(std::filesystem::file_size(folder_ + "/target") > size / 8,
                 "pipeline.zstd: the target is too small");
    std::filesystem::remove(folder_ + "/target");
    return v;
  }
  static const char* missing(const std::string& parent) {
    struct statfs s {};
    if (::statfs(parent.c_str(), &s) != 0) return "there is no such folder";
    if (static_cast<std::uint64_t>(s.f_bavail) * static_cast<std::uint64_t>(s.f_bsize) < 2 * size)
      return "less than 2 GiB are free";
    if (!std::filesystem::exists(bench::program_folder() + "/pack_penstock"))
      return "built without libzstd";
    return nullptr;
  }

 private:
  [[nodiscard]] std::string source() const { return folder_ + "/source"; }
  std::string folder_;
};

std::string tmpfs() { return bench::setting("tmpfs", "/dev/shm"); }
const packing_place& here() {
  static const packing_place place(tmpfs());
  return place;
}

const bench::add pipeline_zstd(
    {.metrics = {{"pipeline.zstd", "MB/s", judged::ratio_at_least, {0.95}},
                 {"pipeline.zstd.cpu", "s", judged::ratio_at_most, {1.1}},
                 {"pipeline.zstd.rss", "MiB", judged::value_at_most, {32}}},
     .baseline = [] { return here().pack("pack_threads"); },
     .subject = [] { return here().pack("pack_penstock"); },
     .place = bench::place::all_cpus,
     .missing = [] { return packing_place::missing(tmpfs()); }});

}  // namespace
