// penstock/runtime/detail/lease_desk.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A driver's lease_store, made when it is first needed, and the operations that wait for a buffer
/// of it.

#include <penstock/base/taken.hpp>
#include <penstock/runtime/detail/operation_queue.hpp>
#include <penstock/runtime/driver.hpp>
#include <penstock/runtime/lease_store.hpp>

#include <new>

namespace penstock::detail {

// All on the loop's thread; one that waits has the stage `queued`.
class lease_desk {
 public:
  lease_desk(const driver_options& options, const wake_event& wake) noexcept
      : options_(options), wake_(wake) {}
  lease_desk(const lease_desk&) = delete;
  lease_desk& operator=(const lease_desk&) = delete;
  ~lease_desk() {
    if (store_) store_->abandon();
  }

  // Before take(). False: no memory.
  bool open() noexcept { return open_ || begin(); }
  // The thread is left.
  void close() noexcept {
    if (!detail::exchanged(open_, false)) return;
    store_->unbind();
  }
  [[nodiscard]] unsigned size() const noexcept { return store_->size(); }
  // Null: none is free, or somebody came before.
  lease_slot* take() noexcept { return waiting_.empty() ? store_->take() : nullptr; }
  void put(lease_slot& s) noexcept { store_->put(s); }

  void push(operation& op) noexcept {
    if (waiting_.empty()) store_->hungry(true);  // from now on the end of any lease is noticed
    op.stage.store(operation_stage::queued, memory_order_relaxed);
    waiting_.push(op);
  }
  // Whether there is a buffer for who waits.
  [[nodiscard]] bool can_serve() const noexcept {
    return !waiting_.empty() && (store_->free() != 0 || store_->has_returned());
  }
  // Gives who waits a buffer, in order, until none is left: `serve(op, slot)`. Who comes meanwhile
  // waits for the next time.
  template <class Serve>
  requires requires(Serve& s, operation& op, lease_slot& slot) { s(op, slot); }
  void serve(operation_queue& canceled, Serve serve) noexcept {
    const operation* const last = waiting_.last();
    for (bool more = last != nullptr; more;) {
      lease_slot* const slot = store_->take();
      if (!slot) break;
      operation& op = waiting_.pop();
      more = &op != last;
      if (op.stage.load(memory_order_relaxed) == operation_stage::canceled) {
        store_->put(*slot);
        canceled.push(op);
        continue;
      }
      op.stage.store(operation_stage::running, memory_order_relaxed);
      serve(op, *slot);
    }
    be_content();
  }
  // Those that were canceled here go to the end of `to`.
  void move_canceled(operation_queue& to) noexcept {
    waiting_.move_canceled(to);
    be_content();
  }

 private:
  PENSTOCK_NOINLINE bool begin() noexcept {
    try {
      if (!store_)
        store_ = lease_store::create(options_.receive_buffers, options_.receive_buffer_size, wake_);
    } catch (const std::bad_alloc&) {
      return false;
    }
    store_->bind();
    return open_ = true;
  }
  void be_content() noexcept {
    if (waiting_.empty()) store_->hungry(false);
  }

  driver_options options_;
  const wake_event& wake_;
  lease_store* store_ = nullptr;
  operation_queue waiting_;
  bool open_ = false;  // the store is bound to this thread
};

}  // namespace penstock::detail
