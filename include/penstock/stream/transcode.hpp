// penstock/stream/transcode.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Compresses or decompresses a stream of buffers as one whole, whatever its length. To compress
/// each buffer on its own: map_concurrent.hpp with the adapter's `compress`, on several cores.

#include <penstock/base/buffer.hpp>
#include <penstock/core/offload.hpp>
#include <penstock/stream/codec.hpp>
#include <penstock/stream/stream.hpp>

#include <concepts>
#include <cstddef>
#include <cstring>
#include <optional>
#include <type_traits>
#include <utility>

namespace penstock {

/// Where a stage does its work.
enum class work_place : unsigned char {
  cpu_pool,  ///< each piece by `offload`: the loop stays free
  loop,      ///< right here: no hop to another thread for each piece
};

/// Options of `compress` and `decompress`.
struct transcode_options {
  /// Where `next()` of the codec runs. On the loop everything else waits for one piece at a time.
  work_place where = work_place::cpu_pool;
};
static_assert(std::is_trivially_copyable_v<transcode_options>);

namespace detail {
template <class Up, class Codec>
class transcode_stream : public stream_interface<transcode_stream<Up, Codec>> {
  struct next_piece {
    Codec* from;
    result<buffer> operator()() const { return from->next(); }
  };

 public:
  using value_type = buffer;
  static constexpr bool is_eager = Up::is_eager;

  transcode_stream(Up&& up, Codec&& c, transcode_options o)
      : up_(std::move(up)), codec_(std::move(c)), options_(o) {}

  void open(flow& f) { up_.open(f); }
  pulled pull(pump& p, std::optional<buffer>& out) {
    if (is_broken_) return pulled::end;
    for (;;) {
      if (hungry_) {
        if (codec_.over()) return pulled::end;
        const pulled s = on_loop() ? give_input(p) : gather_input(p);
        if (s != pulled::item) return s;
        hungry_ = false;
      }
      if (on_loop()) {
        if (const pulled s = use(p.of(), codec_.next(), out); s != pulled::wait) return s;
      } else {
        if (!work_.busy()) work_.set(offload(next_piece{&codec_}));
        if (const pulled s = work_.advance(p); s != pulled::item) return s;
        if (const pulled s = use(p.of(), work_.take(), out); s != pulled::wait) return s;
      }
    }
  }

 private:
  // What goes to the pool at once: two posts between threads are dear for one line.
  static constexpr std::size_t load = 64 * 1024;
  static constexpr std::size_t large = 16 * 1024;  // goes alone, uncopied

  [[nodiscard]] bool on_loop() const noexcept { return options_.where == work_place::loop; }
  // As give_input(): small buffers together, as many as come without a wait.
  pulled gather_input(pump& p) {
    for (;;) {
      std::optional<buffer> in;
      if (!held_.empty()) {
        in.emplace(std::exchange(held_, buffer()));
      } else {
        const pulled s = ended_ ? pulled::end : up_.pull(p, in);
        ended_ = s == pulled::end;
        if (gathered_ != 0 && (s == pulled::end || s == pulled::wait)) return feed_gathered();
        if (s == pulled::end) codec_.finish();
        if (s != pulled::item) return s == pulled::end ? pulled::item : s;
      }
      if (in->empty()) continue;
      if (gathered_ == 0 && in->size() >= large) {
        codec_.feed(std::move(*in));
        return pulled::item;
      }
      if (in->size() > load - gathered_) {
        held_ = std::move(*in);
        return feed_gathered();
      }
      if (room_.empty()) room_ = buffer::allocate(load);
      std::memcpy(room_.mutable_bytes().data() + gathered_, in->bytes().data(), in->size());
      gathered_ += in->size();
    }
  }
  pulled feed_gathered() {
    codec_.feed(room_.split(std::exchange(gathered_, 0)));
    room_.reset();
    return pulled::item;
  }
  // `item`: the codec has input, or knows that there is none any more.
  pulled give_input(pump& p) {
    for (;;) {
      std::optional<buffer> in;
      const pulled s = up_.pull(p, in);
      if (s == pulled::end) {
        codec_.finish();
        return pulled::item;
      }
      if (s != pulled::item) return s;
      if (in->empty()) continue;
      codec_.feed(std::move(*in));
      return s;
    }
  }
  // `wait`: it gave no piece, and wants input or is over.
  pulled use(flow& f, result<buffer>&& piece, std::optional<buffer>& out) {
    if (!piece) {
      is_broken_ = true;
      f.fail(std::move(piece).error());
      return pulled::cut;
    }
    hungry_ = piece->empty();
    if (hungry_) return pulled::wait;
    out.emplace(std::move(*piece));
    return pulled::item;
  }

  Up up_;
  Codec codec_;
  transcode_options options_;
  buffer room_;  // its first gathered_ bytes are the codec's next input
  std::size_t gathered_ = 0;
  buffer held_;  // had no room there
  bool ended_ = false;
  bool hungry_ = true;
  bool is_broken_ = false;  // it has failed: nothing after that can be read
  await_slot<awaiter_t<offload_awaiter<next_piece>>> work_;
};

template <class Codec>
class transcode_stage : public stream_stage {
 public:
  static constexpr need needs = need::buffers;

  transcode_stage(Codec c, transcode_options o) : codec_(std::move(c)), options_(o) {}
  template <class Up>
  requires std::same_as<typename Up::value_type, buffer>
  auto over(Up&& up) && {
    return transcode_stream<Up, Codec>(std::move(up), std::move(codec_), options_);
  }

 private:
  Codec codec_;
  transcode_options options_;
};
}  // namespace detail

/// A stream of buffers, compressed: its pieces one after the other are what the codec makes of the
/// whole.
///
/// **Shape.** c writes each byte three times, and at the end a dot: `-a-b-|` compress(c)
/// `-[aaa]-[bbb]-(.|)`. Most compressors wait for more input: short ones come out at the end.
/// **Parameters.** `c` - a compressor that was not fed yet; moved into the stage.
/// **Errors.** of the codec.
/// **Ordering.** emits when the codec has made a piece, which may take many buffers; backpressures
/// always: it asks for a buffer when the codec wants one, and makes one piece at a time; completes
/// when the codec is over; fails with the stream or the codec, at once; cancels the stream, but
/// waits for the step under way.
/// **Complexity.** what the codec needs, one buffer of input and one piece; with
/// `work_place::cpu_pool` a hop to the pool and back for each piece and each input: a buffer of 16
/// KiB or more, or smaller ones that come without a wait, copied together, up to 64 KiB.
/// **Lifetime.** a stream that was stopped can be read on, as any.
/// **Example.** @snippet tests/adapters/transcode_adapters_test.cpp stages
template <codec Codec>
[[nodiscard]] auto compress(Codec c, transcode_options options = {}) {
  return detail::transcode_stage<Codec>(std::move(c), options);
}

/// A stream of buffers, decompressed; on the loop unless told otherwise.
///
/// **Shape.** c is the way back of that of `compress`: `-[aaab]-[bb.]-|` decompress(c) `-a-b-|`
/// **Parameters.** `c` - a decompressor that was not fed yet; moved into the stage.
/// **Errors.** of the codec: `errc::corrupt`, also when the stream ends too early.
/// **Ordering.** emits when the codec has made a piece: however much comes of a buffer, the next
/// one is made when it is asked for; backpressures always; completes when the stream has and the
/// codec is over; fails with the stream or the codec, at once; cancels as `compress`.
/// **Complexity.** as `compress`.
/// **Example.** @snippet tests/adapters/transcode_adapters_test.cpp decompress
template <codec Codec>
[[nodiscard]] auto decompress(Codec c, transcode_options options = {.where = work_place::loop}) {
  return detail::transcode_stage<Codec>(std::move(c), options);
}

}  // namespace penstock
