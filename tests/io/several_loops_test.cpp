// tests/io/several_loops_test.cpp
// SPDX-License-Identifier: BSL-1.0
// Sockets on several loops: sessions that move from one to the other at each step, stopped under
// load. ThreadSanitizer looks on.

#include <penstock/io/tcp_listener.hpp>

#include <penstock/io/descriptor.hpp>

#include <io/sockets.hpp>
#include <support/open_files.hpp>

#include <atomic>
#include <string>
#include <utility>

#include <doctest/doctest.h>

using namespace penstock;
using sockets::bytes_of;

namespace {
constexpr unsigned loops = 4;
constexpr int visitors = 6;  // a loop
constexpr int talks = 10;    // of one connection

// What goes from loop to loop: a connection, and bytes in a buffer of the loop before.
struct parcel {
  parcel() = default;
  parcel(int descriptor_of, buffer b) : fd(descriptor_of), bytes(std::move(b)) {}
  descriptor fd;
  buffer bytes;
};

task<result<parcel>> receive_on_this_loop(descriptor fd) {
  tcp_stream s(fd.release());
  buffer b = co_await ok(s.receive());
  co_return parcel(s.release(), std::move(b));
}
task<result<parcel>> read_on_this_loop(descriptor fd) {
  tcp_stream s(fd.release());
  std::array<std::byte, 16> some;
  const auto n = co_await ok(s.read_some(some));
  co_return parcel(s.release(), buffer::copy_of(std::span(some).first(n)));
}
task<result<descriptor>> answer_on_this_loop(parcel p) {
  tcp_stream s(p.fd.release());
  co_await ok(s.send(std::move(p.bytes)));
  co_return descriptor(s.release());
}
// Until the peer is gone, or it is stopped.
task<> session(runtime& rt, descriptor fd, std::size_t n) {
  for (;; ++n) {
    auto& reads = rt.loop(n % loops);
    auto& answers = rt.loop((n / 3) % loops);
    result<parcel> got;
    if (n % 2 == 0)
      got = co_await resume_on(reads, receive_on_this_loop(std::move(fd)));
    else
      got = co_await resume_on(reads, read_on_this_loop(std::move(fd)));
    if (!got || got->bytes.empty()) co_return;
    auto back = co_await resume_on(answers, answer_on_this_loop(std::move(*got)));
    if (!back) co_return;
    fd = std::move(*back);
  }
}

// One run: visitors on all loops talk until `limit` answers have come, then all is stopped.
struct load {
  runtime& rt;
  bool one_listener;  // else each loop has one
  int limit;
  endpoint at = {};
  std::atomic<unsigned> ready{0};
  std::atomic<int> answers{0};
  std::atomic<bool> stopping{false};

  task<result<>> serve(tcp_listener& listener, std::size_t index) {
    const auto accept = [&](task_group& sessions) -> task<result<>> {
      for (std::size_t n = index;; ++n) {
        auto s = co_await ok(listener.accept());
        sessions.start(session(rt, descriptor(s.release()), n));
      }
    };
    co_return co_await with_group(accept);
  }
  task<result<>> talk() {
    auto s = co_await ok(tcp_stream::connect(at));
    co_await ok(s.reset_on_close());  // no port waits
    for (int i = 0; i < talks; ++i) {
      co_await ok(s.write_all(bytes_of("ping")));
      const auto text = co_await ok(sockets::read_exactly(s, 4));
      if (text != "ping") co_return fail(errc::corrupt);
      if (++answers != limit) continue;
      stopping = true;
      rt.request_stop();
    }
    co_return result<>{};
  }
  task<result<>> visit() {
    while (ready.load() < loops) co_await yield();
    for (;;) {
      auto talked = co_await talk();
      if (!talked && !stopping) co_return fail(std::move(talked.error()));
    }
  }
  task<result<>> on_each_loop(std::size_t index, tcp_listener first) {
    const auto body = [&](task_group& all) -> task<result<>> {
      for (int i = 0; i < visitors; ++i) all.start(visit());
      auto listener = std::move(first);
      if (index != 0 && !one_listener)
        listener = co_await ok(tcp_listener::bind(at, {.reuse_port = true}));
      ++ready;
      if (!listener.is_open()) co_return result<>{};
      co_return co_await serve(listener, index);
    };
    co_return co_await with_group(body);
  }
  result<> run() {
    auto first = must(tcp_listener::bind(endpoint("127.0.0.1", 0), {.reuse_port = !one_listener}));
    at = must(first.local_endpoint());
    std::atomic<std::size_t> next{0};
    const int fd = first.release();
    return rt.run_on_each_loop([&] {
      const std::size_t index = next++;
      return on_each_loop(index, index == 0 ? tcp_listener(fd) : tcp_listener());
    });
  }
};

void stops_under_load(bool one_listener) {
  const auto open = support::open_files();
  support::on_each_driver(
      [&](runtime& rt) {
        for (const int limit : {1, 20, 300, 3000}) {
          CAPTURE(limit);
          load l{rt, one_listener, limit};
          const auto outcome = l.run();
          CHECK(outcome.error() == errc::canceled);
          CHECK(l.answers >= limit);
        }
      },
      {.threads = loops, .io = {.receive_buffers = 16, .receive_buffer_size = 64}});
  CHECK(support::open_files() == open);
}
}  // namespace

TEST_CASE("sessions that move from loop to loop are stopped under load: one accepts for all") {
  stops_under_load(true);
}

TEST_CASE("sessions that move from loop to loop are stopped under load: each loop accepts") {
  stops_under_load(false);
}
