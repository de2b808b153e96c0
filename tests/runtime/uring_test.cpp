// tests/runtime/uring_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/runtime/driver/uring.hpp>

#include <penstock/runtime/detail/uring_reason.hpp>
#include <penstock/runtime/driver/detail/uring_driver.hpp>
#include <runtime/driver_harness.hpp>
#include <support/skip.hpp>

#include <array>
#include <atomic>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include <dlfcn.h>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;
using harness::perform;
using harness::read_from;
using harness::recorded;

// The macro that liburing's headers bring and that breaks others' code stays away.
#ifdef BLOCK_SIZE
#error "BLOCK_SIZE leaks"
#endif

// In the place of liburing's: the kernel takes nothing while `refuse_submits` is set.
static std::atomic<bool> refuse_submits{false};
extern "C" int io_uring_submit(struct io_uring* ring) {
  using function = int (*)(struct io_uring*);
  static const auto real = reinterpret_cast<function>(::dlsym(RTLD_NEXT, "io_uring_submit"));
  return refuse_submits ? -EBUSY : real(ring);
}

namespace {
struct ring_under_test {
  ring_under_test() : pool(2) {
    auto made = make_uring_driver(pool);
    if (made)
      d = std::move(*made);
    else
      support::skip(made.error().message().c_str());
  }
  ~ring_under_test() {
    if (d) d->leave();
  }
  explicit operator bool() const { return d != nullptr; }
  driver* operator->() const { return d.get(); }
  driver& operator*() const { return *d; }
  cpu_pool pool;
  std::unique_ptr<driver> d;
};
constexpr duration for_ever = (duration::max)();
}  // namespace

TEST_CASE("uring: a no-op completes once") {
  ring_under_test d;
  if (!d) return;
  CHECK(d->name() == "uring");
  recorded op;
  CHECK(perform(*d, op) == 0);
  CHECK(op.completions == 1);
  CHECK(d->in_flight() == 0);
  CHECK(d->stats().submitted == 1);
  CHECK(d->stats().completed == 1);
}

TEST_CASE("uring: more operations than the queues hold all complete") {
  ring_under_test d;
  if (!d) return;
  std::deque<recorded> ops(10'000);
  for (auto& op : ops) CHECK_FALSE(d->submit(op));
  CHECK(d->in_flight() == 10'000);
  while (d->in_flight() != 0) d->wait(for_ever);
  for (auto& op : ops) REQUIRE(op.completions == 1);
}

TEST_CASE("uring: what is taken back before the kernel had it ends the sleep") {
  ring_under_test d;
  if (!d) return;
  harness::pipe_ends pipe;
  std::vector<std::array<char, 8>> bytes(257);
  refuse_submits = true;
  std::deque<recorded> ops;
  for (auto& b : bytes) {
    ops.push_back(read_from(pipe.fd[0], b.data(), b.size()));
    CHECK_FALSE(d->submit(ops.back()));
  }
  refuse_submits = false;
  d->cancel(ops.back());
  d->wait(for_ever);
  CHECK(ops.back().answer == -ECANCELED);
  d->leave();  // before the operations end
}

TEST_CASE(
    "uring: what the kernel does not take waits its turn, cancellations behind their target") {
  ring_under_test d;
  if (!d) return;
  harness::pipe_ends pipe;
  char bytes[3][8] = {};
  recorded in_kernel = read_from(pipe.fd[0], bytes[0], 8);
  CHECK_FALSE(d->submit(in_kernel));
  d->wait(duration::zero());

  refuse_submits = true;
  std::deque<recorded> ops(300);  // more than the submission queue
  for (auto& op : ops) CHECK_FALSE(d->submit(op));
  recorded waits_too = read_from(pipe.fd[0], bytes[1], 8);
  recorded taken_back = read_from(pipe.fd[0], bytes[2], 8);
  CHECK_FALSE(d->submit(waits_too));
  CHECK_FALSE(d->submit(taken_back));
  d->cancel(in_kernel);
  d->cancel(taken_back);
  d->cancel(taken_back);
  CHECK(taken_back.completions == 0);  // not before wait()
  refuse_submits = false;

  while (in_kernel.completions == 0 || ops.back().completions == 0) d->wait(for_ever);
  CHECK(in_kernel.answer == -ECANCELED);
  CHECK(taken_back.answer == -ECANCELED);
  for (auto& op : ops) REQUIRE(op.completions == 1);
  CHECK(waits_too.completions == 0);
  REQUIRE(pipe.put("late"));
  while (waits_too.completions == 0) d->wait(for_ever);
  CHECK(waits_too.answer == 4);
  CHECK(taken_back.completions == 1);
  CHECK(d->in_flight() == 0);
}

TEST_CASE("uring: an operation that ends while its cancellation waits takes that back") {
  ring_under_test d;
  if (!d) return;
  harness::pipe_ends pipe;
  char byte[3] = {};
  recorded reads[3] = {read_from(pipe.fd[0], byte, 1), read_from(pipe.fd[0], byte + 1, 1),
                       read_from(pipe.fd[0], byte + 2, 1)};
  for (auto& op : reads) d->submit(op);
  d->wait(duration::zero());
  refuse_submits = true;
  std::deque<recorded> ops(256);
  for (auto& op : ops) d->submit(op);
  for (auto& op : reads) d->cancel(op);
  REQUIRE(pipe.put("abc"));
  while (reads[2].completions == 0) d->wait(duration::zero());  // reaps what has arrived
  refuse_submits = false;
  while (d->in_flight() != 0) d->wait(for_ever);
  for (auto& op : reads) CHECK(op.completions == 1);
}

TEST_CASE("uring: a cancelled operation completes by itself, with its own answer") {
  ring_under_test d;
  if (!d) return;
  harness::pipe_ends pipe;
  char bytes[8] = {};
  recorded op = read_from(pipe.fd[0], bytes, sizeof bytes);
  CHECK_FALSE(d->submit(op));
  d->cancel(op);  // behind it in the same batch
  CHECK(op.completions == 0);
  while (op.completions == 0) d->wait(for_ever);
  CHECK(op.answer == -ECANCELED);

  // Too late for a cancellation: the answer stays.
  REQUIRE(pipe.put("done"));
  CHECK(perform(*d, op) == 4);
  CHECK(std::string(bytes, 4) == "done");
}

TEST_CASE("uring: wake() from another thread ends the sleep and is counted, interrupt() is not") {
  ring_under_test d;
  if (!d) return;
  for (std::uint64_t i = 1; i <= 20; ++i) {
    std::thread waker([&] { d->wake(); });
    while (d->wakes_seen() < i) d->wait(for_ever);
    waker.join();
  }
  d->interrupt();
  d->wait(for_ever);
  CHECK(d->wakes_seen() == 20);
}

TEST_CASE("uring: a wait is over when its time is") {
  ring_under_test d;
  if (!d) return;
  d->wait(1ms);
  d->wait(1ns);
  CHECK(d->stats().waits == 2);
}

TEST_CASE("uring: leave() cancels what is in flight; afterwards the driver works again") {
  ring_under_test d;
  if (!d) return;
  harness::pipe_ends pipe;
  char bytes[4][4] = {};
  std::deque<recorded> ops;
  for (auto& b : bytes) d->submit(ops.emplace_back(read_from(pipe.fd[0], b, 4)));
  d->wait(duration::zero());
  // One that would go on: it is refused, not started again.
  ops[0].argument = d.d.get();
  ops[0].then = [](recorded& op) {
    op.then = nullptr;
    CHECK(static_cast<driver*>(op.argument)->submit(op));
  };
  d->leave();
  CHECK(d->in_flight() == 0);
  for (auto& op : ops) {
    CHECK(op.completions == 1);
    CHECK(op.answer == -ECANCELED);
  }
  recorded nop;
  CHECK(perform(*d, nop) == 0);
}

TEST_CASE("uring: operations that the kernel does not know go through the cpu pool") {
  cpu_pool pool(1);
  detail::uring_driver d(pool);
  if (const int r = d.start(); r < 0)
    return support::skip(detail::uring_error(-r).message().c_str());
  d.forget_all_kinds();
  char name[] = "/tmp/penstock-uring-XXXXXX";
  const int fd = ::mkstemp(name);
  REQUIRE(fd >= 0);
  recorded write(operation_kind::write);
  write.fd = fd;
  write.address = name;
  write.length = 10;
  CHECK(perform(d, write) == 10);
  recorded truncate(operation_kind::truncate);
  truncate.fd = fd;
  truncate.extent = 4;
  CHECK(perform(d, truncate) == 0);
  char bytes[16] = {};
  recorded read(operation_kind::read);
  read.fd = fd;
  read.address = bytes;
  read.length = sizeof bytes;
  CHECK(perform(d, read) == 4);
  CHECK(d.stats().bytes_read == 4);
  CHECK(d.stats().bytes_written == 10);
  recorded close(operation_kind::close);
  close.fd = fd;
  CHECK(perform(d, close) == 0);
  recorded remove(operation_kind::remove);
  remove.fd = AT_FDCWD;
  remove.address = name;
  CHECK(perform(d, remove) == 0);
  CHECK(perform(d, remove) == -ENOENT);
  d.leave();
}
