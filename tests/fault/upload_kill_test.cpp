// tests/fault/upload_kill_test.cpp
// SPDX-License-Identifier: BSL-1.0
// timeout: 600
#include <penstock/test/seeds.hpp>

#include <fault/upload_fixture.hpp>
#include <support/child.hpp>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include <doctest/doctest.h>

using namespace upload_fault;

namespace {
// An upload in a child, which writes a byte for each progress call.
struct child_upload {
  pid_t pid = -1;
  int events = -1;

  explicit child_upload(const folder& f) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      ::close(ends[0]);
      for (int s : {SIGINT, SIGTERM, SIGABRT, SIGSEGV}) std::signal(s, SIG_DFL);
      int status = 1;
      {
        runtime rt;
        auto show = [&](const upload_progress&) { static_cast<void>(!::write(ends[1], "p", 1)); };
        auto report = rt.run(push(f.source(), f.store(), "film", f.journal(), show));
        if (report)
          status = 0;
        else
          std::fprintf(stderr, "%s\n", report.error().message().c_str());
      }
      ::_exit(status);
    }
    ::close(ends[1]);
    events = ends[0];
  }
  // Reads `count` events, or until the child has closed its end. False: it has.
  bool wait_for(std::uint64_t count) {
    char byte = 0;
    while (count-- > 0) {
      pollfd p{events, POLLIN, 0};
      REQUIRE(::poll(&p, 1, 30'000) == 1);
      if (::read(events, &byte, 1) != 1) return false;
    }
    return true;
  }
  int end() {
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    ::close(events);
    return status;
  }
};
}  // namespace

TEST_CASE(
    "killed at 200 random points the object is absent or whole, and a later run completes it") {
  folder f;
  int rounds = 0, killed = 0, resumed_with_less = 0;
  for (const auto seed : test::seeds(200)) {
    CAPTURE(seed);
    ++rounds;
    random_engine random(seed);
    const std::string bytes = some_bytes(400'000 + random() % 1000, random());
    write_all(f.source(), bytes);
    {
      child_upload child(f);
      // Some parts, then a random moment: busy work, so that no timer decides.
      const bool running = child.wait_for(random() % 27);
      for (volatile std::uint64_t spin = random() % 300'000; spin > 0;) spin = spin - 1;
      if (running) ::kill(child.pid, SIGKILL);
      const int status = child.end();
      if (WIFSIGNALED(status)) ++killed;
    }
    if (fs::exists(f.object())) CHECK(read_all(f.object()) == bytes);
    const bool journal = fs::exists(f.journal());
    child_upload again(f);
    again.wait_for(~std::uint64_t{0});
    CHECK(again.end() == 0);
    CHECK(read_all(f.object()) == bytes);
    CHECK(!fs::exists(f.journal()));
    if (journal) ++resumed_with_less;
    fs::remove(f.object());
    CHECK(fs::is_empty(f.store()));  // nothing is left of killed uploads
  }
  if (rounds < 100) return;  // a seed is repeated
  CHECK(killed > rounds / 2);
  CHECK(resumed_with_less > rounds / 4);
}

TEST_CASE("U5: killed when 13 of 20 parts are acknowledged, the next run sends exactly 7") {
  folder f;
  upload_options o = small;
  o.concurrency = 1;
  const std::string bytes = some_bytes(20 * o.part_size - 5, 11);
  write_all(f.source(), bytes);
  const auto child = support::in_child([&] {
    auto show = [](const upload_progress& p) {
      if (p.parts_done == 13) ::raise(SIGKILL);
    };
    runtime rt;
    const auto report = rt.run(push(f.source(), f.store(), "film", f.journal(), show, o));
    return report ? 1 : 2;
  });
  REQUIRE(child.signal == SIGKILL);
  CHECK(!fs::exists(f.object()));
  const auto report = push_now(f.source(), f.store(), "film", f.journal(), o);
  REQUIRE(report);
  CHECK(report->parts == 20);
  CHECK(report->parts_sent == 7);
  CHECK(read_all(f.object()) == bytes);
  CHECK(!fs::exists(f.journal()));
}

TEST_CASE("SIGINT suspends an upload with a journal: the next run sends the rest") {
  folder f;
  const std::string bytes = some_bytes(1'000'000, 7);
  write_all(f.source(), bytes);
  child_upload child(f);
  CHECK(child.wait_for(5));
  ::kill(child.pid, SIGINT);
  const int status = child.end();
  CHECK(WIFEXITED(status));
  if (WEXITSTATUS(status) != 0) {  // it was quicker than the signal otherwise
    CHECK(!fs::exists(f.object()));
    const auto report = push_now(f.source(), f.store(), "film", f.journal());
    REQUIRE(report);
    CHECK(report->parts_sent < report->parts);
  }
  CHECK(read_all(f.object()) == bytes);
}
