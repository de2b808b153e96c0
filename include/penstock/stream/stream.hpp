// penstock/stream/stream.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What a stream is, how stages and sinks are put together with `|`, and reading one in a loop.

#include <penstock/stream/detail/await_slot.hpp>
#include <penstock/stream/detail/composed.hpp>
#include <penstock/stream/detail/flow.hpp>
#include <penstock/stream/detail/next_awaiter.hpp>
#include <penstock/stream/detail/refused.hpp>

#include <concepts>
#include <type_traits>

namespace penstock {
namespace detail {
template <class R>
struct next_value {};
template <class T>
struct next_value<result<std::optional<T>>> {
  using type = T;
};
template <class S>
using next_value_t = typename next_value<await_result_t<decltype(std::declval<S&>().next())>>::type;

// The library's own streams: stages are pulled, see flow.hpp.
template <class S>
concept pullable = requires(S& s, flow& f, pump& p, std::optional<typename S::value_type>& out) {
  { s.pull(p, out) } -> std::same_as<pulled>;
  s.open(f);
};
template <class S>
concept has_next = requires {
  typename next_value_t<S>;
};
}  // namespace detail

/// Something that yields items one after the other, then ends, or fails.
///
/// **Shape.** `next()` is an awaitable of `result<std::optional<T>>`: value, end, error. It is
/// awaited before it is called again. The streams of this library can be read so, too, but for
/// those with an eager stage: they need a sink, which makes the scope that their work runs in.
template <class S>
concept stream =
    detail::pullable<std::remove_cvref_t<S>> || detail::has_next<std::remove_cvref_t<S>>;

// Bases of what stands to the right of a `|`.
struct stream_stage {};
struct stream_sink {};

namespace detail {
template <class S>
struct value_of_stream {
  using type = next_value_t<S>;
};
template <pullable S>
struct value_of_stream<S> {
  using type = typename S::value_type;
};

template <class S>
concept stage = std::derived_from<std::remove_cvref_t<S>, stream_stage>;
template <class S>
concept sink = std::derived_from<std::remove_cvref_t<S>, stream_sink>;

// drive() of a source that is pulled.
template <class Source, class Push>
pulled drive_pulled(Source& source, pump& p, std::size_t& left, Push& push) {
  for (; left != 0; --left) {
    std::optional<typename Source::value_type> item;
    if (const pulled s = source.pull(p, item); s != pulled::item) return s;
    if (!push(*std::move(item))) return pulled::item;
  }
  return pulled::wait;
}

// A stream that has only next().
template <class S>
class next_stream {
 public:
  using value_type = next_value_t<std::remove_reference_t<S>>;
  static constexpr bool is_eager = false;
  static constexpr bool is_sync = true;

  explicit next_stream(S&& s) : source_(std::forward<S>(s)) {}
  void open(flow&) noexcept {}
  pulled pull(pump& p, std::optional<value_type>& out) {
    if (!slot_.busy()) slot_.set(source_.next());
    if (const pulled s = slot_.advance(p); s != pulled::item) return s;
    auto next = slot_.take();
    if (!next) {
      p.of().fail(std::move(next).error());
      return pulled::cut;
    }
    if (!*next) return pulled::end;
    out.emplace(*std::move(*next));
    return pulled::item;
  }
  template <class Push>
  pulled drive(pump& p, std::size_t& left, Push push) {
    return drive_pulled(*this, p, left, push);
  }

 private:
  S source_;
  await_slot<awaiter_t<decltype(std::declval<S&>().next())>> slot_;
};
// A stream of ours that somebody else keeps.
template <class S>
class stream_ref {
 public:
  using value_type = typename S::value_type;
  static constexpr bool is_eager = false;
  static constexpr bool is_sync = S::is_sync;

  explicit stream_ref(S& s) noexcept : source_(&s) {}
  void open(flow& f) { source_->open(f); }
  pulled pull(pump& p, std::optional<value_type>& out) { return source_->pull(p, out); }
  template <class Push>
  pulled drive(pump& p, std::size_t& left, Push push) {
    return source_->drive(p, left, std::move(push));
  }

 private:
  S* source_;
};
template <class S>
auto pullable_of(S&& s) {
  using plain = std::remove_cvref_t<S>;
  if constexpr (!pullable<plain>) {
    return next_stream<S>(std::forward<S>(s));
  } else if constexpr (std::is_lvalue_reference_v<S>) {
    static_assert(!plain::is_eager, "an eager stage needs its pipeline: std::move() the stream");
    return stream_ref<plain>(s);
  } else {
    return plain(std::move(s));
  }
}
template <class S>
using pullable_t = decltype(pullable_of(std::declval<S>()));

#define PENSTOCK_NEEDS_SINK                                                          \
  "a pipeline needs a sink: `| drain()` where the stages do the work; next() reads " \
  "one item"
// Base of the library's streams: next() of those that are not eager.
template <class Derived>
class stream_interface {
 public:
  static constexpr bool is_sync = false;  // those that have drive() say true

  /// Awaits the next item: `while (auto x = co_await ok(s.next()))`.
  ///
  /// **Result.** the item; no value at the end; the error of the stream. The stream can be read on
  /// after an error or an exception of a stage, whose item is gone.
  /// **Cancellation.** the stream can be read on. A stop while the source is waited for loses no
  /// item: it is there after the await, or was not taken (a class with `next()` has to see to that
  /// itself). A stage whose function is at work is stopped with its item, which is dropped.
  [[nodiscard]] auto next() {
    static_assert(!Derived::is_eager,
                  "a stream with an eager stage needs a sink: `| for_each(...)` is its loop");
    return next_awaiter<Derived>(static_cast<Derived&>(*this));
  }

 protected:
  stream_interface() = default;
  ~stream_interface() = default;
  stream_interface(stream_interface&&) = default;
  stream_interface& operator=(stream_interface&&) = default;
};
// No member: `awaitable` must not find it.
template <class Derived>
without_sink operator co_await(const stream_interface<Derived>&) {
  static_assert(sizeof(Derived) == 0, PENSTOCK_NEEDS_SINK);
  return {};
}
template <class Derived>
refused ok(const stream_interface<Derived>&) {
  static_assert(sizeof(Derived) == 0, PENSTOCK_NEEDS_SINK);
  return {};
}
#undef PENSTOCK_NEEDS_SINK
}  // namespace detail

/// The type of a stream's items.
template <stream S>
using stream_value_t = typename detail::value_of_stream<std::remove_cvref_t<S>>::type;

namespace detail {
template <class Part, class S>
concept takes = requires(Part&& part, S&& s) {
  std::forward<Part>(part).over(pullable_of(std::forward<S>(s)));
};
// One `|`, and a sentence where it cannot be.
template <class S, class Part>
auto put_together(S&& s, Part&& part) {
  check_aggregate<S>();
  if constexpr (takes<Part, S>) {
    return std::forward<Part>(part).over(pullable_of(std::forward<S>(s)));
  } else {
    static_assert(!std::is_lvalue_reference_v<Part>,
                  "a stage or sink is used once: std::move() it behind the |");
    check_need<std::remove_cvref_t<Part>, std::is_lvalue_reference_v<Part>>();
    return refused();
  }
}
template <class P>
concept part_of_pipeline = stage<P> || sink<P>;
}  // namespace detail

/// `source | stage`: a stream again. A stream that is an lvalue is used where it is.
template <stream S, detail::stage Stage>
[[nodiscard]] auto operator|(S&& s, Stage&& stage) {
  return detail::put_together(std::forward<S>(s), std::forward<Stage>(stage));
}
/// `source | ... | sink`: a pipeline, to be awaited; it yields the sink's `result`.
template <stream S, detail::sink Sink>
[[nodiscard]] auto operator|(S&& s, Sink&& sink) {
  return detail::put_together(std::forward<S>(s), std::forward<Sink>(sink));
}
/// `stage | ... | stage`, `stage | ... | sink`: one stage, or one sink, for a stream that comes
/// later.
///
/// **Parameters.** rvalues: the stage has both.
/// **Complexity.** none: `source | (a | b)` is what `source | a | b` is.
/// **Lifetime.** used once, as any stage; a copy of it can be used as well, if its functions can be
/// copied.
/// **Example.** @snippet tests/stream/composed_test.cpp composed
template <detail::stage Stage, detail::part_of_pipeline Part>
[[nodiscard]] auto operator|(Stage&& stage, Part&& part) {
  static_assert(!std::is_lvalue_reference_v<Stage> && !std::is_lvalue_reference_v<Part>,
                "a stage or sink is used once: std::move() it into the composed one");
  using base = std::conditional_t<detail::sink<Part>, stream_sink, stream_stage>;
  using first = std::remove_cvref_t<Stage>;
  using second = std::remove_cvref_t<Part>;
  return detail::composed<base, first, second>(first(std::forward<Stage>(stage)),
                                               second(std::forward<Part>(part)));
}
// Anything else on the left.
template <class S, detail::part_of_pipeline Part>
requires(!stream<S> && !detail::part_of_pipeline<S>) detail::refused operator|(S&&, Part&&) {
  constexpr bool told = std::is_same_v<std::remove_cvref_t<S>, detail::refused>;
  static_assert(told || !awaitable<S>, "nothing goes behind a sink: the pipeline is awaited");
  constexpr bool reads = requires(S & s) { s.next(); };
  static_assert(told || awaitable<S> || reads,
                "what is left of the | is no stream: from(range) makes one");
  static_assert(told || !reads,
                "next() of a stream returns a task, or an awaitable, of result<std::optional<T>>");
  return {};
}

}  // namespace penstock
