// tests/io/old_kernel_test.cpp
// SPDX-License-Identifier: BSL-1.0
// Sockets and files over the io_uring of older kernels: what these lack is refused one by one.

#include <io/old_kernel.hpp>

#include <penstock/base/log.hpp>
#include <penstock/io.hpp>

#include <io/echo.hpp>
#include <io/sockets.hpp>
#include <support/skip.hpp>
#include <support/temporary_folder.hpp>

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;
using old_kernel::lacks;
using sockets::bytes_of;

namespace {
// Bytes that nobody takes end the send early.
template <class Op>
task<result<>> is_cut_off(Op op) {
  const auto late = co_await with_timeout(1ms, std::move(op));
  CHECK(late.error() == errc::timed_out);
  co_return result<>{};
}
// What is cut off loses nothing.
template <class Stream>
task<result<>> cancel(Stream& here, Stream& there) {
  std::array<std::byte, 8> some;
  std::array<std::span<std::byte>, 1> spans{some};
  const std::string much(4'000'000, 'x');
  co_await ok(is_cut_off(here.read_some(some)));
  co_await ok(is_cut_off(here.read_some(spans)));
  co_await ok(there.write_all(bytes_of("a")));
  auto n = co_await ok(here.read_some(some));
  CHECK(n == 1);
  co_await ok(is_cut_off(here.receive()));
  co_await ok(there.write_all(bytes_of("b")));
  const buffer lease = co_await ok(here.receive());
  CHECK(lease.text() == "b");
  co_await ok(is_cut_off(here.read_some(some)));
  co_await ok(there.write_all(bytes_of("c")));
  n = co_await ok(here.read_some(some));
  CHECK(n == 1);
  co_await ok(is_cut_off(there.write_all(bytes_of(much))));
  co_await ok(is_cut_off(there.send(buffer::copy_of(much))));
  co_await ok(here.close());
  co_return co_await there.close();
}
task<result<>> files(std::string path) {
  file f = co_await ok(file::open(path, open_mode::read_write | open_mode::create));
  co_await ok(f.write_all(bytes_of("some text")));
  co_await ok(f.fsync());
  co_await ok(f.truncate(4));
  std::array<std::byte, 16> some;
  const auto n = co_await ok(f.read_at(0, some));
  CHECK(n == 4);
  co_await ok(f.close());
  const auto there = co_await ok(stat_file(path));
  CHECK(there.size == 4);
  co_await ok(rename_file(path, path + "2"));
  co_await ok(make_directory(path));
  co_return co_await remove_file(path + "2");
}
task<result<>> everything(std::string path) {
  auto listener = co_await ok(tcp_listener::bind(endpoint("127.0.0.1", 0)));
  const endpoint at = co_await ok(listener.local_endpoint());
  co_await ok(is_cut_off(listener.accept()));
  tcp_stream here = co_await ok(tcp_stream::connect(at));
  tcp_stream there = co_await ok(listener.accept());
  // Else the system may grow it until it takes all of a write.
  CHECK(there.send_buffer_size(32'768));
  co_await ok(sockets::echo(here, there));
  co_await ok(cancel(here, there));
  auto pair = co_await ok(unix_stream::pair());
  std::array<std::byte, 8> some;
  const std::array<int, 1> sent{listener.native_handle()};
  co_await ok(is_cut_off(pair.first.receive_descriptors(some)));
  co_await ok(pair.second.send_descriptors(sent, bytes_of("x")));
  const auto got = co_await ok(pair.first.receive_descriptors(some));
  CHECK(got.descriptors.size() == 1);
  CHECK(pair.second.send_buffer_size(32'768));
  co_await ok(sockets::echo(pair.first, pair.second));
  co_await ok(cancel(pair.first, pair.second));
  co_return co_await files(path);
}
void check_all(runtime& rt) {
  const support::temporary_folder folder;
  for (int i = 0; i < 2; ++i) {
    const auto name = folder / std::to_string(i);
    sockets::run(rt, everything(name));
    CHECK(rt.loop(0).io()->in_flight() == 0);
  }
}
bool has_uring() { return runtime({.driver = driver_kind::uring}).driver_name() == "uring"; }
// With that kernel's io_uring all works, by io_uring.
void works_without(const lacks& what) {
  const std::string without = what.name;
  CAPTURE(without);
  const old_kernel::is old(what);
  runtime rt({.threads = 2, .driver = driver_kind::uring});
  REQUIRE(rt.driver_name() == "uring");
  CHECK((old_kernel::made_with & what.setup_flags) == 0);
  check_all(rt);
}
// That one is too old: the reactor does all.
void falls_back_without(const lacks& what) {
  const std::string without = what.name;
  CAPTURE(without);
  const old_kernel::is old(what);
  runtime strict({.driver = driver_kind::uring});
  const auto outcome = strict.run([]() -> task<result<>> { co_return result<>{}; }());
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().message().starts_with("start io_uring (errno "));
  CHECK(outcome.error().message().find("the kernel is too old") != std::string::npos);
  const log_level before = set_log_level(log_level::off);
  runtime rt;
  set_log_level(before);
  CHECK(rt.driver_name() == "reactor");
  check_all(rt);
}
}  // namespace

TEST_CASE("without each flag of the ring all works") {
  if (!has_uring()) return support::skip("no io_uring on this machine");
  constexpr unsigned deferred = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
  constexpr unsigned cooperative = deferred | IORING_SETUP_COOP_TASKRUN;
  works_without({.name = "this kernel"});
  works_without({.name = "DEFER_TASKRUN, Linux 6.1", .setup_flags = IORING_SETUP_DEFER_TASKRUN});
  works_without({.name = "SINGLE_ISSUER, 6.0", .setup_flags = deferred});
  works_without({.name = "COOP_TASKRUN, 5.19", .setup_flags = cooperative});
  works_without({.name = "TASKRUN_FLAG, 5.19", .setup_flags = IORING_SETUP_TASKRUN_FLAG});
  works_without({.name = "SUBMIT_ALL, 5.18", .setup_flags = IORING_SETUP_SUBMIT_ALL});
}

TEST_CASE("without each feature of receiving, sending and cancelling all works") {
  if (!has_uring()) return support::skip("no io_uring on this machine");
  works_without({.name = "REGISTER_PBUF_RING, 5.19", .buffer_rings = true});
  works_without({.name = "SEND_ZC_REPORT_USAGE, 6.2", .copy_reports = true});
  CHECK(old_kernel::refused > 0);
  works_without({.name = "SEND_ZC and multishot RECV, 6.0",
                 .operations = {IORING_OP_SEND_ZC},
                 .multishot_receive = true});
  CHECK(old_kernel::refused == 0);
  works_without({.name = "MSG_WAITALL of a send, 5.19", .whole_sends = true});
  works_without({.name = "a cancellation that finds all", .some_cancels = true});
  works_without({.name = "CANCEL_ANY, 5.19", .cancel_flags = true});
  CHECK(old_kernel::refused > 0);
  works_without({.name = "a wait with a timeout, 5.11", .features = IORING_FEAT_EXT_ARG});
}

TEST_CASE("without each operation on files all works") {
  if (!has_uring()) return support::skip("no io_uring on this machine");
  const int operations[] = {IORING_OP_OPENAT, IORING_OP_CLOSE,     IORING_OP_WRITE,
                            IORING_OP_FSYNC,  IORING_OP_FALLOCATE, detail::uring_op_ftruncate,
                            IORING_OP_STATX,  IORING_OP_RENAMEAT,  IORING_OP_UNLINKAT,
                            IORING_OP_MKDIRAT};
  for (const int operation : operations) {
    CAPTURE(operation);
    works_without({.name = "a file's operation", .operations = {operation}});
    CHECK(old_kernel::refused == 0);
  }
}

TEST_CASE("kernels whose io_uring lacks much at once") {
  if (!has_uring()) return support::skip("no io_uring on this machine");
  lacks much{.name = "Linux 5.19",
             .setup_flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
             .operations = {IORING_OP_SEND_ZC, detail::uring_op_ftruncate},
             .multishot_receive = true};
  works_without(much);
  much.name = "Linux 5.15";
  much.setup_flags |=
      IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL;
  much.buffer_rings = much.whole_sends = much.cancel_flags = true;
  works_without(much);
  much.name = "Linux 5.10";
  much.features = IORING_FEAT_EXT_ARG;
  for (const int o : {IORING_OP_RENAMEAT, IORING_OP_UNLINKAT, IORING_OP_MKDIRAT})
    much.operations.push_back(o);
  works_without(much);
}

TEST_CASE("an io_uring that lacks an operation on sockets, or does not say, is not used") {
  if (!has_uring()) return support::skip("no io_uring on this machine");
  for (const int operation :
       {IORING_OP_READ, IORING_OP_CONNECT, IORING_OP_ACCEPT, IORING_OP_RECV, IORING_OP_SEND,
        IORING_OP_RECVMSG, IORING_OP_SENDMSG, IORING_OP_POLL_ADD}) {
    CAPTURE(operation);
    falls_back_without({.name = "an operation on sockets", .operations = {operation}});
  }
  falls_back_without({.name = "a probe, 5.6", .probe = true});
  falls_back_without({.name = "CQSIZE, 5.5", .setup_flags = IORING_SETUP_CQSIZE});
  falls_back_without({.name = "NODROP, 5.5", .features = IORING_FEAT_NODROP});
}
