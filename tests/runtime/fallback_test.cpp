// tests/runtime/fallback_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/runtime/runtime.hpp>

#include <penstock/core.hpp>
#include <penstock/runtime/detail/uring_reason.hpp>
#include <support/child.hpp>
#include <support/forbid.hpp>
#include <support/skip.hpp>

#include <sys/resource.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;

namespace {
// What a runtime does when `call` fails with `number`: the driver's name, "" when the run failed.
task<result<int>> work() {
  co_await sleep_for(1ms);
  co_return co_await offload([] { return 42; });
}
int report(runtime_options options) {
  runtime rt(options);
  const auto outcome = rt.run(work());
  const auto again = rt.run(work());
  std::fprintf(stderr, "[%s] %s\n", std::string(rt.driver_name()).c_str(),
               outcome ? "fine" : outcome.error().message().c_str());
  return outcome.has_value() == again.has_value() && (!outcome || *outcome == 42) ? 0 : 1;
}
support::child_outcome report_without(long call, int number, runtime_options options = {}) {
  return support::in_child([&] {
    ::unsetenv("PENSTOCK_DRIVER");
    return support::forbid(call, number) ? report(options) : 77;
  });
}
bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}
std::size_t count(const std::string& text, const char* part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}
}  // namespace

TEST_CASE("without io_uring the runtime falls back and says so once") {
  for (const int number : {EPERM, ENOSYS, ENOMEM, EOPNOTSUPP, EINVAL}) {
    CAPTURE(number);
    const auto child = report_without(SYS_io_uring_setup, number, {.threads = 2});
    CHECK(child.status == 0);
    CHECK(contains(child.output, "[reactor] fine"));
    CHECK(count(child.output, "no io_uring") == 1);
    CHECK(contains(child.output, ("errno " + std::to_string(number)).c_str()));
  }
}

TEST_CASE("a ring that can be made but not used is noticed by the first no-op") {
  for (const int number : {EPERM, ENOSYS}) {
    CAPTURE(number);
    const auto child = report_without(SYS_io_uring_enter, number);
    CHECK(child.status == 0);
    CHECK(contains(child.output, "[reactor] fine"));
  }
}

TEST_CASE("an io_uring that does not say what it knows is not used") {
  const auto child = report_without(SYS_io_uring_register, EPERM);
  CHECK(child.status == 0);
  CHECK(contains(child.output, "[reactor] fine"));
  CHECK(count(child.output, "forbids io_uring_register") == 1);
}

TEST_CASE("strict io_uring gives the errno and the likely reason") {
  runtime_options strict;
  strict.driver = driver_kind::uring;
  auto child = report_without(SYS_io_uring_setup, EPERM, strict);
  CHECK(child.status == 0);
  CHECK(contains(child.output, "[none] start io_uring (errno 1, "));
  CHECK(contains(child.output, "): Operation not permitted"));
  child = report_without(SYS_io_uring_setup, ENOSYS, strict);
  CHECK(contains(child.output, "seccomp profile of a container"));
  child = report_without(SYS_io_uring_setup, ENOMEM, strict);
  CHECK(contains(child.output, "start io_uring (errno 12, "));
}

TEST_CASE("a run whose result is no result throws what the driver's start said") {
  const auto child = support::in_child([] {
    if (!support::forbid(SYS_io_uring_setup, EPERM)) return 77;
    runtime rt({.driver = driver_kind::uring});
    try {
      rt.run(yield());
    } catch (const std::system_error& e) {
      return e.code() == std::errc::operation_not_permitted ? 0 : 2;
    }
    return 1;
  });
  CHECK(child.status == 0);
}

TEST_CASE("a second loop that gets no ring is the run's error") {
  if (PENSTOCK_ASAN) return support::skip("the sanitizer needs descriptors itself");
  const auto child = support::in_child([] {
    runtime probe({.driver = driver_kind::uring});
    if (probe.driver_name() != "uring") return 0;
    // The first loop's ring and eventfd fit, the second's do not.
    const int next = ::dup(0);
    rlimit limit{static_cast<rlim_t>(next) + 3, static_cast<rlim_t>(next) + 3};
    ::setrlimit(RLIMIT_NOFILE, &limit);
    return report({.threads = 3, .driver = driver_kind::uring});
  });
  CHECK(child.status == 0);
  CHECK(contains(child.output, "Too many open files"));
}

TEST_CASE("PENSTOCK_DRIVER decides where the program does not") {
  const auto with = [](const char* value, runtime_options options) {
    return support::in_child([&] {
      ::setenv("PENSTOCK_DRIVER", value, 1);
      return report(options);
    });
  };
  CHECK(contains(with("reactor", {}).output, "[reactor] fine"));
  CHECK(contains(with("nonsense", {}).output, "PENSTOCK_DRIVER 'nonsense': invalid option"));
  CHECK(contains(with("", {}).output, "] fine"));
  CHECK(contains(with("uring", {.driver = driver_kind::reactor}).output, "[reactor] fine"));
  CHECK_FALSE(contains(with("reactor", {.driver = driver_kind::uring}).output, "[reactor]"));
}

TEST_CASE("the reason follows errno and the setting") {
  CHECK(contains(detail::uring_reason(EPERM, 0), "seccomp"));
  CHECK(contains(detail::uring_reason(EPERM, 2), "kernel.io_uring_disabled is 2"));
  CHECK(contains(detail::uring_reason(EPERM, 1), "kernel.io_uring_group"));
  CHECK(contains(detail::uring_reason(ENOSYS, 0), "kernel"));
  CHECK(contains(detail::uring_reason(EMFILE, 0), "too many files"));
  CHECK(contains(detail::uring_reason(EINVAL, 0), "too old"));
  CHECK(contains(detail::uring_reason(EOPNOTSUPP, 0), "forbids io_uring_register"));
  CHECK(contains(detail::uring_reason(EIO, 0), "refused"));
}

TEST_CASE("the limit of open files is raised to the hard limit, with a message when that is low") {
  const auto limits = [](rlim_t soft, rlim_t hard) {
    return support::in_child([&] {
      rlimit limit{soft, hard};
      if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return 77;
      runtime a;
      runtime b;
      ::getrlimit(RLIMIT_NOFILE, &limit);
      return limit.rlim_cur == hard ? 0 : 1;
    });
  };
  const auto low = limits(256, 512);
  CHECK(low.status == 0);
  CHECK(count(low.output, "open files are limited to 512") == 1);
  const auto enough = limits(256, 5000);
  CHECK(enough.status == 0);
  CHECK(count(enough.output, "open files") == 0);
}
