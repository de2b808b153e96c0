// tests/support/each_driver.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// `support::on_each_driver([](penstock::runtime& rt) { ... })` runs a test of real I/O on every
/// driver that this machine has, and says when there is no io_uring.

#include <penstock/runtime/runtime.hpp>

#include <support/skip.hpp>

#include <doctest/doctest.h>

namespace support {

template <class Fn>
void on_each_driver(Fn fn, penstock::runtime_options options = {}) {
  for (auto kind : {penstock::driver_kind::uring, penstock::driver_kind::reactor}) {
    options.driver = kind;
    penstock::runtime rt(options);
    if (rt.driver_name() == "none") {
      skip("no io_uring on this machine");
      continue;
    }
    INFO("driver ", rt.driver_name());
    fn(rt);
  }
}

}  // namespace support
