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
#include <utility>

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

PENSTOCK_ONCE made_driver start_driver(driver_kind asked, cpu_pool& pool, const driver_options& o) {
  if (error wrong = driver_from_environment(asked); wrong.code()) return fail(std::move(wrong));
  return make_driver(asked, pool, o);
}

}  // namespace penstock::detail
