// penstock/adapters/brotli/detail/brotli_engine.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The calls of libbrotli as engines of codec_core. A state is made by the first step.

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
// Calls fn(available in, next in, available out, next out), which takes and writes.
template <class Fn>
auto brotli_call(std::span<const std::byte>& in, std::span<std::byte>& out, Fn fn) {
  std::size_t give = in.size(), room = out.size();
  auto* from = reinterpret_cast<const std::uint8_t*>(in.data());
  auto* to = reinterpret_cast<std::uint8_t*>(out.data());
  const auto answer = fn(&give, &from, &room, &to);
  in = in.last(give);
  out = out.last(room);
  return answer;
}

class brotli_encoder {
 public:
  explicit brotli_encoder(const brotli::compress_options& o) noexcept : options_(o) {}

  result<codec_step> step(std::span<const std::byte>& in, std::span<std::byte>& out, bool last) {
    if (!state_) {
      state_.reset(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr));
      if (!state_) throw std::bad_alloc();
      // In their ranges already.
      const auto set = [this](BrotliEncoderParameter p, int value) {
        BrotliEncoderSetParameter(state_.get(), p, static_cast<std::uint32_t>(value));
      };
      set(BROTLI_PARAM_QUALITY, options_.level);
      set(BROTLI_PARAM_LGWIN, options_.window_log);
    }
    const auto how = last ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_PROCESS;
    const auto good = brotli_call(in, out, [&](auto* n, auto** from, auto* room, auto** to) {
      return BrotliEncoderCompressStream(state_.get(), how, n, from, room, to, nullptr);
    });
    if (!good) throw std::bad_alloc();  // it fails for nothing else
    return BrotliEncoderIsFinished(state_.get()) ? codec_step::whole : codec_step::more;
  }

 private:
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
    // A stream has one end.
    if (ended_) return fail(errc::corrupt, "decompress brotli", "bytes behind the end");
    const auto answer = brotli_call(in, out, [&](auto* n, auto** from, auto* room, auto** to) {
      return BrotliDecoderDecompressStream(state_.get(), n, from, room, to, nullptr);
    });
    if (answer == BROTLI_DECODER_RESULT_ERROR) {
      return fail(errc::corrupt, "decompress brotli",
                  BrotliDecoderErrorString(BrotliDecoderGetErrorCode(state_.get())));
    }
    ended_ = answer == BROTLI_DECODER_RESULT_SUCCESS;
    return ended_ ? codec_step::whole : codec_step::more;
  }

 private:
  std::unique_ptr<BrotliDecoderState, brotli_delete> state_;
  bool ended_ = false;
};

}  // namespace penstock::detail
