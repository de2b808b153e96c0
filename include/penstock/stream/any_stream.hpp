// penstock/stream/any_stream.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A stream whose type is not said: for the boundaries of an interface. Inside of one, `auto` costs
/// less.

#include <penstock/stream/stream.hpp>

#include <concepts>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace penstock {

/// Any stream of `T`.
///
/// **Shape.** `-a-b-|` any_stream `-a-b-|`; `-a-#` any_stream `-a-#`
/// **Result.** as a stream; also by `next()`.
/// **Errors.** those of the stream in it.
/// **Suspends.** as the stream in it.
/// **Cancellation.** as the stream in it.
/// **Ordering.** emits, backpressures, completes, fails and cancels as the stream in it.
/// **Thread-safety.** one owner.
/// **Complexity.** one allocation; one virtual call for an item.
/// **Lifetime.** as the stream in it.
/// **Example.** @snippet tests/stream/any_stream_test.cpp any_stream
template <class T>
class any_stream : public detail::stream_interface<any_stream<T>> {
  struct base {
    virtual ~base() = default;
    virtual void open(detail::flow& f) = 0;
    virtual detail::pulled pull(detail::pump& p, std::optional<T>& out) = 0;
  };
  template <class S>
  struct holder final : base {
    explicit holder(S&& s) : stream(std::move(s)) {}
    void open(detail::flow& f) override { stream.open(f); }
    detail::pulled pull(detail::pump& p, std::optional<T>& out) override {
      return stream.pull(p, out);
    }
    S stream;
  };

 public:
  using value_type = T;
  static constexpr bool is_eager = false;

  /// Takes a stream of `T` that has no eager stage (those go behind it); an lvalue is referred to.
  template <stream S>
  requires(!std::same_as<std::remove_cvref_t<S>, any_stream>) &&
      std::same_as<stream_value_t<S>, T> any_stream(
          S&& s) {  // NOLINT: converts, as std::function does
    using held = detail::pullable_t<S>;
    static_assert(!held::is_eager, "an any_stream has no eager stages: put them behind it");
    stream_ = std::make_unique<holder<held>>(detail::pullable_of(std::forward<S>(s)));
  }

  void open(detail::flow& f) { stream_->open(f); }
  detail::pulled pull(detail::pump& p, std::optional<T>& out) { return stream_->pull(p, out); }

 private:
  std::unique_ptr<base> stream_;
};

}  // namespace penstock
