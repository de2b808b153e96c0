// penstock/sync/make_oneshot.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A oneshot whose two ends live as long as they like: for answers to requests that go through a
/// channel. Where the asking task waits until it is answered, a oneshot.hpp of its own costs less.

#include <penstock/base/taken.hpp>
#include <penstock/sync/oneshot.hpp>

#include <cstdint>
#include <utility>

namespace penstock {
namespace detail {
template <class T, class Policy>
struct shared_oneshot {
  basic_oneshot<T, Policy> value;
  typename Policy::template atomic<std::uint32_t> ends{2};
  typename Policy::template atomic<bool> unwanted{false};  // the receiver is gone

  void drop() noexcept {
    if (ends.fetch_sub(1, memory_order_acq_rel) == 1) delete this;
  }
};
}  // namespace detail

/// The end that answers. Ending without an answer is one: `errc::closed`.
///
/// **Thread-safety.** distinct: safe; same object: one owner.
template <class T, class Policy = thread_safe>
class oneshot_sender {
 public:
  oneshot_sender() noexcept = default;
  explicit oneshot_sender(detail::shared_oneshot<T, Policy>* s) noexcept : shared_(s) {}
  oneshot_sender(oneshot_sender&& o) noexcept : shared_(detail::taken(o.shared_)) {}
  oneshot_sender& operator=(oneshot_sender&& o) noexcept {
    std::swap(shared_, o.shared_);
    return *this;
  }
  ~oneshot_sender() {
    if (!shared_) return;
    shared_->value.close();
    shared_->drop();
  }

  /// Answers with a value. False: the receiver is gone, or it was answered before; `value` is not
  /// moved from.
  bool send(T&& value) noexcept { return wanted() && shared_->value.send(std::move(value)); }
  bool send(const T& value) requires std::is_copy_constructible_v<T> { return send(T(value)); }
  /// Answers with an error. False: as `send`.
  bool fail(error e) noexcept { return wanted() && shared_->value.fail(std::move(e)); }
  /// Whether somebody may still take an answer: false, and working on it is in vain.
  [[nodiscard]] bool wanted() const noexcept {
    return shared_ && !shared_->unwanted.load(detail::memory_order_acquire);
  }
  explicit operator bool() const noexcept { return shared_ != nullptr; }

 private:
  detail::shared_oneshot<T, Policy>* shared_ = nullptr;
};

/// The end that waits.
///
/// **Thread-safety.** distinct: safe; same object: one owner.
template <class T, class Policy = thread_safe>
class oneshot_receiver {
 public:
  oneshot_receiver() noexcept = default;
  explicit oneshot_receiver(detail::shared_oneshot<T, Policy>* s) noexcept : shared_(s) {}
  oneshot_receiver(oneshot_receiver&& o) noexcept : shared_(detail::taken(o.shared_)) {}
  oneshot_receiver& operator=(oneshot_receiver&& o) noexcept {
    std::swap(shared_, o.shared_);
    return *this;
  }
  ~oneshot_receiver() {
    if (!shared_) return;
    shared_->unwanted.store(true, detail::memory_order_release);
    shared_->drop();
  }

  /// Waits for the answer and takes it: as `oneshot::receive`. The receiver outlives the wait.
  [[nodiscard]] auto receive() noexcept { return shared_->value.receive(); }
  /// Whether it was answered.
  [[nodiscard]] bool answered() const noexcept { return shared_->value.answered(); }
  explicit operator bool() const noexcept { return shared_ != nullptr; }

 private:
  detail::shared_oneshot<T, Policy>* shared_ = nullptr;
};

/// The two ends of a oneshot.
template <class T, class Policy = thread_safe>
struct oneshot_ends {
  oneshot_sender<T, Policy> sender;
  oneshot_receiver<T, Policy> receiver;
};

/// A oneshot on the heap, which goes with the last of its ends.
///
/// **Result.** `auto [sender, receiver] = make_oneshot<int>();`
/// **Errors.** std::bad_alloc.
/// **Complexity.** one allocation.
/// **Example.** @snippet tests/sync/oneshot_test.cpp make_oneshot
template <class T, class Policy = thread_safe>
[[nodiscard]] oneshot_ends<T, Policy> make_oneshot() {
  auto* const shared = new detail::shared_oneshot<T, Policy>;
  return {oneshot_sender<T, Policy>(shared), oneshot_receiver<T, Policy>(shared)};
}

}  // namespace penstock
