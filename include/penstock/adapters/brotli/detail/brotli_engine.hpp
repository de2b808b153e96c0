// penstock/adapters/brotli/detail/brotli_engine.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The calls of brotli's libraries as engines of codec_core. A state is made by the first step.

#if !__has_include(<brotli/decode.h>)
#error "penstock/adapters/brotli.hpp needs <brotli/decode.h> (Debian: libbrotli-dev)"
#endif

#include <penstock/adapters/brotli/brotli_options.hpp>
#include <penstock/stream/codec_core.hpp>

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <memory>
#include <new>

namespace penstock::detail {

struct brotli_delete {
  void operator()(BrotliEncoderState* s) const noexcept { BrotliEncoderDestroyInstance(s); }
  void operator()(BrotliDecoderState* s) const noexcept { BrotliDecoderDestroyInstance(s); }
};

// Calls fn(available_in, next_in, available_out, next_out), and takes what it used and made.
template <class Fn>
auto brotli_call(std::span<const std::byte>& in, std::span<std::byte>& out, Fn fn) {
  std::size_t give = in.size(), room = out.size();
  auto* from = reinterpret_cast<const std::uint8_t*>(in.data());
  auto* to = reinterpret_cast<std::uint8_t*>(out.data());
  const auto code = fn(&give, &from, &room, &to);
  in = in.last(give);
  out = out.last(room);
  return code;
}

class brotli_encoder {
 public:
  explicit brotli_encoder(const brotli::compress_options& o) noexcept : options_(o) {}

  result<codec_step> step(std::span<const std::byte>& in, std::span<std::byte>& out, bool last) {
    if (!state_) begin(last ? in.size() : 0);
    const auto done = brotli_call(in, out, [&](auto... to) {
      return BrotliEncoderCompressStream(
          state_.get(), last ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_PROCESS, to..., nullptr);
    });
    if (!done) throw std::bad_alloc();  // nothing else goes wrong
    return BrotliEncoderIsFinished(state_.get()) ? codec_step::whole : codec_step::more;
  }

 private:
  // `size`: of all the input, 0 when that is not known.
  void begin(std::size_t size) {
    state_.reset(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr));
    if (!state_) throw std::bad_alloc();
    const auto set = [this](BrotliEncoderParameter name, std::size_t value) {
      BrotliEncoderSetParameter(state_.get(), name, static_cast<std::uint32_t>(value));
    };
    set(BROTLI_PARAM_QUALITY, static_cast<std::size_t>(options_.level));
    int window = options_.window_log;
    if (size != 0) {
      // Not more than the input needs, for who decompresses it needs it too.
      while (window > 16 && (std::size_t{1} << (window - 1)) - 16 >= size) --window;
      constexpr std::size_t most = std::size_t{1} << 30;  // larger ones make no difference
      set(BROTLI_PARAM_SIZE_HINT, size < most ? size : most);
    }
    set(BROTLI_PARAM_LGWIN, static_cast<std::size_t>(window));
  }

  brotli::compress_options options_;
  std::unique_ptr<BrotliEncoderState, brotli_delete> state_;
};

class brotli_decoder {
 public:
  result<codec_step> step(std::span<const std::byte>& in, std::span<std::byte>& out, bool) {
    if (!state_) {
      state_.reset(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr));
      if (!state_) throw std::bad_alloc();
    }
    if (ended_) return fail(errc::corrupt, "decompress brotli", "something is behind the end");
    const auto code = brotli_call(in, out, [&](auto... to) {
      return BrotliDecoderDecompressStream(state_.get(), to..., nullptr);
    });
    if (code == BROTLI_DECODER_RESULT_ERROR) return failed();
    ended_ = code == BROTLI_DECODER_RESULT_SUCCESS;
    return ended_ ? codec_step::whole : codec_step::more;
  }

 private:
  result<codec_step> failed() const {
    const BrotliDecoderErrorCode why = BrotliDecoderGetErrorCode(state_.get());
    if (why <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
        why >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES)
      throw std::bad_alloc();
    return fail(errc::corrupt, "decompress brotli", BrotliDecoderErrorString(why));
  }

  std::unique_ptr<BrotliDecoderState, brotli_delete> state_;
  bool ended_ = false;
};

}  // namespace penstock::detail
