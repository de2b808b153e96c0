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

PENSTOCK_ONCE made_driver make_driver(driver_kind kind, cpu_pool& pool, const driver_options& o) {
  if (kind == driver_kind::uring) return make_uring_driver(pool, o);
  if (kind == driver_kind::reactor) return make_reactor_driver(pool, o);
  auto best = make_uring_driver(pool, o);
  if (best) return best;
  if (!said_fallback.exchange(true, memory_order_relaxed))
    log(log_level::info,
        "no io_uring, sockets use epoll, files the cpu pool: " + best.error().message());
  return make_reactor_driver(pool, o);
}

PENSTOCK_ONCE result<driver_kind> driver_from_environment(driver_kind asked) {
  if (asked != driver_kind::automatic) return asked;
  const char* text = std::getenv("PENSTOCK_DRIVER");
  const std::string_view name = text ? text : "";
  if (name.empty() || name == "automatic") return driver_kind::automatic;
  if (name == "uring") return driver_kind::uring;
  if (name == "reactor") return driver_kind::reactor;
  return fail(errc::invalid_option, "PENSTOCK_DRIVER", name);
}

PENSTOCK_ONCE made_driver start_driver(driver_kind asked, cpu_pool& pool, const driver_options& o) {
  const auto kind = driver_from_environment(asked);
  if (!kind) return tl::unexpected<error>(kind.error());
  return make_driver(*kind, pool, o);
}

}  // namespace penstock::detail
