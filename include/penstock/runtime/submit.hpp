// penstock/runtime/submit.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What `runtime::submit` needs: <future>, which costs as much as a tenth of the runtime to parse.
/// So runtime.hpp leaves this header out: who submits includes it.

#include <penstock/runtime/runtime.hpp>

#include <exception>
#include <future>
#include <type_traits>
#include <utility>

namespace penstock::detail {

// Destroys itself at its end.
template <class A>
class submission final : public guest_of<A, submission<A>> {
  using R = resume_t<A>;

 public:
  submission(run_crew& c, A&& a) : guest_of<A, submission>(c) { this->aw_.emplace(std::move(a)); }
  std::future<R> get_future() { return promise_.get_future(); }
  void drop() noexcept override {
    this->aw_.reset();
    this->cut_ = true;
    tell();
    delete this;
  }
  void prepare() noexcept {
    if (!stop_requested(*this)) return;
    this->aw_.reset();
    this->cut_ = true;
  }
  void end() noexcept {
    auto& crew = this->crew_;
    tell();
    delete this;
    crew.guest_ended();
  }

 private:
  void tell() noexcept {
    try {
      if constexpr (std::is_void_v<R>) {
        this->get();
        promise_.set_value();
      } else {
        promise_.set_value(this->get());
      }
    } catch (...) {
      promise_.set_exception(std::current_exception());
    }
  }
  std::promise<R> promise_;
};

}  // namespace penstock::detail
