// tests/runtime/reactor_socket_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/runtime/driver/reactor.hpp>

#include <penstock/runtime/driver/detail/reactor_driver.hpp>
#include <penstock/test/allocation_counter.hpp>
#include <runtime/driver_harness.hpp>
#include <runtime/socket_ends.hpp>
#include <support/child.hpp>

#include <csignal>
#include <deque>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/un.h>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;
using harness::complete;
using harness::local_pair;
using harness::look;
using harness::numbered;
using harness::on;
using harness::perform;
using harness::receive;
using harness::receive_lease;
using harness::recorded;
using harness::send;
using harness::tcp_listener;
using harness::tcp_pair;

namespace {
constexpr duration for_ever = (duration::max)();

struct under_test {
  explicit under_test(driver_options options = {}) : pool(1) {
    auto made = make_reactor_driver(pool, options);
    REQUIRE(made);
    d = std::move(*made);
  }
  ~under_test() {
    if (d) d->leave();
  }
  driver* operator->() const { return d.get(); }
  driver& operator*() const { return *d; }
  cpu_pool pool;
  std::unique_ptr<driver> d;
};

lease_slot& slot_of(const operation& op) { return *static_cast<lease_slot*>(op.other); }
std::string text_of(const operation& op) { return std::string(slot_of(op).lend().text()); }

// Sends `text` with a descriptor beside it.
bool pass(const numbered& s, std::string_view text, int fd) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  iovec part{const_cast<char*>(text.data()), text.size()};
  msghdr m{};
  m.msg_iov = &part;
  m.msg_iovlen = 1;
  m.msg_control = control;
  m.msg_controllen = sizeof control;
  cmsghdr* const c = CMSG_FIRSTHDR(&m);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(c), &fd, sizeof fd);
  return ::sendmsg(s.fd, &m, MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}
}  // namespace

TEST_CASE("reactor sockets: a receive waits for bytes, and has what came meanwhile at once") {
  under_test d;
  tcp_pair ends;
  char got[4] = {};
  recorded op = receive(ends.a, got, 4);
  CHECK_FALSE(d->submit(op));
  CHECK(d->in_flight() == 1);
  look(*d);
  CHECK(op.completions == 0);
  REQUIRE(ends.b.put("12345678"));
  CHECK(complete(*d, op) == 4);
  CHECK(std::string(got, 4) == "1234");
  REQUIRE(d->submit(op));  // a full buffer says nothing about the rest
  CHECK(std::string(got, 4) == "5678");
  CHECK(op.completions == 1);
  CHECK(d->in_flight() == 0);
  CHECK(d->stats().bytes_received == 8);
  CHECK(d->stats().submitted == 2);
  CHECK(d->stats().completed == 2);
}

TEST_CASE("reactor sockets: after a short receive no system call is made until more has come") {
  under_test d;
  tcp_pair ends;
  char got[16];
  recorded op = receive(ends.a, got, sizeof got);
  REQUIRE_FALSE(d->submit(op));
  for (int i = 0; i < 10; ++i) {
    REQUIRE(ends.b.put("short"));
    const auto calls = d->stats().system_calls;
    op.completions = 0;
    CHECK(complete(*d, op) == 5);
    CHECK_FALSE(d->submit(op));
    CHECK(d->stats().system_calls - calls == 2);  // epoll, recv
  }
  d->leave();
}

TEST_CASE("reactor sockets: what ends early without being the last is not taken for it") {
  under_test d;
  char got[16];
  SUBCASE("datagrams") {
    local_pair ends(SOCK_DGRAM);
    recorded op = receive(ends.a, got, sizeof got);
    d->submit(op);
    REQUIRE(ends.b.put("one"));
    REQUIRE(ends.b.put("two"));
    CHECK(complete(*d, op) == 3);
    CHECK(d->submit(op));
    CHECK(std::string(got, 3) == "two");
  }
  SUBCASE("bytes that came with a descriptor") {
    local_pair ends;
    recorded op = receive(ends.a, got, sizeof got);
    d->submit(op);
    REQUIRE(pass(ends.b, "one", 1));
    REQUIRE(pass(ends.b, "two", 1));
    CHECK(complete(*d, op) == 3);
    CHECK(d->submit(op));
    CHECK(std::string(got, 3) == "two");
  }
  SUBCASE("bytes before an urgent one") {
    tcp_pair ends;
    recorded op = receive(ends.a, got, sizeof got);
    REQUIRE(ends.b.put("one"));
    REQUIRE(::send(ends.b.fd, "!", 1, MSG_OOB) == 1);
    REQUIRE(ends.b.put("two"));
    std::string all;
    while (all.size() < 6) {
      op.completions = 0;
      const int n = perform(*d, op);
      REQUIRE(n > 0);
      all.append(got, static_cast<std::size_t>(n));
    }
    CHECK(all == "onetwo");
  }
}

TEST_CASE("reactor sockets: the end and a reset are answers") {
  under_test d;
  char got[16];
  SUBCASE("the end, while it waits and afterwards") {
    tcp_pair ends;
    recorded op = receive(ends.a, got, sizeof got);
    d->submit(op);
    ends.b.shut();
    CHECK(complete(*d, op) == 0);
    CHECK(d->submit(op));
    CHECK(op.answer == 0);
  }
  SUBCASE("the end behind bytes") {
    tcp_pair ends;
    recorded op = receive(ends.a, got, sizeof got);
    d->submit(op);
    REQUIRE(ends.b.put("last"));
    ends.b.shut();
    CHECK(complete(*d, op) == 4);
    op.completions = 0;
    CHECK(perform(*d, op) == 0);
  }
  SUBCASE("a reset ends a receive and a send that wait") {
    tcp_pair ends(true);
    recorded in = receive(ends.a, got, sizeof got);
    d->submit(in);
    const std::string much(std::size_t{8} << 20, 'x');
    recorded out = send(ends.a, much);
    REQUIRE_FALSE(d->submit(out));
    harness::reset(ends.b);
    complete(*d, in);
    complete(*d, out);
    CHECK(out.answer > 0);  // what went before
    CHECK(out.answer < static_cast<int>(much.size()));
    recorded next = send(ends.a, "x");
    CHECK(d->submit(next));
    CHECK((next.answer == -EPIPE || next.answer == -ECONNRESET));
    CHECK((in.answer == -ECONNRESET || in.answer == -EPIPE || in.answer == 0));
  }
  SUBCASE("shutting down here ends a receive that waits") {
    tcp_pair ends;
    recorded op = receive(ends.a, got, sizeof got);
    d->submit(op);
    look(*d);
    REQUIRE(::shutdown(ends.a.fd, SHUT_RDWR) == 0);
    CHECK(complete(*d, op) == 0);
  }
  SUBCASE("a send to nobody is an error, not a signal") {
    local_pair ends;
    ends.b.shut();
    recorded op = send(ends.a, "x");
    CHECK(d->submit(op));
    CHECK(op.answer == -EPIPE);
  }
}

TEST_CASE("reactor sockets: a send gives all of its bytes to a peer that begins to read") {
  under_test d;
  tcp_pair ends(true);
  std::string much;
  for (int i = 0; much.size() < std::size_t{4} << 20; ++i) much += std::to_string(i);
  recorded op = send(ends.a, much);
  REQUIRE_FALSE(d->submit(op));
  CHECK(op.length == much.size());  // the request stays as it is
  std::string got;
  while (op.completions == 0) {
    got += ends.b.text(1 << 16);
    look(*d);
  }
  CHECK(op.answer == static_cast<int>(much.size()));
  while (got.size() < much.size()) got += ends.b.text(1 << 16);
  CHECK(got == much);
  CHECK(d->stats().bytes_sent == much.size());
  recorded small = send(ends.a, "at once");
  CHECK(d->submit(small));
  CHECK(small.answer == 7);
  recorded nothing = send(ends.a, "");
  CHECK(d->submit(nothing));
  CHECK(nothing.answer == 0);
}

TEST_CASE("reactor sockets: both directions of a socket wait at once") {
  under_test d;
  local_pair ends;
  const std::string much(std::size_t{2} << 20, 'x');
  char got[8];
  recorded in = receive(ends.a, got, sizeof got);
  recorded out = send(ends.a, much);
  REQUIRE_FALSE(d->submit(in));
  REQUIRE_FALSE(d->submit(out));
  REQUIRE(ends.b.put("text"));
  CHECK(complete(*d, in) == 4);
  CHECK(out.completions == 0);
  while (out.completions == 0) {
    ends.b.text(1 << 16);
    look(*d);
  }
  CHECK(out.answer == static_cast<int>(much.size()));
}

TEST_CASE("reactor sockets: what is cancelled completes in a later wait, which does not sleep") {
  under_test d;
  tcp_pair ends(true);
  const auto cancel_parked = [&](recorded& op) {
    REQUIRE_FALSE(d->submit(op));
    look(*d);
    d->cancel(op);
    d->cancel(op);
    CHECK(op.completions == 0);
    d->wait(for_ever);
    CHECK(op.completions == 1);
    d->cancel(op);  // over: nothing happens
    look(*d);
    CHECK(op.completions == 1);
    CHECK(d->in_flight() == 0);
    return op.answer;
  };
  char got[8];
  SUBCASE("receive, and the bytes stay") {
    recorded op = receive(ends.a, got, sizeof got);
    CHECK(cancel_parked(op) == -ECANCELED);
    REQUIRE(ends.b.put("text"));
    CHECK(perform(*d, op) == 4);
  }
  SUBCASE("receive, when the bytes are there but were not seen") {
    recorded op = receive(ends.a, got, sizeof got);
    REQUIRE_FALSE(d->submit(op));
    REQUIRE(ends.b.put("text"));
    d->cancel(op);
    CHECK(complete(*d, op) == -ECANCELED);
    CHECK(perform(*d, op) == 4);
  }
  SUBCASE("send, with what it has sent") {
    local_pair full;
    const std::string much(std::size_t{8} << 20, 'x');
    recorded op = send(full.a, much);
    const int sent = cancel_parked(op);
    CHECK(sent > 0);
    recorded second = send(full.a, much);
    CHECK(cancel_parked(second) == -ECANCELED);
    std::size_t n = 0;
    while (n < static_cast<std::size_t>(sent)) n += full.b.text(1 << 16).size();
    CHECK(n == static_cast<std::size_t>(sent));
  }
  SUBCASE("accept, and the connection stays for the next one") {
    tcp_listener l;
    recorded op = on(l, operation_kind::accept);
    CHECK(cancel_parked(op) == -ECANCELED);
    numbered client(::socket(AF_INET, SOCK_STREAM, 0));
    REQUIRE(::connect(client.fd, l.name(), sizeof l.address) == 0);
    const numbered accepted(perform(*d, op));
    CHECK(accepted.fd >= 0);
  }
  SUBCASE("connect to somebody who does not answer") {
    tcp_listener l(0);
    std::deque<numbered> clients(3);
    recorded op = on(l, operation_kind::connect, l.name(), sizeof l.address);
    for (numbered& c : clients) {  // until the queue of the listener is full
      c.become(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
      ::connect(c.fd, l.name(), sizeof l.address);
    }
    numbered last(::socket(AF_INET, SOCK_STREAM, 0));
    op.fd = last.fd;
    op.offset = last.number;
    CHECK(cancel_parked(op) == -ECANCELED);
  }
  SUBCASE("messages") {
    msghdr m{};
    iovec part{got, sizeof got};
    m.msg_iov = &part;
    m.msg_iovlen = 1;
    recorded op = on(ends.a, operation_kind::receive_message, &m);
    CHECK(cancel_parked(op) == -ECANCELED);
  }
  SUBCASE("poll for both directions") {
    local_pair full;
    while (::send(full.a.fd, "0123456789", 10, MSG_DONTWAIT) > 0) {
    }
    recorded op = harness::poll(full.a, POLLIN | POLLOUT);
    CHECK(cancel_parked(op) == -ECANCELED);
  }
  SUBCASE("receive_lease") {
    recorded op = receive_lease(ends.a);
    CHECK(cancel_parked(op) == -ECANCELED);
    CHECK(op.other == nullptr);
  }
  SUBCASE("by a completion: in the wait after") {
    local_pair other;
    recorded victim = receive(other.a, got, sizeof got);
    recorded op = receive(ends.a, got, sizeof got);
    struct both {
      driver* d;
      recorded* victim;
    } both{d.d.get(), &victim};
    op.argument = &both;
    op.then = [](recorded& self) {
      auto& b = *static_cast<struct both*>(self.argument);
      b.d->cancel(*b.victim);
      CHECK(b.victim->completions == 0);
    };
    REQUIRE_FALSE(d->submit(victim));
    REQUIRE_FALSE(d->submit(op));
    REQUIRE(ends.b.put("text"));
    CHECK(complete(*d, op) == 4);
    CHECK(victim.completions == 0);
    d->wait(for_ever);
    CHECK(victim.completions == 1);
  }
}

TEST_CASE("reactor sockets: connections are accepted, those that wait and those that come") {
  under_test d;
  tcp_listener l;
  sockaddr_in peer{};
  socklen_t size = sizeof peer;
  recorded op = on(l, operation_kind::accept, &peer);
  op.other = &size;
  op.flags = SOCK_CLOEXEC;
  std::deque<numbered> clients;
  const auto connect_one = [&] {
    clients.emplace_back(::socket(AF_INET, SOCK_STREAM, 0));
    REQUIRE(::connect(clients.back().fd, l.name(), sizeof l.address) == 0);
  };
  CHECK_FALSE(d->submit(op));
  look(*d);
  for (int i = 0; i < 3; ++i) connect_one();
  numbered first(complete(*d, op));
  REQUIRE(first.fd >= 0);
  CHECK(::fcntl(first.fd, F_GETFD) == FD_CLOEXEC);
  CHECK(size == sizeof peer);
  CHECK(peer.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
  op.address = nullptr;
  op.other = nullptr;
  op.flags = 0;
  for (int i = 0; i < 2; ++i) {
    REQUIRE(d->submit(op));
    numbered next(op.answer);
    CHECK(next.fd >= 0);
    CHECK(::fcntl(next.fd, F_GETFD) == 0);
  }
  CHECK_FALSE(d->submit(op));  // the listener does not block
  connect_one();
  op.completions = 0;
  const numbered last(complete(*d, op));
  CHECK(last.fd >= 0);
}

TEST_CASE("reactor sockets: an accept without a free descriptor is an error, and works later") {
  under_test d;
  tcp_listener l;
  numbered client(::socket(AF_INET, SOCK_STREAM, 0));
  REQUIRE(::connect(client.fd, l.name(), sizeof l.address) == 0);
  recorded op = on(l, operation_kind::accept);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE_FALSE(d->submit(op));
  rlimit none = before;
  none.rlim_cur = 0;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  complete(*d, op);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(op.answer == -EMFILE);
  op.completions = 0;
  const numbered accepted(perform(*d, op));
  CHECK(accepted.fd >= 0);
}

TEST_CASE("reactor sockets: connecting waits for the peer's answer") {
  under_test d;
  tcp_listener l;
  SUBCASE("somebody listens") {
    numbered s(::socket(AF_INET, SOCK_STREAM, 0));
    recorded op = on(s, operation_kind::connect, l.name(), sizeof l.address);
    CHECK(perform(*d, op) == 0);
    numbered peer(::accept(l.fd, nullptr, nullptr));
    recorded out = send(s, "text");
    CHECK(perform(*d, out) == 4);
    CHECK(peer.text() == "text");
    CHECK(d->submit(op));
    CHECK(op.answer == -EISCONN);
  }
  SUBCASE("nobody listens, then somebody does") {
    sockaddr_in nobody = l.address;
    const auto address = l.address;
    l.shut();
    numbered s(::socket(AF_INET, SOCK_STREAM, 0));
    recorded op = on(s, operation_kind::connect, &nobody, sizeof nobody);
    CHECK(perform(*d, op) == -ECONNREFUSED);
    look(*d);
    tcp_listener other;
    op.address = other.name();
    op.completions = 0;
    CHECK(perform(*d, op) == 0);
    CHECK(address.sin_port != other.address.sin_port);
  }
  SUBCASE("an old event is not taken for the answer") {
    // Not connected, the socket is reported as hung up: in the batch in which connecting begins.
    tcp_listener full(0);
    std::deque<numbered> clients(3);
    for (numbered& c : clients) {
      c.become(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
      ::connect(c.fd, full.name(), sizeof full.address);
    }
    local_pair first;
    numbered s(::socket(AF_INET, SOCK_STREAM, 0));
    char got[8];
    recorded begins = receive(first.a, got, sizeof got);
    recorded op = on(s, operation_kind::connect, full.name(), sizeof full.address);
    recorded registers = harness::poll(s, POLLPRI);
    struct context {
      driver* d;
      recorded* op;
    } context{d.d.get(), &op};
    begins.argument = &context;
    begins.then = [](recorded& self) {
      auto& c = *static_cast<struct context*>(self.argument);
      CHECK_FALSE(c.d->submit(*c.op));
    };
    REQUIRE_FALSE(d->submit(begins));
    REQUIRE(first.b.put("text"));
    CHECK(d->submit(registers));  // hung up
    CHECK(complete(*d, begins) == 4);
    look(*d);
    CHECK(op.completions == 0);
    d->cancel(op);
    CHECK(complete(*d, op) == -ECANCELED);
  }
  SUBCASE("a local socket: at once, or not at all when too many wait") {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    numbered listener(::socket(AF_UNIX, SOCK_STREAM, 0));
    // The kernel finds a name.
    REQUIRE(::bind(listener.fd, reinterpret_cast<sockaddr*>(&name), sizeof(sa_family_t)) == 0);
    socklen_t size = sizeof name;
    REQUIRE(::getsockname(listener.fd, reinterpret_cast<sockaddr*>(&name), &size) == 0);
    REQUIRE(::listen(listener.fd, 0) == 0);
    numbered s(::socket(AF_UNIX, SOCK_STREAM, 0)), late(::socket(AF_UNIX, SOCK_STREAM, 0));
    recorded op = on(s, operation_kind::connect, &name, size);
    CHECK(d->submit(op));
    CHECK(op.answer == 0);
    recorded refused = on(late, operation_kind::connect, &name, size);
    CHECK(d->submit(refused));
    CHECK(refused.answer == -EAGAIN);
  }
}

TEST_CASE("reactor sockets: messages carry descriptors, and wait like bytes") {
  under_test d;
  local_pair ends;
  harness::pipe_ends pipe;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  char text[8];
  iovec part{text, sizeof text};
  msghdr m{};
  m.msg_iov = &part;
  m.msg_iovlen = 1;
  m.msg_control = control;
  m.msg_controllen = sizeof control;
  recorded in = on(ends.a, operation_kind::receive_message, &m);
  in.flags = MSG_CMSG_CLOEXEC;
  CHECK_FALSE(d->submit(in));
  REQUIRE(pass(ends.b, "fd", pipe.fd[1]));
  CHECK(complete(*d, in) == 2);
  cmsghdr* const c = CMSG_FIRSTHDR(&m);
  REQUIRE(c != nullptr);
  numbered got;
  std::memcpy(&got.fd, CMSG_DATA(c), sizeof got.fd);
  CHECK(::fcntl(got.fd, F_GETFD) == FD_CLOEXEC);

  const std::string much(std::size_t{1} << 20, 'x');
  iovec big{const_cast<char*>(much.data()), much.size()};
  msghdr all{};
  all.msg_iov = &big;
  all.msg_iovlen = 1;
  recorded out = on(ends.a, operation_kind::send_message, &all);
  REQUIRE(d->submit(out));
  CHECK(out.answer > 0);
  CHECK(out.answer < static_cast<int>(much.size()));
  CHECK_FALSE(d->submit(out));
  std::size_t n = 0;
  while (out.completions == 0) {
    n += ends.b.text(1 << 16).size();
    look(*d);
  }
  CHECK(out.answer > 0);
  CHECK(n > 0);
  ends.b.shut();
  out.completions = 0;
  CHECK(perform(*d, out) == -EPIPE);
}

TEST_CASE("reactor sockets: bytes come in a buffer that the driver lends") {
  under_test d({.receive_buffers = 4, .receive_buffer_size = 64});
  tcp_pair ends;
  recorded op = receive_lease(ends.a);
  CHECK_FALSE(d->submit(op));
  REQUIRE(ends.b.put("parked"));
  CHECK(complete(*d, op) == 6);
  CHECK_FALSE(op.more);
  CHECK(op.address == slot_of(op).bytes);
  CHECK(text_of(op) == "parked");
  REQUIRE(ends.b.put(std::string(100, 'x')));
  op.completions = 0;
  CHECK(perform(*d, op) == 64);
  CHECK(text_of(op) == std::string(64, 'x'));
  CHECK(d->submit(op));
  CHECK(op.answer == 36);
  CHECK(text_of(op) == std::string(36, 'x'));
  CHECK(d->stats().bytes_received == 106);
  SUBCASE("the end has none") {
    ends.b.shut();
    op.completions = 0;
    CHECK(perform(*d, op) == 0);
    CHECK(op.other == nullptr);
  }
  SUBCASE("an error has none") {
    harness::reset(ends.b);
    op.completions = 0;
    CHECK(perform(*d, op) == -ECONNRESET);
    CHECK(op.other == nullptr);
  }
  CHECK(d->stats().starved == 0);
}

TEST_CASE("reactor sockets: who finds no buffer waits for one, first come first served") {
  under_test d({.receive_buffers = 2, .receive_buffer_size = 64});
  std::deque<tcp_pair> pairs(4);
  std::deque<recorded> ops;
  for (tcp_pair& p : pairs) {
    ops.push_back(receive_lease(p.a));
    REQUIRE_FALSE(d->submit(ops.back()));
    REQUIRE(p.b.put("text"));
    look(*d);
  }
  CHECK(ops[0].answer == 4);
  CHECK(ops[1].answer == 4);
  CHECK(d->stats().starved == 2);
  CHECK(ops[2].completions == 0);
  std::optional<buffer> first = slot_of(ops[0]).lend(), second = slot_of(ops[1]).lend();
  SUBCASE("it comes back on this thread") {
    first.reset();
    ops[0].completions = 0;
    REQUIRE(pairs[0].b.put("more"));
    CHECK_FALSE(d->submit(ops[0]));
    d->wait(for_ever);
    CHECK(ops[2].completions == 1);
    CHECK(ops[3].completions == 0);
    CHECK(text_of(ops[2]) == "text");
    CHECK(complete(*d, ops[3]) == 4);
    CHECK(ops[0].completions == 0);
    CHECK(text_of(ops[3]) == "text");
    CHECK(complete(*d, ops[0]) == 4);
    CHECK(text_of(ops[0]) == "more");
  }
  SUBCASE("it comes back on another thread while the driver sleeps") {
    std::thread other([&] { second.reset(); });
    CHECK(complete(*d, ops[2]) == 4);
    other.join();
    CHECK(text_of(ops[2]) == "text");
    CHECK(complete(*d, ops[3]) == 4);
    CHECK(text_of(ops[3]) == "text");
    CHECK(d->wakes_seen() == 0);
  }
  SUBCASE("those that are cancelled leave their place") {
    d->cancel(ops[2]);
    CHECK(ops[2].completions == 0);
    d->wait(for_ever);
    CHECK(ops[2].answer == -ECANCELED);
    CHECK(ops[3].completions == 0);
    d->cancel(ops[3]);
    first.reset();
    CHECK(complete(*d, ops[3]) == -ECANCELED);
    ops[2].completions = 0;
    CHECK(perform(*d, ops[2]) == 4);  // the bytes stayed
    CHECK(text_of(ops[2]) == "text");
  }
  SUBCASE("the peer ends meanwhile") {
    pairs[2].b.shut();
    look(*d);
    CHECK(ops[2].completions == 0);
    first.reset();
    CHECK(complete(*d, ops[2]) == 4);
    CHECK(text_of(ops[2]) == "text");
  }
  SUBCASE("the bytes are gone when a buffer is there") {
    CHECK(pairs[2].a.text() == "text");
    first.reset();
    d->wait(for_ever);
    CHECK(ops[2].completions == 0);
    CHECK(complete(*d, ops[3]) == 4);
    CHECK(text_of(ops[3]) == "text");
    REQUIRE(pairs[2].b.put("again"));
    CHECK(complete(*d, ops[2]) == 5);
    CHECK(text_of(ops[2]) == "again");
  }
  SUBCASE("leaving cancels them") {
    d->leave();
    CHECK(ops[2].answer == -ECANCELED);
    CHECK(ops[3].answer == -ECANCELED);
  }
  d->leave();
}

TEST_CASE("reactor sockets: a completion that takes buffers again does not keep the loop") {
  under_test d({.receive_buffers = 1, .receive_buffer_size = 64});
  tcp_pair a, b;
  recorded holds = receive_lease(a.a), waits = receive_lease(b.a);
  REQUIRE(a.b.put("x"));
  CHECK(perform(*d, holds) == 1);
  std::optional<buffer> held = slot_of(holds).lend();
  REQUIRE(b.b.put(std::string(1024, 'x')));
  REQUIRE_FALSE(d->submit(waits));
  while (d->stats().starved == 0) look(*d);
  waits.argument = d.d.get();
  waits.then = [](recorded& op) {
    text_of(op);
    if (static_cast<driver*>(op.argument)->submit(op)) text_of(op);
  };
  held.reset();
  look(*d);
  CHECK(waits.completions == 1);
  waits.then = nullptr;
  d->leave();
}

TEST_CASE("reactor sockets: a lease outlives its driver") {
  std::optional<buffer> here, there;
  {
    under_test d({.receive_buffers = 2, .receive_buffer_size = 64});
    tcp_pair ends;
    recorded op = receive_lease(ends.a);
    REQUIRE(ends.b.put("here"));
    CHECK(perform(*d, op) == 4);
    here = slot_of(op).lend();
    REQUIRE(ends.b.put("there"));
    op.completions = 0;
    CHECK(perform(*d, op) == 5);
    there = slot_of(op).lend();
  }
  CHECK(here->text() == "here");
  CHECK(there->text() == "there");
  here.reset();
  std::thread([&] { there.reset(); }).join();
}

TEST_CASE("reactor sockets: leave() ends all that waits; afterwards the driver works as before") {
  under_test d;
  tcp_pair ends(true);
  harness::pipe_ends pipe;
  tcp_listener l;
  char got[8], bytes[8];
  const std::string much(std::size_t{8} << 20, 'x');
  recorded in = receive(ends.a, got, sizeof got), out = send(ends.a, much);
  recorded accepts = on(l, operation_kind::accept);
  recorded file = harness::read_from(pipe.fd[0], bytes, sizeof bytes);
  in.argument = d.d.get();
  in.then = [](recorded& self) {  // it cannot go on for ever
    CHECK(static_cast<driver*>(self.argument)->submit(self));
  };
  d->submit(in);
  d->submit(out);
  d->submit(accepts);
  d->submit(file);
  REQUIRE(pipe.put("file"));
  d->leave();
  CHECK(d->in_flight() == 0);
  CHECK(in.completions == 1);
  CHECK(in.answer == -ECANCELED);
  CHECK(out.answer > 0);
  CHECK(accepts.answer == -ECANCELED);
  CHECK(file.answer == 4);
  in.then = nullptr;
  while (!ends.b.text(1 << 16).empty() || ends.a.text().empty()) REQUIRE(ends.b.put("x"));
  for (int i = 0; i < 2; ++i) {  // the buffers belong to the thread again
    recorded lease = receive_lease(ends.a);
    REQUIRE(ends.b.put("text"));
    CHECK(perform(*d, lease) == 4);
    std::optional<buffer> kept = slot_of(lease).lend();
    d->leave();
    kept.reset();
  }
}

TEST_CASE("reactor sockets: a descriptor that was closed and is used again is another socket") {
  under_test d;
  char got[8];
  std::optional<local_pair> old(std::in_place);
  recorded op = receive(old->a, got, sizeof got);
  d->submit(op);
  REQUIRE(old->b.put("old"));
  CHECK(complete(*d, op) == 3);
  const int fd = old->a.fd;
  SUBCASE("without a word") {
    old.reset();
    local_pair fresh;
    REQUIRE(fresh.a.fd == fd);
    recorded next = receive(fresh.a, got, sizeof got);
    CHECK_FALSE(d->submit(next));
    look(*d);
    CHECK(next.completions == 0);
    REQUIRE(fresh.b.put("new!"));
    CHECK(complete(*d, next) == 4);
  }
  SUBCASE("while a copy keeps the old one open, whose events are not for the new one") {
    numbered copy(::dup(fd));
    old->a.shut();
    local_pair fresh;
    REQUIRE(fresh.a.fd == fd);
    recorded next = receive(fresh.a, got, sizeof got);
    CHECK_FALSE(d->submit(next));
    look(*d);
    REQUIRE(old->b.put("stale"));
    const auto calls = d->stats().system_calls;
    d->wait(for_ever);
    CHECK(d->stats().system_calls - calls == 1);
    CHECK(next.completions == 0);
    REQUIRE(fresh.b.put("new!"));
    CHECK(complete(*d, next) == 4);
  }
  SUBCASE("within a batch of events") {
    // Both are ready; the completion of one closes the other, and its descriptor is used again.
    local_pair trigger;
    recorded first = receive(trigger.a, got, sizeof got);
    struct context {
      under_test& d;
      std::optional<local_pair>& old;
      std::optional<local_pair> fresh;
      std::optional<recorded> next;
      char got[8];
    } context{d, old, {}, {}, {}};
    first.argument = &context;
    first.then = [](recorded& self) {
      auto& c = *static_cast<struct context*>(self.argument);
      c.d->forget(c.old->a.fd);
      c.old.reset();
      c.fresh.emplace();
      c.next.emplace(receive(c.fresh->a, c.got, sizeof c.got));
      CHECK_FALSE(c.d->submit(*c.next));
    };
    REQUIRE_FALSE(d->submit(first));
    REQUIRE(trigger.b.put("go"));
    REQUIRE(old->b.put("stale"));
    complete(*d, first);
    REQUIRE(context.fresh->a.fd == fd);
    look(*d);
    CHECK(context.next->completions == 0);
    REQUIRE(context.fresh->b.put("new!"));
    CHECK(complete(*d, *context.next) == 4);
  }
}

TEST_CASE("reactor sockets: a socket that one driver has forgotten works with another") {
  under_test one, two;
  tcp_pair ends;
  char got[8];
  recorded op = receive(ends.a, got, sizeof got);
  for (int i = 0; i < 3; ++i) {
    for (under_test* d : {&one, &two}) {
      REQUIRE(ends.b.put("text"));
      op.completions = 0;
      CHECK(perform(**d, op) == 4);
      (*d)->forget(ends.a.fd);
      const auto calls = (*d)->stats().system_calls;
      (*d)->forget(ends.a.fd);
      (*d)->forget(12345);
      CHECK((*d)->stats().system_calls == calls);
    }
  }
}

TEST_CASE("reactor sockets: what is no socket is an answer") {
  under_test d;
  char got[8];
  numbered none(-1), file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  recorded op = receive(none, got, sizeof got);
  CHECK(d->submit(op));
  CHECK(op.answer == -EBADF);
  op.fd = 1 << 20;
  CHECK(d->submit(op));
  CHECK(op.answer == -EBADF);
  recorded bad = harness::poll(none, POLLIN);
  CHECK(d->submit(bad));
  CHECK(bad.answer == -EBADF);
  recorded from_file = receive(file, got, sizeof got);
  CHECK(d->submit(from_file));
  CHECK(from_file.answer == -ENOTSOCK);
  recorded ready = harness::poll(file, POLLIN | POLLOUT);
  CHECK(d->submit(ready));
  CHECK(ready.answer == (POLLIN | POLLOUT));
  d->forget(file.fd);
  recorded copy = on(file, operation_kind::send_zero_copy);
  CHECK_FALSE(d->supports(copy.kind));
  CHECK(d->submit(copy));
  CHECK(copy.answer == -EOPNOTSUPP);
  CHECK(d->in_flight() == 0);
  CHECK(d->stats().submitted == d->stats().completed);
}

TEST_CASE("reactor sockets: poll says what a descriptor is ready for, whatever it is") {
  under_test d;
  SUBCASE("a pipe, a counter, in turn on one descriptor and without a number") {
    for (int i = 0; i < 4; ++i) {
      harness::pipe_ends pipe;
      numbered counter(::eventfd(0, EFD_CLOEXEC));
      counter.number = 0;
      recorded counts = harness::poll(counter, POLLIN);
      recorded reads(operation_kind::poll), writes(operation_kind::poll);
      reads.fd = pipe.fd[0];
      reads.flags = POLLIN;
      writes.fd = pipe.fd[1];
      writes.flags = POLLOUT;
      CHECK_FALSE(d->submit(counts));
      CHECK_FALSE(d->submit(reads));
      CHECK(d->submit(writes));
      CHECK(writes.answer == POLLOUT);
      look(*d);
      CHECK(counts.completions + reads.completions == 0);
      REQUIRE(pipe.put("text"));
      CHECK(complete(*d, reads) == POLLIN);
      const std::uint64_t once = 1;
      REQUIRE(::write(counter.fd, &once, sizeof once) == sizeof once);
      CHECK(complete(*d, counts) == POLLIN);
      CHECK(d->submit(counts));  // still ready
      CHECK(counts.answer == POLLIN);
    }
  }
  SUBCASE("one of two directions") {
    local_pair ends;
    recorded both = harness::poll(ends.a, POLLIN | POLLOUT);
    CHECK(d->submit(both));
    CHECK(both.answer == POLLOUT);
    while (::send(ends.a.fd, "0123456789", 10, MSG_DONTWAIT) > 0) {
    }
    CHECK_FALSE(d->submit(both));
    REQUIRE(ends.b.put("text"));
    CHECK(complete(*d, both) == POLLIN);
    CHECK(d->in_flight() == 0);
    CHECK(ends.a.text() == "text");
    both.completions = 0;
    CHECK_FALSE(d->submit(both));
    while (both.completions == 0) {
      ends.b.text(1 << 16);
      look(*d);
    }
    CHECK(both.answer == POLLOUT);
  }
  SUBCASE("a reader of the socket and a poll without its number share the registration") {
    local_pair ends;
    char got[8];
    while (::send(ends.a.fd, "0123456789", 10, MSG_DONTWAIT) > 0) {
    }
    recorded reads = receive(ends.a, got, sizeof got);
    recorded writes = harness::poll(ends.a, POLLOUT);
    writes.offset = 0;
    SUBCASE("the reader first") {
      CHECK_FALSE(d->submit(reads));
      CHECK_FALSE(d->submit(writes));
    }
    SUBCASE("the poll first") {
      CHECK_FALSE(d->submit(writes));
      CHECK_FALSE(d->submit(reads));
    }
    REQUIRE(ends.b.put("text"));
    CHECK(complete(*d, reads) == 4);
    while (writes.completions == 0) {
      ends.b.text(1 << 16);
      look(*d);
    }
    CHECK(writes.answer == POLLOUT);
  }
  SUBCASE("the other end is gone") {
    std::optional<harness::pipe_ends> pipe(std::in_place);
    recorded op(operation_kind::poll);
    op.fd = pipe->fd[0];
    CHECK_FALSE(d->submit(op));  // that alone
    ::close(pipe->fd[1]);
    pipe->fd[1] = -1;
    CHECK(complete(*d, op) == POLLHUP);
  }
  SUBCASE("urgent bytes") {
    tcp_pair ends;
    recorded op = harness::poll(ends.a, POLLPRI);
    CHECK_FALSE(d->submit(op));
    REQUIRE(::send(ends.b.fd, "!", 1, MSG_OOB) == 1);
    CHECK(complete(*d, op) == POLLPRI);
  }
}

TEST_CASE("reactor sockets: two operations of one direction are a broken contract") {
  const auto run = [](bool second_receives) {
    return support::in_child([=] {
      cpu_pool pool(1);
      auto d = std::move(*make_reactor_driver(pool));
      local_pair ends;
      char got[8];
      recorded a = receive(ends.a, got, sizeof got);
      d->submit(a);
      if (second_receives) {
        recorded b = receive_lease(ends.a);
        d->submit(b);
      } else {
        d->forget(ends.a.fd);
      }
      return 0;
    });
  };
  auto out = run(true);
  CHECK(out.signal == SIGABRT);
  CHECK(out.output.find("two operations of one direction") != std::string::npos);
  out = run(false);
  CHECK(out.signal == SIGABRT);
  CHECK(out.output.find("forgotten while an operation is on it") != std::string::npos);
}

TEST_CASE("reactor sockets: thousands of descriptors, all in turn and all at once") {
  constexpr std::size_t many = 2000;
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const rlimit before = limit;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  {
    under_test d;
    std::deque<local_pair> pairs(many);
    REQUIRE(pairs.back().b.fd >= 0);
    std::vector<char> got(many);
    std::deque<recorded> ops;
    for (std::size_t i = 0; i < many; ++i) {
      ops.push_back(receive(pairs[i].a, &got[i], 1));
      REQUIRE_FALSE(d->submit(ops[i]));
    }
    for (std::size_t i = 0; i < many; ++i) {
      const std::size_t k = i * 7 % many;
      REQUIRE(pairs[k].b.put("x"));
      REQUIRE(complete(*d, ops[k]) == 1);
      CHECK_FALSE(d->submit(ops[k]));  // nothing is left
    }
    test::allocation_counter count;
    const auto calls = d->stats().system_calls;
    for (auto& p : pairs) p.b.put("y");
    while (d->in_flight() != 0) d->wait(for_ever);
    CHECK(count.allocations() == 0);
    CHECK(d->stats().system_calls - calls <= many + many / 256 + 1);
    for (const recorded& op : ops) CHECK(op.completions == 2);
    for (auto& p : pairs) d->forget(p.a.fd);
  }
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST_CASE("reactor sockets: sockets, files and wakes are served side by side") {
  under_test d;
  tcp_pair ends;
  harness::pipe_ends pipe;
  char got[8], bytes[8];
  for (std::uint64_t i = 1; i <= 100; ++i) {
    recorded op = receive(ends.a, got, sizeof got);
    recorded file = harness::read_from(pipe.fd[0], bytes, sizeof bytes);
    REQUIRE_FALSE(d->submit(op));
    d->submit(file);
    std::thread other([&] {
      ends.b.put("text");
      pipe.put("file");
      d->wake();
    });
    while (d->in_flight() != 0 || d->wakes_seen() < i) d->wait(for_ever);
    other.join();
    CHECK(op.answer == 4);
    CHECK(file.answer == 4);
  }
}

TEST_CASE("reactor sockets: sleeps are never shorter than asked for, on older kernels too") {
  using detail::epoll_instance;
  CHECK(epoll_instance::milliseconds(1ns) == 1);
  CHECK(epoll_instance::milliseconds(1ms) == 1);
  CHECK(epoll_instance::milliseconds(1ms + 1ns) == 2);
  CHECK(epoll_instance::milliseconds(0ns) == 0);
  CHECK(epoll_instance::milliseconds(for_ever) == -1);
  CHECK(epoll_instance::milliseconds(for_ever - 1ns) == INT_MAX);
  cpu_pool pool(1);
  detail::reactor_driver d(pool, {});
  REQUIRE(d.start() == 0);
  local_pair ends;
  char got[8];
  recorded op = receive(ends.a, got, sizeof got);
  REQUIRE_FALSE(d.submit(op));
  for (int i = 0; i < 2; ++i) {
    d.wait(1us);
    d.wait(1ms);
    CHECK(op.completions == 0);
    d.forget_nanoseconds();
  }
  CHECK(d.stats().waits == 4);
  REQUIRE(ends.b.put("text"));
  CHECK(complete(d, op) == 4);
}
