// penstock/io/detail/open_socket.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What a stream or a listener is: a descriptor, and who uses it at present.

#include <penstock/base/taken.hpp>
#include <penstock/io/detail/io_leaf.hpp>
#include <penstock/io/detail/receiver.hpp>
#include <penstock/io/detail/zero_copy.hpp>
#include <penstock/io/endpoint.hpp>

#include <unistd.h>
#include <string>

namespace penstock::detail {
class socket_leaf;
class close_socket_awaiter;

struct open_socket {
  open_socket() noexcept = default;
  explicit open_socket(int descriptor) noexcept
      : fd(descriptor), number(descriptor < 0 ? 0 : socket_number()) {}
  open_socket(open_socket&& o) noexcept { take(o); }
  open_socket& operator=(open_socket&& o) noexcept {
    if (this != &o) {
      shut();
      take(o);
    }
    return *this;
  }
  ~open_socket() { shut(); }

  // Whether no operation on it is in flight.
  [[nodiscard]] bool idle() const noexcept {
    return !reading && !writing && !(leases && leases->waited_for());
  }
  // Whether operations can begin.
  [[nodiscard]] bool usable() const noexcept { return fd >= 0 && !closing; }
  // What receives into leases; null when memory is out.
  receiver* receiving() noexcept {
    if (!leases) [[unlikely]]
      leases = receiver::create(fd, number);
    return leases;
  }
  // The descriptor, unused from here on: to be closed, or given to another loop.
  int release() noexcept {
    PENSTOCK_ASSERT(idle(), "a socket goes while an operation on it is in flight");
    if (receiver* const r = detail::taken(leases)) r->abandon();
    sends.leave();
    if (fd >= 0) {
      if (auto* const s = scheduler::current())
        if (driver* const d = s->io_driver()) d->forget(fd);
    }
    return detail::exchanged(fd, -1);
  }
  void shut() noexcept {
    if (fd < 0 && !leases) return;
    if (const int f = release(); f >= 0) ::close(f);
  }
  // For messages: where the other end is, or was.
  [[nodiscard]] std::string name() const;

  int fd = -1;
  std::uint64_t number = 0;
  receiver* leases = nullptr;              // made by the first receive()
  socket_leaf* reading = nullptr;          // in flight
  socket_leaf* writing = nullptr;          // in flight
  close_socket_awaiter* closer = nullptr;  // waits for those two
  bool closing = false;                    // until that has closed it
  endpoint peer;                           // of TCP, for messages; of a listener: itself
  zero_copies sends;                       // from where the bytes are

 private:
  void take(open_socket& o) noexcept {
    PENSTOCK_ASSERT(o.idle() && !o.closer, "a socket is moved while an operation is in flight");
    fd = detail::exchanged(o.fd, -1);
    number = o.number;
    leases = detail::taken(o.leases);
    peer = o.peer;
    sends.take(o.sends);
  }
};

// The error of an operation on a socket. -ECANCELED without a stop: the socket is closed.
error socket_error(int answer, const char* verb, const open_socket& s) noexcept;

// An operation on a socket: one that reads and one that writes at a time.
class socket_leaf : protected io_leaf {
 public:
  // For close(): ends early, as closed.
  void cut() noexcept { cancel_now(); }

 protected:
  socket_leaf(operation_kind k, open_socket& s) noexcept : io_leaf(k), socket_(&s) {}
  socket_leaf(const socket_leaf& o) noexcept = default;
  ~socket_leaf() {
    settle();
    leave();
  }

  enum class side : unsigned char { none, reads, writes };

  suspension begin(waiter& w, side which) noexcept {
    PENSTOCK_ASSERT(!user(which), "one read and one write of a socket at a time");
    fd = socket_->fd;
    offset = socket_->number;
    if (!socket_->usable()) [[unlikely]] {
      answer = -ECANCELED;
      return resume_now(w);
    }
    side_ = which;
    user(which) = this;
    return launch(w);
  }
  // In await_resume().
  void leave() noexcept {
    if (side_ == side::none) return;
    user(detail::exchanged(side_, side::none)) = nullptr;
    if (socket_->closer) [[unlikely]]
      operation_left(*socket_);
  }

 private:
  socket_leaf*& user(side which) const noexcept {
    return which == side::reads ? socket_->reading : socket_->writing;
  }

  side side_ = side::none;  // where it is in flight; in the room that io_leaf leaves

 protected:
  open_socket* socket_;
};

}  // namespace penstock::detail

#ifndef PENSTOCK_SEPARATE
#include <penstock/io/detail/open_socket_impl.hpp>
#endif
