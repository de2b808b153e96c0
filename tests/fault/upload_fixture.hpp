// tests/fault/upload_fixture.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A folder with a source and a store, and an upload of one into the other on the real runtime.

#include <penstock/adapters/file.hpp>
#include <penstock/core.hpp>
#include <penstock/io.hpp>
#include <penstock/runtime.hpp>
#include <penstock/upload.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>

namespace upload_fault {
using namespace penstock;
namespace fs = std::filesystem;

inline std::string read_all(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}
inline void write_all(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}
inline std::string some_bytes(std::size_t size, std::uint64_t seed) {
  random_engine random(seed);
  std::string bytes(size, '\0');
  for (auto& c : bytes) c = static_cast<char>(random());
  return bytes;
}

struct folder {
  fs::path root;
  folder() {
    std::string name = (fs::temp_directory_path() / "penstock-fault-XXXXXX").string();
    root = ::mkdtemp(name.data());
    fs::create_directory(store());
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  ~folder() { fs::remove_all(root); }
  fs::path source() const { return root / "film"; }
  fs::path store() const { return root / "store"; }
  fs::path object() const { return store() / "film"; }
  fs::path journal() const { return root / "journal"; }
};

// A source that is no file: its blocks go through the loop.
struct text_source {
  struct status {
    std::uint64_t size;
    std::int64_t mtime_ns = 1, ctime_ns = 1;
    std::uint64_t inode = 1;
  };
  const std::string& text;
  duration takes{};  // a read

  task<result<status>> stat() { co_return status{text.size()}; }
  task<result<std::size_t>> read_at(std::uint64_t offset, std::span<std::byte> to) {
    if (takes > duration::zero()) co_await sleep_for(takes);
    const std::size_t n = (std::min)(to.size(), text.size() - static_cast<std::size_t>(offset));
    std::copy_n(reinterpret_cast<const std::byte*>(text.data()) + offset, n, to.data());
    co_return n;
  }
};

constexpr upload_options small{.part_size = 16u << 10,
                               .concurrency = 3,
                               .memory_budget = 64u << 10,
                               .block_size = 4u << 10,
                               .progress_interval = duration::zero()};

template <class Show>
task<result<upload_report>> push(fs::path source, fs::path store, std::string name,
                                 fs::path journal, Show show) {
  file in = co_await ok(file::open(source, open_mode::read));
  directory_target target{store};
  if (journal.empty()) {
    co_return co_await upload(in, target, name, small, on_progress(show));
  }
  co_return co_await upload(in, target, name, small, resume_from(journal), on_progress(show));
}
inline result<upload_report> push_now(const fs::path& source, const fs::path& store,
                                      std::string name = "film", const fs::path& journal = {}) {
  runtime rt;
  return rt.run(push(source, store, std::move(name), journal, [](const upload_progress&) {}));
}
}  // namespace upload_fault
