// tests/io/zero_copy_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/io/detail/zero_copy.hpp>

#include <penstock/core.hpp>
#include <penstock/io/tcp.hpp>
#include <penstock/runtime.hpp>

#include <support/skip.hpp>

#include <cstddef>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;

namespace {
constexpr std::size_t large = 256u << 10;

// A connected pair on loopback. Negative descriptors: none could be made.
struct tcp_pair {
  tcp_pair() {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const endpoint any{"127.0.0.1", 0};
    ::sockaddr_in at{};
    ::socklen_t n = sizeof at;
    if (::bind(listener, any.data(), any.size()) != 0 || ::listen(listener, 1) != 0) return;
    ::getsockname(listener, reinterpret_cast<::sockaddr*>(&at), &n);
    ours = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int room = 4 << 20;  // all of a send at once
    ::setsockopt(ours, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    if (::connect(ours, reinterpret_cast<::sockaddr*>(&at), n) != 0) return;
    theirs = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    ::close(listener);
  }
  tcp_pair(const tcp_pair&) = delete;
  tcp_pair& operator=(const tcp_pair&) = delete;
  ~tcp_pair() {
    if (theirs >= 0) ::close(theirs);
  }
  int ours = -1;  // to be taken over
  int theirs = -1;
};

// Bytes that note when nobody has them any more.
struct lent {
  std::vector<std::byte> memory = std::vector<std::byte>(large, std::byte{'x'});
  bool back = false;
  buffer lend() {
    return buffer::adopt(memory, [this]() noexcept { back = true; });
  }
};

std::size_t read_all(int fd, std::size_t n) {
  std::vector<std::byte> to(64u << 10);
  std::size_t got = 0;
  while (got < n) {
    const auto k = ::recv(fd, to.data(), to.size(), 0);
    if (k <= 0) break;
    for (ssize_t i = 0; i < k; ++i)
      if (to[static_cast<std::size_t>(i)] != std::byte{'x'}) return 0;
    got += static_cast<std::size_t>(k);
  }
  return got;
}

// Whether the send is over while nobody has read: else the kernel's buffers are too small here.
bool fits(runtime& rt) { return rt.loop(0).io()->stats().zero_copies != 0; }

template <class Body>
void on_uring(Body body) {
  runtime rt{{.driver = driver_kind::uring}};
  if (rt.driver_name() == "none" || !rt.loop(0).io()->supports(operation_kind::send_zero_copy))
    return support::skip("no zero copy on this machine");
  body(rt);
}
}  // namespace

TEST_CASE("a large buffer is held until the peer has its bytes, though the send is over before") {
  on_uring([](runtime& rt) {
    tcp_pair pair;
    REQUIRE(pair.theirs >= 0);
    lent a, b;
    const auto all = [&]() -> task<result<>> {
      tcp_stream s(pair.ours);
      co_await ok(s.send(a.lend()));
      CHECK(fits(rt));
      CHECK_FALSE(a.back);
      CHECK(read_all(pair.theirs, large) == large);
      while (!a.back) co_await sleep_for(std::chrono::milliseconds(1));
      // The kernel has copied: loopback. The next send is a plain one.
      co_await ok(s.send(b.lend()));
      CHECK(b.back);
      CHECK(read_all(pair.theirs, large) == large);
      co_return {};
    };
    CHECK(rt.run(all()).has_value());
    CHECK(rt.loop(0).io()->stats().zero_copies == 1);
  });
}

TEST_CASE("a small buffer is copied") {
  on_uring([](runtime& rt) {
    tcp_pair pair;
    REQUIRE(pair.theirs >= 0);
    lent a;
    const auto all = [&]() -> task<result<>> {
      tcp_stream s(pair.ours);
      co_await ok(s.send(a.lend().first(detail::zero_copy_from - 1)));
      CHECK(a.back);
      co_return {};
    };
    CHECK(rt.run(all()).has_value());
    CHECK(rt.loop(0).io()->stats().zero_copies == 0);
  });
}

TEST_CASE(
    "a stream that is closed while the kernel has its bytes still delivers them, then the end") {
  on_uring([](runtime& rt) {
    tcp_pair pair;
    REQUIRE(pair.theirs >= 0);
    lent a;
    const auto all = [&]() -> task<result<>> {
      tcp_stream s(pair.ours);
      co_await ok(s.send(a.lend()));
      co_await ok(s.close());
      CHECK_FALSE(a.back);
      CHECK(read_all(pair.theirs, large) == large);
      while (!a.back) co_await sleep_for(std::chrono::milliseconds(1));
      char one;
      CHECK(::recv(pair.theirs, &one, 1, 0) == 0);
      co_return {};
    };
    CHECK(rt.run(all()).has_value());
  });
}

TEST_CASE("a stream may move while the kernel has its bytes") {
  on_uring([](runtime& rt) {
    tcp_pair pair;
    REQUIRE(pair.theirs >= 0);
    lent a, b;
    const auto all = [&]() -> task<result<>> {
      tcp_stream s(pair.ours);
      co_await ok(s.send(a.lend()));
      tcp_stream moved(std::move(s));
      CHECK(read_all(pair.theirs, large) == large);
      while (!a.back) co_await sleep_for(std::chrono::milliseconds(1));
      co_await ok(moved.send(b.lend()));  // it knows that the kernel copies
      CHECK(b.back);
      co_return {};
    };
    CHECK(rt.run(all()).has_value());
    CHECK(rt.loop(0).io()->stats().zero_copies == 1);
  });
}

TEST_CASE("a run ends although a peer never reads: its connection does") {
  for (const bool closed : {false, true}) {
    on_uring([closed](runtime& rt) {
      tcp_pair pair;
      REQUIRE(pair.theirs >= 0);
      lent a;
      tcp_stream s(pair.ours);
      const auto all = [&]() -> task<result<>> {
        co_await ok(s.send(a.lend()));
        if (closed) co_await ok(s.close());
        co_return {};
      };
      CHECK(rt.run(all()).has_value());
      CHECK(a.back);
      char one;
      while (::recv(pair.theirs, &one, 1, 0) > 0) {
      }
    });
  }
}

TEST_CASE("what cannot send from where the bytes are sends as ever") {
  on_uring([](runtime& rt) {
    int fd[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0);
    lent a, b;
    const auto all = [&]() -> task<result<>> {
      tcp_stream s(fd[0]), peer(fd[1]);
      std::size_t got = 0;
      const auto reader = [&]() -> task<result<>> {
        std::vector<std::byte> to(64u << 10);
        while (got < 2 * large) got += co_await ok(peer.read_some(to));
        co_return {};
      };
      const auto writer = [&]() -> task<result<>> {
        co_await ok(s.send(a.lend()));
        CHECK(a.back);
        co_await ok(s.send(b.lend()));
        CHECK(b.back);
        co_return {};
      };
      auto both = co_await when_all(reader(), writer());
      CHECK(both.has_value());
      CHECK(got == 2 * large);
      co_return {};
    };
    CHECK(rt.run(all()).has_value());
  });
}
