// tests/stream/finishing_sink.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A sink whose end takes time, and what happened to it.

#include <penstock/core/sleep.hpp>
#include <penstock/stream/detail/await_slot.hpp>
#include <penstock/stream/detail/pipeline.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <utility>

namespace support {

struct sink_log {
  std::size_t items = 0;
  int finishes = 0;  // begun
  int aborts = 0;
  bool aborted_by_error = false;
  std::function<void()> on_finish = [] {};  // when it begins
};

class finishing_sink : public penstock::detail::sink_base<finishing_sink> {
  template <class T>
  class of {
   public:
    using result_type = std::size_t;
    static constexpr bool is_sync = false;

    of(sink_log& log, std::size_t enough) noexcept : log_(&log), enough_(enough) {}

    [[nodiscard]] static bool busy() noexcept { return false; }
    penstock::detail::pulled push(penstock::detail::pump&, std::optional<T>&) {
      return ++log_->items == enough_ ? penstock::detail::pulled::end
                                      : penstock::detail::pulled::item;
    }
    static penstock::detail::pulled resume(penstock::detail::pump&) noexcept {
      return penstock::detail::pulled::item;
    }
    penstock::detail::pulled finish(penstock::detail::pump& p) {
      if (!ending_.busy()) {
        ++log_->finishes;
        log_->on_finish();
        ending_.set(penstock::sleep_for(std::chrono::milliseconds(10)));
      }
      const auto s = ending_.advance(p);
      if (s == penstock::detail::pulled::item) ending_.take();
      return s;
    }
    void abort(const penstock::error* why) noexcept {
      ++log_->aborts;
      log_->aborted_by_error = why != nullptr;
    }
    [[nodiscard]] std::size_t take() const noexcept { return log_->items; }

   private:
    sink_log* log_;
    std::size_t enough_;
    penstock::detail::await_slot<penstock::detail::sleep_awaiter> ending_;
  };

 public:
  /// After `enough` items it wants no more.
  explicit finishing_sink(sink_log& log,
                          std::size_t enough = (std::numeric_limits<std::size_t>::max)()) noexcept
      : log_(&log), enough_(enough) {}
  template <class T>
  of<T> sink_for() && {
    return of<T>(*log_, enough_);
  }

 private:
  sink_log* log_;
  std::size_t enough_;
};

}  // namespace support
