// penstock/adapters/zstd/detail/zstd_engine.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The calls of libzstd as engines of codec_core. A context is made by the first step.

#if !__has_include(<zstd.h>)
#error "penstock/adapters/zstd.hpp needs <zstd.h> (Debian: libzstd-dev)"
#endif

#include <penstock/adapters/zstd/zstd_options.hpp>
#include <penstock/stream/codec_core.hpp>

#include <zstd.h>
#include <zstd_errors.h>
#include <memory>
#include <new>
#include <utility>

namespace penstock::detail {

struct zstd_delete {
  void operator()(ZSTD_CCtx* c) const noexcept { ZSTD_freeCCtx(c); }
  void operator()(ZSTD_DCtx* c) const noexcept { ZSTD_freeDCtx(c); }
};
// What a call returned: a number, or why there is none. Without memory it throws.
inline result<std::size_t> zstd_checked(std::size_t returned, const char* operation) {
  if (!ZSTD_isError(returned)) return returned;
  const char* const why = ZSTD_getErrorName(returned);
  switch (ZSTD_getErrorCode(returned)) {
    case ZSTD_error_memory_allocation:
      throw std::bad_alloc();
    case ZSTD_error_parameter_unsupported:
    case ZSTD_error_parameter_outOfBound:
      return fail(errc::invalid_option, operation, why);
    case ZSTD_error_frameParameter_windowTooLarge:
      return fail(std::errc::file_too_large, operation, why);
    default:
      return fail(errc::corrupt, operation, why);
  }
}
inline void zstd_take(const ZSTD_inBuffer& used, std::span<const std::byte>& in,
                      const ZSTD_outBuffer& made, std::span<std::byte>& out) {
  in = in.subspan(used.pos);
  out = out.subspan(made.pos);
}

// The context of the last encoder of this thread, for the next one: to make one for each 64 KiB
// takes 4 % of the time. A large one, of a high level, is not kept.
inline constexpr std::size_t zstd_kept = 8u << 20;
inline thread_local std::unique_ptr<ZSTD_CCtx, zstd_delete> zstd_spare;

class zstd_encoder {
 public:
  explicit zstd_encoder(const zstd::compress_options& o) noexcept : options_(o) {}
  zstd_encoder(zstd_encoder&&) noexcept = default;
  ~zstd_encoder() {
    if (!context_ || ZSTD_sizeof_CCtx(context_.get()) > zstd_kept) return;
    ZSTD_CCtx_reset(context_.get(), ZSTD_reset_session_and_parameters);
    zstd_spare = std::move(context_);
  }

  result<codec_step> step(std::span<const std::byte>& in, std::span<std::byte>& out, bool last) {
    if (!context_) {
      context_ = std::move(zstd_spare);
      if (!context_) context_.reset(ZSTD_createCCtx());
      if (!context_) throw std::bad_alloc();
      // In their ranges already.
      ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, options_.level);
      ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, options_.checksum ? 1 : 0);
    }
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    const auto left = zstd_checked(
        ZSTD_compressStream2(context_.get(), &to, &from, last ? ZSTD_e_end : ZSTD_e_continue),
        "compress zstd");
    zstd_take(from, in, to, out);
    if (!left) return fail(left.error());
    return last && *left == 0 ? codec_step::whole : codec_step::more;
  }

 private:
  zstd::compress_options options_;
  std::unique_ptr<ZSTD_CCtx, zstd_delete> context_;
};

class zstd_decoder {
 public:
  explicit zstd_decoder(const zstd::decompress_options& o) noexcept : options_(o) {}

  result<codec_step> step(std::span<const std::byte>& in, std::span<std::byte>& out, bool) {
    if (!context_) {
      context_.reset(ZSTD_createDCtx());
      if (!context_) throw std::bad_alloc();
      const auto set = zstd_checked(
          ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, options_.window_log),
          "decompress zstd");
      if (!set) return fail(set.error());
    }
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    const auto wanted =
        zstd_checked(ZSTD_decompressStream(context_.get(), &to, &from), "decompress zstd");
    zstd_take(from, in, to, out);
    if (!wanted) return fail(wanted.error());
    return *wanted == 0 ? codec_step::whole : codec_step::more;  // another frame may follow
  }

 private:
  zstd::decompress_options options_;
  std::unique_ptr<ZSTD_DCtx, zstd_delete> context_;
};

// What the first frame says of its size, as far as that is to be believed.
inline std::size_t zstd_guess(std::span<const std::byte> in) noexcept {
  const auto said = ZSTD_getFrameContentSize(in.data(), in.size());
  const std::size_t most = (std::size_t{1} << 20) + 64 * in.size();
  if (said == ZSTD_CONTENTSIZE_ERROR || said == ZSTD_CONTENTSIZE_UNKNOWN) return 4 * in.size();
  return said < most ? static_cast<std::size_t>(said) : most;
}

}  // namespace penstock::detail
