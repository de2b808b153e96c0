// penstock/runtime/detail/choose_driver_impl.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Bodies of choose_driver.hpp.

#include <penstock/base/log.hpp>
#include <penstock/runtime/detail/choose_driver.hpp>
#include <penstock/runtime/driver/reactor.hpp>
#include <penstock/runtime/driver/uring.hpp>

#include <cstdlib>
#include <string>
#include <string_view>

namespace penstock::detail {

PENSTOCK_ONCE owned<driver> make_driver(driver_kind kind, cpu_pool& pool, const driver_options& o,
                                        error& why) {
  if (kind == driver_kind::uring) return start_uring(pool, o, why);
  if (kind == driver_kind::reactor) return start_reactor(pool, o, why);
  auto best = start_uring(pool, o, why);
  if (best) return best;
  if (!said_fallback.exchange(true, memory_order_relaxed))
    log(log_level::info, "no io_uring, sockets use epoll, files the cpu pool: " + why.message());
  return start_reactor(pool, o, why);
}

PENSTOCK_ONCE error driver_from_environment(driver_kind& kind) {
  if (kind != driver_kind::automatic) return {};
  const char* text = std::getenv("PENSTOCK_DRIVER");
  const std::string_view name = text ? text : "";
  if (name == "uring")
    kind = driver_kind::uring;
  else if (name == "reactor")
    kind = driver_kind::reactor;
  else if (!name.empty() && name != "automatic")
    return error(errc::invalid_option).with("PENSTOCK_DRIVER", name);
  return {};
}

PENSTOCK_ONCE owned<driver> start_driver(driver_kind asked, cpu_pool& pool, const driver_options& o,
                                         error& why) {
  why = driver_from_environment(asked);
  return why.code() ? nullptr : make_driver(asked, pool, o, why);
}

}  // namespace penstock::detail
