// SPDX-License-Identifier: BSL-1.0
// The subject of net.*: an echo server on one loop, written as a user writes it.
//
//   echo_penstock PORT [some|lease] [uring|reactor] [SPIN_US]
//
//   some   read_some into the session's own memory, write_all
//   lease  receive, which lends a buffer when bytes are there, and send
#include <penstock/core.hpp>
#include <penstock/io/tcp.hpp>
#include <penstock/runtime.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>

namespace {

using namespace penstock;

constexpr std::size_t in_frame = 512;   // what every session has
constexpr std::size_t at_most = 65536;  // what one that is busy gets

task<result<>> echo_leases(tcp_stream& peer) {
  for (;;) {
    buffer data = co_await ok(peer.receive());
    if (data.empty()) co_return {};
    co_await ok(peer.send(std::move(data)));
  }
}
task<result<>> echo_some(tcp_stream& peer) {
  std::array<std::byte, in_frame> memory;
  std::unique_ptr<std::byte[]> more;
  std::span<std::byte> room(memory);
  while (const std::size_t n = co_await ok(peer.read_some(room))) {
    co_await ok(peer.write_all(room.first(n)));
    if (n == room.size() && !more) {
      more = std::make_unique_for_overwrite<std::byte[]>(at_most);
      room = {more.get(), at_most};
    }
  }
  co_return {};
}
// The end of one is the end of this connection only.
task<> lease_session(tcp_stream peer) {
  const auto outcome = co_await echo_leases(peer);
  static_cast<void>(outcome);
}
task<> some_session(tcp_stream peer) {
  const auto outcome = co_await echo_some(peer);
  static_cast<void>(outcome);
}
task<result<>> serve(std::uint16_t port, bool leases) {
  const endpoint where("127.0.0.1", port);
  auto listener = co_await ok(tcp_listener::bind(where, {.backlog = 4096}));
  std::puts("ready");
  std::fflush(stdout);
  const auto accept_all = [&](task_group& group) -> task<result<>> {
    for (;;) {
      auto peer = co_await ok(listener.accept());
      if (leases)
        group.start(lease_session, std::move(peer));
      else
        group.start(some_session, std::move(peer));
    }
  };
  co_return co_await with_group(accept_all);
}

}  // namespace

int main(int argc, char** argv) {
  const auto word = [&](int i) { return std::string_view(i < argc ? argv[i] : ""); };
  if (argc < 2) {
    std::fputs("usage: echo_penstock PORT [some|lease] [uring|reactor] [SPIN_US]\n", stderr);
    return 2;
  }
  runtime_options options;
  options.driver = word(3) == "reactor" ? driver_kind::reactor : driver_kind::uring;
  if (argc > 4) options.spin = std::chrono::microseconds(std::atol(argv[4]));
  runtime rt(options);
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  const auto outcome = rt.run(serve(port, word(2) == "lease"));
  if (!outcome && outcome.error() != errc::canceled) {
    std::fprintf(stderr, "echo_penstock: %s\n", outcome.error().message().c_str());
    return 1;
  }
}
