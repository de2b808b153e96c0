// penstock/io/detail/descriptor_awaiters.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Messages that carry descriptors.

#include <penstock/base/taken.hpp>
#include <penstock/core/frame_allocator.hpp>
#include <penstock/io/descriptor.hpp>
#include <penstock/io/detail/socket_awaiters.hpp>

#include <sys/socket.h>
#include <sys/uio.h>
#include <cstring>
#include <new>
#include <vector>

namespace penstock {

/// What `unix_stream::receive_descriptors` gives.
struct received_descriptors {
  std::size_t bytes = 0;                ///< 0 when the peer has ended
  std::vector<descriptor> descriptors;  ///< in the order in which they were sent
};

namespace detail {

inline constexpr std::size_t most_descriptors = 253;  // of one message: SCM_MAX_FD

// A message with room for descriptors: 1 KiB, which is not in the frame.
class control_message {
 public:
  control_message(const void* bytes, std::size_t n)
      : parts_{const_cast<void*>(bytes), (std::min)(n, longest_send)},
        control_(::new (frame_allocate(sizeof(control))) control) {}
  control_message(control_message&& o) noexcept
      : message_(o.message_), parts_(o.parts_), control_(taken(o.control_)) {}
  control_message& operator=(const control_message&) = delete;
  ~control_message() {
    if (control_) frame_free(control_, sizeof(control));
  }

  ::msghdr* to_receive() noexcept {
    reset(sizeof(control));
    return &message_;
  }
  ::msghdr* to_send(std::span<const int> fds) noexcept {
    reset(fds.empty() ? 0 : CMSG_SPACE(fds.size_bytes()));
    if (fds.empty()) return &message_;
    ::cmsghdr* const c = CMSG_FIRSTHDR(&message_);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(c), fds.data(), fds.size_bytes());
    return &message_;
  }
  // The first `n` bytes are sent, and the descriptors with them. False: nothing is left.
  bool rest_to_send(std::size_t n) noexcept {
    parts_.iov_base = static_cast<std::byte*>(parts_.iov_base) + n;
    parts_.iov_len -= n;
    reset(0);
    return parts_.iov_len != 0;
  }
  [[nodiscard]] bool was_cut() const noexcept { return (message_.msg_flags & MSG_CTRUNC) != 0; }
  // Calls fn(fd) for what was received.
  template <class Fn>
  void each(Fn fn) const noexcept(noexcept(fn(0))) {
    for (::cmsghdr* c = CMSG_FIRSTHDR(&message_); c; c = next(c)) {
      if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
      const std::size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < n; ++i) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
        fn(fd);
      }
    }
  }

 private:
  struct control {
    alignas(::cmsghdr) unsigned char bytes[CMSG_SPACE(most_descriptors * sizeof(int))];
  };
  ::cmsghdr* next(::cmsghdr* c) const noexcept {
    return CMSG_NXTHDR(const_cast<::msghdr*>(&message_), c);
  }
  void reset(std::size_t control_size) noexcept {
    message_ = {};
    message_.msg_iov = &parts_;
    message_.msg_iovlen = 1;
    if (control_size == 0) return;
    std::memset(control_->bytes, 0, control_size);
    message_.msg_control = control_->bytes;
    message_.msg_controllen = control_size;
  }

  ::msghdr message_{};
  ::iovec parts_;
  control* control_;  // its own
};

// Sends all bytes, the descriptors with the first of them.
class send_descriptors_awaiter : public leaf<send_descriptors_awaiter>, socket_leaf {
 public:
  send_descriptors_awaiter(open_socket& s, std::span<const int> fds,
                           std::span<const std::byte> with)
      : socket_leaf(operation_kind::send_message, s),
        fds_(fds),
        message_(with.data(), with.size()) {
    PENSTOCK_ASSERT(!with.empty(), "descriptors go with a byte at least");
  }
  send_descriptors_awaiter(send_descriptors_awaiter&& o) noexcept
      : leaf<send_descriptors_awaiter>(),
        socket_leaf(o),
        fds_(o.fds_),
        message_(std::move(o.message_)) {}
  ~send_descriptors_awaiter() { settle(); }

  suspension start(waiter& w) noexcept {
    if (fds_.size() > most_descriptors) {
      answer = -EINVAL;
      return resume_now(w);
    }
    address = message_.to_send(fds_);
    return begin(w, side::writes);
  }
  [[nodiscard]] result<> await_resume() noexcept {
    leave();
    if (answer < 0) return fail(socket_error(answer, "send descriptors to", *socket_));
    return {};
  }

 private:
  bool advance() noexcept override {
    if (answer > 0) return !message_.rest_to_send(static_cast<std::size_t>(answer));
    if (answer == 0) answer = -EPIPE;
    return true;
  }

  std::span<const int> fds_;
  control_message message_;
};

// What is not taken is closed.
class receive_descriptors_awaiter : public leaf<receive_descriptors_awaiter>, socket_leaf {
 public:
  receive_descriptors_awaiter(open_socket& s, std::span<std::byte> to)
      : socket_leaf(operation_kind::receive_message, s), message_(to.data(), to.size()) {
    PENSTOCK_ASSERT(!to.empty(), "descriptors come with a byte at least");
    flags = MSG_CMSG_CLOEXEC;
  }
  receive_descriptors_awaiter(receive_descriptors_awaiter&& o) noexcept
      : leaf<receive_descriptors_awaiter>(), socket_leaf(o), message_(std::move(o.message_)) {}
  ~receive_descriptors_awaiter() {
    if (settle()) got_ = answer > 0;
    if (got_) close_all();
  }

  suspension start(waiter& w) noexcept {
    PENSTOCK_ASSERT(!socket_->leases, "receive() has begun, and drops descriptors");
    address = message_.to_receive();
    return begin(w, side::reads);
  }
  template <class Result = result<received_descriptors>>  // as in io_leaf.hpp
  [[nodiscard]] Result await_resume() {
    leave();
    if (answer < 0) return fail(socket_error(answer, "receive descriptors from", *socket_));
    typename Result::value_type out;
    out.bytes = static_cast<std::size_t>(answer);
    if (!got_) return out;
    if (message_.was_cut())  // the destructor closes the others
      return fail(socket_error(-EMFILE, "receive descriptors from", *socket_));
    std::size_t n = 0;
    message_.each([&n](int) noexcept { ++n; });
    out.descriptors.reserve(n);
    got_ = false;
    message_.each([&out](int got) noexcept { out.descriptors.emplace_back(got); });
    return out;
  }

 private:
  bool advance() noexcept override {
    got_ = answer > 0;
    return true;
  }
  void close_all() const noexcept {
    message_.each([](int got) noexcept { ::close(got); });
  }

  control_message message_;
  bool got_ = false;  // descriptors, perhaps, that nobody has taken
};

}  // namespace detail
}  // namespace penstock
