// penstock/io/write_to.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The sink that writes to a connection, and the source that reads from one. Files: write_file.hpp,
/// read_chunks.hpp.

#include <penstock/base/buffer.hpp>
#include <penstock/io/byte_stream.hpp>
#include <penstock/io/detail/bytes_of.hpp>
#include <penstock/stream/for_each.hpp>
#include <penstock/stream/stream.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <utility>

namespace penstock {

/// Options of `write_to`.
struct write_to_options {
  bool shutdown = false;  ///< at the end of the stream: the peer reads the end
};

namespace detail {
template <class Stream, class T>
class stream_writer {
 public:
  using result_type = std::uint64_t;
  static constexpr bool is_sync = false;

  stream_writer(Stream& to, write_to_options o) noexcept : to_(&to), options_(o) {}
  stream_writer(stream_writer&& o) noexcept : to_(o.to_), options_(o.options_) {}

  [[nodiscard]] bool busy() const noexcept { return item_.has_value(); }
  pulled push(pump& p, std::optional<T>& item) {
    item_ = std::move(item);
    return resume(p);
  }
  pulled resume(pump& p) {
    const auto bytes = bytes_of(*item_);
    if (!writing_.busy()) writing_.set(to_->write_all(bytes));
    if (const pulled s = writing_.advance(p); s != pulled::item) return s;
    auto outcome = writing_.take();
    if (!outcome) {
      p.of().fail(std::move(outcome.error()));
      return pulled::cut;
    }
    written_ += bytes.size();
    item_.reset();
    return pulled::item;
  }
  pulled finish(pump& p) {
    if (!options_.shutdown) return pulled::item;
    if (!ending_.busy()) ending_.set(end());
    if (const pulled s = ending_.advance(p); s != pulled::item) return s;
    auto outcome = ending_.take();
    if (outcome) return pulled::item;
    p.of().fail(std::move(outcome.error()));
    return pulled::cut;
  }
  std::uint64_t take() const noexcept { return written_; }

 private:
  task<result<>> end() {
    co_await ok(to_->shutdown(shutdown_side::send));
    co_return {};
  }

  Stream* to_;
  write_to_options options_;
  std::uint64_t written_ = 0;
  std::optional<T> item_;
  await_slot<awaiter_t<decltype(std::declval<Stream&>().write_all(
      std::declval<std::span<const std::byte>>()))>>
      writing_;
  await_slot<awaiter_t<task<result<>>>> ending_;
};
template <class Stream>
class write_to_sink : public sink_base<write_to_sink<Stream>> {
 public:
  static constexpr need needs = need::bytes;

  write_to_sink(Stream& to, write_to_options o) noexcept : to_(&to), options_(o) {}
  template <class T>
  requires has_bytes<T> stream_writer<Stream, T> sink_for() && {
    return stream_writer<Stream, T>(*to_, options_);
  }

 private:
  Stream* to_;
  write_to_options options_;
};

template <class Stream>
class received_stream : public stream_interface<received_stream<Stream>> {
 public:
  using value_type = buffer;
  static constexpr bool is_eager = false;

  explicit received_stream(Stream& from) noexcept : from_(&from) {}
  void open(flow&) const noexcept {}
  template <class Item>  // a buffer
  pulled pull(pump& p, std::optional<Item>& out) {
    if (ended_) return pulled::end;
    if (!receiving_.busy()) receiving_.set(from_->receive());
    if (const pulled s = receiving_.advance(p); s != pulled::item) return s;
    auto some = receiving_.take();
    if (!some) {
      p.of().fail(std::move(some.error()));
      return pulled::cut;
    }
    ended_ = some->empty();
    if (ended_) return pulled::end;
    out.emplace(*std::move(some));
    return pulled::item;
  }

 private:
  Stream* from_;
  bool ended_ = false;
  await_slot<awaiter_t<decltype(std::declval<Stream&>().receive())>> receiving_;
};

template <class Listener>
class accepted_stream : public stream_interface<accepted_stream<Listener>> {
  using accepting = awaiter_t<decltype(std::declval<Listener&>().accept())>;

 public:
  using value_type = typename resume_t<accepting>::value_type;
  static constexpr bool is_eager = false;

  explicit accepted_stream(Listener& from) noexcept : from_(&from) {}
  void open(flow&) const noexcept {}
  pulled pull(pump& p, std::optional<value_type>& out) {
    if (!accepting_.busy()) accepting_.set(from_->accept());
    if (const pulled s = accepting_.advance(p); s != pulled::item) return s;
    auto next = accepting_.take();
    if (next) {
      out.emplace(*std::move(next));
      return pulled::item;
    }
    if (next.error() == errc::closed) return pulled::end;
    p.of().fail(std::move(next.error()));
    return pulled::cut;
  }

 private:
  Listener* from_;
  await_slot<accepting> accepting_;
};
}  // namespace detail

/// Writes the bytes of all items to `to`.
///
/// **Shape.** `-[abc]-[de]-|` write_to(s) `-----5`
/// **Parameters.** `to` - a `byte_stream`; outlives the pipeline. Items as for `write_file`. `o` -
/// see there.
/// **Result.** `result<std::uint64_t>` of the pipeline: bytes written.
/// **Errors.** those of the stream and of `to`.
/// **Suspends.** as the stream and `write_all` do: the peer's pace is the stream's.
/// **Cancellation.** a part of an item may have been written: close `to`.
/// **Ordering.** emits its result when all is written and, with `shutdown`, the end is sent;
/// backpressures while the peer does not read; completes with the stream; fails with the stream or
/// `to`, at once; cancels the stream and the write that waits.
/// **Complexity.** no allocation; a frame for `shutdown`.
/// **Lifetime.** see `to`.
/// **Example.** @snippet tests/io/write_to_test.cpp write_to
template <byte_stream Stream>
[[nodiscard]] auto write_to(Stream& to, write_to_options o = {}) noexcept {
  return detail::write_to_sink<Stream>(to, o);
}

/// What the peer of `from` sends, as buffers, until its end.
///
/// **Shape.** of what is sent: `-[abc]--[de]-|` read_from(s) `-[abc]--[de]-|`; a connection that is
/// lost: `-[abc]-#` read_from(s) `-[abc]-#`
/// **Parameters.** `from` - a `tcp_stream`, `unix_stream`, or another with `receive()`; outlives
/// the stream.
/// **Errors.** those of `receive()`.
/// **Ordering.** emits when bytes are there; backpressures always: it receives only when pulled,
/// and an idle connection holds no buffer; completes at the peer's end; fails with the connection;
/// cancels the receive, which loses nothing.
/// **Complexity.** no allocation.
/// **Lifetime.** see `from`; buffers may outlive it.
/// **Example.** @snippet tests/io/write_to_test.cpp write_to
template <class Stream>
requires requires(Stream& s) { s.receive(); }
[[nodiscard]] auto read_from(Stream& from) noexcept {
  return detail::received_stream<Stream>(from);
}

/// The connections that come to `listener`, until it is closed.
///
/// **Shape.** of connections: `--a---b-|` accept(l) `--a---b-|`; with a consumer that is busy for 2
/// ms: `abc|` accept(l) `a-b-c-|`
/// **Parameters.** `listener` - a `tcp_listener` or `unix_listener`; outlives the stream.
/// **Errors.** those of `accept()`, but for `errc::closed`, which is the end.
/// **Ordering.** emits when a connection is there; backpressures always: it accepts only when
/// pulled; completes when the listener is closed; fails with it; cancels the accept, which loses no
/// connection.
/// **Complexity.** no allocation.
/// **Lifetime.** see `listener`.
/// **Example.** @snippet tests/io/write_to_test.cpp accept
template <class Listener>
requires requires(Listener& l) { l.accept(); }
[[nodiscard]] auto accept(Listener& listener) noexcept {
  return detail::accepted_stream<Listener>(listener);
}

}  // namespace penstock
