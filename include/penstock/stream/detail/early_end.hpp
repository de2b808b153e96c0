// penstock/stream/detail/early_end.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What take() and take_while() put around themselves behind an eager stage: at their end what that
/// stage has in flight is stopped and waited for, also where the pipeline goes on (in a branch of
/// merge(), before the next stream of concat()).

#include <penstock/stream/detail/eager.hpp>
#include <penstock/stream/detail/guarded.hpp>

#include <optional>
#include <utility>

namespace penstock::detail {

template <class Up>
class early_end_stream : public eager_stream<early_end_stream<Up>, typename Up::value_type> {
  using T = typename Up::value_type;
  using base = eager_stream<early_end_stream, T>;
  friend base;
  friend guarded<early_end_stream, Up>;

 public:
  explicit early_end_stream(Up&& up) : up_(std::move(up)) {}

  void open(flow& f) {
    this->open_stage(f);
    up_.open(*this, f);
  }

 private:
  // A failure while the consumer is busy ends the pipeline all the same.
  void fill() {
    if (up_.has_failed()) fail();
  }
  bool take(std::optional<T>& out) {
    switch (up_.pull(out)) {
      case guarded_pull::item:
        return true;
      case guarded_pull::end:
        ended_ = true;
        break;
      case guarded_pull::wait:
        break;
      case guarded_pull::failed:
        fail();
        break;
    }
    return false;
  }
  void fail() {
    if (auto why = up_.take_error()) this->of().fail(*std::move(why));
  }
  [[nodiscard]] bool finished() const noexcept { return ended_; }

  guarded<early_end_stream, Up> up_;
  bool ended_ = false;
};

// `s` may end before what is upstream of it does.
template <class S>
auto ends_early(S&& s) {
  if constexpr (S::is_eager)
    return early_end_stream<S>(std::move(s));
  else
    return std::move(s);
}

}  // namespace penstock::detail
