// penstock/stream/best_of.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Compresses with the codec that makes these very bytes smallest, or not at all when none is worth
/// it. What cannot become smaller anyway is known by its media type: is_compressible.hpp.

#include <penstock/base/buffer.hpp>
#include <penstock/base/clock.hpp>
#include <penstock/base/result.hpp>

#include <time.h>
#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace penstock {

/// What compresses all at once and has a name: the struct `codec` of each adapter.
template <class C>
concept one_shot_codec = requires(const C& c, std::span<const std::byte> bytes) {
  { C::name } -> std::convertible_to<std::string_view>;
  { c(bytes) } -> std::same_as<result<buffer>>;
};

/// Options of `best_of`.
struct best_of_options {
  /// Input of fewer bytes is kept as it is.
  std::size_t threshold = 1024;
  /// Bytes from the front that all codecs are compared on, at least 1.
  std::size_t sample = 64u << 10;
  /// Processor time of the calling thread for the comparison. A codec that is not done with the
  /// sample by then does not count, later ones are not tried; the first one always counts.
  duration budget = std::chrono::milliseconds(50);
  /// The original is kept when what comes out is more than this part of it, 0 to 1.
  double max_ratio = 0.98;
};
static_assert(std::is_trivially_copyable_v<best_of_options>);

/// **Errors.** `errc::invalid_option`, naming the option.
[[nodiscard]] inline result<> validate(const best_of_options& o) {
  const char* what = nullptr;
  if (o.sample == 0) what = "sample is 0";
  if (o.budget < duration::zero()) what = "budget is negative";
  if (!(o.max_ratio >= 0 && o.max_ratio <= 1)) what = "max_ratio is not in 0 .. 1";
  if (what) return fail(errc::invalid_option, "best_of_options", what);
  return {};
}

/// What `best_of` chose.
struct encoded_buffer {
  buffer bytes;
  /// The codec's name; "identity" when `bytes` are the original.
  std::string_view codec = "identity";
};

namespace detail {
inline duration thread_cpu_time() noexcept {
  ::timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

// With the clock that it is told.
template <class Clock, class... Codecs>
result<encoded_buffer> best_of(Clock clock, const buffer& input, const best_of_options& o,
                               const Codecs&... codecs) {
  if (auto valid = validate(o); !valid) return fail(std::move(valid).error());
  const auto keep = [&] { return encoded_buffer{input.first(input.size()), "identity"}; };
  const auto is_worth = [&](std::size_t after, std::size_t before) {
    return static_cast<double>(after) <= o.max_ratio * static_cast<double>(before);
  };
  if (input.empty() || input.size() < o.threshold) return keep();
  const auto sample = input.bytes().first(o.sample < input.size() ? o.sample : input.size());
  const duration start = clock();
  encoded_buffer best;
  error failed;
  std::size_t tried = 0, chosen = 0;
  const auto enter = [&]<class Codec>(const Codec& c) {
    const std::size_t number = tried++;
    if (number > 0 && clock() - start >= o.budget) return false;
    auto made = c(sample);
    if (!made) {
      failed = std::move(made).error();
      return false;
    }
    if (number > 0 && clock() - start > o.budget) return false;
    if (number == 0 || made->size() < best.bytes.size()) {
      best = {std::move(*made), Codec::name};
      chosen = number;
    }
    return true;
  };
  // The first that is not done in time, or fails, is the last one tried.
  static_cast<void>((enter(codecs) && ...));
  if (failed.code()) return fail(std::move(failed));
  if (!is_worth(best.bytes.size(), sample.size())) return keep();
  if (sample.size() == input.size()) return best;

  result<buffer> whole;
  std::size_t number = 0;
  const auto finish = [&](const auto& c) {
    if (number++ != chosen) return false;
    whole = c(input.bytes());
    return true;
  };
  static_cast<void>((finish(codecs) || ...));
  if (!whole) return fail(std::move(whole).error());
  if (!is_worth(whole->size(), input.size())) return keep();
  best.bytes = std::move(*whole);
  return best;
}
}  // namespace detail

/// Compares what the codecs make of the front of `input`, and compresses all of it with the best.
///
/// **Shape.** fewer bytes than `threshold`, or nothing gained: the original. Else the sample by
/// each codec in turn, then the whole by the one that made it smallest.
/// **Parameters.** `codecs` - `zstd::codec{}`, `gzip::codec{{.level = 9}}`, ...: the fast ones
/// first, for the budget; at equal sizes the first one wins.
/// **Result.** the bytes, and the name of the codec or "identity"; the original shares the memory
/// of `input`.
/// **Errors.** of a codec, as `errc::invalid_option`.
/// **Complexity.** blocks its thread, on a loop use `offload`. The sample by each codec, the whole
/// once; where the sample is the whole, not again.
/// **Example.** @snippet tests/adapters/best_of_adapters_test.cpp best_of
template <one_shot_codec... Codecs>
requires(sizeof...(Codecs) > 0)
    [[nodiscard]] result<encoded_buffer> best_of(const buffer& input,
                                                 const best_of_options& options,
                                                 const Codecs&... codecs) {
  return detail::best_of(&detail::thread_cpu_time, input, options, codecs...);
}

}  // namespace penstock
