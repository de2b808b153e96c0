// SPDX-License-Identifier: BSL-1.0
// An echo server on standalone Asio: its epoll reactor, its coroutines, one thread.
//
//   echo_asio PORT
#include <asio.hpp>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace {

using asio::awaitable;
using asio::use_awaitable;
using asio::ip::tcp;

awaitable<void> echo(tcp::socket peer) {
  char buffer[4096];
  try {
    peer.set_option(tcp::no_delay(true));
    for (;;) {
      const std::size_t n = co_await peer.async_read_some(asio::buffer(buffer), use_awaitable);
      co_await asio::async_write(peer, asio::buffer(buffer, n), use_awaitable);
    }
  } catch (const std::system_error&) {
    // The peer has ended.
  }
}

awaitable<void> serve(asio::io_context& loop, tcp::acceptor& acceptor) {
  for (;;) {
    tcp::socket peer = co_await acceptor.async_accept(use_awaitable);
    asio::co_spawn(loop, echo(std::move(peer)), asio::detached);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: echo_asio PORT\n", stderr);
    return 2;
  }
  asio::io_context loop(1);
  const auto port = static_cast<asio::ip::port_type>(std::atoi(argv[1]));
  tcp::acceptor acceptor(loop, {asio::ip::address_v4::loopback(), port});
  std::puts("ready");
  std::fflush(stdout);
  asio::co_spawn(loop, serve(loop, acceptor), asio::detached);
  loop.run();
}
