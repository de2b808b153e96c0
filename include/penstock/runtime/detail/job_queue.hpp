// penstock/runtime/detail/job_queue.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The queue of the cpu pool: moodycamel's, included here only. ThreadSanitizer does not know the
/// fences that its blocks are handed over by, so there a locked deque stands in.

#include <penstock/base/config.hpp>

// A macro of <linux/fs.h>, which liburing includes, and a name in the queue.
#pragma push_macro("BLOCK_SIZE")
#undef BLOCK_SIZE
#if PENSTOCK_TSAN
#include <deque>
#include <mutex>
#elif __has_include(<concurrentqueue/concurrentqueue.h>)
#include <concurrentqueue/concurrentqueue.h>
#elif __has_include(<moodycamel/concurrentqueue.h>)
#include <moodycamel/concurrentqueue.h>
#else
#include <concurrentqueue.h>
#endif
#pragma pop_macro("BLOCK_SIZE")

namespace penstock::detail {

#if PENSTOCK_TSAN
template <class T>
class job_queue {
 public:
  bool enqueue(const T& job) {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(job);
    return true;
  }
  bool try_dequeue(T& job) {
    const std::lock_guard lock(mutex_);
    if (jobs_.empty()) return false;
    job = jobs_.front();
    jobs_.pop_front();
    return true;
  }

 private:
  std::mutex mutex_;
  std::deque<T> jobs_;
};
#else
template <class T>
using job_queue = moodycamel::ConcurrentQueue<T>;
#endif

}  // namespace penstock::detail
