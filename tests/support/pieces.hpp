// tests/support/pieces.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A text as a stream of buffers, cut where a test wants it.

#include <penstock/base/buffer.hpp>

#include <cstddef>
#include <string_view>
#include <vector>

namespace support {

template <class... Texts>
std::vector<penstock::buffer> buffers(const Texts&... texts) {
  std::vector<penstock::buffer> all;
  (all.push_back(penstock::buffer::copy_of(std::string_view(texts))), ...);
  return all;
}
// Pieces of `size` bytes.
inline std::vector<penstock::buffer> pieces(std::string_view text, std::size_t size) {
  std::vector<penstock::buffer> all;
  for (std::size_t at = 0; at < text.size(); at += size)
    all.push_back(penstock::buffer::copy_of(text.substr(at, size)));
  return all;
}

}  // namespace support
