// penstock/io/detail/connect_awaiter.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How a TCP connection is made. Included by tcp_stream.hpp only.

#include <penstock/io/tcp_stream.hpp>

namespace penstock {
namespace detail {

class connect_awaiter : public io_awaiter<connect_awaiter> {
 public:
  connect_awaiter(const endpoint& to, const connect_options& o) noexcept
      : io_awaiter(operation_kind::connect), to_(to), options_(o) {}
  connect_awaiter(const connect_awaiter& o) noexcept
      : io_awaiter(o), to_(o.to_), options_(o.options_) {}
  ~connect_awaiter() { settle(); }  // before the socket goes

  suspension start(waiter& w) noexcept {
    if (stop_requested(w)) [[unlikely]]
      return stopped_now(w);
    answer = open();
    if (answer < 0) [[unlikely]]
      return resume_now(w);
    fd = socket_.fd;
    offset = socket_.number;
    address = const_cast<::sockaddr*>(to_.data());
    length = to_.size();
    return launch(w);
  }
  template <class Result = result<tcp_stream>>  // as in io_leaf.hpp
  [[nodiscard]] Result await_resume() noexcept {
    if (answer < 0) return fail(why());
    socket_.peer = to_;
    return tcp_stream(std::move(socket_));
  }

 private:
  // 0, or the negative errno.
  int open() noexcept;
  error why() const noexcept;

  endpoint to_;
  connect_options options_;
  bool invalid_ = false;
  open_socket socket_;
};

}  // namespace detail

inline detail::connect_awaiter tcp_stream::connect(const endpoint& to,
                                                   connect_options options) noexcept {
  return {to, options};
}

}  // namespace penstock

#ifndef PENSTOCK_SEPARATE
#include <penstock/io/detail/connect_impl.hpp>
#endif
