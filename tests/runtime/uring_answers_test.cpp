// tests/runtime/uring_answers_test.cpp
// SPDX-License-Identifier: BSL-1.0
// What the kernel's io_uring answers, where the driver relies on it: plain rings, no driver.

#include <penstock/runtime/driver/detail/liburing.hpp>

#include <support/skip.hpp>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <doctest/doctest.h>

namespace {

struct answer {
  std::uint64_t of = 0;
  int result = 0;
  bool more = false;
};

class ring {
 public:
  explicit ring(unsigned entries = 64, unsigned cq = 256) {
    io_uring_params p{};
    p.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
    p.cq_entries = cq;
    made_ = ::io_uring_queue_init_params(entries, &r_, &p) == 0;
    if (!made_) support::skip("no io_uring of Linux 6.1 or later");
  }
  ring(const ring&) = delete;
  ring& operator=(const ring&) = delete;
  ~ring() {
    if (made_) ::io_uring_queue_exit(&r_);
  }
  explicit operator bool() const { return made_; }
  io_uring* raw() { return &r_; }

  // An entry that `prepare(sqe)` fills; the answer has its name.
  template <class Prepare>
  void add(std::uint64_t name, Prepare prepare) {
    auto* s = ::io_uring_get_sqe(&r_);
    REQUIRE(s);
    prepare(s);
    s->user_data = name;
  }
  void submit() { ::io_uring_submit_and_get_events(&r_); }
  // The next one, for which it waits up to ten seconds.
  answer next() {
    io_uring_cqe* c = nullptr;
    __kernel_timespec limit{10, 0};
    REQUIRE(::io_uring_submit_and_wait_timeout(&r_, &c, 1, &limit, nullptr) >= 0);
    REQUIRE(c);
    const answer a{c->user_data, c->res, (c->flags & IORING_CQE_F_MORE) != 0};
    ::io_uring_cqe_seen(&r_, c);
    return a;
  }
  bool is_silent() {
    ::io_uring_get_events(&r_);
    return ::io_uring_cq_ready(&r_) == 0;
  }

 private:
  io_uring r_{};
  bool made_ = false;
};

struct two {
  two() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0); }
  two(const two&) = delete;
  two& operator=(const two&) = delete;
  ~two() {
    for (const int f : fd)
      if (f >= 0) ::close(f);
  }
  int release(int i) { return std::exchange(fd[i], -1); }
  int fd[2] = {-1, -1};
};

// A listener on a free port of the loopback, and who connects to it.
struct listener {
  listener() : fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::socklen_t size = sizeof where;
    REQUIRE(::bind(fd, address(), size) == 0);
    REQUIRE(::listen(fd, 16) == 0);
    ::getsockname(fd, address(), &size);
  }
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;
  ~listener() {
    if (fd >= 0) ::close(fd);
  }
  ::sockaddr* address() { return reinterpret_cast<::sockaddr*>(&where); }
  int connect() {
    const int f = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::connect(f, address(), sizeof where) == 0);
    return f;
  }
  ::sockaddr_in where{};
  int fd;
};

void receive(ring& r, int fd, std::array<char, 16>& into, std::uint64_t name) {
  r.add(name, [&](io_uring_sqe* s) { ::io_uring_prep_recv(s, fd, into.data(), into.size(), 0); });
}
void accept(ring& r, int fd, std::uint64_t name) {
  r.add(name, [&](io_uring_sqe* s) { ::io_uring_prep_accept(s, fd, nullptr, nullptr, 0); });
}
// That it is a descriptor; closes it.
void check_accepted(const answer& a) {
  CHECK(a.result >= 0);
  if (a.result >= 0) ::close(a.result);
}
void cancel(ring& r, std::uint64_t of, std::uint64_t name, int flags = 0) {
  r.add(name, [&](io_uring_sqe* s) { ::io_uring_prep_cancel64(s, of, flags); });
}

}  // namespace

TEST_CASE("io_uring: a cancellation is answered first, then what it ends") {
  ring r;
  if (!r) return;
  two ends;
  std::array<char, 16> some{};
  receive(r, ends.fd[0], some, 1);
  r.submit();
  cancel(r, 1, 2);
  answer a = r.next();
  CHECK(a.of == 2);
  CHECK(a.result == 0);
  a = r.next();
  CHECK(a.of == 1);
  CHECK(a.result == -ECANCELED);
  cancel(r, 1, 3);
  CHECK(r.next().result == -ENOENT);
}

TEST_CASE("io_uring: a cancellation that is queued before its target misses it") {
  ring r;
  if (!r) return;
  two ends;
  std::array<char, 16> some{};
  cancel(r, 1, 2);
  receive(r, ends.fd[0], some, 1);
  answer a = r.next();
  CHECK(a.of == 2);
  CHECK(a.result == -ENOENT);
  REQUIRE(::write(ends.fd[1], "x", 1) == 1);
  a = r.next();
  CHECK(a.of == 1);
  CHECK(a.result == 1);
}

TEST_CASE("io_uring: cancelling all gives their number") {
  ring r;
  if (!r) return;
  two a, b;
  std::array<char, 16> some{}, more{};
  receive(r, a.fd[0], some, 1);
  receive(r, b.fd[0], more, 2);
  r.submit();
  cancel(r, 0, 3, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);
  int canceled = 0;
  for (int i = 0; i < 3; ++i) {
    const answer n = r.next();
    if (n.of == 3)
      CHECK(n.result == 2);
    else
      canceled += n.result == -ECANCELED;
  }
  CHECK(canceled == 2);
}

TEST_CASE("io_uring: a cancelled send that was half done gives what it has sent") {
  ring r;
  if (!r) return;
  two ends;
  const std::string much(std::size_t{8} << 20, 'x');
  r.add(1, [&](io_uring_sqe* s) {
    ::io_uring_prep_send(s, ends.fd[0], much.data(), much.size(), MSG_WAITALL | MSG_NOSIGNAL);
  });
  r.submit();
  cancel(r, 1, 2);
  for (int i = 0; i < 2; ++i) {
    const answer a = r.next();
    if (a.of != 1) continue;
    CHECK(a.result > 0);
    CHECK(a.result < static_cast<int>(much.size()));
  }
}

TEST_CASE("io_uring: a closed descriptor does not end its receive, nor the connection") {
  ring r;
  if (!r) return;
  two ends;
  std::array<char, 16> some{};
  receive(r, ends.fd[0], some, 1);
  r.submit();
  ::close(ends.release(0));
  CHECK(r.is_silent());
  ::pollfd p{ends.fd[1], POLLIN, 0};
  CHECK(::poll(&p, 1, 0) == 0);  // no end arrived
  ::close(ends.release(1));
  CHECK(r.next().result == 0);
}

TEST_CASE("io_uring: shutdown ends a receive as the end of the stream does") {
  ring r;
  if (!r) return;
  two ends;
  std::array<char, 16> some{};
  receive(r, ends.fd[0], some, 1);
  r.submit();
  ::shutdown(ends.fd[0], SHUT_RDWR);
  CHECK(r.next().result == 0);
}

TEST_CASE("io_uring: a listener that is closed goes on accepting while an accept is armed") {
  ring r;
  if (!r) return;
  listener l;
  r.add(1,
        [&](io_uring_sqe* s) { ::io_uring_prep_multishot_accept(s, l.fd, nullptr, nullptr, 0); });
  r.submit();
  ::close(std::exchange(l.fd, -1));
  const int here = l.connect();
  const answer a = r.next();
  check_accepted(a);
  CHECK(a.more);
  ::close(here);
}

TEST_CASE("io_uring: what connects after an accept was cancelled is there for the next") {
  ring r;
  if (!r) return;
  listener l;
  accept(r, l.fd, 1);
  r.submit();
  cancel(r, 1, 2);
  CHECK(r.next().of == 2);
  CHECK(r.next().result == -ECANCELED);
  const int here = l.connect();
  accept(r, l.fd, 3);
  check_accepted(r.next());
  ::close(here);
}

TEST_CASE("io_uring: a full table ends an accept into it") {
  ring r;
  if (!r) return;
  REQUIRE(::io_uring_register_files_sparse(r.raw(), 1) == 0);
  listener l;
  r.add(1, [&](io_uring_sqe* s) {
    ::io_uring_prep_multishot_accept_direct(s, l.fd, nullptr, nullptr, 0);
  });
  r.submit();
  const int a = l.connect();
  CHECK(r.next().result >= 0);
  const int b = l.connect();
  const answer full = r.next();
  CHECK(full.result == -ENFILE);
  CHECK_FALSE(full.more);
  ::close(a);
  ::close(b);
}

TEST_CASE("io_uring: a multishot receive ends with the stream, and without buffers") {
  ring r;
  if (!r) return;
  two ends;
  constexpr unsigned group = 7;
  const auto buffers = std::make_unique<std::array<char, 16>[]>(1);
  const auto give = [&] {
    r.add(9, [&](io_uring_sqe* s) {
      ::io_uring_prep_provide_buffers(s, buffers.get(), 16, 1, group, 0);
    });
    CHECK(r.next().result >= 0);
  };
  const auto arm = [&] {
    r.add(1, [&](io_uring_sqe* s) {
      ::io_uring_prep_recv_multishot(s, ends.fd[0], nullptr, 0, 0);
      s->flags |= IOSQE_BUFFER_SELECT;
      s->buf_group = group;
    });
    r.submit();
  };
  give();
  arm();
  REQUIRE(::write(ends.fd[1], "x", 1) == 1);
  answer a = r.next();
  CHECK(a.result == 1);
  CHECK(a.more);
  REQUIRE(::write(ends.fd[1], "y", 1) == 1);
  a = r.next();
  CHECK(a.result == -ENOBUFS);
  CHECK_FALSE(a.more);
  arm();  // before a buffer has come back: at once again
  a = r.next();
  CHECK(a.result == -ENOBUFS);
  give();
  arm();
  CHECK(r.next().result == 1);
  give();
  ::close(ends.release(1));
  a = r.next();
  if (a.result == -ENOBUFS) {  // it had none when the end came
    arm();
    a = r.next();
  }
  CHECK(a.result == 0);
  CHECK_FALSE(a.more);
}

TEST_CASE("io_uring: of a link whose silent head fails nothing is heard") {
  ring r;
  if (!r) return;
  two ends;
  std::array<char, 16> some{};
  r.add(1, [&](io_uring_sqe* s) {
    ::io_uring_prep_send(s, -1, "x", 1, MSG_NOSIGNAL);
    s->flags |= IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS;
  });
  receive(r, ends.fd[0], some, 2);
  const answer a = r.next();
  CHECK(a.of == 1);
  CHECK(a.result == -EBADF);
  CHECK(r.is_silent());
}

TEST_CASE("io_uring: flags that exclude each other are refused") {
  for (const unsigned flags :
       {IORING_SETUP_DEFER_TASKRUN,
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SQPOLL,
        IORING_SETUP_SQPOLL | IORING_SETUP_COOP_TASKRUN}) {
    if (!ring()) return;
    io_uring r{};
    const int made = ::io_uring_queue_init(8, &r, flags);
    CHECK(made == -EINVAL);
    if (made == 0) ::io_uring_queue_exit(&r);
  }
}

TEST_CASE("io_uring: a ring of a single issuer refuses other threads") {
  ring r;
  if (!r) return;
  r.add(1, [](io_uring_sqe* s) { ::io_uring_prep_nop(s); });
  r.submit();
  int other = 0;
  std::thread([&] { other = ::io_uring_get_events(r.raw()); }).join();
  CHECK(other == -EEXIST);
}

TEST_CASE("io_uring: a wait that is over gives ETIME, and completions outlast a full queue") {
  ring r(8, 16);
  if (!r) return;
  io_uring_cqe* c = nullptr;
  __kernel_timespec soon{0, 1000};
  CHECK(::io_uring_submit_and_wait_timeout(r.raw(), &c, 1, &soon, nullptr) == -ETIME);
  constexpr std::uint64_t count = 2000;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (::io_uring_sq_space_left(r.raw()) == 0) ::io_uring_submit(r.raw());
    r.add(i, [](io_uring_sqe* s) { ::io_uring_prep_nop(s); });
  }
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < count; ++i) sum += r.next().of;
  CHECK(sum == count * (count - 1) / 2);
}

TEST_CASE("io_uring: a zero-copy send gives its answer first, then the bytes back") {
  ring r;
  if (!r) return;
  listener l;
  const int here = l.connect();
  const int there = ::accept(l.fd, nullptr, nullptr);
  const std::string text(10'000, 'x');
  r.add(1, [&](io_uring_sqe* s) {
    ::io_uring_prep_send_zc(s, here, text.data(), text.size(), MSG_NOSIGNAL | MSG_WAITALL, 0);
  });
  answer a = r.next();
  if (a.result == -EINVAL || a.result == -EOPNOTSUPP) {
    support::skip("no zero-copy send");
  } else {
    CHECK(a.result == static_cast<int>(text.size()));
    CHECK(a.more);
    // When the second one comes is the network's affair: here the kernel may have copied.
    std::string got(text.size(), '\0');
    CHECK(::recv(there, got.data(), got.size(), MSG_WAITALL) == static_cast<ssize_t>(got.size()));
    a = r.next();
    CHECK(a.of == 1);
    CHECK_FALSE(a.more);
  }
  ::close(here);
  ::close(there);
}
