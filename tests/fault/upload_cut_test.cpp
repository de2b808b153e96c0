// tests/fault/upload_cut_test.cpp
// SPDX-License-Identifier: BSL-1.0
// timeout: 300
//
// An upload's journal and the store's manifest, cut off anywhere: the next run ends with the right
// object, whatever it has to send again.
#include <penstock/test/seeds.hpp>

#include <fault/upload_fixture.hpp>

#include <doctest/doctest.h>

using namespace upload_fault;

namespace {
constexpr std::uint32_t all = 7, sent = 4;
constexpr upload_options tiny{.part_size = 1000,
                              .concurrency = 1,
                              .memory_budget = 4000,
                              .block_size = 500,
                              .progress_interval = duration::zero()};

// An upload that was stopped behind four of seven parts, and may be looked at again and again.
struct suspended {
  folder f;
  std::string bytes = some_bytes(6500, 21);
  std::string journal, manifest, partial;

  suspended() {
    write_all(f.source(), bytes);
    runtime rt;
    auto stop = [&](const upload_progress& p) {
      if (p.parts_done == sent) rt.request_stop();
    };
    REQUIRE(!rt.run(push(f.source(), f.store(), "film", f.journal(), stop, tiny)));
    journal = read_all(f.journal());
    manifest = read_all(f.store() / ".film.parts");
    partial = read_all(f.store() / ".film.partial");
    REQUIRE(journal.size() > 100);
    REQUIRE(manifest.size() > 100);
    REQUIRE(partial.size() == bytes.size());
  }
  // Resumes it from that much of each; returns how many parts that sent.
  std::uint32_t resume(std::size_t of_journal, std::size_t of_manifest) {
    write_all(f.journal(), journal.substr(0, of_journal));
    write_all(f.store() / ".film.parts", manifest.substr(0, of_manifest));
    write_all(f.store() / ".film.partial", partial);
    const auto report = push_now(f.source(), f.store(), "film", f.journal(), tiny);
    if (!report) FAIL(report.error().message());
    CHECK(report->parts == all);
    CHECK(read_all(f.object()) == bytes);
    CHECK(!fs::exists(f.journal()));
    fs::remove(f.object());
    CHECK(fs::is_empty(f.store()));
    return report->parts_sent;
  }
};
}  // namespace

TEST_CASE("a journal cut off at any byte resumes what is left of it, or starts over") {
  suspended u;
  std::uint32_t before = all;
  for (std::size_t cut = 0; cut <= u.journal.size(); ++cut) {
    CAPTURE(cut);
    const std::uint32_t now = u.resume(cut, u.manifest.size());
    CHECK(now <= before);  // the more is left, the less is sent again
    before = now;
  }
  CHECK(before == all - sent);
}

TEST_CASE("the store's manifest cut off at any byte has the parts before it, or none") {
  suspended u;
  std::uint32_t before = all;
  for (std::size_t cut = 0; cut <= u.manifest.size(); ++cut) {
    CAPTURE(cut);
    const std::uint32_t now = u.resume(u.journal.size(), cut);
    CHECK(now <= before);
    before = now;
  }
  CHECK(before == all - sent);
}

TEST_CASE("journal and manifest cut off at random: what both have is not sent again") {
  suspended u;
  for (const auto seed : test::seeds(100)) {
    CAPTURE(seed);
    random_engine random(seed);
    const std::size_t j = random() % (u.journal.size() + 1);
    const std::size_t m = random() % (u.manifest.size() + 1);
    CHECK(u.resume(j, m) ==
          (std::max)(u.resume(j, u.manifest.size()), u.resume(u.journal.size(), m)));
  }
}
