// penstock/io/write_file.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The sink that writes a file, whole or not at all. Bytes to a connection: write_to.hpp.

#include <penstock/base/random.hpp>
#include <penstock/core/shield.hpp>
#include <penstock/io/detail/bytes_of.hpp>
#include <penstock/io/file.hpp>
#include <penstock/io/file_system.hpp>
#include <penstock/stream/for_each.hpp>
#include <penstock/stream/stream.hpp>

#include <unistd.h>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace penstock {

/// Options of `write_file`.
struct write_file_options {
  std::uint32_t permissions = 0666;  ///< of the file, before the umask
  bool durable = true;               ///< bytes and name outlive a loss of power
  bool exclusive = false;            ///< a file that is there is an error, and stays
};

namespace detail {
inline constinit std::atomic<std::uint32_t> written_files{0};

template <class T, class File = file>  // a template, as those that io_leaf.hpp speaks of
class file_writer {
 public:
  using result_type = std::uint64_t;
  static constexpr bool is_sync = false;

  file_writer(std::string path, const write_file_options& o)
      : path_(std::move(path)), options_(o) {}
  file_writer(file_writer&& o) noexcept
      : path_(std::move(o.path_)), options_(o.options_) {}  // before anything was pushed
  ~file_writer() { drop(); }

  [[nodiscard]] bool busy() const noexcept { return item_.has_value(); }
  pulled push(pump& p, std::optional<T>& item) {
    item_ = std::move(item);
    return resume(p);
  }
  pulled resume(pump& p) {
    if (const pulled s = open(p); s != pulled::item) return s;
    const auto bytes = bytes_of(*item_);
    if (!writing_.busy()) writing_.set(file_.write_all(bytes));
    if (const pulled s = done(p, writing_); s != pulled::item) return s;
    written_ += bytes.size();
    item_.reset();
    return pulled::item;
  }
  pulled finish(pump& p) {
    if (!ending_.busy()) {
      if (const pulled s = open(p); s != pulled::item) return s;
      ending_.set(commit());
    }
    return done(p, ending_);
  }
  void abort(const error*) noexcept {
    writing_.reset();
    item_.reset();
    drop();
  }
  std::uint64_t take() const noexcept { return written_; }

 private:
  // `item` once the temporary file is open.
  pulled open(pump& p) {
    if (file_.is_open()) return pulled::item;
    if (!opening_.busy()) {
      temporary_ = temporary_name(p.of().env().sched->random());
      opening_.set(
          File::open(temporary_, open_mode::write | open_mode::create_new, options_.permissions));
    }
    if (const pulled s = opening_.advance(p); s != pulled::item) return s;
    auto opened = opening_.take();
    if (opened) {
      file_ = std::move(*opened);
      return pulled::item;
    }
    temporary_.clear();
    // Left by a process that was killed: another name.
    if (opened.error() == std::errc::file_exists && ++tries_ < most_tries) return open(p);
    p.of().fail(std::move(opened.error()));
    return pulled::cut;
  }
  template <class Slot>
  static pulled done(pump& p, Slot& slot) {
    if (const pulled s = slot.advance(p); s != pulled::item) return s;
    auto outcome = slot.take();
    if (outcome) return pulled::item;
    p.of().fail(std::move(outcome.error()));
    return pulled::cut;
  }
  task<result<>> commit() {
    if (options_.durable) co_await ok(file_.fsync());
    co_await ok(file_.close());
    const auto there = co_await stat_file(path_);
    if (there && there->kind != file_kind::regular)
      co_return fail(errc::invalid_option, "write_file", path_ + " is no regular file");
    co_return co_await shield(publish());  // a stop that comes now is too late
  }
  task<result<>> publish() {
    const auto mode = options_.exclusive ? rename_mode::no_replace : rename_mode::replace;
    co_await ok(rename_file(temporary_, path_, mode));
    temporary_.clear();
    if (options_.durable) co_await ok(sync_directory(folder()));
    co_return {};
  }
  [[nodiscard]] std::string folder() const {
    const auto slash = path_.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path_.substr(0, slash);
  }
  // Hidden, in the same folder; of another process, or of one that was killed, it is another one.
  [[nodiscard]] std::string temporary_name(random_engine& random) const {
    const auto name = path_.rfind('/') + 1;  // npos + 1 is 0
    char unique[48];
    std::snprintf(unique, sizeof unique, ".%d-%u-%06x.partial", static_cast<int>(::getpid()),
                  written_files.fetch_add(1, std::memory_order_relaxed),
                  static_cast<unsigned>(random.uniform_int(0, 0xffffff)));
    return path_.substr(0, name) + '.' + path_.substr(name, longest_name) + unique;
  }
  void drop() noexcept {
    file_ = File();
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
    temporary_.clear();
  }

  static constexpr std::size_t longest_name = 200;  // of the target in that of the temporary
  static constexpr int most_tries = 8;

  std::string path_;
  write_file_options options_;
  std::string temporary_;  // while it may be there
  int tries_ = 0;
  File file_;
  std::uint64_t written_ = 0;
  std::optional<T> item_;
  await_slot<decltype(File::open(std::string(), open_mode::write, 0))> opening_;
  await_slot<decltype(std::declval<File&>().write_all(std::declval<std::span<const std::byte>>()))>
      writing_;
  await_slot<awaiter_t<task<result<>>>> ending_;
};
class write_file_sink : public sink_base<write_file_sink> {
 public:
  static constexpr need needs = need::bytes;

  write_file_sink(std::string path, const write_file_options& o)
      : path_(std::move(path)), options_(o) {}
  template <class T>
  requires has_bytes<T> file_writer<T> sink_for() && {
    return file_writer<T>(std::move(path_), options_);
  }

 private:
  std::string path_;
  write_file_options options_;
};
}  // namespace detail

/// Writes the bytes of all items to the file `path`: the new file is there when all is, and else
/// the old one or none.
///
/// **Shape.** `-[abc]-[de]-|` write_file(path) `-----5`
/// **Parameters.** `path` - the file; what is there is replaced. Items are `buffer`, strings, or
/// other things with contiguous bytes.
/// **Result.** `result<std::uint64_t>` of the pipeline: bytes written.
/// **Errors.** those of the stream and of the file, naming operation and path: a full disk, a
/// folder that is not there; `std::errc::file_exists` with `exclusive`; `errc::invalid_option` when
/// `path` is a folder or a device, or a symbolic link to one (another link is replaced, not
/// followed).
/// **Suspends.** as the stream and the operations of `file` do.
/// **Cancellation.** ends what is in flight; nothing is left. A stop that comes when the name is
/// being changed is too late: the new file is there.
/// **Ordering.** emits its result when the new file is there; backpressures while an item is
/// written; completes with the stream, then bytes and name are made durable; fails with the stream
/// or the file, at once; cancels the stream and what is in flight, and removes what it has written.
/// **Complexity.** writes one item at a time, each as one operation; a frame at the end. What it
/// writes to first is hidden, in the same folder (`.NAME.PID-N-X.partial`), and is removed unless
/// the process is killed.
/// **Lifetime.** as any pipeline.
/// **Example.** @snippet tests/io/write_file_test.cpp write_file
[[nodiscard]] inline detail::write_file_sink write_file(std::string path,
                                                        write_file_options o = {}) {
  return {std::move(path), o};
}

}  // namespace penstock
