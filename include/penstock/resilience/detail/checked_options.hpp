// penstock/resilience/detail/checked_options.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What constructors of policies do about invalid options.

#include <penstock/base/assert.hpp>
#include <penstock/base/error.hpp>

namespace penstock::detail {

// `o`; when validate(o) refuses it the program is stopped, naming the option.
template <class Options>
const Options& checked_options(const Options& o) {
  if (auto valid = validate(o); !valid) stop_program(valid.error().message().c_str());
  return o;
}

}  // namespace penstock::detail
