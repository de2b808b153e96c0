// penstock/io/detail/zero_copy.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Buffers that the kernel sends from where they are: held until it says that it is through with
/// them, and whether that pays.
///
/// A send is over when the kernel has queued the bytes; the buffer is free only when the peer has
/// them. The first such send of a socket asks whether the kernel copied after all, as it does on
/// loopback: then the socket's sends are plain ones from there on.

#include <penstock/base/buffer.hpp>
#include <penstock/base/intrusive_list.hpp>
#include <penstock/core/frame_allocator.hpp>
#include <penstock/runtime/driver.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cstddef>
#include <new>
#include <utility>

namespace penstock::detail {

// Below this a copy is cheaper than pinning pages and a second completion.
inline constexpr std::size_t zero_copy_from = 32u << 10;

// Of one socket: what of its buffers the kernel still has. Holds point to it, so it says where it
// moves.
class zero_copies {
 public:
  // One buffer; the operation that a send_zero_copy names as its `other`.
  class hold final : public operation, public list_node {
   public:
    static hold* create(buffer bytes, int descriptor) {
      return ::new (frame_allocate(sizeof(hold))) hold(std::move(bytes), descriptor);
    }

   private:
    friend zero_copies;
    hold(buffer bytes, int descriptor) noexcept
        : operation(operation_kind::send_zero_copy), bytes_(std::move(bytes)) {
      fd = descriptor;
      complete = [](operation& op) noexcept { static_cast<hold&>(op).free_again(); };
    }
    ~hold() {
      if (own_fd_) ::close(fd);
    }
    void free_again() noexcept {
      if (of_) of_->ended(*this);
      this->~hold();
      frame_free(this, sizeof(hold));
    }

    buffer bytes_;
    zero_copies* of_ = nullptr;
    bool own_fd_ = false;
  };

  zero_copies() noexcept = default;
  zero_copies(const zero_copies&) = delete;
  zero_copies& operator=(const zero_copies&) = delete;

  // Whether the next send is to be one.
  [[nodiscard]] bool wanted(std::size_t bytes) const noexcept {
    return bytes >= zero_copy_from && state_ != state::refused &&
           (state_ == state::pays || !asked_);
  }
  void begin(hold& h) noexcept {
    h.of_ = this;
    held_.push_back(h);
    asked_ = true;
  }
  // The socket, its driver or the kernel cannot.
  void refuse() noexcept { state_ = state::refused; }

  void take(zero_copies& from) noexcept {
    state_ = from.state_;
    asked_ = from.asked_;
    held_ = std::move(from.held_);
    for (hold& h : held_) h.of_ = this;
  }
  // The socket's descriptor goes: the holds keep one of their own, by which the driver can still
  // end the connection. The peer sees its end after the bytes.
  void leave() noexcept {
    while (hold* const h = held_.pop_front()) {
      h->of_ = nullptr;
      h->fd = ::fcntl(h->fd, F_DUPFD_CLOEXEC, 0);
      h->own_fd_ = h->fd >= 0;
    }
  }

 private:
  enum class state : unsigned char { unknown, pays, refused };

  void ended(hold& h) noexcept {
    held_.erase(h);
    if (h.answer == 0 && state_ == state::unknown) state_ = state::pays;
    if (h.answer > 0) state_ = state::refused;
  }

  intrusive_list<hold> held_;
  state state_ = state::unknown;
  bool asked_ = false;
};

}  // namespace penstock::detail
