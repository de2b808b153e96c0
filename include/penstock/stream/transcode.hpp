// penstock/stream/transcode.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Codecs as stages: one compressed stream out of all items. Each item compressed for itself,
/// several at once: `map_concurrent(n, ...)` with `offload` and an adapter's `compress`.

#include <penstock/core/offload.hpp>
#include <penstock/stream/codec.hpp>
#include <penstock/stream/stream.hpp>

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace penstock {

/// Options of `compress` and `decompress`.
struct transcode_options {
  bool offload = true;  ///< each piece is computed on the cpu pool; else on the loop
};

namespace detail {
template <class Up, class Codec>
class transcoded_stream : public stream_interface<transcoded_stream<Up, Codec>> {
  static_assert(std::is_same_v<typename Up::value_type, buffer>,
                "compress() and decompress() take a stream of buffer");
  struct compute {
    Codec* codec;
    result<buffer> operator()() const { return codec->next(); }
  };

 public:
  using value_type = buffer;
  static constexpr bool is_eager = Up::is_eager;

  transcoded_stream(Up&& up, Codec&& c, transcode_options o)
      : up_(std::move(up)), codec_(std::make_unique<Codec>(std::move(c))), options_(o) {}

  void open(flow& f) { up_.open(f); }
  pulled pull(pump& p, std::optional<buffer>& out) {
    for (;;) {
      if (hungry_) {
        std::optional<buffer> in;
        const pulled s = up_.pull(p, in);
        if (s != pulled::item && s != pulled::end) return s;
        hungry_ = false;
        if (s == pulled::end)
          codec_->finish();
        else
          codec_->feed(*std::move(in));
      }
      if (!computing_.busy()) {
        if (codec_->over()) return pulled::end;
        if (options_.offload) {
          computing_.set(penstock::offload(compute{codec_.get()}));
        }
      }
      std::optional<result<buffer>> piece;
      if (options_.offload) {
        if (const pulled s = computing_.advance(p); s != pulled::item) return s;
        piece.emplace(computing_.take());
      } else {
        piece.emplace(codec_->next());
      }
      if (!*piece) {
        p.of().fail(std::move(piece->error()));
        return pulled::cut;
      }
      if (!(*piece)->empty()) {
        out.emplace(*std::move(*piece));
        return pulled::item;
      }
      hungry_ = !codec_->over();
      if (!p.spend()) return p.give_way();
    }
  }

 private:
  Up up_;
  std::unique_ptr<Codec> codec_;  // where it is does not change
  transcode_options options_;
  bool hungry_ = true;
  await_slot<decltype(penstock::offload(std::declval<compute>()))> computing_;
};
template <class Codec>
class transcode_stage : public stream_stage {
 public:
  transcode_stage(Codec c, transcode_options o) : codec_(std::move(c)), options_(o) {}
  template <class Up>
  auto over(Up&& up) && {
    return transcoded_stream<Up, Codec>(std::move(up), std::move(codec_), options_);
  }

 private:
  Codec codec_;
  transcode_options options_;
};
}  // namespace detail

/// The bytes of a stream of buffers, compressed: one stream, as the program of the codec writes it.
///
/// **Shape.** `-(64K)-(64K)-|` compress(zstd::compressor()) `---(64K)-(12K)|`
/// **Parameters.** `c` - an adapter's `compressor`. `o` - see there.
/// **Errors.** none of its own but std::bad_alloc.
/// **Ordering.** emits when 64 KiB are there, and what is left when the stream completes;
/// backpressures always: one item at a time; completes with the stream; fails with it; cancels what
/// is in the queue of the pool and waits for what is computed.
/// **Complexity.** an allocation for each piece; with `offload` two posts between threads for an
/// item and for a piece.
/// **Example.** @snippet tests/adapters/zstd_test.cpp stages
template <codec Codec>
[[nodiscard]] auto compress(Codec c, transcode_options o = {}) {
  return detail::transcode_stage<Codec>(std::move(c), o);
}
/// The bytes of a compressed stream of buffers.
///
/// **Shape.** `---(64K)-(12K)|` decompress(zstd::decompressor()) `-(64K)-(64K)-|`
/// **Parameters.** `c` - an adapter's `decompressor`. `o` - see there.
/// **Errors.** `errc::corrupt` for what is no such stream, ends in its middle, or becomes more than
/// the decompressor's `max_size`.
/// **Ordering.** as `compress`.
/// **Complexity.** as `compress`: bounded, whatever the input expands to.
/// **Example.** @snippet tests/adapters/zstd_test.cpp stages
template <codec Codec>
[[nodiscard]] auto decompress(Codec c, transcode_options o = {}) {
  return detail::transcode_stage<Codec>(std::move(c), o);
}

}  // namespace penstock
