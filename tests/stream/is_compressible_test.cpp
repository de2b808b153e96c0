// tests/stream/is_compressible_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/is_compressible.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace penstock;

TEST_CASE("images, video, audio and archives are not worth a try, what else there is is") {
  // [media]
  static_assert(is_compressible("text/html; charset=utf-8"));
  static_assert(is_compressible("image/svg+xml"));
  static_assert(!is_compressible("image/png"));
  static_assert(!is_compressible("application/zip"));
  // [/media]
  for (const char* yes :
       {"", "text/plain", "application/json", "application/octet-stream", "image/SVG+xml",
        "audio/wav", " audio/x-wav ; rate=8000", "image/bmp", "application/x-tar", "nonsense",
        "application/xhtml+xml", "application/wasm", "font/ttf", "application/pdf"}) {
    CAPTURE(std::string(yes));
    CHECK(is_compressible(yes));
  }
  for (const char* no :
       {"image/jpeg", "IMAGE/PNG", "image/webp;q=1", "video/mp4", "audio/mpeg", "audio/wavpack",
        "application/gzip", "application/x-7z-compressed", "application/vnd.rar", "font/woff2",
        "application/epub+zip", "application/x-xz", "application/zstd",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document"}) {
    CAPTURE(std::string(no));
    CHECK(!is_compressible(no));
  }
}
