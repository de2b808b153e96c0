// SPDX-License-Identifier: BSL-1.0
#include "echo_load.hpp"

#include "harness.hpp"
#include "statistics.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

namespace bench {
namespace {

constexpr unsigned ring_buffers = 4096;

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  check(fd >= 0, "too few files may be open: raise ulimit -n");
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  check(::connect(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0,
        "cannot connect to a server");
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

}  // namespace

echo_load::echo_load(std::size_t connections, std::size_t bytes)
    : count_(connections), message_(bytes) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  for (std::size_t i = 0; i < bytes; ++i) message_[i] = static_cast<std::byte>(i * 31 + 7);

  io_uring_params p{};
  p.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
  p.cq_entries = 32768;
  check(::io_uring_queue_init_params(4096, &ring_, &p) == 0, "the load needs io_uring");
  ::io_uring_register_ring_fd(&ring_);
  const std::size_t size = bytes < 512 ? 512 : 4096;
  check(buffers_.start(ring_, ring_buffers, size) == 0, "the load needs a ring of buffers");
}

echo_load::~echo_load() {
  ::io_uring_queue_exit(&ring_);
  for (auto& t : targets_) {
    for (auto& c : t.connections) ::close(c.fd);
  }
}

std::size_t echo_load::add(const server& s) {
  targets_.push_back({&s, {}});
  for (std::size_t i = 0; i < count_; ++i) {
    targets_.back().connections.push_back({connect_to(s.port()), 0, {}});
    listen_to(targets_.back().connections.back());
  }
  comparing_ = true;
  sweep(targets_.size() - 1);
  comparing_ = false;
  return targets_.size() - 1;
}

echo_visit echo_load::visit(std::size_t number, std::chrono::milliseconds slice,
                            std::chrono::milliseconds warm, waiting how) {
  target& t = targets_[number];
  const auto begin = clock::now();
  clock::time_point from;
  std::size_t under_way = 0, answers = 0;
  double cpu = 0;
  enum { warming, counting, draining } phase = warming;
  echo_visit result;
  latencies_.clear();
  for (auto& c : t.connections) {
    send(c, begin);
    ++under_way;
  }
  while (under_way != 0) {
    wait(how);
    const auto now = clock::now();
    if (phase == warming && now - begin > warm) {
      phase = counting;
      from = now;
      cpu = t.host->cpu_seconds();
    } else if (phase == counting && now - begin > slice) {
      phase = draining;
      cpu = t.host->cpu_seconds() - cpu;
      const double seconds = std::chrono::duration<double>(now - from).count();
      const auto n = static_cast<double>(answers);
      result = {cpu * 1e6 / n, median(latencies_), n / seconds, cpu / seconds};
    }
    take_answers([&](connection& c) {
      if (phase == counting) {
        ++answers;
        latencies_.push_back(std::chrono::duration<double, std::micro>(now - c.sent_at).count());
      }
      if (phase == draining)
        --under_way;
      else
        send(c, now);
    });
  }
  check(answers > 0, "a server did not answer");
  return result;
}

void echo_load::sweep(std::size_t number) {
  target& t = targets_[number];
  for (auto& c : t.connections) send(c, {});
  for (std::size_t under_way = count_; under_way != 0;) {
    wait(waiting::sleeping);
    take_answers([&](connection&) { --under_way; });
  }
}

void echo_load::sweep_in_turn(std::size_t number) {
  for (auto& c : targets_[number].connections) {
    send(c, {});
    for (bool answered = false; !answered;) {
      wait(waiting::sleeping);
      take_answers([&](connection&) { answered = true; });
    }
  }
}

io_uring_sqe& echo_load::entry() {
  io_uring_sqe* s = ::io_uring_get_sqe(&ring_);
  if (!s) {
    ::io_uring_submit(&ring_);
    s = ::io_uring_get_sqe(&ring_);
  }
  return *s;
}
void echo_load::listen_to(connection& c) {
  io_uring_sqe& s = entry();
  ::io_uring_prep_recv_multishot(&s, c.fd, nullptr, 0, 0);
  s.flags |= IOSQE_BUFFER_SELECT;
  s.buf_group = 0;
  s.user_data = reinterpret_cast<std::uintptr_t>(&c);
}
void echo_load::send(connection& c, clock::time_point now) {
  io_uring_sqe& s = entry();
  ::io_uring_prep_send(&s, c.fd, message_.data(), message_.size(), MSG_WAITALL | MSG_NOSIGNAL);
  s.flags |= IOSQE_CQE_SKIP_SUCCESS;
  s.user_data = 0;
  c.sent_at = now;
}
void echo_load::wait(waiting how) {
  if (how == waiting::spinning)
    ::io_uring_submit_and_get_events(&ring_);
  else
    ::io_uring_submit_and_wait(&ring_, 1);
}

template <class Fn>
void echo_load::take_answers(Fn answered) {
  unsigned head = 0, n = 0;
  io_uring_cqe* e = nullptr;
  io_uring_for_each_cqe(&ring_, head, e) {
    ++n;
    check(e->user_data != 0, "a message could not be sent");
    auto& c = *reinterpret_cast<connection*>(e->user_data);
    if (e->res == -ENOBUFS) {
      listen_to(c);
      continue;
    }
    check(e->res > 0, "a server closed a connection");
    const unsigned buffer = e->flags >> IORING_CQE_BUFFER_SHIFT;
    const auto bytes = static_cast<std::size_t>(e->res);
    check(c.received + bytes <= message_.size(), "a server sent too much");
    if (comparing_) {
      check(std::memcmp(buffers_.at(buffer), &message_[c.received], bytes) == 0,
            "a server sent other bytes than it got");
    }
    buffers_.give_back(buffer);
    c.received += bytes;
    if (!(e->flags & IORING_CQE_F_MORE)) listen_to(c);
    if (c.received == message_.size()) {
      c.received = 0;
      answered(c);
    }
  }
  buffers_.publish();
  ::io_uring_cq_advance(&ring_, n);
}

}  // namespace bench
