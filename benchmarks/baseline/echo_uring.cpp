// SPDX-License-Identifier: BSL-1.0
// An echo server on one io_uring: two ways to receive, two kinds of descriptors.
//
//   echo_uring PORT [single|multi] [plain|direct] [SPIN_US]
//
//   single  one receive at a time, into the connection's own buffer
//   multi   one multishot receive a connection, whose buffers come from a ring of them
//   plain   descriptors of the process
//   direct  slots of the ring's own table
//
// SPIN_US: how long to look for completions before sleeping.
#include "../support/buffer_ring.hpp"
#include "echo_listener.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <vector>

namespace {

constexpr unsigned most_connections = 16384;
constexpr std::size_t buffer_size = 4096;
constexpr unsigned ring_buffers = 4096;

enum class event : std::uint8_t { accepted, received, sent, ended };

struct options {
  bool multi = false;
  bool direct = false;
  std::chrono::microseconds spin{0};
};

// Of `multi`: bytes that were received and not yet sent, in order; one send is in flight.
struct chunk {
  unsigned length = 0;
  unsigned next = 0;  // of the same connection
};
constexpr unsigned none = ~0u;
struct connection {
  unsigned first = none, last = none;
  bool ended = false;  // nothing more will be received
};

class echo_server {
 public:
  echo_server(const char* port, options o) : options_(o), listener_(baseline::listen_on(port)) {
    io_uring_params p{};
    p.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
    p.cq_entries = 16384;
    check(::io_uring_queue_init_params(4096, &ring_, &p), "io_uring_queue_init");
    ::io_uring_register_ring_fd(&ring_);
    if (options_.direct) {
      check(::io_uring_register_files_sparse(&ring_, most_connections), "register files");
    }
    if (options_.multi) {
      check(ring_of_buffers_.start(ring_, ring_buffers, buffer_size), "register buffers");
      chunks_.resize(ring_buffers);
      connections_.resize(most_connections);
    } else {
      buffers_ = bench::pages(most_connections * buffer_size);
      if (!buffers_) baseline::fail("mmap");
    }
  }
  echo_server(const echo_server&) = delete;
  echo_server& operator=(const echo_server&) = delete;
  ~echo_server() { ::io_uring_queue_exit(&ring_); }

  [[noreturn]] void run() {
    accept();
    for (;;) {
      wait();
      unsigned head = 0, n = 0;
      io_uring_cqe* c = nullptr;
      io_uring_for_each_cqe(&ring_, head, c) {
        ++n;
        handle(*c);
      }
      if (options_.multi) ring_of_buffers_.publish();
      ::io_uring_cq_advance(&ring_, n);
    }
  }

 private:
  static void check(int r, const char* what) {
    if (r >= 0) return;
    errno = -r;
    baseline::fail(what);
  }

  void wait() {
    if (options_.spin.count() > 0) {
      const auto begin = std::chrono::steady_clock::now();
      do {
        ::io_uring_submit_and_get_events(&ring_);
        if (::io_uring_cq_ready(&ring_) != 0) return;
      } while (std::chrono::steady_clock::now() - begin < options_.spin);
    }
    ::io_uring_submit_and_wait(&ring_, 1);
  }

  void handle(const io_uring_cqe& c) {
    const auto what = static_cast<event>(c.user_data >> 56);
    const auto who = static_cast<unsigned>(c.user_data);
    const bool more = (c.flags & IORING_CQE_F_MORE) != 0;
    if (what == event::accepted) {
      const auto peer = static_cast<unsigned>(c.res);
      if (c.res >= 0) peer < most_connections ? receive(peer) : close(peer);
      if (!more) accept();
    } else if (what == event::received) {
      options_.multi ? received_chunk(who, c, more) : received(who, c.res);
    } else if (what == event::sent) {
      options_.multi ? sent_chunk(who, c.res) : sent(who, c.res);
    }
  }

  // single

  void received(unsigned who, int n) {
    if (n > 0)
      send(who, buffer_of(who), length_[who] = static_cast<unsigned>(n));
    else
      close(who);
  }
  void sent(unsigned who, int n) {
    if (n == static_cast<int>(length_[who]))
      receive(who);
    else
      close(who);
  }
  std::byte* buffer_of(unsigned who) const { return buffers_ + who * buffer_size; }

  // multi

  void received_chunk(unsigned who, const io_uring_cqe& c, bool more) {
    connection& k = connections_[who];
    if (c.res > 0) {
      const unsigned buffer = c.flags >> IORING_CQE_BUFFER_SHIFT;
      chunks_[buffer] = {static_cast<unsigned>(c.res), none};
      const bool idle = k.first == none;
      (idle ? k.first : chunks_[k.last].next) = buffer;
      k.last = buffer;
      if (idle) send_first(who, k);
      if (!more) receive(who);
    } else if (c.res == -ENOBUFS) {
      receive(who);
    } else if (!more) {
      k.ended = true;
      if (k.first == none) close(who);
    }
  }
  void send_first(unsigned who, const connection& k) {
    send(who, ring_of_buffers_.at(k.first), chunks_[k.first].length);
  }
  void sent_chunk(unsigned who, int n) {
    connection& k = connections_[who];
    const chunk done = chunks_[k.first];
    ring_of_buffers_.give_back(k.first);
    k.first = done.next;
    if (n != static_cast<int>(done.length)) {
      for (; k.first != none; k.first = chunks_[k.first].next) ring_of_buffers_.give_back(k.first);
      if (!k.ended) shut_down(who);
    }
    if (k.first != none)
      send_first(who, k);
    else if (k.ended)
      close(who);
  }

  // operations

  io_uring_sqe& entry(event what, unsigned who) {
    io_uring_sqe* s = ::io_uring_get_sqe(&ring_);
    if (!s) {
      ::io_uring_submit(&ring_);
      s = ::io_uring_get_sqe(&ring_);
    }
    s->user_data = std::uint64_t{static_cast<std::uint8_t>(what)} << 56 | who;
    return *s;
  }
  void accept() {
    io_uring_sqe& s = entry(event::accepted, 0);
    if (options_.direct)
      ::io_uring_prep_multishot_accept_direct(&s, listener_, nullptr, nullptr, 0);
    else
      ::io_uring_prep_multishot_accept(&s, listener_, nullptr, nullptr, 0);
  }
  void receive(unsigned who) {
    io_uring_sqe& s = entry(event::received, who);
    const int fd = static_cast<int>(who);
    if (options_.multi) {
      ::io_uring_prep_recv_multishot(&s, fd, nullptr, 0, 0);
      s.flags |= IOSQE_BUFFER_SELECT;
      s.buf_group = 0;
    } else {
      ::io_uring_prep_recv(&s, fd, buffer_of(who), buffer_size, 0);
    }
    if (options_.direct) s.flags |= IOSQE_FIXED_FILE;
  }
  void send(unsigned who, const std::byte* from, unsigned n) {
    io_uring_sqe& s = entry(event::sent, who);
    ::io_uring_prep_send(&s, static_cast<int>(who), from, n, MSG_NOSIGNAL | MSG_WAITALL);
    if (options_.direct) s.flags |= IOSQE_FIXED_FILE;
  }
  void shut_down(unsigned who) {
    io_uring_sqe& s = entry(event::ended, who);
    ::io_uring_prep_shutdown(&s, static_cast<int>(who), SHUT_RDWR);
    if (options_.direct) s.flags |= IOSQE_FIXED_FILE;
  }
  void close(unsigned who) {
    if (options_.multi && who < most_connections) connections_[who] = {};
    io_uring_sqe& s = entry(event::ended, who);
    if (options_.direct)
      ::io_uring_prep_close_direct(&s, who);
    else
      ::io_uring_prep_close(&s, static_cast<int>(who));
  }

  options options_;
  int listener_;
  io_uring ring_{};
  std::byte* buffers_ = nullptr;  // of `single`: one a connection
  std::vector<unsigned> length_ = std::vector<unsigned>(most_connections);  // what it echoes
  bench::buffer_ring ring_of_buffers_;
  std::vector<chunk> chunks_;            // of `multi`: by buffer
  std::vector<connection> connections_;  // of `multi`
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: echo_uring PORT [single|multi] [plain|direct] [SPIN_US]\n", stderr);
    return 2;
  }
  options o;
  for (int i = 2; i < argc; ++i) {
    if (!std::strcmp(argv[i], "multi"))
      o.multi = true;
    else if (!std::strcmp(argv[i], "direct"))
      o.direct = true;
    else
      o.spin = std::chrono::microseconds(std::atoi(argv[i]));
  }
  echo_server(argv[1], o).run();
}
