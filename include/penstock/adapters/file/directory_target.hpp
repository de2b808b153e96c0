// penstock/adapters/file/directory_target.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A folder as upload target: object NAME is the file NAME in it. The embedded default; for a
/// service across machines use an object store.

#include <penstock/adapters/file/directory_session.hpp>
#include <penstock/core/this_task.hpp>

#include <filesystem>

namespace penstock {

/// Options of `directory_target`.
struct directory_target_options {
  /// Writes past the page cache; `part_size` must be a multiple of what the file system asks, 4096
  /// nearly everywhere.
  bool direct = false;
};
static_assert(std::is_trivially_copyable_v<directory_target_options>);

/// Objects as files of one folder.
///
/// **Shape.** see `directory_session`: an object is absent, or whole and durable; never in between.
/// **Errors.** as values, naming operation and path: the folder is missing, read-only, full. Names
/// that are empty, begin with `.`, hold a separator or a NUL, or are longer than 240 bytes:
/// `invalid_argument`. A name that is being uploaded already, by whichever process:
/// `device_or_resource_busy`.
/// **Thread-safety.** any number of uploads at once, of other names.
/// **Lifetime.** must outlive its uploads. What a killed upload leaves behind is two files, whose
/// names begin with `.NAME.`; the next upload of that name resumes or replaces them.
class directory_target {
 public:
  using session = directory_session;

  explicit directory_target(std::filesystem::path store, directory_target_options o = {})
      : store_(std::move(store).string()), direct_(o.direct) {}

  /// What a plan's part size is a multiple of when the planner chooses it: no file system asks more
  /// of direct I/O.
  [[nodiscard]] std::uint64_t part_alignment() const noexcept { return direct_ ? 64u << 10 : 1; }

  /// Reserves the space and starts an upload. An unfinished one of the same name is given up.
  task<result<session>> begin(std::string name, part_plan plan) {
    co_await ok(check(name));
    auto& random = co_await this_task::random();
    std::string id;
    for (int i = 0; i < 16; ++i) id += "0123456789abcdef"[random() & 15];
    const auto at = paths_of(name);
    auto lock = co_await ok(detail::lock_manifest(at.manifest, true));
    session begun(at, std::move(id), plan, std::move(lock));
    auto ready = co_await begun.start(direct_);
    if (!ready) {
      static_cast<void>(co_await begun.abort());
      co_return fail(ready.error());
    }
    co_return begun;
  }
  /// Goes on with an upload; `errc::not_found` when it is not there.
  task<result<session>> resume(std::string name, part_plan plan, std::string id) {
    co_await ok(check(name));
    auto at = paths_of(name);
    auto lock = co_await detail::lock_manifest(at.manifest, false);
    if (!lock) co_return fail(lost(lock.error()));
    session again(std::move(at), std::move(id), plan, std::move(*lock));
    auto there = co_await again.reopen(direct_);
    if (!there) co_return fail(lost(there.error()));
    co_return again;
  }

 private:
  static error lost(const error& e) {
    if (e == std::errc::no_such_file_or_directory) {
      return error(errc::not_found).with("resume", e.object());
    }
    return e;
  }
  static result<> check(const std::string& name) {
    const bool bad = name.empty() || name[0] == '.' || name.size() > 240 ||
                     name.find('/') != name.npos || name.find('\0') != name.npos;
    if (!bad) return {};
    return fail(std::errc::invalid_argument, "use object name", name.c_str());
  }
  [[nodiscard]] session::paths paths_of(const std::string& name) const {
    const std::string base = store_ + "/." + name;
    return {store_, store_ + "/" + name, base + ".partial", base + ".parts"};
  }
  std::string store_;
  bool direct_;
};
static_assert(upload_target<directory_target>);

}  // namespace penstock
