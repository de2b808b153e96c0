// An echo server: a task for each connection, a bounded time for those that are open when it stops.
// Without arguments it talks to itself on a free port.
// Run: echo_server [PORT]; then, for instance, nc 127.0.0.1 PORT; Ctrl-C ends it.
// Change first: the grace period in serve.
#include <penstock/core.hpp>
#include <penstock/io.hpp>
#include <penstock/runtime.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

using namespace penstock;
using namespace std::chrono_literals;

// [echo]
task<result<>> echo(tcp_stream& peer) {
  for (;;) {
    buffer data = co_await ok(peer.receive());  // a lease: an idle connection holds no buffer
    if (data.empty()) co_return {};             // the peer has ended
    co_await ok(peer.send(std::move(data)));
  }
}
// [/echo]

// [session]
task<> session(tcp_stream peer) {
  auto outcome = co_await echo(peer);
  if (!outcome) std::fprintf(stderr, "%s\n", outcome.error().message().c_str());
}

task<result<>> serve(tcp_listener& listener) {
  co_return co_await with_group({.grace = 2s}, [&](task_group& group) -> task<result<>> {
    for (;;) {
      auto peer = co_await ok(listener.accept());
      group.start(session, std::move(peer));
    }
  });
}
// [/session]

// [client]
task<result<std::string>> ask(endpoint where, std::string text) {
  auto server = co_await ok(tcp_stream::connect(where));
  co_await ok(server.write_all(std::as_bytes(std::span(text))));
  co_await ok(server.shutdown());  // the end of what we say
  std::string answer;
  std::array<std::byte, 64> piece;
  while (std::size_t n = co_await ok(server.read_some(piece)))
    answer.append(reinterpret_cast<const char*>(piece.data()), n);
  co_return answer;
}
// [/client]

task<result<>> talk_to_itself(tcp_listener& listener) {
  auto where = co_await ok(listener.local_endpoint());
  for (const char* text : {"hello", "is anybody there", "goodbye"}) {
    std::string answer = co_await ok(ask(where, text));
    std::printf("%s -> %s\n", text, answer.c_str());
  }
  co_return {};
}

task<result<>> demonstrate(tcp_listener& listener) {
  auto talked = co_await when_any(talk_to_itself(listener), serve(listener));
  co_return std::move(talked.value);
}

int main(int argc, char** argv) {
  const auto port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0);
  auto listener = tcp_listener::bind(endpoint{"127.0.0.1", port});
  if (!listener) {
    std::fprintf(stderr, "%s\n", listener.error().message().c_str());
    return 1;
  }
  runtime rt;  // SIGINT and SIGTERM request a stop
  auto outcome = argc > 1 ? rt.run(serve(*listener)) : rt.run(demonstrate(*listener));
  if (!outcome) {
    std::fprintf(stderr, "%s\n", outcome.error().message().c_str());
    return 1;
  }
}

// Output:
// hello -> hello
// is anybody there -> is anybody there
// goodbye -> goodbye
