// A chat relay: what one says, all others get. Each member has an outbox of its own, bounded: who
// reads too slowly is shown out and slows nobody down.
// Run: chat_relay [PORT]; without a port three members talk in this program.
// Change first: the capacity of an outbox.
#include <penstock/base.hpp>
#include <penstock/core.hpp>
#include <penstock/io.hpp>
#include <penstock/runtime.hpp>
#include <penstock/sync.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <memory>
#include <string>

using namespace penstock;

// [room]
using line = std::shared_ptr<const std::string>;  // one copy, however many read it

struct member {
  channel<line> outbox{64};
};

class room {
 public:
  void enter(member& m) { members_.push_back(&m); }
  void leave(member& m) { members_.remove(&m); }
  // Never waits: a full outbox is closed, which ends its member.
  void say(const member& from, std::string text) {
    const line l = std::make_shared<const std::string>(std::move(text));
    for (member* m : members_)
      if (m != &from && !m->outbox.try_send(l)) m->outbox.close();
  }
  std::size_t size() const { return members_.size(); }

 private:
  std::list<member*> members_;
};
// [/room]

// [session]
task<result<>> listen_to(tcp_stream& peer, room& r, member& m) {
  std::array<std::byte, 512> piece;
  while (std::size_t n = co_await ok(peer.read_some(piece)))
    r.say(m, std::string(reinterpret_cast<const char*>(piece.data()), n));
  co_return {};
}
task<result<>> talk_to(tcp_stream& peer, member& m) {
  while (auto l = co_await m.outbox.receive())
    co_await ok(peer.write_all(std::as_bytes(std::span(**l))));
  co_return {};
}

task<> session(tcp_stream peer, room& r) {
  member m;
  r.enter(m);
  scope_exit gone([&] { r.leave(m); });
  // Whichever ends first ends the other: it is cancelled and waited for.
  auto either = co_await when_any(listen_to(peer, r, m), talk_to(peer, m));
  if (!either.value) std::fprintf(stderr, "%s\n", either.value.error().message().c_str());
}
// [/session]

task<result<>> serve(tcp_listener& listener, room& r) {
  co_return co_await with_group([&](task_group& group) -> task<result<>> {
    for (;;) {
      auto peer = co_await ok(listener.accept());
      group.start(session, std::move(peer), std::ref(r));
    }
  });
}

task<result<std::string>> read(tcp_stream& s) {
  std::array<std::byte, 512> piece;
  const std::size_t n = co_await ok(s.read_some(piece));
  co_return std::string(reinterpret_cast<const char*>(piece.data()), n);
}

task<result<>> conversation(tcp_listener& listener, room& r) {
  const endpoint where = co_await ok(listener.local_endpoint());
  std::array<tcp_stream, 3> members;
  for (auto& m : members) m = co_await ok(tcp_stream::connect(where));
  while (r.size() < members.size()) co_await yield();
  const std::string hello = "hello all";
  co_await ok(members[0].write_all(std::as_bytes(std::span(hello))));
  for (int i : {1, 2}) {
    const std::string heard = co_await ok(read(members[static_cast<std::size_t>(i)]));
    std::printf("member %d heard: %s\n", i, heard.c_str());
  }
  for (auto& m : members) co_await ok(m.close());
  while (r.size() != 0) co_await yield();
  std::printf("the room is empty\n");
  co_return {};
}

task<result<>> demonstrate(tcp_listener& listener, room& r) {
  auto either = co_await when_any(conversation(listener, r), serve(listener, r));
  co_return std::move(either.value);
}

int main(int argc, char** argv) {
  const auto port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0);
  auto listener = tcp_listener::bind(endpoint{"127.0.0.1", port});
  result<> outcome;
  if (listener) {
    runtime rt;
    room r;
    outcome = argc > 1 ? rt.run(serve(*listener, r)) : rt.run(demonstrate(*listener, r));
  } else {
    outcome = fail(listener.error());
  }
  if (!outcome) std::fprintf(stderr, "%s\n", outcome.error().message().c_str());
  return outcome ? 0 : 1;
}

// Output:
// member 1 heard: hello all
// member 2 heard: hello all
// the room is empty
