// penstock/runtime/driver.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What executes operations for a loop: one virtual call each. driver/uring.hpp and
/// driver/reactor.hpp implement it; the types of io/ know nothing else.

#include <penstock/base/clock.hpp>
#include <penstock/base/result.hpp>
#include <penstock/runtime/operation.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace penstock {

/// Which driver a runtime uses.
enum class driver_kind : unsigned char {
  automatic,  ///< io_uring where the kernel lets us, else the reactor
  uring,      ///< io_uring, or an error
  reactor,    ///< system calls: files on the cpu pool
};

/// Options of a driver.
struct driver_options {
  /// Buffers for `receive()` of a loop's sockets: 1 to 32768; made when the first is needed.
  unsigned receive_buffers = 1024;
  /// Bytes of each, 64 to 1 MiB.
  unsigned receive_buffer_size = 8192;
};
static_assert(std::is_trivially_copyable_v<driver_options>);

/// `errc::invalid_option`, naming the member, when `o` cannot work.
[[nodiscard]] inline result<> validate(const driver_options& o) {
  if (o.receive_buffers < 1 || o.receive_buffers > 32768)
    return fail(errc::invalid_option, "driver", "receive_buffers");
  if (o.receive_buffer_size < 64 || o.receive_buffer_size > (1u << 20))
    return fail(errc::invalid_option, "driver", "receive_buffer_size");
  return {};
}

/// What a driver did so far.
struct driver_stats {
  std::uint64_t submitted = 0;       ///< operations
  std::uint64_t completed = 0;       ///< operations, those that were cancelled too
  std::uint64_t bytes_read = 0;      ///< by reads
  std::uint64_t bytes_written = 0;   ///< by writes
  std::uint64_t bytes_received = 0;  ///< from sockets
  std::uint64_t bytes_sent = 0;      ///< to sockets
  std::uint64_t starved = 0;         ///< times that a receive_lease waited for a buffer
  std::uint64_t zero_copies = 0;     ///< sends whose bytes the kernel took where they are
  std::uint64_t pinned = 0;          ///< direct reads and writes of registered memory
  std::uint64_t waits = 0;           ///< times that it went to sleep
  std::uint64_t system_calls = 0;    ///< that the loop made for operations and for sleeping
};

/// Executes operations.
///
/// **Shape.** submit -> (cancel) -> wait() calls `complete`, once each.
/// **Thread-safety.** wake() and interrupt() from any thread; all else on the thread that made it,
/// but for the destructor after leave().
/// **Lifetime.** nothing is in flight when it is destroyed: leave() was called.
class driver {
 public:
  driver(const driver&) = delete;
  driver& operator=(const driver&) = delete;
  virtual ~driver() = default;

  /// "uring", "reactor".
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  /// Takes `op` on. True: it is over already, `answer` is there and `complete` is not called.
  virtual bool submit(operation& op) noexcept = 0;
  /// Whether operations of this kind can be submitted; all can but `send_zero_copy`.
  [[nodiscard]] virtual bool supports(operation_kind k) const noexcept {
    return k != operation_kind::send_zero_copy;
  }
  /// Asks for an early end of `op`, which is in flight. It still completes, in a later wait(): with
  /// `-ECANCELED`, or as it would have; a receive_lease perhaps with bytes before.
  virtual void cancel(operation& op) noexcept = 0;
  /// The socket `fd` is about to be closed, or will be used on another loop; none of its operations
  /// is in flight.
  virtual void forget(int fd) noexcept { static_cast<void>(fd); }
  /// Lets what was submitted begin, sleeps until something is over, wake() or `at_most`, and
  /// completes what is over. Zero: does not sleep; `duration::max()`: for ever.
  virtual void wait(duration at_most) noexcept = 0;
  /// Ends a wait() that is on or the next one. Each call is counted in wakes_seen().
  virtual void wake() noexcept = 0;
  /// The same, not counted. Safe in a signal handler.
  virtual void interrupt() noexcept = 0;

  /// Cancels what is in flight, completes it and lets go of this thread, until the next wait().
  virtual void leave() noexcept = 0;

  /// How many calls of wake() wait() has seen.
  [[nodiscard]] std::uint64_t wakes_seen() const noexcept { return wakes_seen_; }
  /// Operations submitted and not yet completed.
  [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
  [[nodiscard]] const driver_stats& stats() const noexcept { return stats_; }

  /// Whether one more result that is there at once may be delivered at once; else it goes through
  /// the ready queue, so that one task does not keep the loop.
  bool take_inline_result() noexcept { return inline_left_ != 0 && inline_left_-- != 0; }
  void renew_inline_results() noexcept { inline_left_ = inline_results; }

 protected:
  static constexpr unsigned inline_results = 16;

  driver() noexcept = default;

  void count(const operation& op) noexcept {
    ++stats_.completed;
    if (op.answer <= 0) return;
    const auto n = static_cast<std::uint64_t>(op.answer);
    switch (op.kind) {
      case operation_kind::read:
        stats_.bytes_read += n;
        break;
      case operation_kind::write:
        stats_.bytes_written += n;
        break;
      case operation_kind::receive:
      case operation_kind::receive_message:
      case operation_kind::receive_lease:
        stats_.bytes_received += n;
        break;
      case operation_kind::send:
      case operation_kind::send_message:
      case operation_kind::send_zero_copy:
        stats_.bytes_sent += n;
        break;
      default:
        break;
    }
  }

  std::uint64_t wakes_seen_ = 0;
  std::size_t in_flight_ = 0;
  driver_stats stats_;

 private:
  unsigned inline_left_ = inline_results;
};

}  // namespace penstock
