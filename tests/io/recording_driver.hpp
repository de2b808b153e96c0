// tests/io/recording_driver.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A driver under a test runtime that really does what it is asked, a millisecond of virtual time
/// later, and notes it: "write film.partial", "sync store", "rename .film.partial film".

#include <penstock/core/scheduler.hpp>
#include <penstock/runtime/detail/file_calls.hpp>
#include <penstock/runtime/driver.hpp>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace scripted {

class recording_driver final : public penstock::driver, penstock::detail::timer {
 public:
  recording_driver() = default;

  /// An operation that is cancelled is done all the same, as by a kernel that was quicker.
  bool cancel_is_late = false;
  /// This one, counted from 0, is not done: it ends with `fault`. (A close is done all the same.)
  std::size_t fail_at = static_cast<std::size_t>(-1);
  std::int32_t fault = -EIO;
  /// How many have ended.
  std::size_t ended = 0;
  /// What was done, in its order; what was cancelled or failed so is not in it.
  std::vector<std::string> done;

  /// Makes the loop that runs use this.
  void install() { penstock::scheduler::current()->set_io_driver(this); }
  /// Where `what` was done first or last: an index of `done`, or -1.
  [[nodiscard]] std::ptrdiff_t first(const std::string& what) const {
    const auto found = std::find(done.begin(), done.end(), what);
    return found == done.end() ? -1 : found - done.begin();
  }
  [[nodiscard]] std::ptrdiff_t last(const std::string& what) const {
    const auto found = std::find(done.rbegin(), done.rend(), what);
    return found == done.rend() ? -1 : done.rend() - found - 1;
  }

  std::string_view name() const noexcept override { return "recording"; }
  bool submit(penstock::operation& op) noexcept override {
    queued_.push_back({&op, false});
    ++in_flight_;
    if (!armed) arm(std::chrono::milliseconds(1));
    return false;
  }
  void cancel(penstock::operation& op) noexcept override {
    for (auto& q : queued_) {
      if (q.op == &op) q.canceled = !cancel_is_late;
    }
    if (armed) penstock::scheduler::current()->cancel_timer(*this);
    arm({});
  }
  void wait(penstock::duration) noexcept override {
    if (armed) penstock::scheduler::current()->cancel_timer(*this);
    on_time();
  }
  void wake() noexcept override {}
  void interrupt() noexcept override {}
  void leave() noexcept override {}

 private:
  struct entry {
    penstock::operation* op;
    bool canceled;
  };

  void arm(penstock::duration d) {
    at = penstock::scheduler::current()->now() + d;
    penstock::scheduler::current()->add_timer(*this);
  }
  // All that is queued now; what that leads to comes later.
  void on_time() noexcept override {
    for (const entry& e : std::exchange(queued_, {})) {
      e.op->answer = answer(e);
      --in_flight_;
      e.op->complete(*e.op);
    }
  }
  std::int32_t answer(const entry& e) {
    if (e.canceled) return -ECANCELED;
    const bool fails = ended++ == fail_at;
    if (fails && e.op->kind != penstock::operation_kind::close) return fault;
    note(*e.op);
    const std::int32_t real = penstock::detail::call(*e.op);
    return fails ? fault : real;
  }
  // Before it is done: a name may be gone then.
  void note(const penstock::operation& op) {
    using penstock::operation_kind;
    std::string what = to_string(op.kind);
    switch (op.kind) {
      case operation_kind::open:
      case operation_kind::rename:
      case operation_kind::remove:
      case operation_kind::make_directory:
        what += ' ' + base(static_cast<const char*>(op.address));
        if (op.kind == operation_kind::rename) what += ' ' + base(static_cast<char*>(op.other));
        break;
      default:
        what += ' ' + base(path_of(op.fd));
    }
    done.push_back(std::move(what));
  }
  static std::string base(const std::filesystem::path& path) { return path.filename().string(); }
  static std::string path_of(int fd) {
    std::error_code gone;
    return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), gone).string();
  }
  std::vector<entry> queued_;
};

}  // namespace scripted
