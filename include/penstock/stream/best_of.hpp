// penstock/stream/best_of.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Which codec makes some bytes smallest, if any of them does, for a bounded time.

#include <penstock/base/buffer.hpp>
#include <penstock/base/clock.hpp>
#include <penstock/base/lesser.hpp>
#include <penstock/base/result.hpp>

#include <time.h>
#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

namespace penstock {

/// Options of `best_of`.
struct best_of_options {
  std::size_t threshold = 1024;    ///< bytes; less is kept as it is
  std::size_t sample = 64u << 10;  ///< bytes from the front that the codecs are tried with
  double keep_above = 0.98;        ///< of the size: what is not smaller than that is kept
  duration budget = std::chrono::milliseconds(50);  ///< cpu time for the sample; then no more codec
};
/// `errc::invalid_option`, naming the member, when `o` cannot work.
[[nodiscard]] inline result<> validate(const best_of_options& o) {
  if (o.sample == 0) return fail(errc::invalid_option, "best_of", "sample");
  if (!(o.keep_above > 0)) return fail(errc::invalid_option, "best_of", "keep_above");
  if (o.budget < duration::zero()) return fail(errc::invalid_option, "best_of", "budget");
  return {};
}

/// What `best_of` has chosen.
struct best_of_result {
  std::string_view encoding = "identity";  ///< as in Content-Encoding: the codec's `name`
  buffer bytes;
};

/// A codec at once: an adapter's `codec`.
template <class C>
concept one_shot_codec = requires(const C& c, std::span<const std::byte> bytes) {
  { C::name } -> std::convertible_to<std::string_view>;
  { c(bytes) } -> std::same_as<result<buffer>>;
};

namespace detail {
inline duration thread_cpu_time() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}
}  // namespace detail

/// Compresses `bytes` with the codec that makes its beginning smallest, or keeps them.
///
/// **Shape.** a sample -> each codec in turn, while there is time -> the smallest -> all of it
/// **Parameters.** `bytes` - kept by reference in the result when nothing is gained. `o` - see
/// there. `codecs` - tried in this order: `zstd::codec{}`, `gzip::codec{}`, `brotli::codec{}`. Real
/// sizes are compared.
/// **Result.** `result<best_of_result>`.
/// **Errors.** `errc::invalid_option`; a codec that fails is not chosen.
/// **Suspends.** never: on a loop `offload` it.
/// **Thread-safety.** any thread.
/// **Complexity.** the codecs' on the sample, within `budget` and the codec that exceeds it, and
/// the chosen one's on all.
/// **Example.** @snippet tests/adapters/best_of_test.cpp best_of
template <one_shot_codec... Codecs>
[[nodiscard]] result<best_of_result> best_of(buffer bytes, best_of_options o,
                                             const Codecs&... codecs) {
  if (auto valid = validate(o); !valid) return fail(std::move(valid.error()));
  if (bytes.size() < o.threshold) return best_of_result{"identity", std::move(bytes)};
  const auto sample = bytes.bytes().first(detail::lesser(bytes.size(), o.sample));
  const duration end = add_saturated(detail::thread_cpu_time(), o.budget);
  auto smallest = static_cast<double>(sample.size()) * o.keep_above;
  std::size_t chosen = sizeof...(Codecs), index = 0;
  best_of_result best{"identity", std::move(bytes)};
  const auto try_one = [&](const auto& codec) {
    const std::size_t me = index++;
    if (me != 0 && detail::thread_cpu_time() > end) return;
    auto packed = codec(sample);
    if (!packed || static_cast<double>(packed->size()) >= smallest) return;
    smallest = static_cast<double>(packed->size());
    chosen = me;
  };
  (try_one(codecs), ...);
  index = 0;
  const auto use = [&](const auto& codec) {
    if (index++ != chosen) return;
    auto packed = codec(best.bytes.bytes());
    const double limit = static_cast<double>(best.bytes.size()) * o.keep_above;
    if (!packed || static_cast<double>(packed->size()) >= limit) return;
    chosen = sizeof...(Codecs);
    best = {codec.name, std::move(*packed)};
  };
  (use(codecs), ...);
  return best;
}

/// Whether it makes sense to compress what has this media type: not images, sound, video, fonts and
/// archives, which are compressed.
///
/// **Parameters.** `media_type` - as in Content-Type: "text/html; charset=utf-8". An unknown one
/// is.
[[nodiscard]] constexpr bool is_compressible(std::string_view media_type) noexcept {
  const auto type = media_type.substr(0, media_type.find(';'));
  const auto begins = [&](std::string_view with) { return type.substr(0, with.size()) == with; };
  for (const std::string_view yes : {"image/svg", "image/bmp", "image/x-icon", "audio/wav",
                                     "audio/x-wav", "font/ttf", "font/otf"})
    if (begins(yes)) return true;
  for (const std::string_view no :
       {"image/", "audio/", "video/", "font/", "application/zip", "application/gzip",
        "application/zstd", "application/x-7z", "application/x-bzip", "application/x-xz",
        "application/vnd.rar", "application/pdf", "application/java-archive"})
    if (begins(no)) return false;
  return true;
}

}  // namespace penstock
