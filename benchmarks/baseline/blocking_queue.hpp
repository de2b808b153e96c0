// benchmarks/baseline/blocking_queue.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The bounded queue between two threads that everybody has written once.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>

namespace baseline {

class blocking_queue {
 public:
  explicit blocking_queue(std::size_t capacity) : capacity_(capacity) {}
  void push(long value) {
    std::unique_lock lock(mutex_);
    has_room_.wait(lock, [&] { return values_.size() < capacity_; });
    values_.push_back(value);
    lock.unlock();
    has_value_.notify_one();
  }
  long pop() {
    std::unique_lock lock(mutex_);
    has_value_.wait(lock, [&] { return !values_.empty(); });
    const long value = values_.front();
    values_.pop_front();
    lock.unlock();
    has_room_.notify_one();
    return value;
  }

 private:
  std::mutex mutex_;
  std::condition_variable has_value_, has_room_;
  std::deque<long> values_;
  std::size_t capacity_;
};

}  // namespace baseline
