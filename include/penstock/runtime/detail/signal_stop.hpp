// penstock/runtime/detail/signal_stop.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// SIGINT and SIGTERM while a runtime runs: the first requests a stop, the second ends the process.

#include <penstock/base/config.hpp>

namespace penstock::detail {

// Who is told. Registered for a scope; `stop` is called in a signal handler.
class signal_target {
 public:
  virtual void stop() noexcept = 0;
  signal_target* next = nullptr;

 protected:
  ~signal_target() = default;
};

// Registers a target; the first one installs the handlers, the last one restores what was there.
class signal_scope {
 public:
  // Null: does nothing.
  explicit signal_scope(signal_target* target) noexcept;
  signal_scope(const signal_scope&) = delete;
  signal_scope& operator=(const signal_scope&) = delete;
  ~signal_scope();

 private:
  signal_target* target_;
};

}  // namespace penstock::detail

#ifndef PENSTOCK_SEPARATE
#include <penstock/runtime/detail/signal_stop_impl.hpp>
#endif
