// penstock/stream/detail/recut_stream.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The stage of all operators that cut a stream anew: chunk, window, chunk_bytes, lines, csv_rows.
/// What is cut how is a cutter's business, which knows nothing of pumps:
///
///     pulled get(flow&, bool ended, std::optional<V>& out);
///
/// `item`: the next piece is in `out`. `wait`: it needs more first. `end`: the input has `ended`,
/// and all is given out. `cut`: the flow has got its error.
///
///     void put(T&& in);            the next input, after it has said `wait`
///     void take_back(V& piece);    optional: the piece was looked at, and perhaps not taken

#include <penstock/stream/stream.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

namespace penstock::detail {

template <class Up, class Cutter>
class recut_stream : public stream_interface<recut_stream<Up, Cutter>> {
  using input = typename Up::value_type;

 public:
  using value_type = typename Cutter::value_type;
  static constexpr bool is_eager = Up::is_eager;
  static constexpr bool is_sync = Up::is_sync;

  recut_stream(Up&& up, Cutter&& c) : up_(std::move(up)), cutter_(std::move(c)) {}

  void open(flow& f) { up_.open(f); }
  pulled pull(pump& p, std::optional<value_type>& out) {
    for (;;) {
      if (!needs_more_) {
        if (const pulled s = cutter_.get(p.of(), ended_, out); s != pulled::wait) return s;
        needs_more_ = true;
      }
      std::optional<input> in;
      const pulled s = up_.pull(p, in);
      if (s != pulled::item && s != pulled::end) return s;
      needs_more_ = false;
      if (s == pulled::item)
        cutter_.put(*std::move(in));
      else
        ended_ = true;
      if (!p.spend()) return p.give_way();
    }
  }
  template <class Push>
  pulled drive(pump& p, std::size_t& left, Push push) {
    if (!ended_) {
      handed given = give(p.of(), left, push);
      if (!given.all()) return given.last;
      const pulled s = up_.drive(p, left, [&](input&& in) {
        cutter_.put(std::move(in));
        needs_more_ = false;
        given = give(p.of(), left, push);
        return given.all();
      });
      if (!given.all()) return given.last;
      if (s != pulled::end) return s;
      ended_ = true;
      needs_more_ = false;
    }
    return give(p.of(), left, push).last;
  }

 private:
  struct handed {
    pulled last;
    bool turn_is_over;
    [[nodiscard]] bool all() const noexcept { return last == pulled::wait && !turn_is_over; }
  };
  // Pushes what the cutter has. One input may be many pieces: they count as elements of the source,
  // which counts the input after it was pushed.
  template <class Push>
  handed give(flow& f, std::size_t& left, Push& push) {
    while (left > 1) {
      std::optional<value_type> piece;
      const pulled s = needs_more_ ? pulled::wait : cutter_.get(f, ended_, piece);
      needs_more_ = s == pulled::wait;
      if (s != pulled::item) return {s, false};
      --left;
      const bool more = push(*std::move(piece));
      if constexpr (requires { cutter_.take_back(*piece); }) cutter_.take_back(*piece);
      if (!more) return {pulled::item, false};
    }
    left = 0;
    return {pulled::wait, true};
  }

  Up up_;
  Cutter cutter_;
  bool needs_more_ = false;
  bool ended_ = false;
};

// Make: from std::type_identity<T> of the items to their cutter.
template <class Make>
class recut_stage : public stream_stage {
 public:
  static constexpr need needs = need::buffers;

  explicit recut_stage(Make make) : make_(std::move(make)) {}
  template <class Up>
  requires std::invocable<Make&, std::type_identity<typename Up::value_type>>
  auto over(Up&& up) && {
    using Cutter = std::invoke_result_t<Make&, std::type_identity<typename Up::value_type>>;
    return recut_stream<Up, Cutter>(std::move(up),
                                    make_(std::type_identity<typename Up::value_type>()));
  }

 private:
  Make make_;
};

// What a cutter answers to options that cannot work.
inline pulled refuse_option(flow& f, std::string_view operation, std::string_view why) noexcept {
  f.fail(error(errc::invalid_option).with(operation, why));
  return pulled::cut;
}

}  // namespace penstock::detail
