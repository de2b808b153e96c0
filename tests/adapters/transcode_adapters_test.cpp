// tests/adapters/transcode_adapters_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/transcode.hpp>

#include <penstock/adapters/brotli.hpp>
#include <penstock/adapters/zlib.hpp>
#include <penstock/adapters/zstd.hpp>
#include <penstock/base/literals.hpp>
#include <penstock/io.hpp>
#include <penstock/runtime.hpp>
#include <penstock/stream.hpp>

#include <adapters/codec_laws.hpp>
#include <support/each_driver.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace penstock;
using namespace penstock::literals;

namespace {

std::string joined(const std::vector<buffer>& pieces) {
  std::string s;
  for (const buffer& b : pieces) s += b.text();
  return s;
}
// A file through a compressor and back.
template <class Compressor, class Decompressor>
task<result<std::string>> there_and_back(std::string path, work_place where) {
  file in = co_await ok(file::open(path, open_mode::read));
  auto both = read_chunks(in, 16_KiB) | compress(Compressor(), {where}) |
              decompress(Decompressor(), {where}) | collect();
  co_return joined(co_await ok(std::move(both)));
}

}  // namespace

TEST_CASE("a file goes through each compressor and back, on each driver and both places") {
  support::temporary_folder folder;
  const std::string text = codec_laws::some_text(1'000'000, 1);
  const std::string path = folder.put("text", text);
  support::on_each_driver([&](runtime& rt) {
    for (const work_place where : {work_place::loop, work_place::cpu_pool}) {
      CHECK(rt.run(there_and_back<zstd::compressor, zstd::decompressor>(path, where)) == text);
      CHECK(rt.run(there_and_back<gzip::compressor, gzip::decompressor>(path, where)) == text);
      CHECK(rt.run(there_and_back<brotli::compressor, brotli::decompressor>(path, where)) == text);
    }
  });
}

TEST_CASE("a file is packed as one whole, and by chunks on several cores") {
  support::temporary_folder folder;
  const std::string text = codec_laws::some_text(1'000'000, 2);
  const std::string path = folder.put("text", text);
  runtime rt;
  // [stages]
  auto pack = [](std::string from) -> task<result<std::vector<buffer>>> {
    file in = co_await ok(file::open(from, open_mode::read));
    co_return co_await (read_chunks(in, 64_KiB) | compress(zstd::compressor{}) | collect());
  };
  // [/stages]
  const auto packed = rt.run(pack(path));
  CHECK(zstd::decompress(codec_laws::bytes_of(joined(packed.value()))).value().text() == text);

  auto by_chunks = [](std::string from) -> task<result<std::vector<buffer>>> {
    file in = co_await ok(file::open(from, open_mode::read));
    auto one = [](buffer chunk) {
      return offload([c = std::move(chunk)] { return zstd::compress(c, {.level = 3}); });
    };
    co_return co_await (read_chunks(in, 64_KiB) | map_concurrent(2, one) | collect());
  };
  const auto frames = rt.run(by_chunks(path));
  CHECK(frames.value().size() == (text.size() + (64_KiB - 1)) / 64_KiB);
  CHECK(zstd::decompress(codec_laws::bytes_of(joined(*frames))).value().text() == text);
}

TEST_CASE("what is in a file is decompressed piece by piece, as it is read") {
  support::temporary_folder folder;
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i) + '\n';
  const buffer small = gzip::compress(buffer::copy_of(text)).value();
  const std::string path = folder.put("log.gz", std::string(small.text()));
  // [decompress]
  auto count_lines = [](std::string log) -> task<result<std::size_t>> {
    file in = co_await ok(file::open(log, open_mode::read));
    co_return co_await (read_chunks(in, 64_KiB) | decompress(gzip::decompressor{}) | lines() |
                        count());
  };
  // [/decompress]
  runtime rt;
  CHECK(rt.run(count_lines(path)).value() == 100'000);
}

TEST_CASE("a stream that is cut short or damaged is corrupt") {
  const buffer small = zstd::compress(buffer::copy_of(codec_laws::some_text(100'000, 3))).value();
  runtime rt;
  auto unpack = [&](std::size_t size) -> task<result<std::vector<buffer>>> {
    std::vector<buffer> pieces;
    pieces.push_back(small.first(size / 2));
    pieces.push_back(small.slice(size / 2, size - size / 2));
    co_return co_await (from(std::move(pieces)) | decompress(zstd::decompressor{}) | collect());
  };
  CHECK(rt.run(unpack(small.size())).has_value());
  CHECK(rt.run(unpack(small.size() - 1)).error() == errc::corrupt);
  CHECK(rt.run(unpack(10)).error() == errc::corrupt);
}
