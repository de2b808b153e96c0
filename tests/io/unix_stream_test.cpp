// tests/io/unix_stream_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/io/unix_stream.hpp>

#include <penstock/core.hpp>
#include <penstock/io/unix_listener.hpp>
#include <penstock/test.hpp>

#include <io/scripted_driver.hpp>
#include <io/sockets.hpp>
#include <support/child.hpp>
#include <support/each_driver.hpp>
#include <support/temporary_folder.hpp>

#include <sys/resource.h>
#include <sys/stat.h>
#include <array>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;
using sockets::bytes_of;
using sockets::is_open;
using sockets::message_of;
using sockets::read_all;
using sockets::read_exactly;
using sockets::text_of;
using support::on_each_driver;
using support::temporary_folder;
using test::cancel_stage;

static_assert(std::is_nothrow_move_constructible_v<unix_stream> &&
              !std::is_copy_constructible_v<unix_stream>);
static_assert(std::is_nothrow_move_constructible_v<descriptor> &&
              !std::is_copy_constructible_v<descriptor>);
static_assert(std::is_same_v<await_result_t<detail::unix_connect_awaiter>, result<unix_stream>> &&
              std::is_same_v<await_result_t<detail::unix_accept_awaiter>, result<unix_stream>> &&
              std::is_same_v<await_result_t<detail::receive_descriptors_awaiter>,
                             result<received_descriptors>>);

namespace {
struct unix_pair {
  unix_stream here, there;
};
result<unix_pair> joined() {
  auto both = unix_stream::pair();
  if (!both) return fail(std::move(both.error()));
  return unix_pair{std::move(both->first), std::move(both->second)};
}
// Ends of a pipe.
struct pipe_ends {
  pipe_ends() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    read.reset(ends[0]);
    write.reset(ends[1]);
  }
  descriptor read, write;
};
bool ended(int fd) {  // no writer is left
  char c = 0;
  return ::read(fd, &c, 1) == 0;
}
}  // namespace

TEST_CASE("a listener at a path, and one at a name in no file system") {
  on_each_driver([](runtime& rt) {
    const temporary_folder folder;
    const auto meet = [&](std::string path) -> task<result<>> {
      // [listen]
      auto listener = co_await ok(unix_listener::bind(path, {.permissions = 0600}));
      auto here = co_await ok(unix_stream::connect(path));
      auto there = co_await ok(listener.accept());
      // [/listen]
      co_await ok(here.write_all(bytes_of("hello")));
      co_await ok(here.close());
      const auto text = co_await ok(read_all(there));
      CHECK(text == "hello");
      co_await ok(listener.close());
      const auto late = co_await unix_stream::connect(path);
      CHECK(message_of(late) == "connect '" + path + "': Connection refused");
      co_return result<>{};
    };
    sockets::run(rt, meet(folder / "socket"));
    struct ::stat s {};
    CHECK(::stat((folder / "socket").c_str(), &s) == 0);  // it stays
    CHECK((s.st_mode & 0777) == 0600);
    sockets::run(rt, meet("@penstock-test-" + folder.path()));
  });
}

TEST_CASE("a socket that is there is replaced only when that is asked for, a file never") {
  const temporary_folder folder;
  const std::string path = folder / "socket";
  { CHECK(unix_listener::bind(path)); }
  CHECK(message_of(unix_listener::bind(path)) == "listen '" + path + "': Address already in use");
  CHECK(unix_listener::bind(path, {.replace = true}));
  CHECK(unix_listener::bind(folder / "new", {.replace = true}));
  const std::string file = folder.put("file", "text");
  CHECK(message_of(unix_listener::bind(file, {.replace = true})) ==
        "listen '" + file + "': Address already in use");
  CHECK(folder.get("file") == "text");
}

TEST_CASE("a path that cannot be one is an error that shows it") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      const std::string path(108, 'x');
      const auto c = co_await unix_stream::connect(path);
      CHECK(message_of(c) == "connect '" + path + "': File name too long");
      for (const std::string& wrong : {std::string(), std::string("@"), std::string("a\0b", 3)}) {
        const auto l = unix_listener::bind(wrong);
        CHECK(l.error() == std::errc::invalid_argument);
        const auto d = co_await unix_stream::connect(wrong);
        CHECK(d.error() == std::errc::invalid_argument);
      }
      const auto none = co_await unix_stream::connect("/no/such/socket");
      CHECK(message_of(none) == "connect '/no/such/socket': No such file or directory");
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
  CHECK(message_of(unix_listener::bind("/x", {.backlog = 0})) ==
        "listen 'backlog': invalid option");
  CHECK(message_of(unix_listener::bind("/x", {.permissions = 07777})) ==
        "listen 'permissions': invalid option");
}

TEST_CASE("errors name the path") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      const temporary_folder folder;
      const std::string path = folder / "socket";
      auto listener = co_await ok(unix_listener::bind(path));
      auto here = co_await ok(unix_stream::connect(path));
      auto there = co_await ok(listener.accept());
      co_await ok(there.close());
      const auto broken = co_await here.write_all(bytes_of("x"));
      CHECK(message_of(broken) == "write '" + path + "': Broken pipe");
      const auto accept = [&]() -> task<result<>> {
        static_cast<void>(co_await ok(listener.accept()));
        co_return result<>{};
      };
      const auto close = [&]() -> task<result<>> {
        co_await yield();
        co_await yield();
        co_return co_await listener.close();
      };
      auto [accepted, closed] = co_await when_all_settled(accept(), close());
      CHECK(message_of(accepted) == "accept '" + path + "': closed");
      CHECK(closed);
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}

TEST_CASE("a listener without room makes connecting wait") {
  on_each_driver([](runtime& rt) {
    const temporary_folder folder;
    const auto body = [&]() -> task<result<>> {
      auto listener = co_await ok(unix_listener::bind(folder / "s", {.backlog = 1}));
      constexpr int visitors = 6;
      int connected = 0;
      const auto visit = [&]() -> task<result<>> {
        auto s = co_await ok(unix_stream::connect(folder / "s"));
        ++connected;
        co_return co_await s.write_all(bytes_of("x"));
      };
      const auto all = [&](task_group& group) -> task<result<>> {
        for (int i = 0; i < visitors; ++i) group.start(visit);
        for (int i = 0; i < visitors; ++i) {
          auto s = co_await ok(listener.accept());
          const auto text = co_await ok(read_all(s));
          CHECK(text == "x");
        }
        co_return result<>{};
      };
      co_await ok(with_group(all));
      CHECK(connected == visitors);
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}

TEST_CASE("connecting pauses under virtual time, and a stop ends the pause") {
  test::test_runtime rt;
  scripted::driver d;
  const auto body = [&]() -> task<> {
    d.install();
    d.at_once = {-EAGAIN, -EAGAIN, 0};
    const auto made = co_await unix_stream::connect("/x");
    CHECK(made);
    CHECK(rt.now() == time_point(15ms));
    for (int i = 0; i < 100; ++i) d.at_once.push_back(-EAGAIN);
    const auto late = co_await with_timeout(100ms, unix_stream::connect("/x"));
    CHECK(late.error() == errc::timed_out);
    CHECK(rt.now() == time_point(115ms));
    CHECK_FALSE(is_open(d.seen.back().fd));
  };
  rt.run(body());
}

// [descriptors]
static task<result<descriptor>> lend_a_pipe(unix_stream& from, unix_stream& to) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) co_return fail(errno_error(errno), "pipe");
  const descriptor read_end(ends[0]);
  const descriptor write_end(ends[1]);
  const int lent[] = {read_end.get()};
  co_await ok(from.send_descriptors(lent, std::as_bytes(std::span("pipe", 4))));
  std::array<std::byte, 16> name;
  received_descriptors got = co_await ok(to.receive_descriptors(name));
  co_return std::move(got.descriptors.at(0));
}
// [/descriptors]

TEST_CASE("descriptors go over with the bytes") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      auto [here, there] = co_await ok(joined());
      const descriptor lent = co_await ok(lend_a_pipe(here, there));
      CHECK(lent.is_open());
      CHECK((::fcntl(lent.get(), F_GETFD) & FD_CLOEXEC) != 0);
      CHECK(ended(lent.get()));  // the other end is gone
      pipe_ends p;
      const std::array<int, 3> three{p.read.get(), p.write.get(), p.read.get()};
      std::array<std::byte, 64> some;
      co_await ok(here.send_descriptors(three, bytes_of("three")));
      co_await ok(here.write_all(bytes_of("none")));
      auto got = co_await ok(there.receive_descriptors(some));
      CHECK(text_of(std::span(some).first(got.bytes)).starts_with("three"));
      REQUIRE(got.descriptors.size() == 3);
      CHECK(::write(got.descriptors[1].get(), "x", 1) == 1);
      char c = 0;
      CHECK(::read(got.descriptors[2].get(), &c, 1) == 1);
      CHECK(c == 'x');
      if (got.bytes == 5) {
        got = co_await ok(there.receive_descriptors(some));
        CHECK(text_of(std::span(some).first(got.bytes)) == "none");
        CHECK(got.descriptors.empty());
      }
      co_await ok(here.send_descriptors({}, bytes_of("no")));
      got = co_await ok(there.receive_descriptors(some));
      CHECK(got.bytes == 2);
      CHECK(got.descriptors.empty());
      co_await ok(here.close());
      got = co_await ok(there.receive_descriptors(some));
      CHECK(got.bytes == 0);
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}

TEST_CASE("as many descriptors as a message holds, beside more bytes than a socket does") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      auto both = co_await ok(joined());
      pipe_ends p;
      const std::vector<int> many(detail::most_descriptors, p.write.get());
      const std::string text(1'000'000, 'x');
      const auto send = [&]() -> task<result<>> {
        co_return co_await both.here.send_descriptors(many, bytes_of(text));
      };
      const auto receive = [&]() -> task<result<>> {
        std::vector<std::byte> room(text.size());
        std::size_t bytes = 0;
        std::size_t descriptors = 0;
        while (bytes < text.size()) {
          auto got = co_await ok(both.there.receive_descriptors(room));
          bytes += got.bytes;
          descriptors += got.descriptors.size();
        }
        CHECK(descriptors == many.size());
        co_return result<>{};
      };
      auto [sent, received] = co_await when_all_settled(send(), receive());
      CHECK(sent);
      CHECK(received);
      const std::vector<int> more(detail::most_descriptors + 1, p.write.get());
      const auto refused = co_await both.here.send_descriptors(more, bytes_of("x"));
      CHECK(refused.error() == std::errc::invalid_argument);
      p.write.reset();
      CHECK(ended(p.read.get()));  // all that were received are closed
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}

TEST_CASE("descriptors that were sent and not received are closed with the stream") {
  on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      auto [here, there] = co_await ok(joined());
      pipe_ends p;
      const std::array<int, 1> one{p.write.get()};
      co_await ok(here.send_descriptors(one, bytes_of("x")));
      co_await ok(here.send_descriptors(one, bytes_of("y")));
      p.write.reset();
      const auto text = co_await ok(read_exactly(there, 1));  // drops the first one
      CHECK(text == "x");
      co_await ok(there.close());
      co_await ok(here.close());
      CHECK(ended(p.read.get()));
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}

TEST_CASE("descriptors for which there is no room are an error, and none stays open") {
  const auto outcome = support::in_child([] {
    bool good = true;
    for (auto kind : {driver_kind::uring, driver_kind::reactor}) {
      runtime rt({.driver = kind});
      if (rt.driver_name() == "none") continue;
      const auto body = [&]() -> task<result<>> {
        auto [here, there] = co_await ok(joined());
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) co_return fail(errno_error(errno));
        const std::array<int, 3> three{ends[1], ends[1], ends[1]};
        std::array<std::byte, 8> some;
        co_await ok(here.write_all(bytes_of("-")));
        static_cast<void>(co_await ok(there.receive_descriptors(some)));
        co_await ok(here.send_descriptors(three, bytes_of("x")));
        ::rlimit before{};
        ::getrlimit(RLIMIT_NOFILE, &before);
        const int spare = ::dup(0);
        ::close(spare);
        const ::rlimit one_more{static_cast<::rlim_t>(spare) + 1, before.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &one_more);
        const auto got = co_await there.receive_descriptors(some);
        ::setrlimit(RLIMIT_NOFILE, &before);
        good = good && !got && got.error() == std::errc::too_many_files_open;
        if (got) std::fprintf(stderr, "%zu descriptors\n", got->descriptors.size());
        ::close(ends[1]);
        good = good && ended(ends[0]);
        ::close(ends[0]);
        co_return result<>{};
      };
      const auto done = rt.run(body());
      if (!done) std::fprintf(stderr, "%s\n", done.error().message().c_str());
      good = good && done;
    }
    return good ? 0 : 1;
  });
  CHECK_MESSAGE(outcome.status == 0, outcome.output);
}

namespace {
// Receives what was really sent, when the script says so.
struct receive_fixture {
  receive_fixture() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    s = std::make_unique<unix_stream>(ends[0]);
    other.reset(ends[1]);
  }
  // As a driver does: the system fills the message that the operation has.
  void arrive() {
    if (d->held() == 0) return;
    operation& op = d->held_at(0);
    const auto n = ::recvmsg(op.fd, static_cast<::msghdr*>(op.address),
                             static_cast<int>(op.flags) | MSG_DONTWAIT);
    d->complete(static_cast<std::int32_t>(n));
  }
  void send() {
    const int fd = p.write.get();
    alignas(::cmsghdr) unsigned char control[CMSG_SPACE(sizeof(int))] = {};
    ::iovec part{const_cast<char*>("x"), 1};
    ::msghdr m{};
    m.msg_iov = &part;
    m.msg_iovlen = 1;
    m.msg_control = control;
    m.msg_controllen = sizeof control;
    ::cmsghdr* const c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(c), &fd, sizeof fd);
    CHECK(::sendmsg(other.get(), &m, MSG_NOSIGNAL) == 1);
    p.write.reset();
  }

  std::unique_ptr<scripted::driver> d = std::make_unique<scripted::driver>();
  std::unique_ptr<unix_stream> s;
  descriptor other;
  pipe_ends p;
  std::unique_ptr<std::array<std::byte, 4>> bytes = std::make_unique<std::array<std::byte, 4>>();
};
}  // namespace

TEST_CASE("cancel matrix of receive_descriptors: delivered, or left in the socket") {
  test::cancel_matrix([] { return receive_fixture(); },
                      [](receive_fixture& x) {
                        x.d->install();
                        return x.s->receive_descriptors(*x.bytes);
                      },
                      [](receive_fixture& x) {
                        x.send();
                        x.arrive();
                      },
                      [](receive_fixture& x, const auto& outcome, cancel_stage stage) {
                        if (x.d->held() != 0) return std::string("in flight after its task");
                        if (stage >= cancel_stage::completion_first && !outcome)
                          return std::string("lost");
                        if (outcome && (!*outcome || (*outcome)->descriptors.size() != 1))
                          return std::string("not the descriptor");
                        if (!outcome) {
                          x.s.reset();
                          if (!ended(x.p.read.get())) return std::string("a descriptor has leaked");
                        }
                        return std::string();
                      });
}

TEST_CASE("a receive that is destroyed where it waits closes what it has got") {
  // A task that the stop has unwound before its value was taken.
  receive_fixture x;
  test::test_runtime rt;
  const auto body = [&]() -> task<> {
    x.d->install();
    const auto receive = [&]() -> task<> {
      static_cast<void>(co_await x.s->receive_descriptors(*x.bytes));
    };
    const auto all = [&](task_group& group) -> task<> {
      group.start(receive);
      co_await yield();
      x.send();
      group.request_stop();
      x.arrive();
      co_return;
    };
    co_await with_group(all);
  };
  rt.run(body());
  CHECK(ended(x.p.read.get()));
}

TEST_CASE("a descriptor is owned by one") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  descriptor a(ends[0]);
  descriptor b(ends[1]);
  CHECK(a.get() == ends[0]);
  descriptor c = std::move(a);
  CHECK_FALSE(a.is_open());
  c = std::move(b);
  CHECK_FALSE(is_open(ends[0]));
  CHECK(c.get() == ends[1]);
  descriptor& itself = c;
  c = std::move(itself);
  CHECK(is_open(ends[1]));
  const int released = c.release();
  c.reset();
  CHECK(is_open(released));
  c.reset(released);
  c.reset();
  CHECK_FALSE(is_open(released));
}
