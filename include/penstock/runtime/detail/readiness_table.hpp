// penstock/runtime/detail/readiness_table.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What the reactor remembers of each descriptor: who waits for it, and what it is ready for.

#include <penstock/base/assert.hpp>
#include <penstock/base/lesser.hpp>
#include <penstock/runtime/detail/epoll_instance.hpp>
#include <penstock/runtime/operation.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace penstock::detail {

// Registered once, edge-triggered: an event says what has become ready, the system calls say when
// that is over.
struct readiness {
  static constexpr std::uint64_t no_number = ~std::uint64_t{0};

  operation* reading = nullptr;  // parked
  operation* writing = nullptr;
  std::uint64_t number = no_number;  // of the socket
  std::uint32_t generation = 0;      // of the registration
  bool readable = false;
  bool writable = true;
  bool lasting = true;       // a short receive does not mean that nothing is left
  bool nonblocking = false;  // we made it so
};
static_assert(sizeof(readiness) == 32, "two a cache line");

class readiness_table {
 public:
  explicit readiness_table(const epoll_instance& epoll) noexcept : epoll_(epoll) {}
  readiness_table(const readiness_table&) = delete;
  readiness_table& operator=(const readiness_table&) = delete;
  ~readiness_table() { std::free(slots_); }

  // The slot of a socket that is registered, or null.
  readiness* find(int fd, std::uint64_t number) noexcept {
    const auto i = static_cast<std::size_t>(static_cast<unsigned>(fd));
    if (i >= size_ || slots_[i].number != number) [[unlikely]]
      return nullptr;
    return &slots_[i];
  }
  // The slot that an event is for; null: the descriptor was closed since, or forgotten.
  readiness* of_event(std::uint64_t data) noexcept {
    readiness& s = (*this)[static_cast<int>(static_cast<std::uint32_t>(data))];
    return s.generation == data >> 32 ? &s : nullptr;
  }
  readiness& operator[](int fd) noexcept { return slots_[static_cast<std::size_t>(fd)]; }

  // Registers `fd` for the socket `number`; 0: any, which find() never finds. 1, or 0: it is in use
  // and stays as it is, or the negative errno.
  int add(int fd, std::uint64_t number) noexcept {
    if (is_busy(fd)) {
      readiness& s = (*this)[fd];
      PENSTOCK_ASSERT(number == 0 || s.number == readiness::no_number,
                      "a descriptor was closed while an operation was on it");
      if (number != 0) s.number = number;
      return 0;
    }
    if (++generation_ == 0) ++generation_;
    const int r = epoll_.add(fd, interest, event_data(fd, generation_));
    const bool always_ready = r == -EPERM;  // a regular file
    if (r < 0 && !always_ready) return r;
    if (!make_room(fd)) {
      epoll_.remove(fd);
      return -ENOMEM;
    }
    readiness& s = (*this)[fd] = readiness{};
    s.number = number == 0 ? readiness::no_number : number;
    s.generation = generation_;
    s.readable = always_ready;
    return 1;
  }
  // True: it was registered.
  bool remove(int fd) noexcept {
    if (!is_known(fd) || (*this)[fd].generation == 0) return false;
    PENSTOCK_ASSERT(!is_busy(fd), "a descriptor is forgotten while an operation is on it");
    epoll_.remove(fd);
    (*this)[fd] = readiness{};
    return true;
  }
  template <class Fn>
  requires requires(Fn& f, operation& op) { f(op); }
  void each_parked(Fn fn) {
    for (std::size_t i = 0; i < size_; ++i) {
      if (slots_[i].reading) fn(*slots_[i].reading);
      if (slots_[i].writing) fn(*slots_[i].writing);
    }
  }

 private:
  static constexpr std::uint32_t interest = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  static constexpr std::size_t fewest = 64;

  static std::uint64_t event_data(int fd, std::uint32_t generation) noexcept {
    return std::uint64_t{generation} << 32 | static_cast<std::uint32_t>(fd);
  }
  [[nodiscard]] bool is_known(int fd) const noexcept {
    return fd >= 0 && static_cast<std::size_t>(fd) < size_;
  }
  [[nodiscard]] bool is_busy(int fd) noexcept {
    return is_known(fd) && ((*this)[fd].reading || (*this)[fd].writing);
  }
  bool make_room(int fd) noexcept {
    if (is_known(fd)) return true;
    std::size_t more = detail::larger(fewest, size_ * 2);
    if (more <= static_cast<std::size_t>(fd)) more = static_cast<std::size_t>(fd) + 1;
    void* const moved = std::realloc(slots_, more * sizeof(readiness));
    if (!moved) return false;
    slots_ = static_cast<readiness*>(moved);
    for (; size_ < more; ++size_) ::new (static_cast<void*>(slots_ + size_)) readiness;
    return true;
  }

  const epoll_instance& epoll_;
  readiness* slots_ = nullptr;  // by descriptor; of malloc, which can make room in place
  std::size_t size_ = 0;
  std::uint32_t generation_ = 0;  // of the last registration; none has 0
};

}  // namespace penstock::detail
