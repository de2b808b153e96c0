// penstock/stream/detail/next_awaiter.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What next() of a stream returns: one pull, as an awaiter.

#include <penstock/stream/detail/flow.hpp>

namespace penstock::detail {

template <class Stream>
class next_awaiter : public leaf<next_awaiter<Stream>>, flow, pump {
  using value = typename Stream::value_type;

 public:
  explicit next_awaiter(Stream& s) noexcept : stream_(&s) {}
  next_awaiter(next_awaiter&& o) noexcept
      : leaf<next_awaiter>(), flow(), pump(), stream_(o.stream_) {}

  // Runs the user's functions, of which each may throw: that is the outcome then.
  bool await_ready() noexcept {
    attach(*this);
    may_begin_ = false;
    try {
      stream_->open(*this);
      return stream_->pull(*this, item_) != pulled::wait;
    } catch (...) {
      fail(std::current_exception());
      return true;
    }
  }
  suspension start(waiter& w) noexcept {
    open(w, *w.env);
    may_begin_ = true;
    return unwind(wake());
  }
  [[nodiscard]] result<std::optional<value>> await_resume() {
    rethrow();
    if (has_error_) return tl::unexpected<error>(std::move(error_));
    return std::move(item_);
  }

 private:
  step wake() noexcept override {
    try {
      if (stream_->pull(*this, item_) == pulled::wait) return {};
    } catch (...) {
      fail(std::current_exception());
    }
    return finish();
  }
  void stop_rest(stop_reason) noexcept override {}
  step finish() noexcept override { return {{}, &up(), nullptr, ended_by_stop()}; }

  Stream* stream_;
  std::optional<value> item_;
};

}  // namespace penstock::detail
