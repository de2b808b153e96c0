// SPDX-License-Identifier: BSL-1.0
// A file is read in chunks, each compressed on the cpu pool, and written in order: the subject of
// pipeline.zstd. The acceptance program without its checksum.
//
//   pack_penstock SOURCE TARGET [--threads N] [--chunk BYTES]
//
// Prints: RESULT bytes=N seconds=S mb_per_s=M cpu_seconds=C peak_rss_mib=R
#include <penstock/adapters/zstd.hpp>
#include <penstock/io.hpp>
#include <penstock/penstock.hpp>
#include <penstock/runtime.hpp>

#include "../support/program_report.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

using namespace penstock;

static task<result<std::size_t>> pack(std::string from, std::string to, std::size_t threads,
                                      std::size_t chunk) {
  auto in = co_await ok(file::open(std::move(from), open_mode::read));
  std::size_t read = 0;
  const auto measure = [&](const buffer& b) { read += b.size(); };
  const auto compress = [](buffer b) { return zstd::compress(b, {.level = 3}); };
  co_await ok(read_chunks(in, chunk) | tap(measure) | offload_map(2 * threads, compress) |
              write_file(to));
  co_return read;
}

int main(int argc, char** argv) {
  std::size_t threads = 2, chunk = 64 * 1024;
  if (argc < 3) return 2;
  for (int i = 3; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    const auto value = static_cast<std::size_t>(std::atoll(argv[i + 1]));
    if (option == "--threads") threads = value;
    if (option == "--chunk") chunk = value;
  }
  const bench::program_report report;
  runtime rt{{.cpu_threads = static_cast<unsigned>(threads)}};
  auto read = rt.run(pack(argv[1], argv[2], threads, chunk));
  if (!read) {
    std::fprintf(stderr, "pack_penstock: %s\n", read.error().message().c_str());
    return 1;
  }
  report.print(*read);
}
