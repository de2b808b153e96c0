// tests/meta/separate/separate_echo.cpp
// SPDX-License-Identifier: BSL-1.0

// One of the three units; see separate_main.cpp.
#include "separate.hpp"

#include <array>
#include <atomic>
#include <tuple>

using namespace penstock;

namespace {
task<result<>> answer(tcp_listener& listener) {
  auto peer = co_await ok(listener.accept());
  for (;;) {
    buffer data = co_await ok(peer.receive());
    if (data.empty()) co_return {};
    co_await ok(peer.send(std::move(data)));
  }
}
task<result<std::string>> ask(endpoint where, std::string text) {
  const std::array<endpoint, 1> addresses{where};
  auto server = co_await ok(tcp_stream::connect(addresses));
  co_await ok(server.write_all(std::as_bytes(std::span(text))));
  co_await ok(server.shutdown());
  std::string got;
  std::array<std::byte, 64> piece;
  while (const std::size_t n = co_await ok(server.read_some(piece)))
    got.append(reinterpret_cast<const char*>(piece.data()), n);
  co_return got;
}
}  // namespace

task<result<std::string>> talk(std::string text) {
  auto listener = co_await ok(tcp_listener::bind(endpoint("127.0.0.1", 0)));
  const endpoint where = co_await ok(listener.local_endpoint());
  auto both = co_await ok(when_all(ask(where, std::move(text)), answer(listener)));
  co_return std::move(std::get<0>(both));
}

task<result<>> nothing() {
  co_await yield();
  co_return {};
}

task<int> thread_number() {
  static std::atomic<int> last{0};
  thread_local const int number = ++last;
  co_return co_await offload([n = number] { return n; });
}
