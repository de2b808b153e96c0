// tests/fault/connection_churn_test.cpp
// SPDX-License-Identifier: BSL-1.0
// timeout: 120
//
// Connections that come and go, by the hundred thousand: no descriptor and no memory is lost.
#include <penstock/core.hpp>
#include <penstock/io.hpp>
#include <penstock/runtime.hpp>

#include <io/sockets.hpp>
#include <support/open_files.hpp>

#include <unistd.h>

#include <cstdio>
#include <string>

#include <doctest/doctest.h>

using namespace penstock;
using sockets::bytes_of;

namespace {
// Sanitizers are slow, and their own memory grows: they find leaks by themselves.
#if PENSTOCK_ASAN || PENSTOCK_TSAN
constexpr int cycles = 10'000;
constexpr long most_growth = 512 * 1024;
#else
constexpr int cycles = 100'000;
constexpr long most_growth = 1024;
#endif
constexpr int lanes = 16;

long resident_kib() {
  long total = 0, resident = 0;
  if (std::FILE* f = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(f, "%ld %ld", &total, &resident) != 2) resident = 0;
    std::fclose(f);
  }
  return resident * (::sysconf(_SC_PAGESIZE) / 1024);
}

// TCP: a reset ends each connection, else the ports would be in TIME_WAIT.
struct tcp {
  tcp_listener listener = must(tcp_listener::bind(endpoint("127.0.0.1", 0)));
  endpoint at = must(listener.local_endpoint());
  auto connect() { return tcp_stream::connect(at); }
  static result<> before_close(tcp_stream& s) { return s.reset_on_close(); }
};
struct by_path {
  std::string at = "@penstock-churn-" + std::to_string(::getpid());
  unix_listener listener = must(unix_listener::bind(at));
  auto connect() { return unix_stream::connect(at); }
  static result<> before_close(unix_stream&) { return {}; }
};

// Serves whatever the peer does, and until it is gone.
template <class Stream>
task<> session(Stream s, bool by_lease) {
  const auto talk = [&]() -> task<result<>> {
    std::array<std::byte, 16> some;
    for (;;) {
      if (by_lease) {
        buffer b = co_await ok(s.receive());
        if (b.empty()) co_return result<>{};
        co_await ok(s.send(std::move(b)));
      } else {
        const auto n = co_await ok(s.read_some(some));
        if (n == 0) co_return result<>{};
        co_await ok(s.write_all(std::span(some).first(n)));
      }
    }
  };
  static_cast<void>(co_await talk());  // the end, or a reset
}
template <class Kind>
task<result<>> visit(Kind& kind, int n) {
  std::array<std::byte, 4> some;
  for (int i = 0; i < n; ++i) {
    auto s = co_await ok(kind.connect());
    if (i % 4 != 0) {  // else it goes without a word
      co_await ok(s.write_all(bytes_of("ping")));
      const auto answered = co_await ok(s.read_some(some));
      if (answered == 0) co_return fail(errc::protocol_error);
    }
    co_await ok(Kind::before_close(s));
    if (i % 2 == 0) co_await ok(s.close());
  }
  co_return result<>{};
}
template <class Kind>
task<result<>> churn(Kind& kind, int total) {
  const auto serve = [&](task_group& sessions) -> task<result<>> {
    for (int i = 0; i < total; ++i) {
      auto s = co_await ok(kind.listener.accept());
      sessions.start(session(std::move(s), i % 2 != 0));
    }
    co_return result<>{};
  };
  const auto visitors = [&](task_group& all) -> task<result<>> {
    for (int i = 0; i < lanes; ++i) all.start(visit(kind, total / lanes));
    co_return result<>{};
  };
  auto both = co_await when_all(with_group(serve), with_group(visitors));
  if (!both) co_return fail(std::move(both.error()));
  co_return result<>{};
}

template <class Kind>
void stays_level(runtime& rt, int total) {
  Kind kind;
  const auto run = [&](int n) { sockets::run(rt, churn(kind, n / lanes * lanes)); };
  run(total / 5);
  const auto open = support::open_files();
  const long before = resident_kib();
  run(total - total / 5);
  const long growth = resident_kib() - before;
  CHECK(growth < most_growth);
  CHECK(support::open_files() == open);
  CHECK(rt.loop(0).io()->in_flight() == 0);
}
}  // namespace

TEST_CASE("connections that come and go leave no descriptor and no memory behind") {
  support::on_each_driver([](runtime& rt) {
    stays_level<tcp>(rt, cycles / 2);
    stays_level<by_path>(rt, cycles / 2);
  });
}
