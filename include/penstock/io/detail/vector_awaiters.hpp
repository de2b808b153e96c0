// penstock/io/detail/vector_awaiters.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Reads into, and writes of, several spans of bytes: any number of them, by a few at a time.

#include <penstock/io/detail/socket_awaiters.hpp>

#include <sys/socket.h>
#include <sys/uio.h>

namespace penstock::detail {

// A message whose parts are the next few spans that are not empty.
template <class Byte>
class span_window {
 public:
  explicit span_window(std::span<const std::span<Byte>> spans) noexcept
      : next_(spans.data()), end_(next_ + spans.size()) {
    skip_empty();
  }
  // Before it is filled.
  span_window(const span_window& o) noexcept : next_(o.next_), end_(o.end_), done_(o.done_) {}

  // Whether no bytes are left.
  [[nodiscard]] bool empty() const noexcept { return next_ == end_; }
  ::msghdr* fill() noexcept {
    std::size_t n = 0;
    std::size_t room = longest_send;
    std::size_t skip = done_;
    for (auto* s = next_; s != end_ && n != most && room != 0; ++s) {
      const std::size_t length = (std::min)(s->size() - skip, room);
      if (length != 0) parts_[n++] = {const_cast<std::byte*>(s->data()) + skip, length};
      skip = 0;
      room -= length;
    }
    message_ = {};
    message_.msg_iov = parts_;
    message_.msg_iovlen = n;
    return &message_;
  }
  void consume(std::size_t n) noexcept {
    while (n != 0) {
      const std::size_t there = (std::min)(next_->size() - done_, n);
      done_ += there;
      n -= there;
      skip_empty();
    }
  }
  // What is left of the first span that is not empty.
  [[nodiscard]] std::span<Byte> front() const noexcept {
    return {next_->data() + done_, next_->size() - done_};
  }

 private:
  static constexpr std::size_t most = 8;

  void skip_empty() noexcept {
    while (next_ != end_ && done_ == next_->size()) {
      ++next_;
      done_ = 0;
    }
  }

  const std::span<Byte>* next_;
  const std::span<Byte>* end_;
  std::size_t done_ = 0;  // of the next one
  ::msghdr message_;
  ::iovec parts_[most];
};

// At least one byte, or the end.
class receive_vector_awaiter : public leaf<receive_vector_awaiter>, socket_leaf {
 public:
  receive_vector_awaiter(open_socket& s, std::span<const std::span<std::byte>> to) noexcept
      : socket_leaf(operation_kind::receive_message, s), to_(to), ticket_(s) {}
  receive_vector_awaiter(const receive_vector_awaiter& o) noexcept
      : leaf<receive_vector_awaiter>(), socket_leaf(o), to_(o.to_), ticket_(o.ticket_) {}

  bool await_ready() const noexcept {
    return to_.empty() || (socket_->leases && socket_->leases->ready());
  }
  suspension start(waiter& w) noexcept {
    if (receiver* const r = socket_->leases; r && r->armed()) [[unlikely]]
      return ticket_.wait(*r, w);
    own_ = true;
    address = to_.fill();
    return begin(w, side::reads);
  }
  bool succeeded() const noexcept {
    if (own_) return answer >= 0;
    return to_.empty() || socket_->leases->fulfils();
  }
  template <class Result = result<std::size_t>>  // as in io_leaf.hpp
  [[nodiscard]] Result await_resume() noexcept {
    if (own_) {
      leave();
      if (answer < 0) [[unlikely]]
        return fail(socket_error(answer, "read", *socket_));
      return static_cast<std::size_t>(answer);
    }
    if (to_.empty()) return 0;
    ticket_.leave();
    receiver& r = *socket_->leases;
    std::size_t n = 0;
    while (!to_.empty() && r.has_bytes()) {
      const std::size_t some = r.copy(to_.front().data(), to_.front().size());
      to_.consume(some);
      n += some;
    }
    if (n == 0 && r.end() < 0) return fail(socket_error(r.end(), "read", *socket_));
    return n;
  }

 private:
  span_window<std::byte> to_;
  bool own_ = false;  // not by what receive() has begun
  receiver::ticket ticket_;
};

// Sends all.
class send_vector_awaiter : public leaf<send_vector_awaiter>, socket_leaf {
 public:
  send_vector_awaiter(open_socket& s, std::span<const std::span<const std::byte>> from) noexcept
      : socket_leaf(operation_kind::send_message, s), from_(from) {}
  send_vector_awaiter(const send_vector_awaiter& o) noexcept
      : leaf<send_vector_awaiter>(), socket_leaf(o), from_(o.from_) {}
  ~send_vector_awaiter() { settle(); }

  bool await_ready() const noexcept { return from_.empty(); }
  suspension start(waiter& w) noexcept {
    address = from_.fill();
    return begin(w, side::writes);
  }
  bool succeeded() const noexcept { return answer >= 0; }
  [[nodiscard]] result<> await_resume() noexcept {
    leave();
    if (answer < 0) [[unlikely]]
      return fail(socket_error(answer, "write", *socket_));
    return {};
  }

 private:
  bool advance() noexcept override {
    if (answer <= 0) {
      if (answer == 0) answer = -EPIPE;
      return true;
    }
    from_.consume(static_cast<std::size_t>(answer));
    if (from_.empty()) return true;
    address = from_.fill();
    return false;
  }
  span_window<const std::byte> from_;
};

}  // namespace penstock::detail
