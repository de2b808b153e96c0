// penstock/stream/detail/composed.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What `stage | stage` and `stage | sink` make: both, for the stream that comes later. The streams
/// that they become are the same as without the composition.

#include <utility>

namespace penstock::detail {

template <class Part, class Up>
using put_over = decltype(std::declval<Part>().over(std::declval<Up>()));

// Base: stream_stage, or stream_sink if Second is one.
template <class Base, class First, class Second>
class composed : public Base {
 public:
  composed(First&& first, Second&& second) : first_(std::move(first)), second_(std::move(second)) {}
  template <class Up>
  requires requires { typename put_over<Second, put_over<First, Up>>; }
  auto over(Up&& up) && { return std::move(second_).over(std::move(first_).over(std::move(up))); }

 private:
  First first_;
  Second second_;
};

}  // namespace penstock::detail
