// penstock/stream/observe.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Measures a stream at one place, or a stage: what passes, and who waits for whom. Not there, it
/// costs nothing.

#include <penstock/base/clock.hpp>
#include <penstock/stream/detail/wait_meter.hpp>
#include <penstock/stream/stream.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace penstock {

/// What passes a place of a stream, and who has waited there for whom. Each moment from the first
/// pull on is counted once: `elapsed` is the sum of `busy`, `blocked_in` and `blocked_out`.
///
/// **Thread-safety.** read it on the pipeline's loop.
struct stream_stats {
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;                 ///< of buffers and texts, alone or in a range
  duration busy = duration::zero();        ///< the stage has worked, and its consumer waited for it
  duration blocked_in = duration::zero();  ///< the same, but the stage has waited for its source
  duration blocked_out = duration::zero();  ///< the consumer was busy and has asked for nothing
  duration elapsed = duration::zero();      ///< from the first pull to the last thing that happened
};

namespace detail {
using stream_meter = wait_meter<stream_stats>;

// A buffer, a string, a vector of bytes.
template <class T>
concept of_bytes = requires(const T& item) {
  item.size();
  requires sizeof(*item.data()) == 1;
};
template <class T>
std::uint64_t bytes_of(const T& item) noexcept {
  if constexpr (of_bytes<T>) {
    return item.size();
  } else if constexpr (requires {
                         requires of_bytes<std::remove_cvref_t<decltype(*item.begin())>>;
                       }) {
    std::uint64_t sum = 0;
    for (const auto& one : item) sum += one.size();
    return sum;
  } else {
    return 0;
  }
}

// What the consumer pulls. `Meter` is a stream_meter, or points to one.
template <class Up, class Meter>
class observed_stream : public stream_interface<observed_stream<Up, Meter>> {
 public:
  using value_type = typename Up::value_type;
  static constexpr bool is_eager = Up::is_eager;

  observed_stream(Up&& up, Meter m) : up_(std::move(up)), meter_(std::move(m)) {}

  void open(flow& f) { up_.open(f); }
  pulled pull(pump& p, std::optional<value_type>& out) {
    stream_meter& m = meter();
    const pulled s = m.pull_for_consumer(up_, p, out);
    if (s == pulled::item) {
      ++m.stats().items;
      m.stats().bytes += bytes_of(*out);
    }
    return s;
  }

 private:
  stream_meter& meter() noexcept {
    if constexpr (std::is_same_v<Meter, stream_meter>)
      return meter_;
    else
      return *meter_;
  }

  Up up_;
  Meter meter_;
};
// What a stage that is measured pulls.
template <class Up>
class stage_input {
 public:
  using value_type = typename Up::value_type;
  static constexpr bool is_eager = Up::is_eager;
  static constexpr bool is_sync = false;

  stage_input(Up&& up, stream_meter& m) : up_(std::move(up)), meter_(&m) {}

  void open(flow& f) { up_.open(f); }
  pulled pull(pump& p, std::optional<value_type>& out) {
    return meter_->pull_for_stage(up_, p, out);
  }

 private:
  Up up_;
  stream_meter* meter_;
};

class observe_stage : public stream_stage {
 public:
  explicit observe_stage(stream_stats& to) noexcept : to_(&to) {}
  template <class Up>
  auto over(Up&& up) const {
    return observed_stream<Up, stream_meter>(std::move(up), stream_meter(*to_, false));
  }

 private:
  stream_stats* to_;
};
template <class Stage>
class observed_stage : public stream_stage {
 public:
  observed_stage(stream_stats& to, Stage&& s) : to_(&to), stage_(std::move(s)) {}
  template <class Up>
  requires requires(Stage&& s, stage_input<Up>&& in) { std::move(s).over(std::move(in)); }
  auto over(Up&& up) && {
    auto meter = std::make_unique<stream_meter>(*to_, true);
    auto whole = std::move(stage_).over(stage_input<Up>(std::move(up), *meter));
    using stream_type = observed_stream<decltype(whole), std::unique_ptr<stream_meter>>;
    return stream_type(std::move(whole), std::move(meter));
  }

 private:
  stream_stats* to_;
  Stage stage_;
};
}  // namespace detail

/// Passes all items on, and counts them and the waits at this place in `to`.
///
/// **Shape.** `-a-b-|` observe(stats) `-a-b-|`
/// **Parameters.** `to` - is added to; outlives the stream. Between two stages `blocked_in` is what
/// the one before is too slow for, `blocked_out` what the one behind is; `busy` stays zero. In
/// front of a sink `blocked_out` is what the sink has worked.
/// **Errors.** none of its own.
/// **Ordering.** emits, backpressures, completes, fails and cancels as the stream does.
/// **Complexity.** two readings of the loop's clock for an item; stages around it are not one loop
/// any more. No allocation.
/// **Example.** @snippet tests/stream/observe_test.cpp observe
[[nodiscard]] inline auto observe(stream_stats& to) noexcept { return detail::observe_stage(to); }

/// The stage `s`, and in `to` how long it has worked, and waited on either side.
///
/// **Shape.** `-a-b-|` observe(stats, map(2ms)) `---a-(b|)`
/// **Parameters.** `to` - is added to, `items` and `bytes` with what `s` emits; outlives the
/// stream. `s` - any stage. An eager one waits for its source whenever it has room: it is `busy`
/// while it is full, or its source has ended, and the consumer waits.
/// **Errors.** those of `s`.
/// **Ordering.** emits, backpressures, completes, fails and cancels as `s` does.
/// **Complexity.** four readings of the loop's clock for an item; `s` and its neighbours are not
/// one loop any more. One allocation.
/// **Example.** @snippet tests/stream/observe_test.cpp observe_stage
template <detail::stage Stage>
requires(!std::is_reference_v<Stage>)  // as behind a |: std::move() one that has a name
    [[nodiscard]] auto observe(stream_stats& to, Stage&& s) {
  return detail::observed_stage<Stage>(to, std::move(s));
}

}  // namespace penstock
