// tests/adapters/directory_session_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/adapters/file/directory_session.hpp>

#include <penstock/adapters/file.hpp>
#include <penstock/test.hpp>
#include <penstock/upload.hpp>

#include <fault/upload_fixture.hpp>
#include <io/recording_driver.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>

using namespace upload_fault;
using namespace std::chrono_literals;

namespace {

// A session that says what of the upload's buffers is lent when it ends.
class watched_session {
 public:
  watched_session(directory_session s, std::size_t& lent) : inner_(std::move(s)), lent_(&lent) {}
  watched_session(watched_session&&) = default;
  ~watched_session() {
    if (buffers_) *lent_ += buffers_->in_use();
  }
  const std::string& id() const { return inner_.id(); }
  template <upload_source Source>
  task<result<part_receipt>> put_part(Source& source, const upload_part& part,
                                      buffer_pool& buffers) {
    buffers_ = &buffers;
    return inner_.put_part(source, part, buffers);
  }
  task<result<std::vector<part_receipt>>> list() { return inner_.list(); }
  task<result<>> complete() { return inner_.complete(); }
  task<result<>> abort() { return inner_.abort(); }
  task<result<>> forget() { return inner_.forget(); }

 private:
  directory_session inner_;
  std::size_t* lent_;
  buffer_pool* buffers_ = nullptr;
};
struct watched_target {
  using session = watched_session;
  directory_target inner;
  std::size_t lent = 0;
  task<result<session>> begin(std::string name, part_plan plan) {
    co_return session(co_await ok(inner.begin(std::move(name), plan)), lent);
  }
  task<result<session>> resume(std::string name, part_plan plan, std::string id) {
    co_return session(co_await ok(inner.resume(std::move(name), plan, std::move(id))), lent);
  }
};

std::size_t files_in(const fs::path& store) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(store), {}));
}

constexpr upload_options tiny{.part_size = 2000,
                              .concurrency = 2,
                              .memory_budget = 2000,
                              .block_size = 500,
                              .progress_interval = duration::zero()};

template <class Source>
task<result<upload_report>> send(Source& in, watched_target& target, const folder& f,
                                 bool journaled) {
  if (!journaled) co_return co_await upload(in, target, "film", tiny);
  co_return co_await upload(in, target, "film", tiny, resume_from(f.journal()));
}
// Under a driver that is there for this run only.
task<result<upload_report>> go(scripted::recording_driver& driver, const std::string& bytes,
                               const folder& f, watched_target& target, bool from_file,
                               bool journaled) {
  driver.install();
  if (!from_file) {
    text_source in{bytes, 1ms};
    co_return co_await send(in, target, f, journaled);
  }
  file in = co_await ok(file::open(f.source(), open_mode::read));
  co_return co_await send(in, target, f, journaled);
}

}  // namespace

TEST_CASE("bytes are durable before the name is there, the name before the traces are removed") {
  folder f;
  const std::string bytes = some_bytes(7001, 1);
  scripted::recording_driver driver;
  test::test_runtime rt;
  watched_target target{directory_target(f.store())};
  REQUIRE(rt.run(go(driver, bytes, f, target, false, true)));
  CHECK(read_all(f.object()) == bytes);
  const auto written = driver.last("write .film.partial"),
             synced = driver.first("sync .film.partial");
  const auto renamed = driver.first("rename .film.partial film");
  const auto named = driver.first("sync store");
  CHECK(written >= 0);
  CHECK(written < synced);
  CHECK(synced < renamed);
  CHECK(renamed < named);
  CHECK(named < driver.first("remove .film.parts"));
  CHECK(named < driver.first("remove journal"));
  // The journal: its header and its name before any part, its last record before the last step.
  const std::string folder_name = f.root.filename().string();
  CHECK(driver.first("write journal") >= 0);
  CHECK(driver.first("write journal") < driver.first("sync journal"));
  CHECK(driver.first("sync journal") < driver.first("sync " + folder_name));
  CHECK(driver.first("sync " + folder_name) < driver.first("write .film.partial"));
  CHECK(driver.last("write journal") < driver.last("sync journal"));
  CHECK(driver.last("sync journal") < synced);
}

TEST_CASE("a run that is stopped leaves its journal durable, and aborts nothing") {
  folder f;
  const std::string bytes = some_bytes(7001, 1);
  scripted::recording_driver driver;
  test::test_runtime rt;
  auto stopped = [&]() -> task<result<upload_report>> {
    driver.install();
    text_source in{bytes, 1ms};
    directory_target target(f.store());
    auto stop = [&](const upload_progress& p) {
      if (p.parts_done == 2) rt.request_stop();
    };
    co_return co_await upload(in, target, "film", tiny, resume_from(f.journal()),
                              on_progress(stop));
  };
  REQUIRE(!rt.run(stopped()));
  CHECK(driver.last("write journal") < driver.last("sync journal"));
  CHECK(driver.first("remove journal") == -1);
  CHECK(driver.first("remove .film.partial") == -1);
}

TEST_CASE("stopped wherever it waits, an upload leaves no buffer lent and no half of an object") {
  const std::string bytes = some_bytes(5001, 2);
  for (int how = 0; how < 8; ++how) {
    const bool from_file = how & 1, journaled = how & 2, late = how & 4;
    CAPTURE(from_file);
    CAPTURE(journaled);
    CAPTURE(late);
    for (std::uint64_t step = 1;; ++step) {
      CAPTURE(step);
      REQUIRE(step < 2000);
      folder f;
      write_all(f.source(), bytes);
      watched_target target{directory_target(f.store())};
      test::test_runtime rt({.seed = step % 3, .stop_at_step = step});
      scripted::recording_driver driver;
      driver.cancel_is_late = late;
      const auto report = rt.run(go(driver, bytes, f, target, from_file, journaled));
      CHECK(driver.in_flight() == 0);
      CHECK(target.lent == 0);
      if (report) {
        CHECK(read_all(f.object()) == bytes);
      } else {
        CHECK(report.error() == errc::canceled);
        CHECK(!fs::exists(f.object()));
        if (!journaled) CHECK(files_in(f.store()) == 0);
        test::test_runtime later;
        scripted::recording_driver again;
        REQUIRE(later.run(go(again, bytes, f, target, from_file, journaled)));
        CHECK(read_all(f.object()) == bytes);
      }
      CHECK(files_in(f.store()) == 1);
      CHECK(!fs::exists(f.journal()));
      if (rt.steps() < step) {
        CHECK(step > 30);
        break;
      }
    }
  }
}
