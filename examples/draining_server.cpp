// A server that shuts down in order: it says goodbye to those that are connected and lets them
// finish. TCP and a UNIX socket, a limit of connections, an idle time, a session that throws.
// Run: draining_server; it talks to itself, and stops. With a PORT it serves until Ctrl-C.
// Change first: the limits below.
#include <penstock/base.hpp>
#include <penstock/core.hpp>
#include <penstock/io.hpp>
#include <penstock/runtime.hpp>
#include <penstock/sync.hpp>

#include <unistd.h>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>

using namespace penstock;
using namespace std::chrono_literals;

// [session]
struct service {
  event draining;         // set when it shuts down
  semaphore places{100};  // of connections; more wait in the kernel's backlog
  duration idle = 30s;
};

static task<result<>> say(byte_stream auto& peer, std::string_view text) {
  co_return co_await peer.write_all(std::as_bytes(std::span(text)));
}

// Answers until the peer ends, says nothing for too long, or the service drains.
static task<result<>> answer(byte_stream auto& peer, service& s) {
  for (;;) {
    // A receive that loses the race has taken nothing.
    auto first = co_await when_any(with_timeout(s.idle, peer.receive()), s.draining.wait());
    if (first.index == 1) co_return co_await say(peer, "goodbye\n");
    const buffer data = co_await ok(std::get<0>(std::move(first.value)));
    if (data.empty()) co_return {};
    if (data.text() == "fault\n") throw std::runtime_error("a fault in a session");
    const std::string reply = "you said " + std::string(data.text());
    co_await ok(say(peer, reply));
  }
}

// Owns its connection and its place. What goes wrong in it is its own affair: an exception or an
// error that left it would stop all others.
template <byte_stream Peer>
static task<> session(Peer peer, semaphore_permit, service& s) {
  try {
    auto outcome = co_await answer(peer, s);
    if (!outcome) std::fprintf(stderr, "%s\n", outcome.error().message().c_str());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "session: %s\n", e.what());
  }
}
// [/session]

// [serve]
static task<result<>> accept_all(auto& listener, service& s, task_group& sessions) {
  for (;;) {
    auto place = co_await ok(s.places.acquire());
    auto peer = co_await ok(listener.accept());
    sessions.start(session<decltype(peer)>, std::move(peer), std::move(place), std::ref(s));
  }
}

// A stop from outside ends the body at once: nobody is accepted any more, and the sessions are
// told. They have 10 s; what is left then is stopped.
static task<result<>> serve(tcp_listener& tcp, unix_listener& local, service& s) {
  const auto body = [&](task_group& sessions) -> task<result<>> {
    const scope_exit drain([&] { s.draining.set(); });
    co_await ok(when_all(accept_all(tcp, s, sessions), accept_all(local, s, sessions)));
    co_return {};
  };
  co_return co_await with_group({.grace = 10s}, body);
}
// [/serve]

static task<result<>> ask(byte_stream auto& server, std::string_view text) {
  co_await ok(say(server, text));
  const buffer answer = co_await ok(server.receive());
  std::printf("%.*s", static_cast<int>(answer.size()), answer.text().data());
  co_return {};
}

static task<result<>> visit(tcp_listener& tcp, std::string path, runtime& rt) {
  const endpoint where = co_await ok(tcp.local_endpoint());
  auto one = co_await ok(tcp_stream::connect(where));
  auto two = co_await ok(unix_stream::connect(path));
  co_await ok(ask(one, "hello\n"));
  co_await ok(ask(two, "hello there\n"));
  auto three = co_await ok(tcp_stream::connect(where));
  co_await ok(ask(three, "fault\n"));  // its session ends, the others do not notice
  rt.request_stop();                   // as Ctrl-C
  const auto last_words = [&]() -> task<result<>> {
    co_await ok(ask(one, ""));
    co_return co_await ask(two, "");
  };
  co_return co_await shield(last_words());
}

static task<result<>> demonstrate(tcp_listener& tcp, unix_listener& local, service& s,
                                  std::string path, runtime& rt) {
  auto [served, visited] = co_await when_all_settled(serve(tcp, local, s), visit(tcp, path, rt));
  co_return served ? visited : served;
}

int main(int argc, char** argv) {
  const auto port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0);
  const std::string path = "/tmp/penstock-draining-" + std::to_string(::getpid());
  const scope_exit remove([&] { ::unlink(path.c_str()); });
  auto tcp = tcp_listener::bind(endpoint{"127.0.0.1", port});
  auto local = unix_listener::bind(path, {.replace = true, .permissions = 0600});
  if (!tcp || !local) {
    std::fprintf(stderr, "%s\n", (tcp ? local.error() : tcp.error()).message().c_str());
    return 1;
  }
  service s;
  runtime rt;
  auto outcome =
      argc > 1 ? rt.run(serve(*tcp, *local, s)) : rt.run(demonstrate(*tcp, *local, s, path, rt));
  if (!outcome) std::fprintf(stderr, "%s\n", outcome.error().message().c_str());
  return outcome ? 0 : 1;
}

// Output:
// you said hello
// you said hello there
// goodbye
// goodbye
