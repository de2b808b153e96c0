// penstock/stream/lines.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The lines of a text that comes in buffers. Of a file: io/read_lines.hpp; of rows of fields:
/// csv_rows.hpp.

#include <penstock/base/buffer.hpp>
#include <penstock/stream/detail/recut_stream.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

namespace penstock {

/// Options of `lines`.
struct lines_options {
  /// Bytes that a line may have, its end not counted; at least 1.
  std::size_t most_bytes = std::size_t{1} << 20;
};
static_assert(std::is_trivially_copyable_v<lines_options>);

namespace detail {
class line_cutter {
 public:
  using value_type = buffer;

  explicit line_cutter(lines_options o) noexcept : most_(o.most_bytes) {}

  void put(buffer&& in) {
    begin_ += in_.text();  // an unfinished line, in case that it goes on
    in_ = std::move(in);
  }
  pulled get(flow& f, bool ended, std::optional<buffer>& out) {
    if (most_ == 0) return refuse_option(f, "lines", "of 0 bytes");
    const auto* const end =
        in_.empty() ? nullptr
                    : static_cast<const std::byte*>(std::memchr(in_.data(), '\n', in_.size()));
    if (end) {
      const auto here = static_cast<std::size_t>(end - in_.data());
      if (!emit(here, true, out)) return too_long(f);
      if (here + 1 == in_.size())
        in_.reset();
      else
        in_.remove_prefix(here + 1);
      return pulled::item;
    }
    if (!ended) {  // with a \r that may be of its end
      if (begin_.size() + in_.size() > most_ && begin_.size() + in_.size() - most_ > 1)
        return too_long(f);
      return pulled::wait;
    }
    if (begin_.empty() && in_.empty()) return pulled::end;
    if (!emit(in_.size(), false, out)) return too_long(f);
    in_.reset();
    return pulled::item;
  }

 private:
  // The line that ends behind `here` bytes of the input.
  bool emit(std::size_t here, bool has_end, std::optional<buffer>& out) {
    if (begin_.empty()) [[likely]] {
      if (has_end && here != 0 && in_.text()[here - 1] == '\r') --here;
      if (here > most_) return false;
      out.emplace(in_.first(here));
    } else {
      const char last = here != 0 ? in_.text()[here - 1] : begin_.back();
      const std::size_t return_sign = has_end && last == '\r' ? 1 : 0;
      if (begin_.size() + here - return_sign > most_) return false;
      begin_ += in_.text().substr(0, here);
      begin_.resize(begin_.size() - return_sign);
      out.emplace(buffer::copy_of(begin_));
      begin_.clear();
    }
    ++number_;
    return true;
  }
  pulled too_long(flow& f) const noexcept {
    f.fail(error(errc::corrupt)
               .with("lines", "line " + std::to_string(number_) + " is longer than " +
                                  std::to_string(most_) + " bytes"));
    return pulled::cut;
  }

  std::size_t most_;
  std::uint64_t number_ = 1;  // of the line that is next
  std::string begin_;         // of the line, from the inputs before
  buffer in_;                 // what is left of the input
};
struct cut_lines {
  lines_options options;
  line_cutter operator()(std::type_identity<buffer>) const noexcept { return line_cutter(options); }
};
}  // namespace detail

/// The lines of a stream of buffers, as buffers without their ends: `line.text()`.
///
/// **Shape.** `-("a\nb")-("c\n")-|` lines() `-a----bc-|`
/// **Parameters.** `options.most_bytes` - what a line may have, 1 MiB. A line ends with `\n` or
/// `\r\n`, the last one also with the stream; other bytes are what they are.
/// **Errors.** `errc::corrupt` for a line with more bytes, with its number from 1;
/// `errc::invalid_option` for a limit of 0; std::bad_alloc.
/// **Ordering.** emits when the end of a line is there, and what is left when the stream completes;
/// backpressures always; completes and fails with the stream.
/// **Complexity.** memchr over the bytes; a line that lies in one buffer is a slice of it: no copy,
/// no allocation. One that lies in several is copied, into one allocation.
/// **Lifetime.** a slice keeps the whole buffer that it lies in: copy what is kept for long.
/// **Example.** @snippet tests/stream/lines_test.cpp lines
[[nodiscard]] inline auto lines(lines_options options = {}) noexcept {
  return detail::recut_stage<detail::cut_lines>({options});
}

}  // namespace penstock
