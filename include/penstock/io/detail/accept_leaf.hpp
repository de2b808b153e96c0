// penstock/io/detail/accept_leaf.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Waits for a connection, whatever becomes of others.

#include <penstock/io/detail/open_socket.hpp>
#include <penstock/io/detail/pausing.hpp>

#include <sys/socket.h>
#include <cerrno>
#include <cstdint>

namespace penstock::detail {

// Errors of the connection that was next: it is gone, and the listener is well.
inline bool is_of_connection(int number) noexcept {
  switch (number) {
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EPERM:  // a firewall
      return true;
    default:
      return false;
  }
}
// Errors that pass when somebody closes a descriptor or gives memory back.
inline bool is_of_resources(int number) noexcept {
  return number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM;
}

// When a pause was last said; nanoseconds of a loop's clock. Written by any loop.
inline constinit atomic<std::int64_t> pause_said{0};
// In the log, once a minute.
void say_pause(time_point now, int number, const open_socket& s) noexcept;

class accept_leaf : protected pausing<socket_leaf> {
 protected:
  explicit accept_leaf(open_socket& s) noexcept : pausing<socket_leaf>(operation_kind::accept, s) {
    flags = SOCK_CLOEXEC;
  }
  accept_leaf(const accept_leaf& o) noexcept = default;
  ~accept_leaf() = default;
  // First in the destructor: the operation writes to members of the class.
  void end_accept() noexcept {
    if (settle()) accepted_ = answer;
    if (accepted_ >= 0) ::close(accepted_);
  }
  suspension launch_accept(waiter& w) noexcept { return begin(w, side::reads); }
  // In await_resume(): the connection; negative: there is none.
  [[nodiscard]] int take() noexcept {
    leave();
    const int got = accepted_;
    accepted_ = -1;
    return got;
  }
  [[nodiscard]] error why() const noexcept { return socket_error(answer, "accept", *socket_); }

 private:
  static constexpr unsigned most_retries = 64;  // in a row, at once

  bool advance() noexcept override {
    if (answer >= 0) {
      accepted_ = answer;
      return true;
    }
    const int number = -answer;
    if (is_of_connection(number)) return ++retries_ % most_retries == 0 ? pause() : false;
    if (!is_of_resources(number)) return true;
    if (!ending()) say_pause(loop().now(), number, *socket_);
    return pause();
  }

  int accepted_ = -1;  // until it is taken
  unsigned retries_ = 0;
};

}  // namespace penstock::detail

#ifndef PENSTOCK_SEPARATE
#include <penstock/io/detail/accept_leaf_impl.hpp>
#endif
