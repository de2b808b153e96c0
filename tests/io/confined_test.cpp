// tests/io/confined_test.cpp
// SPDX-License-Identifier: BSL-1.0
// Sockets and files where io_uring is forbidden, in whole or in part, or memory may not be locked.

#include <penstock/io.hpp>

#include <penstock/runtime/detail/choose_driver.hpp>
#include <penstock/runtime/driver/detail/liburing.hpp>

#include <io/echo.hpp>
#include <support/child.hpp>
#include <support/forbid.hpp>
#include <support/skip.hpp>
#include <support/temporary_folder.hpp>

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <doctest/doctest.h>

using namespace penstock;
using sockets::bytes_of;
using support::temporary_folder;

namespace {
task<result<>> round_trips(std::string path) {
  auto tcp = co_await ok(sockets::connected());
  co_await ok(sockets::echo(tcp.here, tcp.there));
  auto local = co_await ok(unix_stream::pair());
  co_await ok(sockets::echo(local.first, local.second));
  auto listener = co_await ok(unix_listener::bind(path + ".socket"));
  auto here = co_await ok(unix_stream::connect(path + ".socket"));
  auto there = co_await ok(listener.accept());
  co_await ok(sockets::echo(here, there));
  file f = co_await ok(file::open(path, open_mode::read_write | open_mode::create));
  co_await ok(f.write_all(bytes_of("text")));
  std::array<std::byte, 8> some;
  const auto n = co_await ok(f.read_at(0, some));
  if (n != 4) co_return fail(errc::corrupt);
  co_return co_await f.close();
}
// Says on standard error which driver did it, and how it went. In a child.
int report(const std::string& path, driver_kind kind) {
  detail::said_fallback.store(false);  // perhaps the parent's
  runtime rt({.threads = 2, .driver = kind});
  const auto outcome = rt.run(round_trips(path));
  std::fprintf(stderr, "[%s] %s\n", std::string(rt.driver_name()).c_str(),
               outcome ? "fine" : outcome.error().message().c_str());
  return 0;
}
template <class Confine>
support::child_outcome report_when(Confine confine, driver_kind kind = driver_kind::automatic) {
  const temporary_folder folder;
  ::chmod(folder.path().c_str(), 0777);  // also for who gives his privileges up
  return support::in_child([&] {
    ::unsetenv("PENSTOCK_DRIVER");
    return confine() ? report(folder / "f", kind) : 77;
  });
}
std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}
bool has_uring() { return runtime({.driver = driver_kind::uring}).driver_name() == "uring"; }

// Nobody, who may lock no memory.
bool lock_nothing() {
  const rlimit none{0, 0};
  return ::setrlimit(RLIMIT_MEMLOCK, &none) == 0 && (::geteuid() != 0 || ::setuid(65'534) == 0);
}
// What this process, in a mount namespace of its own, reads as the setting of the system.
bool pretend_setting(const std::string& file) {
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount(file.c_str(), "/proc/sys/kernel/io_uring_disabled", nullptr, MS_BIND, nullptr) ==
             0;
}
}  // namespace

TEST_CASE("where io_uring is forbidden sockets and files work by the reactor, said once") {
  for (const int number : {EPERM, ENOSYS, ENOMEM, EOPNOTSUPP, EINVAL}) {
    CAPTURE(number);
    const auto forbidden = [&] { return support::forbid(SYS_io_uring_setup, number); };
    const auto child = report_when(forbidden);
    CHECK(child.status == 0);
    CHECK(count(child.output, "[reactor] fine\n") == 1);
    CHECK(count(child.output, "no io_uring") == 1);
    CHECK(count(child.output, "(errno " + std::to_string(number) + ", ") == 1);
    const auto strict = report_when(forbidden, driver_kind::uring);
    CHECK(strict.status == 0);
    const std::string start = "[none] start io_uring (errno " + std::to_string(number) + ", ";
    CHECK_MESSAGE(strict.output.starts_with(start), strict.output);
    const auto unused = report_when(forbidden, driver_kind::reactor);
    CHECK(unused.output == "[reactor] fine\n");
  }
}

TEST_CASE("a ring that may not be entered, or not say what it knows, is not used") {
  for (const long call : {SYS_io_uring_enter, SYS_io_uring_register}) {
    for (const int number : {EPERM, ENOSYS}) {
      CAPTURE(call);
      CAPTURE(number);
      const auto child = report_when([&] { return support::forbid(call, number); });
      CHECK(child.status == 0);
      CHECK(count(child.output, "[reactor] fine\n") == 1);
      CHECK(count(child.output, "no io_uring") == 1);
    }
  }
}

TEST_CASE("without one thing that io_uring_register offers sockets and files work by io_uring") {
  if (!has_uring()) return support::skip("no io_uring on this machine");
  for (const unsigned code : {IORING_REGISTER_PBUF_RING, IORING_UNREGISTER_PBUF_RING,
                              IORING_REGISTER_RING_FDS, IORING_UNREGISTER_RING_FDS}) {
    for (const int number : {EINVAL, EPERM, ENOMEM}) {
      CAPTURE(code);
      CAPTURE(number);
      const auto child =
          report_when([&] { return support::forbid_code(SYS_io_uring_register, code, number); },
                      driver_kind::uring);
      CHECK(child.status == 0);
      CHECK(child.output == "[uring] fine\n");
    }
  }
}

TEST_CASE("who may lock no memory has sockets and files, and strict io_uring or its reason") {
  const auto child = report_when(lock_nothing);
  if (child.status == 77) return support::skip("the limit of locked memory stays");
  CHECK(child.status == 0);
  CHECK(count(child.output, "] fine\n") == 1);
  const auto strict = report_when(lock_nothing, driver_kind::uring);
  CHECK(strict.status == 0);
  const bool clear = strict.output == "[uring] fine\n" ||
                     count(strict.output, "limit of locked memory is too low: ulimit -l is 0") == 1;
  CHECK_MESSAGE(clear, strict.output);
}

TEST_CASE("a system that disables io_uring is named as the reason") {
  const temporary_folder folder;
  for (const std::string setting : {"1", "2"}) {
    const auto file = folder.put(setting, setting + "\n");
    const auto child = report_when(
        [&] { return pretend_setting(file) && support::forbid(SYS_io_uring_setup, EPERM); });
    if (child.status == 77) return support::skip("mounting over a setting is not permitted");
    CHECK(child.status == 0);
    CHECK(count(child.output, "the setting kernel.io_uring_disabled is " + setting) == 1);
    CHECK(count(child.output, "[reactor] fine\n") == 1);
  }
}
