// penstock/test/memory_stream.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A connection in memory, for tests of protocols: it takes virtual time, and reads are as short as
/// the test wants them.

#include <penstock/base/assert.hpp>
#include <penstock/core/task.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/io/byte_stream.hpp>
#include <penstock/sync/event.hpp>

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

namespace penstock {
namespace test {

/// Options of `memory_stream::pair`.
struct memory_stream_options {
  std::size_t capacity = 64 * 1024;     ///< bytes on their way in one direction; then writes wait
  std::size_t longest_read = 0;         ///< bytes that a read gives at most; 0: what fits
  bool random_reads = false;            ///< how much a read gives is random, of the environment
  duration latency = duration::zero();  ///< from a write to the read of its bytes
};
static_assert(std::is_trivially_copyable_v<memory_stream_options>);

/// `errc::invalid_option`, naming the member, when `o` cannot work.
[[nodiscard]] inline result<> validate(const memory_stream_options& o) {
  if (o.capacity == 0) return fail(errc::invalid_option, "memory_stream", "capacity");
  if (o.latency < duration::zero()) return fail(errc::invalid_option, "memory_stream", "latency");
  return {};
}
}  // namespace test

namespace detail {
// One direction.
struct memory_pipe {
  struct piece {
    time_point at;  // it can be read from then on
    std::vector<std::byte> bytes;
    std::size_t used = 0;
  };
  explicit memory_pipe(const test::memory_stream_options& o) : options(o) {}
  void tell() noexcept {
    readable.set();
    writable.set();
  }

  test::memory_stream_options options;
  std::deque<piece> pieces;
  std::size_t size = 0;      // bytes in all pieces
  bool ended = false;        // nothing more is written
  bool broken = false;       // nobody reads any more
  bool was_reset = false;    // the writer has reset it
  event readable, writable;  // something has changed
};

// One end, and what is in flight on it.
struct memory_end {
  memory_end(std::shared_ptr<memory_pipe> i, std::shared_ptr<memory_pipe> o)
      : in(std::move(i)), out(std::move(o)) {}
  void close() noexcept {
    closed = true;
    in->broken = true;
    out->ended = true;
    in->tell();
    out->tell();
  }
  class use {
   public:
    use(memory_end& e, bool& side) : end_(e), side_(side) {
      PENSTOCK_ASSERT(!side, "one read and one write of a stream at a time");
      side_ = true;
    }
    use(const use&) = delete;
    use& operator=(const use&) = delete;
    ~use() {
      side_ = false;
      end_.idle.set();
    }

   private:
    memory_end& end_;
    bool& side_;
  };

  std::shared_ptr<memory_pipe> in, out;
  bool closed = false;
  bool reading = false;
  bool writing = false;
  event idle;  // an operation has ended
};
}  // namespace detail

namespace test {

/// One end of a connection in memory.
///
/// **Shape.** pair() -> one read and one write at a time -> close() or the destructor: the other
/// end reads what is on its way, then the end, and writes to nobody (EPIPE).
/// **Errors.** those of a socket: `errc::closed`, EPIPE, ECONNRESET; they name "memory".
/// **Thread-safety.** both ends on one loop.
/// **Lifetime.** destroying an end while an operation on it is in flight asserts.
/// **Example.** @snippet tests/io/byte_stream_test.cpp memory
/// **See also.** `byte_stream`, which it is.
class [[nodiscard]] memory_stream {
 public:
  /// Not connected.
  memory_stream() noexcept = default;
  memory_stream(memory_stream&&) noexcept = default;
  memory_stream& operator=(memory_stream&& o) noexcept {
    if (this != &o) {
      leave();
      end_ = std::move(o.end_);
    }
    return *this;
  }
  ~memory_stream() { leave(); }

  /// Two ends that are connected with each other. Invalid options stop the program.
  [[nodiscard]] static std::pair<memory_stream, memory_stream> pair(
      memory_stream_options options = {}) {
    if (auto valid = validate(options); !valid)
      detail::stop_program(valid.error().message().c_str());
    auto there = std::make_shared<detail::memory_pipe>(options);
    auto back = std::make_shared<detail::memory_pipe>(options);
    return {memory_stream(std::make_unique<detail::memory_end>(back, there)),
            memory_stream(std::make_unique<detail::memory_end>(there, back))};
  }

  [[nodiscard]] bool is_open() const noexcept { return end_ && !end_->closed; }
  /// Reads what is there into `to`, or less: see the options.
  ///
  /// **Result.** `result<std::size_t>`: at least 1; 0 at the end, or when `to` is empty.
  /// **Suspends.** until there is a byte.
  /// **Cancellation.** loses nothing.
  [[nodiscard]] task<result<std::size_t>> read_some(std::span<std::byte> to) {
    return read(end_.get(), to);
  }
  /// Sends all of `from`.
  ///
  /// **Suspends.** while `capacity` bytes are on their way.
  /// **Cancellation.** a part may have been sent.
  [[nodiscard]] task<result<>> write_all(std::span<const std::byte> from) {
    return write(end_.get(), from);
  }
  /// Ends one direction, or both.
  result<> shutdown(shutdown_side side = shutdown_side::send) noexcept {
    if (!is_open()) return fail(errc::closed, "shutdown", "memory");
    if (side != shutdown_side::send) {
      end_->in->ended = true;
      end_->in->tell();
    }
    if (side != shutdown_side::receive) {
      end_->out->ended = true;
      end_->out->tell();
    }
    return {};
  }
  /// Ends what is in flight on it with `errc::closed`, waits for that, and closes.
  ///
  /// **Suspends.** only for what is in flight.
  /// **Cancellation.** it is closed all the same.
  [[nodiscard]] task<result<>> close() { return close(end_.get()); }
  /// Closes it as a peer does that is gone: the other end loses what is on its way, and its reads
  /// fail.
  void reset() noexcept {
    if (!is_open()) return;
    end_->out->was_reset = true;
    end_->out->pieces.clear();
    end_->out->size = 0;
    end_->close();
  }

 private:
  using end = detail::memory_end;

  explicit memory_stream(std::unique_ptr<end> e) noexcept : end_(std::move(e)) {}
  void leave() noexcept {
    if (!end_) return;
    PENSTOCK_ASSERT(!end_->reading && !end_->writing,
                    "a stream goes while an operation on it is in flight");
    if (!end_->closed) end_->close();
    end_.reset();
  }
  static task<result<std::size_t>> read(end* e, std::span<std::byte> to);
  static task<result<>> write(end* e, std::span<const std::byte> from);
  static task<result<>> close(end* e) {
    if (!e) co_return result<>{};
    if (!e->closed) e->close();
    while (e->reading || e->writing) {
      e->idle.reset();
      co_await e->idle.wait();
    }
    co_return result<>{};
  }
  // Of the first piece, which can be read.
  static std::size_t take(detail::memory_pipe& p, std::span<std::byte> to, std::uint64_t random) {
    auto& first = p.pieces.front();
    std::size_t n = (std::min)(to.size(), first.bytes.size() - first.used);
    if (p.options.longest_read != 0) n = (std::min)(n, p.options.longest_read);
    if (p.options.random_reads) n = 1 + static_cast<std::size_t>(random % n);
    std::memcpy(to.data(), first.bytes.data() + first.used, n);
    first.used += n;
    if (first.used == first.bytes.size()) p.pieces.pop_front();
    p.size -= n;
    p.writable.set();
    return n;
  }

  std::unique_ptr<end> end_;
};

inline task<result<std::size_t>> memory_stream::read(end* e, std::span<std::byte> to) {
  if (to.empty()) co_return std::size_t{0};
  if (!e) co_return fail(errc::closed, "read", "memory");
  const end::use in_use(*e, e->reading);
  detail::memory_pipe& p = *e->in;
  for (;;) {
    if (e->closed) co_return fail(errc::closed, "read", "memory");
    if (p.was_reset) co_return fail(std::errc::connection_reset, "read", "memory");
    p.readable.reset();
    const time_point now = co_await this_task::now();
    if (p.pieces.empty()) {
      if (p.ended) co_return std::size_t{0};
      co_await p.readable.wait();
    } else if (const time_point at = p.pieces.front().at; at > now) {
      static_cast<void>(co_await with_deadline(at, p.readable.wait()));
    } else {
      auto& random = co_await this_task::random();
      co_return take(p, to, p.options.random_reads ? random() : 0);
    }
  }
}

inline task<result<>> memory_stream::write(end* e, std::span<const std::byte> from) {
  if (from.empty()) co_return result<>{};
  if (!e) co_return fail(errc::closed, "write", "memory");
  const end::use in_use(*e, e->writing);
  detail::memory_pipe& p = *e->out;
  while (!from.empty()) {
    if (e->closed) co_return fail(errc::closed, "write", "memory");
    if (p.broken || p.ended) co_return fail(std::errc::broken_pipe, "write", "memory");
    p.writable.reset();
    const std::size_t n = (std::min)(from.size(), p.options.capacity - p.size);
    if (n == 0) {
      co_await p.writable.wait();
      continue;
    }
    const time_point now = co_await this_task::now();
    const time_point at = add_saturated(now, p.options.latency);
    p.pieces.push_back({at, {from.begin(), from.begin() + static_cast<std::ptrdiff_t>(n)}});
    p.size += n;
    from = from.subspan(n);
    p.readable.set();
  }
  co_return result<>{};
}

static_assert(byte_stream<memory_stream>);

}  // namespace test
}  // namespace penstock
