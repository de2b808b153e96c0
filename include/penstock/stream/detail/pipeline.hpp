// penstock/stream/detail/pipeline.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What `source | ... | sink` makes: an awaiter that pulls the stream into the sink, and the scope
/// of everything that this begins.
///
/// A sink: pulled push(pump&, std::optional<T>& item), which takes the item or waits; bool busy()
/// and pulled resume(pump&) while it waits; take(), its result.

#include <penstock/core/shield.hpp>
#include <penstock/stream/detail/flow.hpp>

namespace penstock::detail {

template <class Up, class Sink>
class pipeline : public leaf<pipeline<Up, Sink>>, flow, pump, waiter, hook {
  using item = typename Up::value_type;
  using out = result<typename Sink::result_type>;

 public:
  template <class... Args>
  explicit pipeline(Up&& up, Args&&... sink)
      : stream_(std::move(up)), sink_(std::forward<Args>(sink)...) {}
  pipeline(pipeline&& o)
      : leaf<pipeline>(),
        flow(),
        pump(),
        waiter(),
        hook(),
        stream_(std::move(o.stream_)),
        sink_(std::move(o.sink_)) {}

  suspension start(waiter& w) noexcept {
    environment_ = *w.env;
    environment_.stop = &link_.own;
    flow::open(w, environment_);
    pump::attach(*this);
    link_.open(w);
    waiter::parent = &w;
    waiter::env = &environment_;
    waiter::hooked = this;
    try {
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
  // Turns of the loop that a pipeline whose stages never wait may take before it lets others run.
  static constexpr int budget = 1024;

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
    for (int left = budget; left > 0; --left) {
      pulled s;
      if (sink_.busy()) {
        s = sink_.resume(*this);
      } else {
        std::optional<item> taken;
        s = stream_.pull(*this, taken);
        if (s == pulled::item) s = sink_.push(*this, taken);
      }
      switch (s) {
        case pulled::item:
          if constexpr (Up::is_eager) {  // it may have begun what failed at once
            if (is_cut()) return settle();
          }
          break;
        case pulled::wait:
          return {take_handle()};
        case pulled::end:
          over();
          return settle();
        case pulled::cut:
          return settle();
      }
    }
    begun();
    environment_.sched->post(*this);
    return {};
  }
  // Its turn again, after all that was ready.
  step done(waiter&, waiter*) noexcept override {
    if (stop_requested(up())) return ended_stopped();
    return ended(*this);
  }
  bool is_scope() const noexcept override { return true; }

  void stop_rest(stop_reason why) noexcept override { link_.own.request_stop(why); }
  step finish() noexcept override {
    link_.close();
    return {{}, &up(), nullptr, ended_by_stop()};
  }

  environment environment_;
  stop_link link_{"pipeline"};
  Up stream_;
  Sink sink_;
};

}  // namespace penstock::detail
