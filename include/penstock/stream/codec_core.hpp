// penstock/stream/codec_core.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The loops of a codec around the calls of some library: piece by piece, and all at once. For who
/// writes a codec; who uses one includes its adapter.

#include <penstock/base/assert.hpp>
#include <penstock/stream/codec.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>

namespace penstock {

/// How far a codec's engine is after a step.
enum class codec_step : unsigned char {
  more,   ///< it goes on as soon as it has room and input; without input it may have output left
  whole,  ///< all that it was given is in what it wrote, to the last byte: this may be the end
};

/// The calls of a library that compress or decompress.
///
/// **Shape.** `step(in, out, last)` uses up some of `in`, writes to the front of `out`, and takes
/// both off the spans. `last`: nothing comes after `in`. It goes on until `in` is used up or `out`
/// is full; a step that does neither can not go on. An engine that compresses is `whole` only when
/// it has written the end.
template <class E>
concept codec_engine = std::move_constructible<E> &&
    requires(E& e, std::span<const std::byte>& in, std::span<std::byte>& out, bool last) {
  { e.step(in, out, last) } -> std::same_as<result<codec_step>>;
};

/// No limit of what comes out: see `codec_core`.
inline constexpr std::uint64_t any_size = (std::numeric_limits<std::uint64_t>::max)();

namespace detail {
inline auto codec_too_large(std::uint64_t max_size) {
  return fail(std::errc::file_too_large, "decompress",
              "max_size " + std::to_string(max_size) + " bytes");
}
inline auto codec_ended_early() {
  return fail(errc::corrupt, "decompress", "the input ends early");
}

// Room for what may come: one byte more than the limit, which shows that it is exceeded.
inline std::size_t codec_room(std::size_t wanted, std::uint64_t done, std::uint64_t max_size) {
  const std::uint64_t left = max_size - done;
  return left < wanted ? static_cast<std::size_t>(left) + 1 : wanted;
}
}  // namespace detail

/// A `codec` made of an engine.
///
/// **Shape.** one block of `piece_size` bytes is filled; pieces are slices of it, so that many
/// small ones cost one allocation, and a small one that is kept keeps the block.
/// **Parameters.** `piece_size` - bytes, at least 1; `max_size` - bytes of all pieces together;
/// `valid` - what next() fails with if it is an error, as an option that cannot work.
/// **Errors.** those of the engine; `errc::corrupt` when the input ends early;
/// `std::errc::file_too_large` for more than `max_size`.
/// **Complexity.** one allocation for each `piece_size` bytes of output; nothing is copied.
template <codec_engine Engine>
class codec_core {
 public:
  codec_core(Engine engine, std::size_t piece_size, std::uint64_t max_size = any_size,
             result<> valid = {})
      : engine_(std::move(engine)),
        piece_size_(piece_size),
        max_size_(max_size),
        outcome_(std::move(valid)) {
    PENSTOCK_ASSERT(!outcome_ || piece_size_ > 0, "a codec with pieces of no bytes");
  }

  /// The next bytes; only when it wants input.
  void feed(buffer input) noexcept {
    PENSTOCK_ASSERT(!finished_, "a codec was fed after finish()");
    PENSTOCK_ASSERT(input_.empty() && !full_, "a codec was fed that does not want input");
    input_ = std::move(input);
  }
  /// There are no more.
  void finish() noexcept { finished_ = true; }
  /// The next piece; empty: it wants input, or is over.
  [[nodiscard]] result<buffer> next() {
    if (!outcome_) return fail(outcome_.error());
    auto piece = fill();
    if (!piece) {
      outcome_ = fail(piece.error());
      input_.reset();
      room_.reset();
    }
    return piece;
  }
  /// After finish(): all has come out.
  [[nodiscard]] bool over() const noexcept { return over_; }

 private:
  result<buffer> fill() {
    std::size_t written = 0;
    while (!over_ && (full_ || finished_ || !input_.empty())) {
      if (whole_ && input_.empty()) {
        over_ = finished_;
        break;
      }
      if (room_.empty()) room_ = buffer::allocate(piece_size_);
      auto in = input_.bytes();
      auto out = room_.mutable_bytes().subspan(written);
      out = out.first(detail::codec_room(out.size(), done_, max_size_));
      const std::size_t offered = out.size();
      const auto step = engine_.step(in, out, finished_);
      if (!step) return fail(step.error());
      const std::size_t made = offered - out.size();
      const bool stuck = made == 0 && in.size() == input_.size();
      written += made;
      done_ += made;
      if (done_ > max_size_) return detail::codec_too_large(max_size_);
      input_.remove_prefix(input_.size() - in.size());
      if (input_.empty()) input_.reset();  // the lease is given back at once
      whole_ = *step == codec_step::whole;
      full_ = !whole_ && out.empty();
      if (stuck && !whole_) {
        if (finished_) return detail::codec_ended_early();
        break;
      }
      if (written == room_.size() && !(whole_ && input_.empty())) break;
    }
    return written == 0 ? buffer() : room_.split(written);
  }

  Engine engine_;
  buffer input_;  // what is not used up
  buffer room_;   // of the block, what is not filled
  std::size_t piece_size_;
  std::uint64_t max_size_;
  std::uint64_t done_ = 0;
  result<> outcome_;
  bool finished_ = false;
  bool over_ = false;
  bool whole_ = false;
  bool full_ = false;  // the engine may have output left
};

/// All of `in` through an engine, at once.
///
/// **Parameters.** `guess` - bytes that will come out, about: enough of it saves copies.
/// **Result.** exactly what came out.
/// **Errors.** as of `codec_core`.
/// **Complexity.** one allocation, when `guess` is enough and at most twice too much.
template <codec_engine Engine>
[[nodiscard]] result<buffer> run_codec(Engine& engine, std::span<const std::byte> in,
                                       std::size_t guess, std::uint64_t max_size = any_size) {
  buffer out = buffer::allocate(detail::codec_room(guess < 64 ? 64 : guess, 0, max_size));
  std::size_t used = 0;
  for (;;) {
    auto room = out.mutable_bytes().subspan(used);
    const auto before = in.size() + room.size();
    const auto step = engine.step(in, room, true);
    if (!step) return fail(step.error());
    used = out.size() - room.size();
    if (used > max_size) return detail::codec_too_large(max_size);
    if (*step == codec_step::whole) {
      if (in.empty()) break;
    } else if (!room.empty() && before == in.size() + room.size()) {
      return detail::codec_ended_early();
    }
    if (room.empty()) {
      buffer more = buffer::allocate(detail::codec_room(2 * used, 0, max_size));
      std::memcpy(more.data(), out.data(), used);
      out = std::move(more);
    }
  }
  if (used < out.size() / 2) return buffer::copy_of(out.bytes().first(used));
  out.truncate(used);
  return out;
}

}  // namespace penstock
