// tests/adapters/codec_laws.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What every compression adapter holds. A family F has the types and functions of its namespace:
/// compressor, decompressor, compress_options, decompress_options, compress, decompress; and
/// levels, many_ends (whether what is compressed twice can stand one behind the other),
/// has_checksum, and options(level), which asks for one.

#include <penstock/base/buffer.hpp>
#include <penstock/stream/codec.hpp>
#include <penstock/test/seeds.hpp>

#include <support/skip.hpp>
#include <support/temporary_folder.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace codec_laws {

using namespace penstock;

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string noise(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string s(size, '\0');
  for (char& c : s) c = static_cast<char>(random());
  return s;
}
// Words with repetitions, runs and noise in it.
inline std::string some_text(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string s;
  while (s.size() < size) {
    switch (random() % 8) {
      case 0:
        s += noise(random() % 40, random());
        break;
      case 1:
        s.append(random() % 200, static_cast<char>('a' + random() % 26));
        break;
      default:
        s += "word" + std::to_string(random() % 50) + ' ';
    }
  }
  s.resize(size);
  return s;
}
inline std::vector<std::string> samples() {
  return {"",
          "x",
          "The quick brown fox jumps over the lazy dog. ",
          some_text(3000, 1),
          some_text(300'000, 2),
          noise(100'000, 3),
          std::string(1'000'000, '\0')};
}

struct outcome {
  std::string text;
  std::optional<error> failed;
  std::size_t longest = 0;  // piece
};
// Feeds `in` in pieces to a codec, each as soon as it wants input.
template <codec C, std::invocable NextSize>
outcome run_pieces(C&& c, std::string_view in, NextSize next_size) {
  outcome o;
  const auto drain = [&] {
    for (;;) {
      auto piece = c.next();
      if (!piece) {
        o.failed = piece.error();
        return false;
      }
      if (piece->empty()) return true;
      o.longest = (std::max)(o.longest, piece->size());
      o.text += piece->text();
    }
  };
  while (!in.empty()) {
    const std::size_t n = (std::min)(in.size(), static_cast<std::size_t>(next_size()));
    c.feed(buffer::copy_of(in.substr(0, n)));
    in.remove_prefix(n);
    if (!drain()) return o;
    CHECK(!c.over());
  }
  c.finish();
  if (drain()) CHECK(c.over());
  return o;
}
template <codec C>
outcome run_pieces(C&& c, std::string_view in, std::size_t piece) {
  return run_pieces(std::forward<C>(c), in, [piece] { return piece; });
}
template <class F>
std::string packed(std::string_view text, int level = F::levels[1]) {
  auto r = F::compress(bytes_of(text), F::options(level));
  REQUIRE(r.has_value());
  return std::string(r->text());
}
template <class F>
typename F::decompress_options at_most(std::uint64_t max_size) {
  typename F::decompress_options o;
  o.max_size = max_size;
  return o;
}

template <class F>
void round_trips() {
  for (const std::string& text : samples()) {
    CAPTURE(text.size());
    for (const int level : F::levels) {
      CAPTURE(level);
      if (level > 9 && text.size() > 10'000) continue;
      const auto small = F::compress(bytes_of(text), F::options(level));
      REQUIRE(small.has_value());
      CHECK(small->size() <= text.size() + text.size() / 100 + 64);
      const auto large = F::decompress(*small, {});
      REQUIRE(large.has_value());
      CHECK(large->text() == text);
    }
  }
}

// What comes out is the same for all pieces that go in, and either way reads what the other wrote.
template <class F>
void streams() {
  const auto both = [](const std::string& text, std::size_t in, std::size_t out) {
    CAPTURE(in);
    CAPTURE(out);
    auto options = F::options(F::levels[1]);
    options.piece_size = out;
    const auto small = run_pieces(typename F::compressor(options), text, in);
    REQUIRE(!small.failed);
    CHECK(small.longest <= out);
    const auto at_once = F::decompress(bytes_of(small.text), {});
    REQUIRE(at_once.has_value());
    CHECK(at_once->text() == text);
    for (const std::string& from : {small.text, packed<F>(text)}) {
      typename F::decompress_options back;
      back.piece_size = out;
      const auto large = run_pieces(typename F::decompressor(back), from, in);
      REQUIRE(!large.failed);
      CHECK(large.text == text);
      CHECK(large.longest <= out);
    }
  };
  const std::string text = some_text(250, 4);
  for (std::size_t n = 1; n <= 260; ++n) {
    both(text, n, 1 + n % 7);
    both(text, 1 + n % 5, n);
  }
  for (const std::string& long_text : samples()) {
    both(long_text, 1 << 20, 64 << 10);
    both(long_text, 1000, 4096);
    both(long_text, 64 << 10, 100'000);
  }
  both(some_text(5000, 5), 1, 1);
}

template <class F>
void truncated_anywhere() {
  const std::string small = packed<F>(some_text(700, 6));
  for (std::size_t n = 0; n < small.size(); ++n) {
    CAPTURE(n);
    const std::string_view cut = std::string_view(small).substr(0, n);
    CHECK(F::decompress(bytes_of(cut), {}).error() == errc::corrupt);
    const auto streamed = run_pieces(typename F::decompressor(), cut, 1 + n % 9);
    CHECK(streamed.failed.value_or(error()) == errc::corrupt);
  }
}

template <class F>
void behind_the_end() {
  const std::string one = some_text(700, 7), two = some_text(900, 8);
  const std::string first = packed<F>(one);
  for (const std::string& garbage :
       {std::string("x"), std::string(1, '\0'), std::string(600, '\0'), noise(100, 9)}) {
    CHECK(F::decompress(bytes_of(first + garbage), {}).error() == errc::corrupt);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{50}, first.size()}) {
      const auto streamed = run_pieces(typename F::decompressor(), first + garbage, piece);
      CHECK(streamed.failed.value_or(error()) == errc::corrupt);
    }
  }
  std::string all = first + packed<F>(two) + packed<F>("") + packed<F>(one);
  const auto at_once = F::decompress(bytes_of(all), {});
  if (!F::many_ends) {
    CHECK(at_once.error() == errc::corrupt);
    return;
  }
  REQUIRE(at_once.has_value());
  CHECK(at_once->text() == one + two + one);
  for (std::size_t piece = 1; piece < all.size(); piece += 13) {
    CAPTURE(piece);
    const auto streamed = run_pieces(typename F::decompressor(), all, piece);
    CHECK(!streamed.failed);
    CHECK(streamed.text == one + two + one);
  }
}

// With a checksum, what was damaged is found or did not matter.
template <class F>
void flipped_bits() {
  const std::string text = some_text(600, 10);
  const std::string small = packed<F>(text);
  for (std::size_t bit = 0; bit < 8 * small.size(); ++bit) {
    CAPTURE(bit);
    std::string damaged = small;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    const auto options = at_most<F>(2000);
    const auto at_once = F::decompress(bytes_of(damaged), options);
    const auto streamed = run_pieces(typename F::decompressor(options), damaged, 100);
    CHECK(at_once.has_value() == !streamed.failed);
    CHECK(streamed.text.size() <= 2000);
    if (!at_once) continue;
    CHECK(at_once->size() <= 2000);
    CHECK(at_once->text() == streamed.text);
    if (F::has_checksum) CHECK(at_once->text() == text);
  }
}

template <class F>
void limits() {
  const std::string text = some_text(200'000, 11);
  const std::string small = packed<F>(text);
  for (const std::uint64_t most : {text.size(), text.size() + 1, 2 * text.size()}) {
    CHECK(F::decompress(bytes_of(small), at_most<F>(most)).value().text() == text);
    CHECK(run_pieces(typename F::decompressor(at_most<F>(most)), small, 1000).text == text);
  }
  for (const std::uint64_t most : {std::uint64_t{0}, std::uint64_t{1}, text.size() - 1}) {
    CAPTURE(most);
    CHECK(F::decompress(bytes_of(small), at_most<F>(most)).error() == std::errc::file_too_large);
    auto options = at_most<F>(most);
    options.piece_size = 777;
    const auto streamed = run_pieces(typename F::decompressor(options), small, 1000);
    CHECK(streamed.failed.value_or(error()) == std::errc::file_too_large);
    CHECK(streamed.text.size() <= most);
  }
  // Of nothing there is nothing too much.
  CHECK(F::decompress(bytes_of(packed<F>("")), at_most<F>(0)).value().empty());
}

// A little input that expands to a lot: one piece at a time is there.
template <class F>
void bombs() {
  constexpr std::size_t size = 64 << 20;
  typename F::compressor pack(F::options(F::levels[1]));
  std::string small;
  const buffer zeros = buffer::copy_of(std::string(1 << 20, '\0'));
  const auto drain = [&] {
    for (auto piece = pack.next(); !piece.value().empty(); piece = pack.next())
      small += piece->text();
  };
  for (std::size_t i = 0; i < size; i += zeros.size()) {
    pack.feed(zeros.first(zeros.size()));
    drain();
  }
  pack.finish();
  drain();
  CHECK(small.size() < size / 500);

  typename F::decompressor unpack;
  unpack.feed(buffer::copy_of(small));
  unpack.finish();
  std::size_t all = 0;
  for (auto piece = unpack.next(); !piece.value().empty(); piece = unpack.next()) {
    CHECK(piece->size() <= 64 << 10);
    all += piece->size();
  }
  CHECK(unpack.over());
  CHECK(all == size);
  CHECK(F::decompress(bytes_of(small), at_most<F>(1 << 20)).error() == std::errc::file_too_large);
}

template <class F>
void small_print() {
  // A buffer is used in place, and given back as soon as it is used up.
  std::string text = some_text(5000, 12);
  bool back = false;
  typename F::compressor pack;
  pack.feed(buffer::adopt(std::as_writable_bytes(std::span(text)), [&back] { back = true; }));
  CHECK(!back);
  std::string small;
  const auto drain = [&](auto& c, std::string& to) {
    for (auto piece = c.next(); !piece.value().empty(); piece = c.next()) to += piece->text();
  };
  drain(pack, small);
  CHECK(back);
  // It may move on its way.
  typename F::compressor moved(std::move(pack));
  moved.finish();
  drain(moved, small);
  CHECK(moved.over());
  drain(moved, small);  // and says so again
  typename F::decompressor first;
  std::string again;
  first.feed(buffer::copy_of(std::string_view(small).substr(0, small.size() / 2)));
  drain(first, again);
  typename F::decompressor second;
  second = std::move(first);
  second.feed(buffer::copy_of(std::string_view(small).substr(small.size() / 2)));
  second.finish();
  drain(second, again);
  CHECK(again == text);
  CHECK(second.over());

  // An error stays.
  typename F::decompressor wrong;
  wrong.feed(buffer::copy_of(noise(1000, 13)));
  wrong.finish();
  result<buffer> last = wrong.next();
  while (last && !last->empty()) last = wrong.next();
  CHECK(last.error() == errc::corrupt);
  CHECK(wrong.next().error() == errc::corrupt);
  CHECK(!wrong.over());

  // What cannot work is said at the first use.
  typename F::compress_options bad;
  bad.level = 100;
  CHECK(F::compress(bytes_of(text), bad).error() == errc::invalid_option);
  CHECK(F::compress(bytes_of(text), bad).error().object().starts_with("level"));
  CHECK(typename F::compressor(bad).next().error() == errc::invalid_option);
  typename F::decompress_options none;
  none.piece_size = 0;
  CHECK(F::decompress(bytes_of(small), none).error().object().starts_with("piece_size"));
  CHECK(typename F::decompressor(none).next().error() == errc::invalid_option);
}

template <class F>
void random_inputs() {
  for (const auto seed : test::seeds(40)) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const auto below = [&](std::size_t n) { return 1 + static_cast<std::size_t>(random() % n); };
    const std::string text = some_text(random() % 60'000, random());
    auto options = F::options(F::levels[random() % (F::levels.size() - 1)]);
    options.piece_size = below(10'000);
    const std::size_t most = below(20'000);
    const auto any = [&] { return below(most); };
    const auto small = run_pieces(typename F::compressor(options), text, any);
    REQUIRE(!small.failed);
    typename F::decompress_options back;
    back.piece_size = below(10'000);
    const auto large = run_pieces(typename F::decompressor(back), small.text, any);
    REQUIRE(!large.failed);
    CHECK(large.text == text);
    CHECK(F::decompress(bytes_of(small.text), {}).value().text() == text);
    // Damage in several places: an error, or something that is not too large.
    std::string damaged = small.text;
    for (int i = 0; i < 4; ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
    const auto limit = at_most<F>(100'000);
    const auto wrong = run_pieces(typename F::decompressor(limit), damaged, any);
    CHECK(wrong.text.size() <= 100'000);
    const auto at_once = F::decompress(bytes_of(damaged), limit);
    CHECK(at_once.has_value() == !wrong.failed);
  }
}

// The tool of the format reads what we write, and we what it writes. Its command line takes -d and
// -c.
template <class F>
void the_tool(const std::string& tool) {
  const auto run = [](const std::string& command) { return std::system(command.c_str()) == 0; };
  if (!run("command -v " + tool + " >/dev/null"))
    return support::skip((tool + " is missing").c_str());
  support::temporary_folder folder;
  for (const std::string& text : samples()) {
    CAPTURE(text.size());
    const std::string plain = folder.put("plain", text);
    const std::string ours = folder.put("ours", packed<F>(text));
    const std::string streamed =
        folder.put("streamed", run_pieces(typename F::compressor(), text, 5000).text);
    for (const std::string& from : {ours, streamed}) {
      CHECK(run(tool + " -dc <" + from + " >" + (folder / "back")));
      CHECK(folder.get("back") == text);
    }
    CHECK(run(tool + " -c <" + plain + " >" + (folder / "theirs")));
    const std::string theirs = folder.get("theirs");
    CHECK(F::decompress(bytes_of(theirs), {}).value().text() == text);
    CHECK(run_pieces(typename F::decompressor(), theirs, 5000).text == text);
  }
}

}  // namespace codec_laws
