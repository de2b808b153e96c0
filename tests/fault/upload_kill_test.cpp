// tests/fault/upload_kill_test.cpp
// SPDX-License-Identifier: BSL-1.0
// timeout: 600
#include <fault/upload_fixture.hpp>

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
  random_engine random(42);
  int killed = 0, resumed_with_less = 0;
  for (int round = 0; round < 200; ++round) {
    CAPTURE(round);
    const std::string bytes = some_bytes(400'000 + static_cast<std::size_t>(round), random());
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
  CHECK(killed > 100);
  CHECK(resumed_with_less > 50);
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
