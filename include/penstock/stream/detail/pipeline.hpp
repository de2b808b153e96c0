// penstock/stream/detail/pipeline.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What `source | ... | sink` makes: an awaiter that pulls the stream into the sink, and the scope
/// of everything that this begins.
///
/// A sink: pulled push(pump&, std::optional<T>& item), which takes the item or waits, and says
/// `end` when it wants no more; bool busy() and pulled resume(pump&) while it waits; take(), its
/// result. One that never waits says is_sync and has pulled drive(Up&, pump&, std::size_t& left) as
/// well. It may have
///   void open(flow&);          before anything is pulled
///   pulled finish(pump&);      at the end of the stream, until it says `item`: the sink is done;
///                              nothing else is under way then
///   void abort(const error*);  it failed or was stopped, and nothing is under way any more; null:
///                              an exception, or a stop

#include <penstock/core/shield.hpp>
#include <penstock/stream/detail/flow.hpp>
#include <penstock/stream/stream.hpp>

#include <optional>
#include <utility>

namespace penstock::detail {

template <class Up, class Sink>
class pipeline : public leaf<pipeline<Up, Sink>>, flow, pump {
  using item = typename Up::value_type;
  using out = result<typename Sink::result_type>;

 public:
  pipeline(Up&& up, Sink&& sink) : stream_(std::move(up)), sink_(std::move(sink)) {}
  pipeline(pipeline&& o)
      : leaf<pipeline>(),
        flow(),
        pump(),
        stream_(std::move(o.stream_)),
        sink_(std::move(o.sink_)) {}

  suspension start(waiter& w) noexcept {
    environment_ = *w.env;
    follow_stop_of(w);
    flow::open(w, environment_);
    pump::attach(*this);
    try {
      if constexpr (requires(flow & f) { sink_.open(f); }) sink_.open(*this);
      stream_.open(*this);
    } catch (...) {
      fail(std::current_exception());
    }
    return unwind(wake());
  }
  [[nodiscard]] out await_resume() {
    rethrow();
    if (has_error_) return tl::unexpected<error>(std::move(error_));
    if constexpr (std::is_void_v<typename Sink::result_type>)
      return out();
    else
      return out(sink_.take());
  }

 private:
  step wake() noexcept override {
    try {
      return run();
    } catch (...) {
      fail(std::current_exception());
      return settle();
    }
  }
  step run() {
    if (is_cut()) return settle();
    pulled s = pulled::item;
    if constexpr (Up::is_sync && Sink::is_sync) {
      std::size_t left = most_rounds;
      s = sink_.drive(stream_, *this, left);
      if (s == pulled::wait && left == 0) give_way();
    } else {
      do {
        s = round();
      } while (s == pulled::item && spend());
      if (s == pulled::item) s = give_way();
    }
    if (s == pulled::wait) return {};
    if (s == pulled::end) over();
    return settle();
  }
  pulled round() {
    pulled s = ended_ ? pulled::end : pass_one();
    if constexpr (Up::is_eager) {  // it may have begun what failed at once
      if (is_cut()) return pulled::cut;
    }
    if constexpr (finishes) {
      if (s == pulled::end) {
        const bool already = std::exchange(ended_, true);
        if (!already && !is_settled()) {
          over();
          cuts_upstream_ = true;
          return pulled::wait;
        }
        s = sink_.finish(*this);
        if (s == pulled::item) s = pulled::end;
      }
    }
    return s;
  }
  pulled pass_one() {
    if (sink_.busy()) return sink_.resume(*this);
    std::optional<item> taken;
    const pulled s = stream_.pull(*this, taken);
    return s == pulled::item ? sink_.push(*this, taken) : s;
  }

  void follow_stop_of(waiter& w) noexcept {
    environment_.stop = &link_.emplace("pipeline").own;
    link_->open(w);
  }
  void stop_rest(stop_reason why) noexcept override { link_->own.request_stop(why); }
  step finish() noexcept override {
    if constexpr (finishes) {
      if (std::exchange(cuts_upstream_, false)) {  // it is: now the sink finishes, alone
        reopen();
        follow_stop_of(up());
        return wake();
      }
    }
    link_->close();
    if constexpr (requires(const error* why) { sink_.abort(why); }) {
      if (failed() || ended_by_stop()) sink_.abort(has_error_ ? &error_ : nullptr);
    }
    return {{}, &up(), nullptr, ended_by_stop()};
  }

  static constexpr bool finishes = requires(Sink & s, pump& p) { s.finish(p); };

  environment environment_;
  std::optional<stop_link> link_;
  Up stream_;
  Sink sink_;
  bool ended_ = false;
  bool cuts_upstream_ = false;  // ended early: what is under way there is on its end
};

// Base of what stands to the right of the last `|`. Derived has sink_for<T>() &&, the sink itself
// for items of T.
template <class Derived>
class sink_base : public stream_sink {
 public:
  template <class Up>
  requires requires(Derived&& d) { std::move(d).template sink_for<typename Up::value_type>(); }
  auto over(Up&& up) && {
    auto sink = static_cast<Derived&&>(*this).template sink_for<typename Up::value_type>();
    return pipeline<Up, decltype(sink)>(std::move(up), std::move(sink));
  }
};

}  // namespace penstock::detail
