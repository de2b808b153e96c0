// penstock/adapters/file/file_journal.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// `resume_from(path)`: the record of an upload in a file beside it.

#include <penstock/io/file.hpp>
#include <penstock/io/file_system.hpp>
#include <penstock/upload/upload_concepts.hpp>

#include <filesystem>

namespace penstock {

/// An upload's journal in a file; made by `resume_from`.
///
/// **Errors.** as values, naming the path.
/// **Suspends.** until what it does to the file is done.
/// **Cancellation.** ends with the operation in flight; a record may be there in part, which the
/// next run does not count.
/// **Thread-safety.** one upload at a time.
/// **Lifetime.** the file is created by the upload's start and removed by its success.
class file_journal {
 public:
  explicit file_journal(std::string path) noexcept : path_(std::move(path)) {}

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  /// The whole text; "" when there is no such file.
  ///
  /// **Suspends.** while it reads.
  /// **Cancellation.** changes nothing.
  task<result<std::string>> load() {
    std::string text;
    auto opened = co_await file::open(path_, open_mode::read_write);
    if (!opened) {
      if (opened.error() == std::errc::no_such_file_or_directory) co_return text;
      co_return fail(opened.error());
    }
    file_ = std::move(*opened);
    const std::uint64_t size = co_await ok(file_.size());
    text.resize(static_cast<std::size_t>(size));
    const std::size_t read =
        co_await ok(file_.read_at(0, std::as_writable_bytes(std::span<char>(text))));
    text.resize(read);
    co_return text;
  }
  /// Replaces what is there, durably.
  ///
  /// **Suspends.** until it is durable.
  /// **Cancellation.** may leave a journal without a header: the upload starts over.
  task<result<>> restart(std::string text) {
    file_ = co_await ok(
        file::open(path_, open_mode::read_write | open_mode::create | open_mode::truncate));
    co_await ok(file_.write_at(0, std::as_bytes(std::span<const char>(text))));
    co_await ok(file_.fsync());
    co_await ok(sync_directory(parent()));
    co_return {};
  }
  /// Writes `text` at `at`, behind what is valid.
  ///
  /// **Suspends.** until it is written.
  /// **Cancellation.** may leave a record that is cut off: it does not count.
  task<result<>> append(std::uint64_t at, std::string text) {
    co_await ok(file_.write_at(at, std::as_bytes(std::span<const char>(text))));
    co_return {};
  }
  /// Makes what was appended durable.
  ///
  /// **Suspends.** until it is durable.
  /// **Cancellation.** changes nothing.
  task<result<>> sync() {
    if (!file_.is_open()) co_return {};
    co_await ok(file_.fsync());
    co_return {};
  }
  /// Removes the file; gone already: success.
  ///
  /// **Suspends.** until it is removed.
  /// **Cancellation.** it may be there still.
  task<result<>> remove() {
    if (!file_.is_open()) co_return {};
    static_cast<void>(co_await file_.close());  // nobody wants its bytes
    auto removed = co_await remove_file(path_);
    if (!removed && removed.error() == std::errc::no_such_file_or_directory) co_return {};
    co_return removed;
  }

 private:
  [[nodiscard]] std::string parent() const {
    const auto folder = std::filesystem::path(path_).parent_path();
    return folder.empty() ? "." : folder.string();
  }
  std::string path_;
  file file_;
};
static_assert(upload_journal<file_journal>);

/// Lets `upload` keep its journal in the file `path`: a stop, an error or a crash suspends the
/// upload, and the next call with the same file goes on. The file is removed when the upload is
/// complete. A file that is there and no journal is left alone: `errc::invalid_option`. In the
/// folder of a `directory_target` give it a name that begins with `.`, which no object has.
[[nodiscard]] inline file_journal resume_from(std::string path) {
  return file_journal(std::move(path));
}

}  // namespace penstock
