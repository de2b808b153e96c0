// tests/io/read_lines_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/io/read_lines.hpp>

#include <penstock/io.hpp>
#include <penstock/stream.hpp>

#include <io/paced_file.hpp>
#include <stream/marbles.hpp>
#include <support/each_driver.hpp>
#include <support/temporary_folder.hpp>

#include <doctest/doctest.h>

#include <fstream>
#include <string>

using namespace penstock;

static_assert(stream<decltype(read_lines(std::declval<file&>()))>);

namespace {
// [lines_of_path]
generator<buffer> lines_of(std::string path) {  // keeps the file that it opens
  file text = co_await ok(file::open(std::move(path), open_mode::read));
  auto lines = read_lines(text);
  while (auto line = co_await ok(lines.next())) co_yield *std::move(line);
}
any_stream<buffer> log_of(std::string day) { return lines_of(std::move(day)); }
// [/lines_of_path]
}  // namespace

TEST_CASE("a generator keeps the file whose lines it gives, as an any_stream too") {
  support::on_each_driver([](runtime& rt) {
    const support::temporary_folder folder;
    const std::string name = folder / "log";
    std::ofstream(name) << "a\nb\nc";
    CHECK(rt.run(log_of(name) | count()).value() == 3);
    const auto missing = rt.run(log_of(folder / "none") | count());
    CHECK(missing.error() == std::errc::no_such_file_or_directory);
  });
}

TEST_CASE("read_lines() gives the lines of a file, over the ends of its chunks too") {
  support::on_each_driver([](runtime& rt) {
    const support::temporary_folder folder;
    const std::string name = folder / "text";
    {
      std::ofstream out(name, std::ios::binary);
      for (int i = 0; i < 30'000; ++i) out << "line " << i << (i % 2 == 0 ? "\n" : "\r\n");
      out << "the last";
    }
    // [lines]
    auto longest_line = [](std::string path) -> task<result<std::size_t>> {
      file text = co_await ok(file::open(path, open_mode::read));
      auto longer = [](std::size_t most, const buffer& line) {
        return line.size() < most ? most : line.size();
      };
      co_return co_await (read_lines(text) | fold(std::size_t{0}, longer));
    };
    // [/lines]
    auto longest = rt.run(longest_line(name));
    CHECK(longest.value() == 10);

    auto check_all = [](std::string path) -> task<result<int>> {
      file text = co_await ok(file::open(path, open_mode::read));
      int next = 0;
      auto check = [&](const buffer& line) {
        if (next == 30'000)
          CHECK(line.text() == "the last");
        else
          CHECK(line.text() == "line " + std::to_string(next));
        ++next;
      };
      co_await ok(read_lines(text) | for_each(check));
      co_return next;
    };
    auto lines_in_all = rt.run(check_all(name));
    CHECK(lines_in_all.value() == 30'001);
  });
}

TEST_CASE("read_lines() emits the lines of a chunk when it is read") {
  using namespace std::chrono_literals;
  const auto read = [](paced::file from, duration busy = 0ms) {
    return marbles::played(read_lines<paced::file>(from, {.most_bytes = 8}), busy);
  };
  CHECK(read(paced::file("a\nb\nc")) == "-(abc|)");
  CHECK(read(paced::file("")) == "-|");
  CHECK(read(paced::file("a\n", 1)) == "-#");
  CHECK(read(paced::file("a\nmore than eight\n")) == "-(a#)");
  CHECK(read(paced::file("a\nb\n"), 2ms) == "-a-b-|");
}
