// penstock/test/dump.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What waits for what: a text of all suspended leaves and scopes under a stop.

#include <penstock/core/environment.hpp>

#include <cstdio>
#include <string>

namespace penstock {
namespace detail {
inline void describe_into(std::string& out, const scope_stop& stop, time_point now,
                          std::size_t depth) {
  stop.for_each([&](const stop_node& n) {
    const auto i = n.info();
    out.append(2 * depth + 2, ' ').append(i.what);
    if (i.who && *i.who->env->name) out.append(" in '").append(i.who->env->name).append("'");
    if (i.until != (time_point::max)()) {
      out.append(", until +").append(std::to_string((i.until - now).count())).append(" ns");
    }
    if (i.object) {
      char address[32];
      std::snprintf(address, sizeof address, " (%p)", i.object);
      out.append(address);
    }
    if (i.who && !i.inner) {
      std::size_t frames = 0;
      for (auto* w = i.who; w; w = w->parent) ++frames;
      out.append(", ").append(std::to_string(frames)).append(" frames deep");
    }
    out.append("\n");
    if (i.inner) describe_into(out, *i.inner, now, depth + 1);
  });
}
}  // namespace detail

namespace test {
/// One line for each suspended leaf under `stop`, indented by scope.
[[nodiscard]] inline std::string describe(const penstock::detail::scope_stop& stop,
                                          time_point now = {}) {
  std::string out;
  detail::describe_into(out, stop, now, 0);
  return out;
}

}  // namespace test
}  // namespace penstock
