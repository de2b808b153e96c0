// penstock/stream/detail/csv_core.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Rows of RFC 4180 out of bytes that come in any pieces. Knows nothing of streams.

#include <penstock/stream/csv_options.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::detail {

enum class csv_step : unsigned char { row, more, failed };

class csv_core {
 public:
  explicit csv_core(const csv_options& o) : options_(o) {
    for (char c : {o.delimiter, '\n', '\r', '"'}) is_special_[static_cast<unsigned char>(c)] = true;
  }

  // Why the options cannot work; empty: they can.
  [[nodiscard]] static std::string_view objection(const csv_options& o) noexcept {
    if (o.delimiter == '"' || o.delimiter == '\n' || o.delimiter == '\r')
      return "a delimiter that means something else";
    if (o.most_bytes == 0 || o.most_fields == 0) return "a limit of 0";
    if (o.most_bytes > UINT32_MAX) return "a limit of 4 GiB or more";
    return {};
  }

  // Takes from the front of `in` what belongs to the next row. `row`: it is complete, until the
  // next call. `more`: all of `in` is taken. `failed`: problem() says why; the next call goes on
  // behind that row, which ends with the next line end that is not between quotes, or, where the
  // quotes themselves are wrong, with the next line end.
  csv_step feed(std::string_view& in) {
    begin_row();
    at_ = in.data();
    end_ = at_ + in.size();
    csv_step s = csv_step::more;
    while (s == csv_step::more && at_ != end_) s = advance();
    in.remove_prefix(static_cast<std::size_t>(at_ - in.data()));
    return s;
  }
  // The input has ended. `row`: the last one, which had no end of line; `more`: there is no other.
  csv_step finish() {
    begin_row();
    const csv_step s = finish_row();
    state_ = state::begin;
    return s;
  }
  // Of the row that is complete: its fields one behind the other, and where each ends.
  [[nodiscard]] std::string_view bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::span<const std::uint32_t> ends() const noexcept { return ends_; }
  // Rows so far, with this one.
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
  [[nodiscard]] std::string_view problem() const noexcept { return problem_; }

 private:
  // Where the next byte stands. A `return` is a \r that ends a line if a \n follows.
  enum class state : unsigned char {
    bom,             // in the byte order mark, perhaps
    begin,           // before a row
    begin_return,    // the same, behind a \r
    field,           // before a field
    plain,           // in a field without quotes
    plain_return,    // the same, behind a \r
    quoted,          // between quotes
    closed,          // behind the second quote, if it is not the first of two
    closed_return,   // the same, behind a \r
    skipped,         // in a row that has failed
    skipped_quotes,  // the same, between quotes
    skipped_line,    // in a line whose quotes are wrong
  };
  static constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  static constexpr std::string_view text_after_quote = "text behind the quote that ends a field";

  csv_step finish_row() {
    switch (state_) {
      case state::begin:
      case state::skipped:
      case state::skipped_quotes:
      case state::skipped_line:
        return csv_step::more;
      case state::bom:
        if (bom_ == 0) return csv_step::more;
        if (!append(byte_order_mark.substr(0, bom_))) return csv_step::failed;
        return end_row();
      case state::begin_return:
      case state::plain_return:
        if (!append("\r")) return csv_step::failed;
        return end_row();
      case state::quoted:
        return fail("a quoted field that does not end", state::begin);
      case state::closed_return:
        return fail(text_after_quote, state::begin);
      case state::field:
      case state::plain:
      case state::closed:
        break;
    }
    return end_row();
  }

  // Takes at least one byte, or goes to another state.
  csv_step advance() {
    const char c = *at_;
    switch (state_) {
      case state::bom:
        if (c == byte_order_mark[bom_]) {
          ++at_;
          if (++bom_ == byte_order_mark.size()) state_ = state::begin;
          return csv_step::more;
        }
        state_ = bom_ == 0 ? state::begin : state::plain;
        return bom_ == 0 ? csv_step::more : keep(byte_order_mark.substr(0, bom_));
      case state::begin:
        if (c == '\n') {
          ++at_;  // an empty line is no row
        } else if (c == '\r') {
          ++at_;
          state_ = state::begin_return;
        } else {
          state_ = state::field;
        }
        return csv_step::more;
      case state::begin_return:
        if (c == '\n') {
          ++at_;
          state_ = state::begin;
          return csv_step::more;
        }
        state_ = state::plain;
        return keep("\r");
      case state::field:
        state_ = c == '"' ? state::quoted : state::plain;
        at_ += c == '"';
        return csv_step::more;
      case state::plain:
        return advance_plain();
      case state::plain_return:
        if (c == '\n') {
          ++at_;
          return end_row();
        }
        state_ = state::plain;
        return keep("\r");
      case state::quoted: {
        const auto* const quote = static_cast<const char*>(std::memchr(at_, '"', rest()));
        const char* const stop = quote ? quote : end_;
        if (!append({at_, static_cast<std::size_t>(stop - at_)})) return csv_step::failed;
        at_ = stop;
        if (!quote) return csv_step::more;
        ++at_;
        state_ = state::closed;
        return csv_step::more;
      }
      case state::closed:
        if (c == '"') {
          ++at_;
          state_ = state::quoted;
          return keep("\"");
        }
        return end_of_field(c) ? take_end(c, state::closed_return)
                               : fail(text_after_quote, state::skipped_line);
      case state::closed_return:
        if (c != '\n') return fail(text_after_quote, state::skipped_line);
        ++at_;
        return end_row();
      case state::skipped:
      case state::skipped_quotes:
      case state::skipped_line:
        return skip(c);
    }
    return csv_step::more;
  }
  csv_step advance_plain() {
    const char* stop = at_;
    while (stop != end_ && !is_special_[static_cast<unsigned char>(*stop)]) ++stop;
    if (!append({at_, static_cast<std::size_t>(stop - at_)})) return csv_step::failed;
    at_ = stop;
    if (at_ == end_) return csv_step::more;
    if (*at_ == '"')
      return fail("a quote in a field that does not begin with one", state::skipped_line);
    return take_end(*at_, state::plain_return);
  }

  csv_step skip(char c) noexcept {
    ++at_;
    if (c == '\n' && state_ != state::skipped_quotes)
      state_ = state::begin;
    else if (c == '"' && state_ == state::skipped)
      state_ = state::skipped_quotes;
    else if (c == '"' && state_ == state::skipped_quotes)
      state_ = state::skipped;
    return csv_step::more;
  }
  [[nodiscard]] bool end_of_field(char c) const noexcept {
    return c == options_.delimiter || c == '\n' || c == '\r';
  }
  // The byte behind a field.
  csv_step take_end(char c, state after_return) {
    ++at_;
    if (c == '\n') return end_row();
    if (c == '\r') {
      state_ = after_return;
      return csv_step::more;
    }
    state_ = state::field;
    return end_field(state::skipped) ? csv_step::more : csv_step::failed;
  }
  bool end_field(state otherwise) {
    if (ends_.size() == options_.most_fields) {
      fail("more than " + std::to_string(options_.most_fields) + " fields", otherwise);
      return false;
    }
    ends_.push_back(static_cast<std::uint32_t>(bytes_.size()));
    return true;
  }
  csv_step end_row() {
    if (!end_field(state::begin)) return csv_step::failed;
    if (width_ == 0) width_ = ends_.size();
    if (!options_.ragged && ends_.size() != width_)
      return fail(std::to_string(ends_.size()) + " fields where the first row has " +
                      std::to_string(width_),
                  state::begin);
    ++number_;
    state_ = state::begin;
    complete_ = true;
    return csv_step::row;
  }
  void begin_row() noexcept {
    if (!complete_) return;
    complete_ = false;
    bytes_.clear();
    ends_.clear();
  }

  [[nodiscard]] std::size_t rest() const noexcept { return static_cast<std::size_t>(end_ - at_); }
  bool append(std::string_view text) {
    if (text.size() > options_.most_bytes - bytes_.size()) {
      fail("more than " + std::to_string(options_.most_bytes) + " bytes",
           state_ == state::quoted ? state::skipped_quotes : state::skipped);
      return false;
    }
    bytes_.append(text);
    return true;
  }
  csv_step keep(std::string_view text) { return append(text) ? csv_step::more : csv_step::failed; }
  csv_step fail(std::string_view why, state next) {
    problem_ = "row " + std::to_string(++number_) + ": ";
    problem_ += why;
    state_ = next;
    complete_ = true;
    return csv_step::failed;
  }

  csv_options options_;
  std::array<bool, 256> is_special_{};
  state state_ = state::bom;
  bool complete_ = false;
  std::size_t bom_ = 0;    // its bytes so far
  std::size_t width_ = 0;  // fields of the first row
  std::uint64_t number_ = 0;
  const char* at_ = nullptr;  // of the call that is on
  const char* end_ = nullptr;
  std::string bytes_;
  std::vector<std::uint32_t> ends_;
  std::string problem_;
};

}  // namespace penstock::detail
