// penstock/test/lifetime_tracked.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A value that counts its copies, moves and live objects, and notices when it is used after its
/// end: what a container or a primitive under test carries.

#include <atomic>
#include <compare>
#include <cstdint>
#include <utility>

namespace penstock::test {

/// What happened to the `lifetime_tracked` objects made with it. It outlives them.
///
/// **Thread-safety.** safe from any thread.
class lifetime_log {
 public:
  lifetime_log() noexcept : misuses_before_(all_misuses.load(std::memory_order_relaxed)) {}
  lifetime_log(const lifetime_log&) = delete;
  lifetime_log& operator=(const lifetime_log&) = delete;

  /// Objects that exist: constructed, copied or moved to, and not destroyed.
  [[nodiscard]] std::int64_t live() const noexcept { return live_.load(); }
  /// Objects that hold their value: alive and not moved from.
  [[nodiscard]] std::int64_t values() const noexcept { return values_.load(); }
  [[nodiscard]] std::int64_t copies() const noexcept { return copies_.load(); }
  [[nodiscard]] std::int64_t moves() const noexcept { return moves_.load(); }
  /// Uses and destructions of objects that did not exist, in the whole program, since this log was
  /// made: also of objects copied bytewise, which compilers must not do.
  [[nodiscard]] std::int64_t misuses() const noexcept {
    return all_misuses.load(std::memory_order_relaxed) - misuses_before_;
  }
  /// Nothing is left and nothing was misused.
  [[nodiscard]] bool clean() const noexcept { return live() == 0 && misuses() == 0; }

 private:
  friend class lifetime_tracked;
  // Not in a log: a destroyed object cannot be asked for its log.
  static inline constinit std::atomic<std::int64_t> all_misuses{0};

  std::atomic<std::int64_t> live_{0}, values_{0}, copies_{0}, moves_{0};
  const std::int64_t misuses_before_;
};

/// A number with a log of its life.
///
/// **Shape.** holds a value -> (moved from) -> destroyed.
/// **Errors.** any use after the destructor, a second destructor and bytewise copies are counted in
/// `lifetime_log::misuses()`.
/// **Thread-safety.** one object: as an int; the log: any thread.
class lifetime_tracked {
 public:
  explicit lifetime_tracked(lifetime_log& log, int value = 0) noexcept : log_(&log), value_(value) {
    begin();
    log_->values_.fetch_add(1);
  }
  lifetime_tracked(const lifetime_tracked& o) noexcept : log_(o.checked_log()), value_(o.value_) {
    begin();
    moved_from_ = o.moved_from_;
    if (!log_) return;
    log_->copies_.fetch_add(1);
    if (!moved_from_) log_->values_.fetch_add(1);
  }
  lifetime_tracked(lifetime_tracked&& o) noexcept : log_(o.checked_log()), value_(o.value_) {
    begin();
    moved_from_ = std::exchange(o.moved_from_, true);
    if (log_) log_->moves_.fetch_add(1);
  }
  lifetime_tracked& operator=(const lifetime_tracked& o) noexcept {
    if (this == &o || !alive() || !o.alive()) return *this;
    lose_value();
    value_ = o.value_;
    moved_from_ = o.moved_from_;
    log_->copies_.fetch_add(1);
    if (!moved_from_) log_->values_.fetch_add(1);
    return *this;
  }
  lifetime_tracked& operator=(lifetime_tracked&& o) noexcept {
    if (this == &o || !alive() || !o.alive()) return *this;
    lose_value();
    value_ = o.value_;
    moved_from_ = std::exchange(o.moved_from_, true);
    log_->moves_.fetch_add(1);
    return *this;
  }
  ~lifetime_tracked() {
    if (!alive()) return;
    lose_value();
    log_->live_.fetch_sub(1);
    self_ = nullptr;  // volatile: the store stays, though the object ends
  }

  [[nodiscard]] int value() const noexcept { return alive() ? value_ : -1; }
  [[nodiscard]] bool moved_from() const noexcept { return alive() && moved_from_; }

  friend bool operator==(const lifetime_tracked& a, const lifetime_tracked& b) noexcept {
    return a.value() == b.value();
  }
  friend std::strong_ordering operator<=>(const lifetime_tracked& a,
                                          const lifetime_tracked& b) noexcept {
    return a.value() <=> b.value();
  }

 private:
  void begin() noexcept {
    self_ = this;
    if (log_) log_->live_.fetch_add(1);
  }
  bool alive() const noexcept {
    if (self_ == this && log_) [[likely]]
      return true;
    lifetime_log::all_misuses.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  lifetime_log* checked_log() const noexcept { return alive() ? log_ : nullptr; }
  void lose_value() noexcept {
    if (!std::exchange(moved_from_, true)) log_->values_.fetch_sub(1);
  }

  lifetime_log* log_;
  const lifetime_tracked* volatile self_ = nullptr;  // `this` while the object lives
  int value_;
  bool moved_from_ = false;
};

}  // namespace penstock::test
