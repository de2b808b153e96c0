// tests/io/write_file_faults_test.cpp
// SPDX-License-Identifier: BSL-1.0
// write_file() when each of its operations fails, or is where a stop comes, and when each await
// before it goes wrong: the whole new file or the old one, and no other.
#include <penstock/io/write_file.hpp>

#include <penstock/core.hpp>
#include <penstock/stream.hpp>
#include <penstock/test.hpp>

#include <io/recording_driver.hpp>
#include <stream/injector.hpp>
#include <support/open_files.hpp>
#include <support/temporary_folder.hpp>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;

namespace {
const std::vector<std::string> three{"one ", "two ", "three"};

// A folder with the old file in it, and the driver that its operations go to.
struct place {
  support::temporary_folder folder;
  scripted::recording_driver driver;
  std::size_t descriptors = support::open_files();

  place() { folder.put("out", "old"); }

  [[nodiscard]] std::string path() const { return folder / "out"; }
  [[nodiscard]] bool was_done(const std::string& operation) const {
    return std::any_of(driver.done.begin(), driver.done.end(),
                       [&](const std::string& s) { return s.rfind(operation, 0) == 0; });
  }
  // Where the pipeline is over.
  void check(const std::string& text, bool whole) const {
    const bool renamed = was_done("rename");
    CHECK(folder.get("out") == (renamed ? text : "old"));
    if (whole) CHECK(renamed);
    CHECK(support::open_files() == descriptors);
    const std::filesystem::directory_iterator all(folder.path());
    CHECK(std::distance(begin(all), end(all)) == 1);
  }
};
task<result<std::uint64_t>> write_three(place& p, write_file_options o) {
  p.driver.install();
  co_return co_await (from(three) | write_file(p.path(), o));
}
}  // namespace

TEST_CASE("write_file(): each operation fails in turn: the old file, or the whole new one") {
  for (const bool durable : {true, false}) {
    for (const int why : {EIO, ENOSPC, EDQUOT}) {
      int failed = 0;
      for (std::size_t at = 0;; ++at) {
        CAPTURE(at);
        CAPTURE(why);
        place p;
        p.driver.fail_at = at;
        p.driver.fault = -why;
        test::test_runtime rt;
        const auto outcome = rt.run(write_three(p, {.durable = durable}));
        p.check("one two three", outcome.has_value());
        if (!outcome) {
          ++failed;
          CHECK(outcome.error() == std::error_code(why, std::generic_category()));
          CHECK(outcome.error().message().find(p.folder.path()) != std::string::npos);
        }
        if (p.driver.ended <= at) {
          CHECK(outcome);
          break;
        }
      }
      // open, 3 writes, close, rename; fsync, and open, fsync and close of the folder. Not the stat
      // of what is there: then the rename decides.
      CHECK(failed == (durable ? 10 : 6));
    }
  }
}
TEST_CASE("write_file(): a name that is taken is not the end, and what has it stays") {
  place p;
  p.driver.fail_at = 0;
  p.driver.fault = -EEXIST;
  test::test_runtime rt;
  CHECK(rt.run(write_three(p, {})));
  p.check("one two three", true);
}
TEST_CASE("write_file(): a stop in each operation, which ends it or is too late for that") {
  for (const bool late : {false, true}) {
    int stopped = 0;
    for (int at = 0;; ++at) {
      CAPTURE(at);
      CAPTURE(late);
      place p;
      p.driver.cancel_is_late = late;
      test::test_runtime rt;
      // An operation takes a millisecond.
      const auto body = [&]() -> task<result<std::uint64_t>> {
        co_return co_await with_timeout(at * 1ms + 500us, write_three(p, {}));
      };
      const auto outcome = rt.run(body());
      p.check("one two three", outcome.has_value());
      if (outcome) break;
      ++stopped;
      CHECK(outcome.error() == errc::timed_out);
    }
    // open, writes, fsync, close; and the stat of what is there, unless it was done: then, and from
    // the rename on, it is too late.
    CHECK(stopped == (late ? 6 : 7));
  }
}
namespace {
// The source works ahead: it goes wrong while the file is opened, or written.
struct from_a_source : place {
  task<result<>> run(support::injector& i) {
    driver.install();
    const auto number = [&i](int x) -> task<result<std::string>> {
      co_await ok(i.point());
      co_await ok(i.point());
      co_return std::to_string(x);
    };
    const auto written = co_await ok(from(std::views::iota(0, 10)) | map_concurrent(2, number) |
                                     buffered(3) | write_file(path()));
    CHECK(written == 10);
    co_return {};
  }
  task<> look(const support::ending& e) {
    CHECK(was_done("rename") == e.whole);
    check("0123456789", e.whole);
    co_return;
  }
};
}  // namespace
TEST_CASE("write_file(): each await before it goes wrong in turn: the old file stays") {
  CHECK(support::fail_each_await<from_a_source>() == 3 * 20);
}
TEST_CASE("write_file(): a stop at any step of the loop: the old file, or the whole new one") {
  CHECK(support::stop_at_each_step<from_a_source>() > 20);
}
TEST_CASE("write_file(): behind an early end no call is in flight when the file is made durable") {
  place p;
  test::test_runtime rt;
  int in_flight = 0, at_end = -1;
  const auto body = [&]() -> task<result<std::uint64_t>> {
    p.driver.install();
    const auto call = [&](int x) -> task<result<std::string>> {
      ++in_flight;
      const scope_exit leave{[&] {
        --in_flight;
        if (!p.was_done("sync") && !p.was_done("close")) at_end = in_flight;
      }};
      if (x < 2) co_return std::to_string(x);
      co_await shield(sleep_for(20ms));
      co_return fail(errc::corrupt, "late");
    };
    co_return co_await (from(std::views::iota(0)) | map_concurrent(4, call) | take(2) |
                        write_file(p.path()));
  };
  const auto outcome = rt.run(body());
  CHECK(outcome);
  CHECK(in_flight == 0);
  CHECK(at_end == 0);
  p.check("01", true);
}
