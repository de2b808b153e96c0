// penstock/io/detail/socket_awaiters.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The awaiters of operations on a stream's socket.

#include <penstock/base/buffer.hpp>
#include <penstock/base/lesser.hpp>
#include <penstock/base/taken.hpp>
#include <penstock/io/detail/open_socket.hpp>

#include <cstddef>
#include <new>
#include <span>
#include <utility>

namespace penstock::detail {

inline constexpr std::size_t longest_send = std::size_t{1} << 30;

// At least one byte, or the end.
class receive_some_awaiter : public leaf<receive_some_awaiter>, socket_leaf {
 public:
  receive_some_awaiter(open_socket& s, std::span<std::byte> to) noexcept
      : socket_leaf(operation_kind::receive, s), ticket_(s) {
    address = to.data();
    length = static_cast<std::uint32_t>(detail::lesser(to.size(), longest_send));
  }
  receive_some_awaiter(const receive_some_awaiter& o) noexcept
      : leaf<receive_some_awaiter>(), socket_leaf(o), ticket_(o.ticket_) {}

  bool await_ready() const noexcept {
    return length == 0 || (socket_->leases && socket_->leases->ready());
  }
  // What receive() has begun goes on to receive: the bytes are copied.
  suspension start(waiter& w) noexcept {
    if (receiver* const r = socket_->leases; r && r->armed()) [[unlikely]]
      return ticket_.wait(*r, w);
    own_ = true;
    return begin(w, side::reads);
  }
  bool succeeded() const noexcept {
    if (own_) [[likely]]
      return answer >= 0;
    return length == 0 || socket_->leases->fulfils();
  }
  template <class Result = result<std::size_t>>  // as in io_leaf.hpp
  [[nodiscard]] Result await_resume() noexcept {
    if (own_) [[likely]] {
      leave();
      if (answer < 0) [[unlikely]]
        return fail(socket_error(answer, "read", *socket_));
      return static_cast<std::size_t>(answer);
    }
    if (length == 0) return 0;
    ticket_.leave();
    receiver& r = *socket_->leases;
    if (r.has_bytes()) return r.copy(static_cast<std::byte*>(address), length);
    if (r.end() < 0) return fail(socket_error(r.end(), "read", *socket_));
    return 0;
  }

 private:
  bool own_ = false;  // not by what receive() has begun
  receiver::ticket ticket_;
};

// Bytes in a buffer of the loop's, or an empty one at the end.
class receive_lease_awaiter : public leaf<receive_lease_awaiter> {
 public:
  explicit receive_lease_awaiter(open_socket& s) noexcept : ticket_(s) {}
  receive_lease_awaiter(const receive_lease_awaiter& o) noexcept
      : leaf<receive_lease_awaiter>(), ticket_(o.ticket_) {}

  bool await_ready() noexcept {
    if (!ticket_.socket().usable()) [[unlikely]]
      return true;
    receiver* const r = ticket_.socket().receiving();
    return !r || r->ready();
  }
  suspension start(waiter& w) noexcept {
    PENSTOCK_ASSERT(!ticket_.socket().reading, "one read of a socket at a time");
    return ticket_.wait(*ticket_.socket().leases, w);
  }
  bool succeeded() const noexcept {
    const receiver* const r = ticket_.socket().leases;
    return r && (r->has_bytes() || (ticket_.socket().usable() && r->end() >= 0));
  }
  template <class Result = result<buffer>>  // as in io_leaf.hpp
  [[nodiscard]] Result await_resume() noexcept {
    ticket_.leave();
    receiver* const r = ticket_.socket().leases;
    if (r && r->has_bytes()) [[likely]]
      return r->take();
    if (!ticket_.socket().usable())
      return fail(socket_error(-ECANCELED, "receive", ticket_.socket()));
    if (!r) return fail(socket_error(-ENOMEM, "receive", ticket_.socket()));
    if (r->end() < 0) return fail(socket_error(r->end(), "receive", ticket_.socket()));
    return buffer();
  }

 private:
  receiver::ticket ticket_;
};

// Sends all.
class send_leaf : protected socket_leaf {
 protected:
  send_leaf(open_socket& s, std::span<const std::byte> from) noexcept
      : socket_leaf(operation_kind::send, s), left_(from.size()) {
    address = const_cast<std::byte*>(from.data());
    length = static_cast<std::uint32_t>(detail::lesser(left_, longest_send));
  }
  send_leaf(const send_leaf& o) noexcept = default;

  suspension launch_send(waiter& w) noexcept { return begin(w, side::writes); }
  bool sent() const noexcept { return answer >= 0; }
  [[nodiscard]] result<> outcome(const char* verb) noexcept {
    leave();
    if (answer < 0) [[unlikely]]
      return fail(socket_error(answer, verb, *socket_));
    return {};
  }
  bool advance() noexcept override {
    if (answer <= 0) {
      if (answer == 0) answer = -EPIPE;
      return true;
    }
    const auto n = static_cast<std::size_t>(answer);
    left_ -= n;
    if (left_ == 0) [[likely]]
      return true;
    address = static_cast<std::byte*>(address) + n;
    length = static_cast<std::uint32_t>(detail::lesser(left_, longest_send));
    return false;
  }

  std::size_t left_;
};

class send_all_awaiter : public leaf<send_all_awaiter>, send_leaf {
 public:
  send_all_awaiter(open_socket& s, std::span<const std::byte> from) noexcept : send_leaf(s, from) {}
  send_all_awaiter(const send_all_awaiter& o) noexcept : leaf<send_all_awaiter>(), send_leaf(o) {}

  bool await_ready() const noexcept { return left_ == 0; }
  suspension start(waiter& w) noexcept { return launch_send(w); }
  bool succeeded() const noexcept { return sent(); }
  [[nodiscard]] result<> await_resume() noexcept { return outcome("write"); }
};

// The same, and gives the buffer back as soon as the kernel has the bytes.
class send_buffer_awaiter : public leaf<send_buffer_awaiter>, send_leaf {
 public:
  send_buffer_awaiter(open_socket& s, buffer&& b) noexcept
      : send_leaf(s, b.bytes()), buffer_(std::move(b)) {}
  send_buffer_awaiter(send_buffer_awaiter&& o) noexcept
      : leaf<send_buffer_awaiter>(), send_leaf(o), buffer_(std::move(o.buffer_)) {}
  ~send_buffer_awaiter() { settle(); }

  bool await_ready() const noexcept { return left_ == 0; }
  suspension start(waiter& w) noexcept {
    if (socket_->sends.wanted(left_)) [[unlikely]]
      lend(w);
    return launch_send(w);
  }
  bool succeeded() const noexcept { return sent(); }
  [[nodiscard]] result<> await_resume() noexcept {
    buffer_.reset();
    return outcome("send");
  }

 private:
  // The kernel sends from the buffer itself, if it can.
  PENSTOCK_NOINLINE void lend(waiter& w) noexcept {
    driver* const d = w.env->sched->io_driver();
    if (!d || !d->supports(operation_kind::send_zero_copy)) return;
    if (!socket_->usable() || stop_requested(w)) return;  // it will not be submitted
    try {
      auto* const h = zero_copies::hold::create(buffer_.first(left_), socket_->fd);
      socket_->sends.begin(*h);
      kind = operation_kind::send_zero_copy;
      other = h;
    } catch (const std::bad_alloc&) {
      socket_->sends.refuse();
    }
  }
  // What is left goes as ever: one hold a send.
  bool advance() noexcept override {
    if (kind == operation_kind::send_zero_copy) [[unlikely]] {
      kind = operation_kind::send;
      other = nullptr;
      if (answer == -EINTR) return false;
      if (answer == -EOPNOTSUPP || answer == -EINVAL || answer == -ENOBUFS || answer == -ENOMEM) {
        socket_->sends.refuse();
        return false;
      }
    }
    return send_leaf::advance();
  }

  buffer buffer_;
};

// Ends what is in flight, waits for it, closes.
class close_socket_awaiter : public leaf<close_socket_awaiter>, stop_node {
 public:
  explicit close_socket_awaiter(open_socket& s) noexcept : socket_(&s) {}
  close_socket_awaiter(const close_socket_awaiter& o) noexcept
      : leaf<close_socket_awaiter>(), stop_node(), socket_(o.socket_) {}
  ~close_socket_awaiter() {
    scope_stop::remove(*this);
    if (who_) socket_->closing = false;  // destroyed while it waits
    if (who_ && socket_->closer == this) socket_->closer = nullptr;
  }

  bool await_ready() const noexcept { return socket_->fd < 0; }
  suspension start(waiter& w) noexcept {
    if (!w.env->stop->try_add(*this)) return stopped_now(w);
    PENSTOCK_ASSERT(!socket_->closing, "a socket is closed twice at once");
    if (socket_->leases) socket_->leases->close();
    if (socket_->reading) socket_->reading->cut();
    if (socket_->writing) socket_->writing->cut();
    if (socket_->idle()) return resume_now(w);
    who_ = &w;
    socket_->closer = this;
    socket_->closing = true;  // also after the last operation: what comes then is closed
    return parked();
  }
  // The last operation is over.
  void tell() noexcept {
    socket_->closer = nullptr;
    who_->env->sched->post(*who_);
  }
  [[nodiscard]] result<> await_resume() noexcept {
    scope_stop::remove(*this);
    if (detail::taken(who_)) socket_->closing = false;
    const int fd = socket_->release();
    if (fd < 0 || ::close(fd) == 0 || errno == EINTR) return {};
    return fail(errno_error(errno), "close", socket_->name());
  }

 private:
  void on_stop() noexcept override {}  // what it waits for ends soon
  wait_info info() const noexcept override { return {"close", nullptr, who_}; }

  open_socket* socket_;
  waiter* who_ = nullptr;
};

inline void receiver_left(open_socket& s) noexcept {
  s.leases->left();
  operation_left(s);
}
inline void operation_left(open_socket& s) noexcept {
  if (s.closer && s.idle()) s.closer->tell();
}

}  // namespace penstock::detail
