// tests/upload/upload_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/upload/upload.hpp>

#include <penstock/test.hpp>

#include <upload/memory_upload.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <string>

using namespace upload_test;
using namespace std::chrono_literals;

namespace {
constexpr upload_options small{.part_size = 1000,
                               .concurrency = 3,
                               .memory_budget = 1200,
                               .block_size = 100,
                               .retry_delay = 1ms};

struct world {
  memory_source source{19'500};  // 20 parts, the last one half
  memory_store store;
  memory_target target{store};
  memory_journal journal;
  std::vector<upload_progress> shown;

  auto show() {
    return on_progress([this](const upload_progress& p) { shown.push_back(p); });
  }
  task<result<upload_report>> plain() { return upload(source, target, "film", small, show()); }
  task<result<upload_report>> journaled() {
    return upload(source, target, "film", small, journal, show());
  }
};

result<upload_report> run(task<result<upload_report>> t, std::uint64_t seed = 1) {
  test::test_runtime rt{{.seed = seed}};
  return rt.run(std::move(t));
}
}  // namespace

TEST_CASE("U2: 20 parts, three at a time, within the memory budget") {
  for (auto seed : test::seeds()) {
    world w;
    w.store.blocks_held = detail::part_lanes;
    const auto report = run(w.plain(), seed);
    REQUIRE(report);
    CHECK(report->parts == 20);
    CHECK(report->parts_sent == 20);
    CHECK(report->bytes == 19'500);
    CHECK(w.store.objects["film"] == w.source.bytes);
    CHECK(w.store.peak == 3);
    CHECK(w.store.peak_buffers == 12);
    CHECK(w.store.completes == 1);
    CHECK(w.store.aborts == 0);
    CHECK(w.store.uploads.empty());
  }
}

TEST_CASE("the buffers of an upload: what its plan can use, within the budget") {
  constexpr std::size_t kib = 1024, mib = kib * kib;
  struct row {
    std::uint64_t length, part_size;
    std::size_t concurrency, budget, block;  // asked for
    std::size_t buffer_size, count;          // of the pool
  };
  const row rows[] = {
      // The budget is the bound: of 3 parts of 8 blocks, of one block, and off the grid.
      {20'000, 1000, 3, 1200, 100, 100, 12},
      {20'000, 1000, 3, 1299, 100, 100, 12},
      {20'000, 1000, 3, 100, 100, 100, 1},
      {1000 * mib, 8 * mib, 4, 16 * mib, mib, mib, 16},
      // The lanes are: 8 blocks a part, or what a smaller part has.
      {1000 * mib, 8 * mib, 4, 16 * mib, 64 * kib, 64 * kib, 32},
      {1000 * mib, 8 * mib, 1, 16 * mib, 64 * kib, 64 * kib, 8},
      {1000 * mib, 256 * kib, 4, 16 * mib, 64 * kib, 64 * kib, 16},
      {1000 * mib, 260 * kib, 4, 16 * mib, 64 * kib, 64 * kib, 20},
      // There are fewer parts than may be in flight, or only one, smaller than planned, or none.
      {16 * mib, 8 * mib, 4, 16 * mib, 64 * kib, 64 * kib, 16},
      {100 * kib, 8 * mib, 4, 16 * mib, 64 * kib, 64 * kib, 2},
      {1, 8 * mib, 4, 16 * mib, 64 * kib, 64 * kib, 1},
      {0, 8 * mib, 4, 16 * mib, 64 * kib, 64 * kib, 1},
      // A block is not larger than a part in units of 64 KiB.
      {1000 * mib, 100 * kib, 4, 1000 * mib, 8 * mib, 128 * kib, 4},
  };
  for (const row& r : rows) {
    CAPTURE(r.length);
    CAPTURE(r.part_size);
    CAPTURE(r.concurrency);
    CAPTURE(r.budget);
    const upload_options o{.part_size = r.part_size,
                           .concurrency = r.concurrency,
                           .memory_budget = r.budget,
                           .block_size = r.block};
    const auto pool = detail::buffers_for(*plan_parts(r.length, r.part_size), o, false);
    CHECK(pool.buffer_size == r.buffer_size);
    CHECK(pool.count == r.count);
    CHECK(pool.alignment == 4096);
  }
}

TEST_CASE("progress never goes back, is bounded in rate, and ends at 1") {
  world w;
  w.store.latency = 90ms;
  REQUIRE(run(w.plain()));
  REQUIRE(w.shown.size() >= 3);
  CHECK(w.shown.front().fraction() == 0);
  CHECK(w.shown.back().fraction() == 1);
  CHECK(w.shown.back().parts_done == 20);
  for (std::size_t i = 1; i < w.shown.size(); ++i) {
    CHECK(w.shown[i].bytes_done >= w.shown[i - 1].bytes_done);
  }
  CHECK(w.shown.size() <= 10);  // 7 rounds of 90 ms: one call per 100 ms, the first and the last
}

TEST_CASE("U3: a part that fails twice is sent three times, the object completed once") {
  world w;
  w.store.failures[7] = 2;
  REQUIRE(run(w.plain()));
  CHECK(w.store.puts == 22);
  CHECK(w.store.completes == 1);
  CHECK(w.store.objects["film"] == w.source.bytes);
}

TEST_CASE(
    "U4: a part that fails for good stops the siblings and aborts once, after they have ended") {
  world w;
  w.store.failures[7] = 1;
  w.store.failure = errc::invalid_option;
  const auto report = run(w.plain());
  REQUIRE(!report);
  CHECK(report.error() == errc::invalid_option);
  CHECK(report.error().message().find("film") != std::string::npos);
  CHECK(report.error().message().find("put part '7'") != std::string::npos);
  CHECK(w.store.aborts == 1);
  CHECK(w.store.completes == 0);
  CHECK(w.store.in_flight == 0);
  CHECK(w.store.puts < 20);
  CHECK(w.store.uploads.empty());
}

TEST_CASE("U4: siblings in flight are cut off: the upload does not wait for their hours") {
  for (const bool with_journal : {false, true}) {
    CAPTURE(with_journal);
    world w;
    w.store.put_latency = 1h;
    w.store.failures[1] = 1;
    w.store.failure = errc::invalid_option;
    test::test_runtime rt;
    const auto report = with_journal ? rt.run(w.journaled()) : rt.run(w.plain());
    CHECK(report.error() == errc::invalid_option);
    CHECK(rt.now() <= time_point(1s));
    CHECK(w.store.cut == 2);
    CHECK(w.store.in_flight == 0);
    CHECK(w.store.aborts == (with_journal ? 0 : 1));
    CHECK(w.store.uploads.size() == (with_journal ? 1 : 0));
  }
}

TEST_CASE("U4: with a journal it is suspended: nothing aborted, a second run sends the rest") {
  world w;
  w.store.failures[7] = 1;
  w.store.failure = errc::invalid_option;
  REQUIRE(!run(w.journaled()));
  CHECK(w.store.aborts == 0);
  CHECK(w.store.uploads.size() == 1);
  const int before = w.store.puts;
  const auto report = run(w.journaled());
  REQUIRE(report);
  CHECK(report->parts_sent < 20);
  CHECK(report->parts_sent == static_cast<std::uint32_t>(w.store.puts - before));
  CHECK(w.store.objects["film"] == w.source.bytes);
  CHECK(w.journal.text->empty());
}

TEST_CASE("U5: killed after 13 acknowledged parts, the second run sends exactly 7") {
  world w;
  const auto identity = source_identity{w.source.state.size, 1, 1, 7};
  const auto plan = *plan_parts(19'500, 1000);
  memory_store::pending there;
  there.name = "film";
  there.plan = plan;
  std::string text = detail::encode_header(identity, plan, "id0", "film");
  for (std::uint32_t i = 0; i < 13; ++i) {
    const std::string bytes = w.source.bytes.substr(i * 1000, 1000);
    there.parts[i] = bytes;
    text += detail::encode_part({i, 1000, crc32c(std::string_view(bytes))});
  }
  w.store.uploads["id0"] = there;
  w.journal.put(text + "4f1c2a90 part 13 10");  // and a record that was cut off
  const auto report = run(w.journaled());
  REQUIRE(report);
  CHECK(report->parts_sent == 7);
  CHECK(w.store.puts == 7);
  CHECK(w.store.begins == 0);
  CHECK(w.shown.front().parts_done == 13);
  CHECK(w.store.objects["film"] == w.source.bytes);
}

TEST_CASE("what a suspended upload has sent is in its journal when the power fails behind it") {
  for (const bool by_stop : {false, true}) {
    CAPTURE(by_stop);
    world w;
    w.store.failure = errc::invalid_option;
    if (!by_stop) w.store.failures[13] = 1;
    test::test_runtime rt;
    auto stop = on_progress([&](const upload_progress& p) {
      if (by_stop && p.parts_done == 13) rt.request_stop();
    });
    upload_options o = small;
    o.concurrency = 1;
    o.progress_interval = duration::zero();
    o.journal_sync_interval = 1h;
    REQUIRE(!rt.run(upload(w.source, w.target, "film", o, w.journal, stop)));
    CHECK(w.journal.on_disk->syncs == 2);  // for the first part, and at the end
    const auto report = run(w.journaled());
    REQUIRE(report);
    CHECK(report->parts_sent == 7);
  }
}

TEST_CASE("the journal is made durable at once, once an interval, and before the last step") {
  world w;
  w.store.latency = 300ms;
  std::size_t behind = 0;  // records that a loss of power would cost
  const auto records = [](const std::string& text) {
    const auto lines = std::count(text.begin(), text.end(), '\n');
    return static_cast<std::size_t>(lines) - 1;
  };
  auto show = on_progress([&](const upload_progress& p) {
    if (p.parts_done == 0 || p.parts_done == 20) return;
    behind = (std::max)(behind, p.parts_done - records(w.journal.on_disk->durable));
  });
  bool completed = false;
  w.store.before_complete = [&] {
    completed = true;
    CHECK(records(w.journal.on_disk->durable) == 20);
  };
  upload_options o = small;
  o.progress_interval = duration::zero();
  o.concurrency = 1;
  REQUIRE(run(upload(w.source, w.target, "film", o, w.journal, show)));
  CHECK(completed);
  CHECK(behind == 3);                    // parts of 300 ms, at most a second
  CHECK(w.journal.on_disk->syncs == 6);  // one for four of the 20 parts, one before the last step
}

TEST_CASE("U7: what the target lost, or has otherwise, is sent again") {
  world w;
  w.store.failures[19] = 1;
  w.store.failure = errc::invalid_option;
  REQUIRE(!run(w.journaled()));
  auto& parts = w.store.uploads.begin()->second.parts;
  REQUIRE(parts.size() >= 10);
  parts.erase(5);
  parts[6][0] = static_cast<char>(parts[6][0] ^ 1);
  std::size_t known = 0;  // of both; a part can be there whose record was not written any more
  const auto kept = *detail::parse_journal(*w.journal.text);
  for (const auto& r : kept.parts) known += r ? 1 : 0;
  const auto missing = 20 - (known - 2);
  const auto report = run(w.journaled());
  REQUIRE(report);
  CHECK(report->parts_sent == missing);
  CHECK(w.store.objects["film"] == w.source.bytes);
}

TEST_CASE("U6: a source that changed between runs is refused, as is another object's journal") {
  world w;
  w.store.failures[7] = 1;
  w.store.failure = errc::invalid_option;
  REQUIRE(!run(w.journaled()));
  const auto state = w.source.state;
  for (int field = 0; field < 4; ++field) {
    w.source.state = state;
    if (field == 0) ++w.source.state.mtime_ns;
    if (field == 1) ++w.source.state.ctime_ns;
    if (field == 2) ++w.source.state.inode;
    if (field == 3) --w.source.state.size;
    const auto report = run(w.journaled());
    REQUIRE(!report);
    CHECK(report.error() == errc::source_changed);
  }
  w.source.state = state;
  const auto other = run(upload(w.source, w.target, "other", small, w.journal));
  REQUIRE(!other);
  CHECK(other.error() == errc::invalid_option);
  CHECK(other.error().message() ==
        "upload 'other': resume from journal: it is of object 'film': invalid option");
  CHECK(run(w.journaled()));
}

TEST_CASE("a source that changes or ends during the upload is found out") {
  for (bool shorter : {false, true}) {
    world w;
    auto meddle = [&]() -> task<> {
      co_await sleep_for(35ms);
      if (shorter)
        w.source.bytes.resize(5000);
      else
        ++w.source.state.mtime_ns;
    };
    auto both = [&]() -> task<result<upload_report>> {
      auto all = co_await when_all_settled(w.plain(), meddle());
      co_return std::get<0>(std::move(all));
    };
    const auto report = run(both());
    REQUIRE(!report);
    CHECK(report.error() == errc::source_changed);
    CHECK(w.store.objects.empty());
    CHECK(w.store.aborts == 1);
  }
}

TEST_CASE("no bytes: an empty object without parts; exact multiples have no empty part") {
  for (std::size_t size : {std::size_t{0}, std::size_t{1000}, std::size_t{3000}, std::size_t{1}}) {
    world w;
    w.source = memory_source(size);
    const auto report = run(w.plain());
    REQUIRE(report);
    CHECK(report->parts == (size + 999) / 1000);
    CHECK(w.store.puts == static_cast<int>(report->parts));
    CHECK(w.store.objects.contains("film"));
    CHECK(w.store.objects["film"] == w.source.bytes);
  }
}

TEST_CASE(
    "U11: a stop at every point: with a journal suspended and resumable, without one aborted") {
  for (bool with_journal : {false, true}) {
    std::uint64_t step = 0;
    for (bool finished = false; !finished;) {
      world w;
      w.source = memory_source(5500);
      test::test_runtime rt{{.seed = 1 + step % 3, .stop_at_step = ++step}};
      const auto report = with_journal ? rt.run(w.journaled()) : rt.run(w.plain());
      finished = report.has_value();
      CAPTURE(step);
      CHECK(w.store.in_flight == 0);
      if (finished) continue;
      CHECK(report.error() == errc::canceled);
      if (with_journal) {
        // Aborted only when the journal did not yet say what was begun.
        CHECK(w.store.aborts == (w.store.begins == 1 && w.journal.text->empty() ? 1 : 0));
        const auto again = run(w.journaled());
        REQUIRE(again);
        CHECK(w.store.objects["film"] == w.source.bytes);
      } else {
        CHECK(w.store.aborts == w.store.begins);
        CHECK(w.store.uploads.empty());
      }
      REQUIRE(step < 5000);
    }
    CHECK(step > 20);
  }
}

TEST_CASE("U11: a stop ends what is in flight within a second, wherever it waits") {
  for (const bool with_journal : {false, true}) {
    for (const bool reading : {false, true}) {
      CAPTURE(with_journal);
      CAPTURE(reading);
      world w;
      if (reading)
        w.source.latency = 1h;
      else
        w.store.put_latency = 1h;
      test::test_runtime rt;
      auto stopped = [&]() -> task<result<upload_report>> {
        auto stop = [&]() -> task<> {
          co_await sleep_for(50ms);
          rt.request_stop();
        };
        auto work = with_journal ? w.journaled() : w.plain();
        auto both = co_await when_all_settled(std::move(work), stop());
        co_return std::get<0>(std::move(both));
      };
      const auto report = rt.run(stopped());
      CHECK(report.error() == errc::canceled);
      CHECK(rt.now() >= time_point(50ms));
      CHECK(rt.now() <= time_point(1s + 50ms));
      CHECK(w.store.cut == 3);
      CHECK(w.store.in_flight == 0);
      CHECK(w.store.aborts == (with_journal ? 0 : 1));
      CHECK(w.store.uploads.size() == (with_journal ? 1 : 0));
    }
  }
}

TEST_CASE("a journal cut at any byte: the next run ends with the right object") {
  world first;
  first.source = memory_source(3500);
  first.store.failures[3] = 1;
  first.store.failure = errc::invalid_option;
  REQUIRE(!run(first.journaled()));
  const std::string text = *first.journal.text;
  const auto uploads = first.store.uploads;
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    world w;
    w.source = memory_source(3500);
    w.store.uploads = uploads;
    w.store.begins = 1;
    w.journal.put(text.substr(0, cut));
    REQUIRE(run(w.journaled()));
    CHECK(w.store.objects["film"] == w.source.bytes);
    CHECK(w.journal.text->empty());
  }
}

TEST_CASE(
    "complete that fails leaves the upload suspended, and abort removes it without a journal") {
  world w;
  w.store.complete_failure = errc::overloaded;
  REQUIRE(!run(w.journaled()));
  CHECK(w.store.uploads.size() == 1);
  w.store.complete_failure = errc{};
  const auto report = run(w.journaled());
  REQUIRE(report);
  CHECK(report->parts_sent == 0);
  world x;
  x.store.complete_failure = errc::overloaded;
  REQUIRE(!run(x.plain()));
  CHECK(x.store.aborts == 1);
}

TEST_CASE("discard_upload gives up what is suspended") {
  world w;
  w.store.failures[7] = 1;
  w.store.failure = errc::invalid_option;
  REQUIRE(!run(w.journaled()));
  test::test_runtime rt;
  CHECK(rt.run(discard_upload(w.target, w.journal)));
  CHECK(w.store.uploads.empty());
  CHECK(w.store.aborts == 1);
  CHECK(w.journal.text->empty());
  CHECK(rt.run(discard_upload(w.target, w.journal)));
}

TEST_CASE("options are checked, by name") {
  world w;
  upload_options bad = small;
  bad.concurrency = 0;
  const auto report = run(upload(w.source, w.target, "film", bad));
  REQUIRE(!report);
  CHECK(report.error() == errc::invalid_option);
  CHECK(report.error().message() ==
        "upload 'film': upload_options 'concurrency is 0': invalid option");
  CHECK(w.store.begins == 0);
}

TEST_CASE("what is resumed keeps its journal's plan, whatever part size the later call has") {
  for (const std::uint64_t asked : {500u, 3000u, 100'000u}) {
    CAPTURE(asked);
    world w;
    w.store.failures[7] = 1;
    w.store.failure = errc::invalid_option;
    REQUIRE(!run(w.journaled()));
    const auto kept = *detail::parse_journal(w.journal.on_disk->durable);
    const auto there = std::count_if(kept.parts.begin(), kept.parts.end(),
                                     [](const auto& r) { return r.has_value(); });
    REQUIRE(there > 3);
    upload_options o = small;
    o.part_size = asked;
    const auto report = run(upload(w.source, w.target, "film", o, w.journal));
    REQUIRE(report);
    CHECK(report->parts == 20);
    CHECK(report->parts_sent == 20 - there);
    CHECK(w.store.begins == 1);
    CHECK(w.store.objects["film"] == w.source.bytes);
  }
}

TEST_CASE("a stop while the object is completed comes too late") {
  for (bool with_journal : {false, true}) {
    std::uint64_t step = 0;
    int reached = 0;
    for (bool finished = false; !finished;) {
      world w;
      w.source = memory_source(1500);
      test::test_runtime rt{{.stop_at_step = ++step}};
      const auto report = with_journal ? rt.run(w.journaled()) : rt.run(w.plain());
      finished = report.has_value() && ++reached > 3;
      CAPTURE(step);
      CHECK(report.has_value() == w.store.objects.contains("film"));
      if (report) CHECK(w.journal.text->empty());
      REQUIRE(step < 1000);
    }
  }
}

TEST_CASE("a journal that somebody removed does not fail an upload that has completed") {
  struct stuck_journal : memory_journal {
    task<result<>> remove() { co_return fail(std::errc::permission_denied, "remove", "journal"); }
  };
  world w;
  stuck_journal stuck;
  REQUIRE(run(upload(w.source, w.target, "film", small, stuck)));
  CHECK(w.store.objects["film"] == w.source.bytes);
  CHECK(w.store.aborts == 0);
}

TEST_CASE("a journal that cannot be begun is removed, and the upload aborted") {
  struct full_journal : memory_journal {
    task<result<>> restart(std::string t) {
      put(t.substr(0, 20));
      co_return fail(std::errc::no_space_on_device, "write", "journal");
    }
  };
  world w;
  full_journal full;
  const auto report = run(upload(w.source, w.target, "film", small, full));
  REQUIRE(!report);
  CHECK(report.error() == std::errc::no_space_on_device);
  CHECK(full.text->empty());
  CHECK(w.store.aborts == 1);
}

TEST_CASE("an upload that the target forgets between resume and list starts over") {
  struct late_target : memory_target {
    task<result<session>> resume(std::string, part_plan, std::string id) {
      co_return session(store, std::move(id));
    }
  };
  world w;
  w.store.failures[7] = 1;
  w.store.failure = errc::invalid_option;
  REQUIRE(!run(w.journaled()));
  w.store.uploads.clear();
  late_target late{{w.store}};
  const auto report = run(upload(w.source, late, "film", small, w.journal));
  REQUIRE(report);
  CHECK(report->parts_sent == 20);
  CHECK(w.store.begins == 2);
  CHECK(w.store.aborts == 0);
  CHECK(w.store.objects["film"] == w.source.bytes);
  CHECK(w.journal.text->empty());
}

TEST_CASE("a session's id may hold anything: it is resumed") {
  struct url_target : memory_target {
    task<result<session>> begin(std::string name, part_plan plan) {
      const std::string id = "http://h/a%2Fb c\n" + std::to_string(++store.begins);
      memory_store::pending fresh;
      fresh.name = std::move(name);
      fresh.plan = plan;
      store.uploads[id] = std::move(fresh);
      co_return session(store, id);
    }
  };
  world w;
  url_target urls{{w.store}};
  w.store.failures[7] = 1;
  w.store.failure = errc::invalid_option;
  REQUIRE(!run(upload(w.source, urls, "a %25 film", small, w.journal)));
  const auto report = run(upload(w.source, urls, "a %25 film", small, w.journal));
  REQUIRE(report);
  CHECK(report->parts_sent < 20);
  CHECK(w.store.begins == 1);
  CHECK(w.store.uploads.empty());
}

TEST_CASE("what is no journal is left alone") {
  world w;
  const std::string thesis = "three years of work\n";
  w.journal.put(thesis);
  const auto report = run(w.journaled());
  REQUIRE(!report);
  CHECK(report.error() == errc::invalid_option);
  CHECK(report.error().message().find("not a journal") != std::string::npos);
  test::test_runtime rt;
  const auto discarded = rt.run(discard_upload(w.target, w.journal));
  CHECK(discarded.error() == errc::invalid_option);
  CHECK(*w.journal.text == thesis);
  CHECK(w.store.begins == 0);
}

TEST_CASE("options without bounds take what the object needs") {
  constexpr std::size_t most = (std::numeric_limits<std::size_t>::max)();
  for (int which = 0; which < 7; ++which) {
    CAPTURE(which);
    upload_options o = small;
    o.memory_budget = most;
    if (which == 1) o.memory_budget = std::size_t{1} << 44;
    if (which == 2) o.concurrency = most;
    if (which == 3) o.block_size = std::size_t{1} << 30;
    if (which == 4) o.part_size = std::uint64_t{5} << 30;
    if (which == 5) o.part_attempts = most;
    if (which == 6) {
      o.retry_delay = o.journal_sync_interval = o.progress_interval = (duration::max)();
      o.concurrency = most;
      o.block_size = 1;
    }
    REQUIRE(validate(o));
    world w;
    w.store.failures[0] = 1;
    const auto report = run(upload(w.source, w.target, "film", o, w.journal, w.show()));
    REQUIRE(report);
    CHECK(w.store.objects["film"] == w.source.bytes);
  }
  upload_options bad = small;
  bad.memory_budget = most;
  for (const std::size_t block : {std::size_t{0}, (std::size_t{1} << 30) + 1, most}) {
    bad.block_size = block;
    CHECK(validate(bad).error() == errc::invalid_option);
  }
}

TEST_CASE("a target says what the planner rounds part sizes up to") {
  struct coarse_target : memory_target {
    std::uint64_t part_alignment() const { return 8; }
  };
  world w;
  coarse_target coarse{{w.store}};
  upload_options o = small;
  o.part_size = 1;  // 10,000 parts of 2 bytes would do
  const auto report = run(upload(w.source, coarse, "film", o));
  REQUIRE(report);
  CHECK(report->parts == 2438);  // of 8
  CHECK(w.store.objects["film"] == w.source.bytes);
}
