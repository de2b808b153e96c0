// penstock/base/log.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Where the library says the few things that are no result of anything: a driver that fell back, a
/// limit of the system that is low. A program replaces the sink to send them to its own log.

#include <penstock/base/atomic.hpp>

#include <cstdio>
#include <string_view>

namespace penstock {

/// How serious a message is; `off` is above all messages: as a limit it lets nothing through.
enum class log_level : unsigned char { debug, info, warning, error, off };

/// The level's name, as it is written.
[[nodiscard]] constexpr std::string_view to_string(log_level level) noexcept {
  switch (level) {
    case log_level::debug:
      return "debug";
    case log_level::info:
      return "info";
    case log_level::warning:
      return "warning";
    case log_level::error:
      return "error";
    case log_level::off:
      break;
  }
  return "off";
}

/// One message, without a newline at its end; valid during the call of the sink only.
struct log_record {
  log_level level = log_level::info;
  std::string_view message;
};

/// Takes the messages, from any thread, several at a time.
using log_sink = void (*)(const log_record&) noexcept;

namespace detail {
// One line, by one call: lines of threads do not mix.
inline void log_to_stderr(const log_record& r) noexcept {
  const std::string_view level = to_string(r.level);
  std::fprintf(stderr, "penstock: %.*s: %.*s\n", static_cast<int>(level.size()), level.data(),
               static_cast<int>(r.message.size()), r.message.data());
}
inline constinit atomic<log_sink> current_log_sink{&log_to_stderr};
inline constinit atomic<unsigned char> current_log_level{1};  // a log_level: info
}  // namespace detail

/// Replaces the sink, for the whole program.
///
/// **Parameters.** `sink`: null for the default, one line on standard error a message.
/// **Result.** the sink that was in force.
/// **Thread-safety.** any thread; a call that is under way may still end in the old one.
inline log_sink set_log_sink(log_sink sink) noexcept {
  if (!sink) sink = &detail::log_to_stderr;
  return detail::current_log_sink.exchange(sink, detail::memory_order_acq_rel);
}

/// Messages below `level` are dropped; `info` at first. Gives the level that was in force.
inline log_level set_log_level(log_level level) noexcept {
  return log_level{detail::current_log_level.exchange(static_cast<unsigned char>(level),
                                                      detail::memory_order_relaxed)};
}
/// Whether a message of `level` reaches the sink: ask before composing an expensive one.
[[nodiscard]] inline bool log_enabled(log_level level) noexcept {
  return level != log_level::off &&
         static_cast<unsigned char>(level) >=
             detail::current_log_level.load(detail::memory_order_relaxed);
}
/// Hands `message` to the sink.
inline void log(log_level level, std::string_view message) noexcept {
  if (log_enabled(level))
    detail::current_log_sink.load(detail::memory_order_acquire)({level, message});
}

}  // namespace penstock
