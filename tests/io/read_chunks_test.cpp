// tests/io/read_chunks_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/io/read_chunks.hpp>

#include <penstock/base/checksum.hpp>
#include <penstock/base/literals.hpp>
#include <penstock/core/offload.hpp>
#include <penstock/io.hpp>
#include <penstock/stream.hpp>
#include <penstock/test/allocation_counter.hpp>
#include <penstock/test/replace_new.hpp>

#include <io/paced_file.hpp>
#include <stream/marbles.hpp>
#include <support/each_driver.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using namespace penstock;
using namespace penstock::literals;

static_assert(stream<decltype(read_chunks(std::declval<file&>(), 1))>);

namespace {

// A file of `size` bytes that are all different from their neighbours, in a folder of its own.
class sample {
 public:
  explicit sample(std::size_t size) {
    std::string folder = (std::filesystem::temp_directory_path() / "penstock-XXXXXX").string();
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    folder_ = folder;
    for (std::size_t i = 0; i < size; ++i) bytes_ += static_cast<char>(i * 31 + i / 4096);
    std::ofstream(path(), std::ios::binary) << bytes_;
  }
  sample(const sample&) = delete;
  sample& operator=(const sample&) = delete;
  ~sample() { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path() const { return folder_ / "sample"; }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::filesystem::path folder_;
  std::string bytes_;
};

task<result<std::vector<buffer>>> chunks_of(std::string path, std::size_t size,
                                            open_mode mode = open_mode::read) {
  file in = co_await ok(file::open(path, mode));
  co_return co_await (read_chunks(in, size) | collect());
}

}  // namespace

TEST_CASE("read_chunks() gives all bytes in order, the last chunk shorter") {
  support::on_each_driver([](runtime& rt) {
    for (std::size_t size : {0u, 1u, 4095u, 4096u, 4097u, 100'000u}) {
      CAPTURE(size);
      sample s(size);
      auto chunks = rt.run(chunks_of(s.path(), 4096));
      REQUIRE(chunks);
      CHECK(chunks->size() == (size + 4095) / 4096);
      std::string got;
      for (auto& c : *chunks) got += c.text();
      CHECK(got == s.bytes());
      for (std::size_t i = 0; i + 1 < chunks->size(); ++i) CHECK((*chunks)[i].size() == 4096);
    }
  });
}

TEST_CASE("read_chunks() begins at the file's position and moves it") {
  support::on_each_driver([](runtime& rt) {
    sample s(1000);
    auto read = [](const sample& from) -> task<result<>> {
      file in = co_await ok(file::open(from.path(), open_mode::read));
      in.seek(100);
      auto rest = read_chunks(in, 300);
      auto first = co_await ok(rest.next());
      CHECK(first->text() == from.bytes().substr(100, 300));
      CHECK(in.position() == 400);
      auto others = co_await ok(rest | collect());
      CHECK(others.size() == 2);
      CHECK(in.position() == 1000);
      auto none = co_await ok(rest.next());
      CHECK(!none);
      co_return {};
    };
    CHECK(rt.run(read(s)));
  });
}

TEST_CASE("read_chunks() of a file for direct I/O needs a size on its grid") {
  support::on_each_driver([](runtime& rt) {
    sample s(10'000);
    const auto mode = open_mode::read | open_mode::direct;
    auto off = rt.run(chunks_of(s.path(), 1000, mode));
    if (!off && off.error() == std::errc::invalid_argument && off.error() != errc::invalid_option)
      return;  // no direct I/O on this file system
    auto even = rt.run(chunks_of(s.path(), 4096, mode));
    REQUIRE(even);
    CHECK(even->size() == 3);
    CHECK(even->back().size() == 10'000 - 8192);
    CHECK(off.error().message() ==
          "read in chunks off the grid of direct I/O '" + s.path() + "': invalid option");
  });
}

TEST_CASE("read_chunks() refuses a size of zero") {
  support::on_each_driver([](runtime& rt) {
    sample s(10);
    auto none = rt.run(chunks_of(s.path(), 0));
    CHECK(none.error() == errc::invalid_option);
    CHECK(none.error().message() == "read in chunks of 0 bytes '" + s.path() + "': invalid option");
  });
}

TEST_CASE("the error of a read names the file and ends the pipeline") {
  support::on_each_driver([](runtime& rt) {
    auto outcome = rt.run(chunks_of("/", 4096));
    CHECK(outcome.error() == std::errc::is_a_directory);
    CHECK(outcome.error().message().find("'/'") != std::string::npos);
  });
}

TEST_CASE("chunks may outlive their stream, and go on other threads") {
  support::on_each_driver([](runtime& rt) {
    sample s(1_MiB);
    // [chunks]
    auto checksum = [](std::string path) -> task<result<std::uint32_t>> {
      file in = co_await ok(file::open(path, open_mode::read));
      std::uint32_t crc = 0;
      auto on_pool = [](buffer chunk) {
        return offload([c = std::move(chunk)] { return std::pair(crc32c(c), c.size()); });
      };
      auto append = [&](std::pair<std::uint32_t, std::size_t> one) {
        crc = crc32c_combine(crc, one.first, one.second);
      };
      co_await ok(read_chunks(in, 64_KiB) | map_concurrent(4, on_pool) | for_each(append));
      co_return crc;
    };
    // [/chunks]
    auto crc = rt.run(checksum(s.path()));
    CHECK(crc.value() == crc32c(s.bytes()));

    auto kept = rt.run(chunks_of(s.path(), 64_KiB));
    std::string got;
    for (auto& c : kept.value()) got += c.text();
    CHECK(got == s.bytes());
  });
}

TEST_CASE("read_chunks() allocates for what is alive at once, not per chunk") {
  if (!test::allocation_counter::available()) return;
  const auto test = [](runtime& rt) {
    const auto allocations = [&](std::size_t size) {
      sample s(size);
      std::uint64_t counted = 0;
      auto run = [&](std::string path) -> task<result<>> {
        file in = co_await ok(file::open(path, open_mode::read));
        std::size_t bytes = 0;
        auto add = [&](const buffer& b) { bytes += b.size(); };
        test::allocation_counter count;
        co_await ok(read_chunks(in, 4096) | for_each(add));
        counted = count.allocations();
        CHECK(bytes == size);
        co_return {};
      };
      CHECK(rt.run(run(s.path())));
      return counted;
    };
    static_cast<void>(allocations(1_MiB));  // frames and queues reach their size
    const auto few = allocations(40'000);
    const auto many = allocations(4'000'000);
    CHECK(many == few);
  };
  // One thread in the pool: a second one may be started at any time, which allocates.
  runtime_options options;
  options.cpu_threads = 1;
  support::on_each_driver(test, options);
}

TEST_CASE("read_chunks() reads when it is pulled, and no further than a short chunk") {
  using namespace std::chrono_literals;
  const auto in_fours = [](paced::file from, duration busy = 0ms) {
    return marbles::played(read_chunks<paced::file>(from, 4), busy);
  };
  CHECK(in_fours(paced::file("abcdefghij")) == "-[abcd][efgh]([ij]|)");
  CHECK(in_fours(paced::file("abcdefgh")) == "-[abcd][efgh]|");
  CHECK(in_fours(paced::file("")) == "-|");
  CHECK(in_fours(paced::file("abcdefghij", 6)) == "-[abcd]#");
  CHECK(in_fours(paced::file("abcdefghij"), 2ms) == "-[abcd]--[efgh]--[ij]-|");
}
