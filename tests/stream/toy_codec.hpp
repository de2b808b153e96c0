// tests/stream/toy_codec.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A codec that needs no library: each byte three times, then "."; and the way back.

#include <penstock/stream/codec_core.hpp>

#include <algorithm>

namespace toy {

using namespace penstock;

class tripler {
 public:
  result<codec_step> step(std::span<const std::byte>& in, std::span<std::byte>& out, bool last) {
    while (!out.empty()) {
      if (left_ > 0) {
        out[0] = byte_;
        out = out.subspan(1);
        --left_;
      } else if (!in.empty()) {
        byte_ = in[0];
        left_ = 3;
        in = in.subspan(1);
      } else if (last && !ended_) {
        byte_ = std::byte{'.'};
        left_ = 1;
        ended_ = true;
      } else {
        break;
      }
    }
    return ended_ && left_ == 0 ? codec_step::whole : codec_step::more;
  }

 private:
  std::byte byte_{};
  int left_ = 0;
  bool ended_ = false;
};
class third {
 public:
  result<codec_step> step(std::span<const std::byte>& in, std::span<std::byte>& out, bool) {
    bool ended = false;
    while (!in.empty() && !ended) {
      if (seen_ == 2 && out.empty()) break;
      ended = seen_ == 0 && in[0] == std::byte{'.'};
      if (in[0] == std::byte{'!'}) return fail(errc::corrupt, "decompress toy", "a '!'");
      if (!ended && ++seen_ == 3) {
        out[0] = in[0];
        out = out.subspan(1);
        seen_ = 0;
      }
      in = in.subspan(1);
    }
    return ended ? codec_step::whole : codec_step::more;
  }

 private:
  int seen_ = 0;
};

using compressor = codec_core<tripler>;
using decompressor = codec_core<third>;
static_assert(codec_engine<tripler> && codec_engine<third>);
static_assert(codec<compressor> && codec<decompressor>);

inline std::string tripled(std::string_view text) {
  std::string s;
  for (const char c : text) s.append(3, c);
  return s + '.';
}

}  // namespace toy
