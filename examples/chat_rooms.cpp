// Chat rooms: who has joined a room gets what is said there, but not from oneself. Each has a
// mailbox of its own; who does not read is cut off, and slows nobody down. Run: chat_rooms [PORT];
// without a port four members talk in this program. Change first: the mailbox, and patience.
#include <penstock/core.hpp>
#include <penstock/io.hpp>
#include <penstock/runtime.hpp>
#include <penstock/sync.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

using namespace penstock;
using namespace std::chrono_literals;

using rooms = topics<std::string>;

constexpr subscriber_options mailbox{.capacity = 32, .when_full = slow_consumer::disconnect};
constexpr auto patience = 100ms;  // for a peer that does not read

std::span<const std::byte> bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

// [session]
// "+ROOM" joins, "-ROOM" leaves, "ROOM TEXT" says something there.
void obey(const std::string& line, rooms& all, rooms::subscriber& me) {
  const std::string rest = line.substr(1);
  const auto blank = line.find(' ');
  if (line[0] == '+')
    all.join(me, rest);
  else if (line[0] == '-')
    all.leave(me, rest);
  else if (blank != line.npos)
    (void)all.publish(line.substr(0, blank), line + '\n', {.except = &me});
}
task<result<>> listen_to(tcp_stream& peer, rooms& all, rooms::subscriber& me) {
  std::array<std::byte, 4096> piece;
  std::string text;
  while (const std::size_t n = co_await ok(peer.read_some(piece))) {
    text.append(reinterpret_cast<const char*>(piece.data()), n);
    for (std::size_t end; (end = text.find('\n')) != text.npos; text.erase(0, end + 1))
      if (end != 0) obey(text.substr(0, end), all, me);
    if (text.size() > 65536) co_return fail(errc::protocol_error, "chat", "a line without end");
  }
  co_return {};
}
task<result<>> talk_to(tcp_stream& peer, rooms::subscriber& me) {
  while (auto message = co_await me.receive())
    co_await ok(with_timeout(patience, peer.write_all(bytes(**message))));
  co_return {};
}
task<> session(tcp_stream peer, rooms& all) {
  auto me = all.subscribe(mailbox);  // leaves all rooms when this ends
  auto either = co_await when_any(listen_to(peer, all, me), talk_to(peer, me));
  if (me.closed() || !either.value) std::puts("one was cut off");
}
// [/session]

task<result<>> serve(tcp_listener& listener, rooms& all) {
  co_return co_await with_group([&](task_group& group) -> task<result<>> {
    for (;;) {
      auto peer = co_await ok(listener.accept());
      group.start(session, std::move(peer), std::ref(all));
    }
  });
}

// Reads so many lines and gives the last.
task<result<std::string>> hear(tcp_stream& s, int lines) {
  std::array<std::byte, 4096> piece;
  std::string text, last;
  while (lines > 0) {
    const std::size_t n = co_await ok(s.read_some(piece));
    if (n == 0) co_return fail(errc::closed, "hear");
    text.append(reinterpret_cast<const char*>(piece.data()), n);
    for (std::size_t end; lines > 0 && (end = text.find('\n')) != text.npos; --lines) {
      last = text.substr(0, end);
      text.erase(0, end + 1);
    }
  }
  co_return last;
}

task<result<>> conversation(tcp_listener& listener, rooms& all) {
  const endpoint where = co_await ok(listener.local_endpoint());
  auto ann = co_await ok(tcp_stream::connect(where));
  auto bob = co_await ok(tcp_stream::connect(where));
  auto eve = co_await ok(tcp_stream::connect(where, {.receive_buffer_size = 4096}));
  co_await ok(bob.write_all(bytes("+kitchen\n+lobby\n")));
  co_await ok(eve.write_all(bytes("+lobby\n")));
  while (all.members("lobby") < 2 || all.members("kitchen") < 1) co_await yield();

  co_await ok(ann.write_all(bytes("kitchen the tea is ready\n")));
  const std::string heard = co_await ok(hear(bob, 1));
  std::printf("bob heard: %s\n", heard.c_str());

  // Eve does not read. Bob hears all the same, at once.
  const std::string speech = "lobby " + std::string(30'000, '.') + '\n';
  int said = 0;
  for (; all.members("lobby") == 2; ++said) {
    co_await ok(ann.write_all(bytes(speech)));
    (void)co_await ok(hear(bob, 1));
  }
  std::printf("eve is out after %s, bob has heard all\n", said > 1 ? "a while" : "no time");
  co_return {};
}

task<result<>> demonstrate(tcp_listener& listener, rooms& all) {
  auto either = co_await when_any(conversation(listener, all), serve(listener, all));
  co_return std::move(either.value);
}

int main(int argc, char** argv) {
  const auto port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0);
  auto listener = tcp_listener::bind(endpoint{"127.0.0.1", port}, {.send_buffer_size = 4096});
  if (!listener) return std::fprintf(stderr, "%s\n", listener.error().message().c_str()), 1;
  runtime rt;
  rooms all;
  const auto outcome =
      argc > 1 ? rt.run(serve(*listener, all)) : rt.run(demonstrate(*listener, all));
  if (!outcome) std::fprintf(stderr, "%s\n", outcome.error().message().c_str());
  return outcome ? 0 : 1;
}

// Output:
// bob heard: kitchen the tea is ready
// ...
// eve is out after a while, bob has heard all
