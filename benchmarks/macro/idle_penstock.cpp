// SPDX-License-Identifier: BSL-1.0
// The subject of runtime.idle: two loops that wait: each for a connection, for an event that nobody
// sets, and for the end of an hour.
//
//   idle_penstock PORT [uring|reactor]
#include <penstock/core.hpp>
#include <penstock/io/tcp.hpp>
#include <penstock/runtime.hpp>
#include <penstock/sync/event.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace {

using namespace penstock;

constexpr unsigned loops = 2;
std::atomic<unsigned> waiting{0};

task<> one_hour() { co_await sleep_for(std::chrono::hours(1)); }
task<result<>> accept_all(tcp_listener& listener) {
  for (;;) {
    auto peer = co_await ok(listener.accept());
    static_cast<void>(peer);
  }
}
task<result<>> serve(std::uint16_t port) {
  const endpoint where("127.0.0.1", port);
  auto listener = co_await ok(tcp_listener::bind(where, {.reuse_port = true}));
  event never;
  auto body = [&](task_group& group) -> task<result<>> {
    group.start(one_hour());
    group.start(accept_all(listener));
    co_await yield();
    if (++waiting == loops) {
      std::puts("ready");
      std::fflush(stdout);
    }
    co_await never.wait();
    co_return {};
  };
  co_return co_await with_group(body);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: idle_penstock PORT [uring|reactor]\n", stderr);
    return 2;
  }
  const bool reactor = argc > 2 && std::string_view(argv[2]) == "reactor";
  runtime rt({.threads = loops, .driver = reactor ? driver_kind::reactor : driver_kind::uring});
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  const auto outcome = rt.run_on_each_loop([port] { return serve(port); });
  if (!outcome && outcome.error() != errc::canceled) {
    std::fprintf(stderr, "idle_penstock: %s\n", outcome.error().message().c_str());
    return 1;
  }
}
