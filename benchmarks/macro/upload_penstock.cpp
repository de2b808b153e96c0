// SPDX-License-Identifier: BSL-1.0
// The subject of upload.*: the same job as baseline/upload_threads.cpp.
//
//   upload_penstock SOURCE TARGET [--part BYTES] [--direct]
#include <penstock/adapters/file.hpp>
#include <penstock/io.hpp>
#include <penstock/runtime.hpp>
#include <penstock/upload.hpp>

#include "../support/program_report.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace {

struct job {
  std::filesystem::path source, target;
  std::size_t part = 8 << 20;
  bool direct = false;
};

penstock::task<penstock::result<penstock::upload_report>> copy(const job& j) {
  auto mode = penstock::open_mode::read;
  if (j.direct) mode |= penstock::open_mode::direct;
  auto in = co_await penstock::ok(penstock::file::open(j.source, mode));
  const penstock::directory_target_options how{.direct = j.direct};
  penstock::directory_target target(j.target.parent_path(), how);
  const penstock::upload_options options{.part_size = j.part, .block_size = 64 * 1024};
  co_return co_await penstock::upload(in, target, j.target.filename().string(), options);
}

job parse(int argc, char** argv) {
  job j;
  bool good = true;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--direct") {
      j.direct = true;
    } else if (word == "--part" && i + 1 < argc) {
      j.part = static_cast<std::size_t>(std::atol(argv[++i]));
    } else if (j.source.empty()) {
      j.source = word;
    } else if (j.target.empty()) {
      j.target = word;
    } else {
      good = false;
    }
  }
  if (!good || j.target.empty() || j.part == 0) {
    std::fputs("usage: upload_penstock SOURCE TARGET [--part BYTES] [--direct]\n", stderr);
    std::exit(2);
  }
  return j;
}

}  // namespace

int main(int argc, char** argv) {
  const job j = parse(argc, argv);
  const bench::program_report report;
  penstock::runtime rt;
  const auto outcome = rt.run(copy(j));
  if (!outcome) {
    std::fprintf(stderr, "upload_penstock: %s\n", outcome.error().message().c_str());
    return 1;
  }
  report.print(outcome->bytes);
}
