// penstock/stream/detail/judged_stream.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The stage of all operators that look at an item and then pass it on, drop it, or end the stream:
/// tap, filter, skip, take_while, distinct_until_changed. A rule says which, from what the function
/// yields.

#include <penstock/stream/detail/early_end.hpp>
#include <penstock/stream/detail/stage_call.hpp>
#include <penstock/stream/stream.hpp>

#include <type_traits>
#include <utility>

namespace penstock::detail {

enum class judgement : unsigned char { pass, drop, end };

struct pass_always {
  template <class... Ignored>
  constexpr judgement operator()(Ignored&&...) const noexcept {
    return judgement::pass;
  }
};
struct pass_if {
  constexpr judgement operator()(bool is) const noexcept {
    return is ? judgement::pass : judgement::drop;
  }
};
struct pass_while {
  constexpr judgement operator()(bool is) const noexcept {
    return is ? judgement::pass : judgement::end;
  }
};

template <class Up, class F, class Rule>
class judged_stream : public stream_interface<judged_stream<Up, F, Rule>> {
 public:
  using value_type = typename Up::value_type;

 private:
  using call = stage_call<F, const value_type&>;

 public:
  static constexpr bool is_eager = Up::is_eager;
  static constexpr bool is_sync = Up::is_sync && !call::is_async;

  judged_stream(Up&& up, F&& fn) : up_(std::move(up)), fn_(std::move(fn)) {}

  void open(flow& f) { up_.open(f); }
  pulled pull(pump& p, std::optional<value_type>& out) {
    for (;;) {
      if (ended_) return pulled::end;
      judgement j = judgement::drop;
      if constexpr (call::is_async) {
        if (!call_.busy()) {
          if (const pulled s = up_.pull(p, call_.item()); s != pulled::item) return s;
          call_.begin(fn_);
        }
        if (const pulled s = call_.advance(p); s != pulled::item) return s;
        const auto judge = [&](auto&&... yielded) {
          j = Rule()(std::forward<decltype(yielded)>(yielded)...);
          if (j == judgement::pass) out.emplace(std::move(*call_.item()));
        };
        if (!call_.finish(p.of(), judge)) return pulled::cut;
      } else {
        if (const pulled s = up_.pull(p, out); s != pulled::item) return s;
        const bool judged = call_now(p.of(), judging(j), fn_, std::as_const(*out));
        if (j != judgement::pass) out.reset();
        if (!judged) return pulled::cut;
      }
      if (j == judgement::pass) return pulled::item;
      if (j == judgement::end) ended_ = true;
      if (!p.spend()) return p.give_way();
    }
  }
  template <class Push>
  pulled drive(pump& p, std::size_t& left, Push push) {
    if (ended_) return pulled::end;
    const pulled s = up_.drive(p, left, [&](value_type&& in) {
      judgement j = judgement::drop;
      if (!call_now(p.of(), judging(j), fn_, std::as_const(in))) return false;
      if (j == judgement::pass) return push(std::move(in));
      ended_ = j == judgement::end;
      return !ended_;
    });
    return ended_ ? pulled::end : s;
  }

 private:
  static auto judging(judgement& j) noexcept {
    return [&j](auto&&... yielded) { j = Rule()(std::forward<decltype(yielded)>(yielded)...); };
  }

  Up up_;
  F fn_;
  bool ended_ = false;
  [[no_unique_address]] item_call<F, value_type, const value_type&> call_;
};

template <class F, class Rule>
class judged_stage : public stream_stage {
 public:
  static constexpr need needs = need_of<F>();

  explicit judged_stage(F fn) : fn_(std::move(fn)) {}
  template <class Up>
  requires std::invocable<F&, const typename Up::value_type&>
  auto over(Up&& up) && {
    using judged = judged_stream<Up, F, Rule>;
    if constexpr (std::is_same_v<Rule, pass_while>)
      return ends_early(judged(std::move(up), std::move(fn_)));
    else
      return judged(std::move(up), std::move(fn_));
  }

 private:
  F fn_;
};

// What the operators return.
template <class Rule, class Fn>
auto judged(Fn&& fn) {
  check_closure<Fn>();
  return judged_stage<std::decay_t<Fn>, Rule>(std::forward<Fn>(fn));
}

}  // namespace penstock::detail
