// penstock/stream/csv_rows.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The rows of a CSV text that comes in buffers, as of RFC 4180. Of lines without fields:
/// lines.hpp.

#include <penstock/base/buffer.hpp>
#include <penstock/stream/csv_options.hpp>
#include <penstock/stream/csv_row.hpp>
#include <penstock/stream/detail/csv_core.hpp>
#include <penstock/stream/detail/recut_stream.hpp>

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace penstock {
namespace detail {
class row_cutter {
 public:
  using value_type = csv_row;

  explicit row_cutter(const csv_options& o) : options_(o), core_(o) {}

  void put(buffer&& in) noexcept {
    in_ = std::move(in);
    rest_ = in_.text();
  }
  pulled get(flow& f, bool ended, std::optional<csv_row>& out) {
    if (const auto why = csv_core::objection(options_); !why.empty())
      return refuse_option(f, "csv_rows", why);
    if (no_names_) return pulled::end;
    for (;;) {
      const csv_step s = ended ? core_.finish() : core_.feed(rest_);
      if (s == csv_step::more) {
        in_.reset();
        return ended ? pulled::end : pulled::wait;
      }
      if (s == csv_step::failed) {
        f.fail(error(errc::corrupt).with("csv_rows", core_.problem()));
        no_names_ = options_.header && !names_;
        return pulled::cut;
      }
      if (!options_.header || names_) {
        out.emplace(core_.bytes(), core_.ends(), core_.number(), names_);
        return pulled::item;
      }
      names_ = std::make_shared<const csv_row>(core_.bytes(), core_.ends(), core_.number());
    }
  }

 private:
  csv_options options_;
  csv_core core_;
  std::shared_ptr<const csv_row> names_;
  bool no_names_ = false;  // the header has failed: no row after it means anything
  buffer in_;
  std::string_view rest_;  // of in_
};
struct cut_rows {
  csv_options options;
  row_cutter operator()(std::type_identity<buffer>) const { return row_cutter(options); }
};
}  // namespace detail

/// The rows of a CSV text in a stream of buffers.
///
/// **Shape.** of buffers, `/` being a line end: `-[a,b/1]-[,2/]-|` csv_rows() `-[a,b]-[1,2]-|`
/// **Parameters.** `options` - delimiter, header, ragged rows and limits: see `csv_options`. Fields
/// may be in quotes, with delimiters, line ends and doubled quotes in them; rows end with `\n` or
/// `\r\n`, the last one also with the stream; empty lines and a byte order mark are left out.
/// **Errors.** `errc::corrupt`, naming the row (from 1, a header is one) and what is wrong with it:
/// a quoted field that does not end, text behind a quote, a quote within a plain field, another
/// number of fields than the first row, more bytes or fields than the limits. Each row fails once:
/// behind `recover` it goes on with the next row, behind a line end that is not between quotes, or,
/// where the quotes are wrong, behind the next line end; not after a bad header, nor after a quote
/// that does not end. `errc::invalid_option` for options that cannot work; std::bad_alloc.
/// **Ordering.** emits when the end of a row is there, and what is left when the stream completes;
/// backpressures always; completes and fails with the stream; cancels the stream.
/// **Complexity.** looks at each byte once; one allocation for each row.
/// **Example.** @snippet tests/stream/csv_rows_test.cpp csv_rows
[[nodiscard]] inline auto csv_rows(csv_options options = {}) noexcept {
  return detail::recut_stage<detail::cut_rows>({options});
}

}  // namespace penstock
