// tests/io/io_leaf_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/io/detail/io_leaf.hpp>

#include <penstock/core.hpp>
#include <penstock/io/file.hpp>
#include <penstock/io/file_system.hpp>
#include <penstock/test.hpp>

#include <io/scripted_driver.hpp>
#include <support/stopped.hpp>

#include <array>
#include <memory>
#include <optional>
#include <string>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;
using test::cancel_stage;

namespace {
// A file whose descriptor no system call ever sees.
constexpr int no_such_fd = 1'000'000;

struct fixture {
  fixture() : f(no_such_fd, "/scripted") { d.install(); }
  fixture(const fixture&) = delete;
  ~fixture() { scheduler::current()->set_io_driver(nullptr); }
  scripted::driver d;
  file f;
  std::array<std::byte, 10> bytes{};
};

// Runs `body(fixture)`, a task, under a test runtime.
template <class Body>
void with_fixture(Body body) {
  test::test_runtime rt;
  const auto all = [&]() -> task<> {
    fixture x;
    co_await body(x);
  };
  rt.run(all());
}
// The fixture of a cancel matrix: made before the loop runs, installed by the operation.
struct late_fixture {
  std::unique_ptr<scripted::driver> d = std::make_unique<scripted::driver>();
  std::unique_ptr<file> f = std::make_unique<file>(no_such_fd, "/scripted");
  std::unique_ptr<std::array<std::byte, 10>> bytes = std::make_unique<std::array<std::byte, 10>>();
};
task<> soon(fixture& x, std::int32_t answer) {
  co_await yield();
  CHECK(x.d.complete(answer));
}
}  // namespace

TEST_CASE("a short read goes on where it ended, until the span is full") {
  with_fixture([](fixture& x) -> task<> {
    x.d.at_once = {3, 1, 6};
    const auto n = co_await x.f.read_at(100, x.bytes);
    CHECK(n == 10u);
    REQUIRE(x.d.seen.size() == 3);
    CHECK(x.d.seen[1].offset == 103);
    CHECK(x.d.seen[1].length == 7);
    CHECK(x.d.seen[1].address == x.bytes.data() + 3);
    CHECK(x.d.seen[2].offset == 104);
    CHECK(x.d.seen[2].length == 6);
  });
}

TEST_CASE("a read is over at the end of the file, and fails with what the kernel says") {
  with_fixture([](fixture& x) -> task<> {
    x.d.at_once = {4, 0, 0, 5, -EIO};
    auto n = co_await x.f.read_at(0, x.bytes);
    CHECK(n == 4u);
    n = co_await x.f.read_at(4, x.bytes);
    CHECK(n == 0u);
    n = co_await x.f.read_at(0, x.bytes);
    REQUIRE_FALSE(n);
    CHECK(n.error().message() == "read '/scripted': Input/output error");
  });
}

TEST_CASE("a short write is continued; one that writes nothing is an error") {
  with_fixture([](fixture& x) -> task<> {
    x.d.at_once = {9, 1, 2, 0};
    auto done = co_await x.f.write_at(7, x.bytes);
    CHECK(done);
    CHECK(x.d.seen[1].offset == 16);
    CHECK(x.d.seen[1].length == 1);
    done = co_await x.f.write_at(7, x.bytes);
    REQUIRE_FALSE(done);
    CHECK(done.error() == std::errc::io_error);
  });
}

TEST_CASE("an interrupted operation is submitted again") {
  with_fixture([](fixture& x) -> task<> {
    x.d.at_once = {-EINTR, 10};
    const auto n = co_await x.f.read_at(0, x.bytes);
    CHECK(n == 10u);
    CHECK(x.d.seen.size() == 2);
    const auto answers = [&]() -> task<> {
      co_await soon(x, -EINTR);
      co_await soon(x, 10);
    };
    const auto both = co_await when_all_settled(x.f.read_at(0, x.bytes), answers());
    CHECK(std::get<0>(both) == 10u);
    CHECK(x.d.seen.size() == 4);
  });
}

TEST_CASE("read_some and write_all move the file's position by what was done") {
  with_fixture([](fixture& x) -> task<> {
    x.d.at_once = {4, 0, 6, 4, 3, -ENOSPC};
    auto n = co_await x.f.read_some(x.bytes);
    CHECK(n == 4u);
    CHECK(x.f.position() == 4);
    n = co_await x.f.read_some(x.bytes);
    CHECK(n == 0u);
    CHECK(x.f.position() == 4);
    auto done = co_await x.f.write_all(x.bytes);
    CHECK(done);
    CHECK(x.f.position() == 14);
    CHECK(x.d.seen[3].offset == 10);
    done = co_await x.f.write_all(x.bytes);
    CHECK(done.error() == std::errc::no_space_on_device);
    CHECK(x.f.position() == 17);
    x.f.seek(2);
    CHECK(x.f.position() == 2);
  });
}

TEST_CASE("nothing is asked for no bytes") {
  with_fixture([](fixture& x) -> task<> {
    const auto n = co_await x.f.read_at(0, {});
    CHECK(n == 0u);
    const auto none = co_await x.f.read_some({});
    CHECK(none == 0u);
    const auto done = co_await x.f.write_at(0, {});
    CHECK(done);
    CHECK(x.d.seen.empty());
  });
}

TEST_CASE("results that are there at once are delivered at once, up to a budget") {
  with_fixture([](fixture& x) -> task<> {
    bool other_ran = false;
    int before_other = 0;
    const auto reads = [&]() -> task<> {
      for (int i = 0; i < 100; ++i) {
        x.d.at_once.push_back(10);
        static_cast<void>(co_await x.f.read_at(0, x.bytes));
        if (!other_ran) ++before_other;
      }
    };
    const auto other = [&]() -> task<> {
      other_ran = true;
      co_return;
    };
    co_await when_all(reads(), other());
    CHECK(before_other >= 1);
    CHECK(before_other <= 17);
  });
}

TEST_CASE("a transfer longer than one system call may take is cut") {
  with_fixture([](fixture& x) -> task<> {
    // Never touched.
    const auto huge = std::span(x.bytes.data(), std::size_t{3} << 30);
    x.d.at_once = {1 << 30, 1 << 30, 1 << 30};
    const auto n = co_await x.f.read_at(0, huge);
    CHECK(n == std::size_t{3} << 30);
    CHECK(x.d.seen.size() == 3);
    CHECK(x.d.seen[0].length == 1u << 30);
    CHECK(x.d.seen[2].offset == std::uint64_t{2} << 30);
  });
}

TEST_CASE("cancel matrix of a read: no value lost, no buffer let go early") {
  test::cancel_matrix([] { return late_fixture(); },
                      [](late_fixture& x) {
                        x.d->install();
                        return x.f->read_at(0, *x.bytes);
                      },
                      [](late_fixture& x) { x.d->complete(10); },
                      [](late_fixture& x, const auto& outcome, cancel_stage stage) {
                        if (x.d->held() != 0) return std::string("in flight after its task");
                        if (stage == cancel_stage::before_start && !x.d->seen.empty())
                          return std::string("a stopped task began a read");
                        if (stage >= cancel_stage::completion_first && !outcome)
                          return std::string("a completed read was lost");
                        if (outcome && *outcome != 10u) return std::string("wrong value");
                        return std::string();
                      });
}

TEST_CASE("cancel matrix of a write that is continued") {
  test::cancel_matrix([] { return late_fixture(); },
                      [](late_fixture& x) {
                        x.d->install();
                        return x.f->write_all(*x.bytes);
                      },
                      [](late_fixture& x) {
                        x.d->complete(4);
                        x.d->complete(6);
                      },
                      [](late_fixture& x, const auto& outcome, cancel_stage stage) {
                        if (x.d->held() != 0) return false;
                        if (stage >= cancel_stage::completion_first && !outcome) return false;
                        return !outcome || x.f->position() == 10;
                      });
}

TEST_CASE("cancel matrix of a close: one that has begun is finished") {
  test::cancel_matrix([] { return late_fixture(); },
                      [](late_fixture& x) {
                        x.d->install();
                        return x.f->close();
                      },
                      [](late_fixture& x) { x.d->complete(0); },
                      [](late_fixture& x, const auto&, cancel_stage stage) {
                        if (x.d->held() != 0 || x.d->cancels != 0) return false;
                        return x.f->is_open() == (stage == cancel_stage::before_start);
                      },
                      {.stoppable = false});
}

TEST_CASE("a stopped write that was done in part keeps the position behind the part") {
  with_fixture([](fixture& x) -> task<> {
    const auto stopper = [&]() -> task<> {
      co_await yield();
      CHECK(x.d.complete(4));  // a part: it goes on
      CHECK(x.d.held() == 1);
    };
    const auto both = [&](task_group& group) -> task<result<>> {
      group.start(stopper);
      co_return co_await x.f.write_all(x.bytes);
    };
    const auto outcome = co_await with_timeout(5ms, with_group(both));
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error() == errc::timed_out);
    CHECK(x.d.cancels == 1);
    CHECK(x.f.position() == 4);
  });
}

TEST_CASE("a stopped operation ends when its own completion comes, not before") {
  with_fixture([](fixture& x) -> task<> {
    bool gone = false;
    struct mark {
      bool& flag;
      ~mark() { flag = true; }
    };
    const auto reader = [&]() -> task<> {
      const mark at_end{gone};
      static_cast<void>(co_await x.f.read_at(0, x.bytes));
    };
    const auto body = [&](task_group& group) -> task<> {
      group.start(reader);
      co_await yield();
      group.request_stop();
      CHECK(x.d.cancels == 1);
      CHECK_FALSE(gone);
      co_return;
    };
    co_await with_group(body);
    CHECK(gone);
    CHECK(x.d.held() == 0);
  });
}

namespace {
// One that waits for a leaf without being a coroutine.
struct bystander final : waiter, detail::hook {
  explicit bystander(scheduler& s) {
    e.sched = &s;
    e.stop = &stop;
    env = &e;
    parent = nullptr;
    hooked = this;
  }
  detail::step done(waiter&, waiter*) noexcept override {
    ++completions;
    return {};
  }
  environment e;
  detail::scope_stop stop;
  int completions = 0;
};
bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }
}  // namespace

TEST_CASE("destroyed where it waits, an operation is waited for, and what it opened is closed") {
  test::test_runtime rt;
  const auto body = [&]() -> task<> {
    fixture x;
    bystander w(*scheduler::current());
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    {
      auto done = file::open("/x", open_mode::read);
      x.d.at_once = {ends[0]};
      CHECK_FALSE(done.start(w));
      CHECK(w.completions == 1);
    }
    CHECK_FALSE(is_open(ends[0]));
    {
      auto reading = x.f.read_at(0, x.bytes);
      CHECK_FALSE(reading.start(w));
      CHECK(x.d.held() == 1);
    }
    CHECK(x.d.held() == 0);
    CHECK(x.d.cancels == 1);
    {
      auto renaming = rename_file("/x", "/y");
      auto asking = stat_file("/x");
      CHECK_FALSE(renaming.start(w));
      CHECK_FALSE(asking.start(w));
    }
    CHECK(x.d.held() == 0);
    CHECK(w.completions == 1);
    ::close(ends[1]);
    co_return;
  };
  rt.run(body());
}

TEST_CASE("a refused operation of a driver that leaves is an error") {
  with_fixture([](fixture& x) -> task<> {
    x.d.at_once = {-ECANCELED};
    const auto n = co_await x.f.read_at(0, x.bytes);
    REQUIRE_FALSE(n);
    CHECK(n.error() == std::errc::operation_canceled);
  });
}

TEST_CASE("I/O on a loop without a driver is a broken contract") {
  CHECK(support::stopped_with([] {
          test::test_runtime rt;
          const auto body = []() -> task<> { static_cast<void>(co_await stat_file("/")); };
          rt.run(body());
        }) == "I/O on a loop without a driver: use penstock::runtime");
}

TEST_CASE("every test of a stop at every step leaves nothing in flight") {
  for (std::uint64_t step = 1;; ++step) {
    CAPTURE(step);
    scripted::driver d;
    file f(no_such_fd, "/scripted");
    std::array<std::byte, 8> bytes{};
    test::test_runtime rt({.seed = step, .stop_at_step = step});
    const auto pump = [&]() -> task<> {
      for (int i = 0; i < 12; ++i) {
        co_await sleep_for(1us);
        d.complete(4);
      }
    };
    const auto copy = [&]() -> task<result<>> {
      for (int i = 0; i < 2; ++i) {
        co_await ok(f.read_at(0, bytes));
        co_await ok(f.write_all(bytes));
      }
      co_return result<>{};
    };
    const auto all = [&]() -> task<result<>> {
      d.install();
      auto [copied, pumped] = co_await when_all_settled(copy(), pump());
      co_return result<>{};
    };
    const auto outcome = rt.run(all());
    CHECK(d.held() == 0);
    if (outcome && rt.steps() < step) break;
    REQUIRE(step < 200);
  }
}
