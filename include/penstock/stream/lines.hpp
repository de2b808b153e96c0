// penstock/stream/lines.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The lines of a text that comes in buffers. Of a file: io/read_lines.hpp; of rows of fields:
/// csv_rows.hpp.

#include <penstock/base/buffer.hpp>
#include <penstock/base/buffer_slicer.hpp>
#include <penstock/stream/detail/recut_stream.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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
    begin_ += in_.rest().text();  // an unfinished line, in case that it goes on
    in_ = buffer_slicer(std::move(in));
  }
  [[gnu::always_inline]] pulled get(flow& f, bool ended, std::optional<buffer>& out) {
    if (most_ == 0) return refuse_option(f, "lines", "of 0 bytes");
    if (skips_ && !skip_line()) [[unlikely]]
      return ended ? pulled::end : pulled::wait;
    const std::string_view rest = in_.rest().text();
    if (const auto end = rest.find('\n'); end != rest.npos) {
      if (!begin_.empty()) return join(f, rest.substr(0, end), true, out);
      const std::size_t carriage_return = end != 0 && rest[end - 1] == '\r' ? 1 : 0;
      const std::size_t size = end - carriage_return;
      if (size > most_) return too_long(f);
      return emit(in_.split(size, carriage_return + 1), out);
    }
    const std::size_t size = begin_.size() + rest.size();
    if (!ended) {
      if (size <= most_) return pulled::wait;
      const char last = rest.empty() ? begin_.back() : rest.back();
      // A \r may be of its end.
      return size - most_ == 1 && last == '\r' ? pulled::wait : too_long(f);
    }
    if (size == 0) return pulled::end;
    if (!begin_.empty()) return join(f, rest, false, out);
    if (size > most_) return too_long(f);
    return emit(in_.split(size), out);
  }
  void take_back(buffer& line) noexcept { in_.take_back(line); }

 private:
  // The line of begin_ and `last`, and of a \n if it `has_end`.
  [[gnu::noinline]] pulled join(flow& f, std::string_view last, bool has_end,
                                std::optional<buffer>& out) {
    const std::string_view tail = last.empty() ? begin_ : last;
    const std::size_t carriage_return = has_end && tail.back() == '\r' ? 1 : 0;
    const std::size_t size = begin_.size() + last.size() - carriage_return;
    if (size > most_) return too_long(f);
    begin_ += last;
    begin_.resize(size);
    buffer line = buffer::copy_of(begin_);
    begin_.clear();
    in_.skip(last.size() + (has_end ? 1 : 0));
    return emit(std::move(line), out);
  }
  pulled emit(buffer&& line, std::optional<buffer>& out) noexcept {
    out.emplace(std::move(line));
    if (in_.rest().empty()) in_.reset();
    ++number_;
    return pulled::item;
  }
  // It goes on behind that line, if it is asked to.
  [[gnu::noinline]] pulled too_long(flow& f) noexcept {
    f.fail(error(errc::corrupt)
               .with("lines", "line " + std::to_string(number_) + " is longer than " +
                                  std::to_string(most_) + " bytes"));
    ++number_;
    begin_.clear();
    skips_ = true;
    return pulled::cut;
  }
  // Whether the end of the line that is too long was there.
  [[gnu::noinline]] bool skip_line() noexcept {
    const std::string_view rest = in_.rest().text();
    const auto end = rest.find('\n');
    if (end == rest.npos) {
      in_.reset();
      return false;
    }
    in_.skip(end + 1);
    if (in_.rest().empty()) in_.reset();
    skips_ = false;
    return true;
  }

  std::size_t most_;
  bool skips_ = false;        // what follows is of a line that was too long
  std::uint64_t number_ = 1;  // of the line that is next
  std::string begin_;         // of the line, from the inputs before
  buffer_slicer in_;          // what is left of the input
};
struct cut_lines {
  lines_options options;
  line_cutter operator()(std::type_identity<buffer>) const noexcept { return line_cutter(options); }
};
}  // namespace detail

/// The lines of a stream of buffers, as buffers without their ends: `line.text()`.
///
/// **Shape.** of buffers, `/` being a line end: `-[a/b]-[c/]-|` lines() `-a-[bc]-|`
/// **Parameters.** `options.most_bytes` - what a line may have, 1 MiB. A line ends with `\n` or
/// `\r\n`, the last one also with the stream; other bytes are what they are.
/// **Errors.** `errc::corrupt` for a line with more bytes, with its number from 1, once: behind
/// `recover` it goes on with the next line. `errc::invalid_option` for a limit of 0;
/// std::bad_alloc.
/// **Ordering.** emits when the end of a line is there, and what is left when the stream completes;
/// backpressures always; completes and fails with the stream; cancels the stream.
/// **Complexity.** memchr over the bytes; a line that lies in one buffer is a slice of it: no copy,
/// no allocation. One that lies in several is copied, into one allocation.
/// **Lifetime.** a slice keeps the whole buffer that it lies in: copy what is kept for long.
/// **Example.** @snippet tests/stream/lines_test.cpp lines
[[nodiscard]] inline auto lines(lines_options options = {}) noexcept {
  return detail::recut_stage<detail::cut_lines>({options});
}

}  // namespace penstock
