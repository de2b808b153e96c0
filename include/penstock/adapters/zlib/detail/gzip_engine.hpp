// penstock/adapters/zlib/detail/gzip_engine.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The calls of zlib as engines of codec_core. A state is made by the first step; it knows its own
/// address and therefore never moves.

#if !__has_include(<zlib.h>)
#error "penstock/adapters/zlib.hpp needs <zlib.h> (Debian: zlib1g-dev)"
#endif

#include <penstock/adapters/zlib/gzip_options.hpp>
#include <penstock/stream/codec_core.hpp>

#include <zlib.h>
#include <memory>
#include <new>

namespace penstock::detail {

inline constexpr int gzip_format = 15 + 16;  // window of 32 KiB, header and trailer of gzip

// What zlib counts in 32 bits.
inline uInt gzip_count(std::size_t n) noexcept {
  return n < (std::size_t{1} << 30) ? static_cast<uInt>(n) : uInt{1} << 30;
}
inline error gzip_error(const z_stream& z, const char* operation) noexcept {
  return error(errc::corrupt).with(operation, z.msg ? z.msg : "not what gzip writes");
}
// Calls fn(state), which takes from its input and writes to its output.
template <class Fn>
int gzip_call(z_stream& z, std::span<const std::byte>& in, std::span<std::byte>& out, Fn fn) {
  const uInt give = gzip_count(in.size()), room = gzip_count(out.size());
  // zlib does not write to its input.
  z.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(in.data()));
  z.avail_in = give;
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = room;
  const int code = fn(z);
  if (code == Z_MEM_ERROR) throw std::bad_alloc();
  in = in.subspan(give - z.avail_in);
  out = out.subspan(room - z.avail_out);
  return code;
}

struct gzip_delete {
  int (*end)(z_stream*);
  void operator()(z_stream* z) const noexcept {
    end(z);
    delete z;
  }
};
using gzip_state = std::unique_ptr<z_stream, gzip_delete>;
template <class Init>
gzip_state gzip_begin(Init init, int (*end)(z_stream*)) {
  auto state = std::make_unique<z_stream>();
  if (init(state.get()) != Z_OK) throw std::bad_alloc();  // all else was looked at
  return {state.release(), gzip_delete{end}};
}

class gzip_encoder {
 public:
  explicit gzip_encoder(const gzip::compress_options& o) noexcept : options_(o) {}

  result<codec_step> step(std::span<const std::byte>& in, std::span<std::byte>& out, bool last) {
    if (!state_) {
      const auto init = [this](z_stream* z) {
        return deflateInit2(z, options_.level, Z_DEFLATED, gzip_format, options_.mem_level,
                            Z_DEFAULT_STRATEGY);
      };
      state_ = gzip_begin(init, &deflateEnd);
    }
    const bool all = gzip_count(in.size()) == in.size();
    const int code = gzip_call(*state_, in, out, [&](z_stream& z) {
      return deflate(&z, last && all ? Z_FINISH : Z_NO_FLUSH);
    });
    if (code == Z_STREAM_ERROR) return fail(gzip_error(*state_, "compress gzip"));
    return code == Z_STREAM_END ? codec_step::whole : codec_step::more;
  }

 private:
  gzip::compress_options options_;
  gzip_state state_{nullptr, gzip_delete{nullptr}};
};

class gzip_decoder {
 public:
  result<codec_step> step(std::span<const std::byte>& in, std::span<std::byte>& out, bool) {
    if (!state_)
      state_ = gzip_begin([](z_stream* z) { return inflateInit2(z, gzip_format); }, &inflateEnd);
    if (ended_) inflateReset(state_.get());  // another member follows
    ended_ = false;
    const int code =
        gzip_call(*state_, in, out, [](z_stream& z) { return inflate(&z, Z_NO_FLUSH); });
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
      return fail(gzip_error(*state_, "decompress gzip"));
    ended_ = code == Z_STREAM_END;
    return ended_ ? codec_step::whole : codec_step::more;
  }

 private:
  gzip_state state_{nullptr, gzip_delete{nullptr}};
  bool ended_ = false;
};

// The last four bytes are the size, of the last member and modulo 4 GiB.
inline std::size_t gzip_guess(std::span<const std::byte> in) noexcept {
  std::size_t said = 0;
  for (const std::byte b : in.last(in.size() < 4 ? in.size() : 4))
    said = said >> 8 | static_cast<std::size_t>(b) << 24;
  const std::size_t most = (std::size_t{1} << 20) + 64 * in.size();
  return said < most ? said : most;
}
// Room for any input of this many bytes: blocks that are stored cost 5 bytes each.
inline std::size_t gzip_bound(std::size_t size) noexcept { return size + size / 4096 * 5 + 64; }

}  // namespace penstock::detail
