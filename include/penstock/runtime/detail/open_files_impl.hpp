// penstock/runtime/detail/open_files_impl.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Body of open_files.hpp.

#include <penstock/base/log.hpp>
#include <penstock/runtime/detail/open_files.hpp>

#include <sys/resource.h>
#include <string>

namespace penstock::detail {

// A server of a thousand connections needs two or three descriptors each.
inline constexpr ::rlim_t few_open_files = 4096;

inline constinit atomic<bool> said_few_files{false};

PENSTOCK_ONCE void raise_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  if (limit.rlim_cur < limit.rlim_max) {
    rlimit raised = limit;
    raised.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  if (limit.rlim_cur >= few_open_files || said_few_files.exchange(true, memory_order_relaxed))
    return;
  log(log_level::warning,
      "open files are limited to " + std::to_string(limit.rlim_cur) +
          ", the hard limit: a server may need more (ulimit -Hn, LimitNOFILE of the service)");
}

}  // namespace penstock::detail
