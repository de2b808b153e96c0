// penstock/stream/detail/concurrent.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Stages that work on several items at once: their places, one for each item from the moment at
/// which it was pulled until its result is taken. Who differs in the order of the results has
///
///     void arrived(place&);      with its item: begin() now or later
///     void done(place&);         with its output
///     place* next_done();        whose output is the next, or null
///
/// All on one loop, and no allocation but the places.

#include <penstock/stream/detail/eager.hpp>
#include <penstock/stream/detail/stage_call.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace penstock::detail {

template <class Up, class F>
struct concurrent_types {
  using input = typename Up::value_type;
  using call = stage_call<F, input>;
  using value = std::conditional_t<std::is_void_v<typename call::value>, std::monostate,
                                   typename call::value>;
};

template <class Derived, class Up, class F>
class concurrent_stream : public eager_stream<Derived, typename concurrent_types<Up, F>::value> {
  using types = concurrent_types<Up, F>;
  using input = typename types::input;
  using call = typename types::call;
  using value = typename types::value;
  using base = eager_stream<Derived, value>;
  using source = branch<Derived, Up>;

 public:
  void open(flow& f) {
    this->open_stage(f);
    up_.open(self(), f);
    if (size_ == 0) return f.fail(error(errc::invalid_option).with(name_, "concurrency 0"));
    places_ = std::make_unique<place[]>(size_);
    for (std::size_t i = size_; i-- > 0;) {
      places_[i].join(self(), f);
      places_[i].next = std::exchange(free_, &places_[i]);
    }
  }

 protected:
  friend source;
  friend base;

  concurrent_stream(Up&& up, F&& fn, std::size_t n, const char* name)
      : up_(std::move(up)), fn_(std::move(fn)), size_(n), name_(name) {}
  concurrent_stream(concurrent_stream&& o)  // before it is opened
      : base(), up_(std::move(o.up_)), fn_(std::move(o.fn_)), size_(o.size_), name_(o.name_) {}
  ~concurrent_stream() = default;

  struct place final : pump {
    void join(Derived& s, flow& f) noexcept {
      stage = &s;
      this->attach(f);
    }
    std::optional<input>& item() noexcept {
      if constexpr (call::is_async)
        return work.item();
      else
        return work;
    }

    Derived* stage = nullptr;
    place* next = nullptr;  // in the list of free ones, and as the stage likes
    void* group = nullptr;  // the stage's
    std::optional<value> output;
    std::conditional_t<call::is_async, item_call<F, input>, std::optional<input>> work;

   private:
    step wake() noexcept override {
      try {
        stage->finish(*this);
      } catch (...) {
        this->of().fail(std::current_exception());
      }
      return stage->news();
    }
  };
  // First in, first out, linked through `next`.
  struct place_queue {
    place* first = nullptr;
    place* last = nullptr;
    void push(place& p) noexcept {
      p.next = nullptr;
      (first ? last->next : first) = &p;
      last = &p;
    }
    place* pop() noexcept {
      place* const p = first;
      if (p) first = p->next;
      return p;
    }
  };

  void begin(place& p) {
    if constexpr (call::is_async) {
      p.work.begin(fn_);
      const pulled s = p.work.advance(p);
      if (s == pulled::item) finish(p);
    } else {
      if (call_now(this->of(), keep(p), fn_, *std::move(p.work))) self().done(p);
      p.work.reset();
    }
  }

 private:
  Derived& self() noexcept { return static_cast<Derived&>(*this); }

  static auto keep(place& p) noexcept {
    return [&p](auto&&... v) { p.output.emplace(std::forward<decltype(v)>(v)...); };
  }
  void finish(place& p) {
    if constexpr (call::is_async) {
      if (p.work.finish(this->of(), keep(p))) self().done(p);
    }
  }
  bool wants(source&) const noexcept { return free_ != nullptr; }
  void put(source&, input&& item) {
    place& p = *std::exchange(free_, free_->next);
    ++used_;
    p.item().emplace(std::move(item));
    self().arrived(p);
  }
  void fill() { up_.fill(); }
  bool take(std::optional<value>& out) {
    place* const p = self().next_done();
    if (!p) return false;
    out.emplace(*std::move(p->output));
    p->output.reset();
    p->next = std::exchange(free_, p);
    --used_;
    return true;
  }
  [[nodiscard]] bool finished() const noexcept { return up_.ended() && used_ == 0; }

  source up_;
  F fn_;
  std::size_t size_;
  const char* name_;
  std::size_t used_ = 0;
  place* free_ = nullptr;
  std::unique_ptr<place[]> places_;
};

// What the operators return: n, a function, and for map_partitioned more.
template <template <class, class> class Stream, class F>
class concurrent_stage : public stream_stage {
 public:
  concurrent_stage(std::size_t n, F fn) : n_(n), fn_(std::move(fn)) {}
  template <class Up>
  requires std::invocable<F&, typename Up::value_type>
  auto over(Up&& up) && { return Stream<Up, F>(std::move(up), std::move(fn_), n_); }

 private:
  std::size_t n_;
  F fn_;
};

}  // namespace penstock::detail
