// tests/runtime/reactor_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/runtime/driver/reactor.hpp>

#include <runtime/driver_harness.hpp>

#include <cerrno>
#include <deque>
#include <latch>
#include <memory>
#include <thread>

#include <sys/stat.h>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;
using harness::perform;
using harness::read_from;
using harness::recorded;

namespace {
constexpr duration for_ever = (duration::max)();

std::unique_ptr<driver> made(cpu_pool& pool) {
  auto d = make_reactor_driver(pool);
  REQUIRE(d);
  return std::move(*d);
}
}  // namespace

TEST_CASE("reactor: a no-op is over at once") {
  cpu_pool pool(1);
  auto d = made(pool);
  CHECK(d->name() == "reactor");
  recorded op;
  CHECK(d->submit(op));
  CHECK(op.answer == 0);
  CHECK(op.completions == 0);
  CHECK(d->in_flight() == 0);
}

TEST_CASE("reactor: files are read and written by the pool") {
  cpu_pool pool(2);
  auto d = made(pool);
  harness::pipe_ends pipe;
  char text[] = "through the pool";
  for (int i = 0; i < 200; ++i) {
    recorded put(operation_kind::write);
    put.fd = pipe.fd[1];
    put.address = text;
    put.length = sizeof text;
    REQUIRE(perform(*d, put) == sizeof text);
    char got[64] = {};
    recorded get = read_from(pipe.fd[0], got, sizeof got);
    REQUIRE(perform(*d, get) == sizeof text);
    REQUIRE(std::string(got) == text);
  }
  CHECK(d->stats().bytes_read == 200 * sizeof text);
  CHECK(d->stats().bytes_written == 200 * sizeof text);
}

TEST_CASE("reactor: a queued operation is taken back, a running one ends as it would have") {
  cpu_pool pool(1);
  auto d = made(pool);
  harness::pipe_ends pipe;
  char bytes[2][8] = {};
  recorded runs = read_from(pipe.fd[0], bytes[0], 8);
  recorded waits = read_from(pipe.fd[0], bytes[1], 8);
  d->submit(runs);
  while (runs.stage.load() == detail::operation_stage::queued) std::this_thread::yield();
  d->submit(waits);
  d->cancel(waits);
  d->cancel(runs);
  REQUIRE(pipe.put("text"));
  while (d->in_flight() != 0) d->wait(for_ever);
  CHECK(runs.answer == 4);
  CHECK(waits.answer == -ECANCELED);
  d->leave();
}

TEST_CASE("reactor: wake() from another thread ends the sleep and is counted, interrupt() is not") {
  cpu_pool pool(1);
  auto d = made(pool);
  for (std::uint64_t i = 1; i <= 20; ++i) {
    std::thread waker([&] { d->wake(); });
    while (d->wakes_seen() < i) d->wait(for_ever);
    waker.join();
  }
  d->interrupt();
  d->wait(for_ever);
  CHECK(d->wakes_seen() == 20);
  d->wait(1ms);
}

TEST_CASE("reactor: every kind of operation gives what its system call gives") {
  cpu_pool pool(1);
  auto d = made(pool);
  char folder[] = "/tmp/penstock-reactor-XXXXXX";
  REQUIRE(::mkdtemp(folder) != nullptr);
  std::string a = std::string(folder) + "/a", b = std::string(folder) + "/b",
              sub = std::string(folder) + "/sub";
  const auto on_path = [&](operation_kind k, std::string& path, std::uint32_t flags = 0,
                           std::uint32_t length = 0) {
    recorded op(k);
    op.fd = AT_FDCWD;
    op.address = path.data();
    op.flags = flags;
    op.length = length;
    return op;
  };
  auto open = on_path(operation_kind::open, a, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  const int fd = perform(*d, open);
  REQUIRE(fd >= 0);
  recorded op(operation_kind::allocate);
  op.fd = fd;
  op.offset = 0;
  op.extent = 8192;
  CHECK(perform(*d, op) == 0);
  recorded sync(operation_kind::sync);
  sync.fd = fd;
  CHECK(perform(*d, sync) == 0);
  sync.flags = operation::sync_data_only;
  CHECK(perform(*d, sync) == 0);
  struct ::statx status;
  std::string empty;
  recorded stat = on_path(operation_kind::stat, empty, AT_EMPTY_PATH, STATX_BASIC_STATS);
  stat.fd = fd;
  stat.other = &status;
  CHECK(perform(*d, stat) == 0);
  CHECK(status.stx_size == 8192);
  recorded close(operation_kind::close);
  close.fd = fd;
  CHECK(perform(*d, close) == 0);
  CHECK(perform(*d, close) == -EBADF);
  auto rename = on_path(operation_kind::rename, a);
  rename.other = b.data();
  CHECK(perform(*d, rename) == 0);
  CHECK(perform(*d, rename) == -ENOENT);
  auto make = on_path(operation_kind::make_directory, sub, 0, 0700);
  CHECK(perform(*d, make) == 0);
  CHECK(perform(*d, make) == -EEXIST);
  auto remove_sub = on_path(operation_kind::remove, sub, AT_REMOVEDIR);
  CHECK(perform(*d, remove_sub) == 0);
  auto remove = on_path(operation_kind::remove, b);
  CHECK(perform(*d, remove) == 0);
  REQUIRE(::rmdir(folder) == 0);
}
