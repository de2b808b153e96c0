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
  /// Writes past the page cache; the plan's part size must be a multiple of what the file system
  /// asks.
  bool direct = false;
};
static_assert(std::is_trivially_copyable_v<directory_target_options>);

/// Objects as files of one folder.
///
/// **Shape.** see `directory_session`: an object is absent, or whole and durable; never in between.
/// **Errors.** as values, naming operation and path: the folder is missing, read-only, full. Names
/// that are empty, `.` or `..`, begin with `.`, hold a separator or a NUL, or are too long:
/// `invalid_argument`.
/// **Thread-safety.** any number of uploads at once, of processes too; of one name the last to
/// complete wins.
/// **Lifetime.** must outlive its uploads. What an aborted process leaves behind begins with
/// `.NAME.` and can be removed when nobody means to resume it.
class directory_target {
 public:
  using session = directory_session;

  explicit directory_target(std::filesystem::path store, directory_target_options o = {})
      : store_(std::move(store).string()), direct_(o.direct) {}

  /// Reserves the space and starts an upload.
  task<result<session>> begin(std::string name, part_plan plan) {
    co_await ok(check(name));
    auto& random = co_await this_task::random();
    std::string id;
    for (int i = 0; i < 16; ++i) id += "0123456789abcdef"[random() & 15];
    auto at = paths_of(name, id);
    file partial = co_await ok(
        file::open(at.partial, open_mode::read_write | open_mode::create_new | direct_flag()));
    auto opened = co_await reserve(partial, plan, at.manifest);
    if (!opened) {
      static_cast<void>(co_await remove_file(at.partial));
      co_return fail(opened.error());
    }
    co_return session(std::move(at), std::move(id), plan, direct_, std::move(partial),
                      std::move(*opened));
  }
  /// Goes on with an upload; `errc::not_found` when it is not there.
  task<result<session>> resume(std::string name, part_plan plan, std::string id) {
    co_await ok(check(name));
    co_await ok(check(id));
    auto at = paths_of(name, id);
    auto partial = co_await file::open(at.partial, open_mode::read_write | direct_flag());
    auto manifest = co_await file::open(at.manifest, open_mode::read_write);
    if (!manifest) co_return fail(lost(manifest.error()));
    bool renamed = false;
    if (!partial && partial.error() == std::errc::no_such_file_or_directory) {
      // Killed after the rename, perhaps: then all parts are there, under the object's name.
      partial = co_await file::open(at.object, open_mode::read);
      renamed = true;
    }
    if (!partial) co_return fail(lost(partial.error()));
    session again(std::move(at), std::move(id), plan, direct_, std::move(*partial),
                  std::move(*manifest));
    if (renamed) co_await ok(again.confirm_renamed());
    co_return again;
  }

 private:
  static error lost(const error& e) {
    if (e == std::errc::no_such_file_or_directory) {
      return error(errc::not_found).with("resume", e.object());
    }
    return e;
  }
  [[nodiscard]] open_mode direct_flag() const noexcept {
    if (direct_) return open_mode::direct;
    return open_mode{};
  }
  static result<> check(const std::string& name) {
    const bool bad = name.empty() || name[0] == '.' || name.size() > 200 ||
                     name.find('/') != name.npos || name.find('\0') != name.npos;
    if (!bad) return {};
    return fail(std::errc::invalid_argument, "use object name", name.c_str());
  }
  [[nodiscard]] session::paths paths_of(const std::string& name, const std::string& id) const {
    const std::string base = store_ + "/." + name + "." + id;
    return {store_, store_ + "/" + name, base + ".partial", base + ".parts"};
  }
  // The manifest's file.
  task<result<file>> reserve(file& partial, part_plan plan, std::string manifest) {
    const std::size_t unit = partial.alignment().offset;
    if (plan.count > 1 && plan.part_size % unit != 0) {
      co_return fail(errc::invalid_option, "direct I/O",
                     "part_size is not a multiple of " + std::to_string(unit));
    }
    if (plan.length != 0) {
      auto reserved = co_await partial.preallocate(0, plan.length);
      if (!reserved) {
        if (reserved.error() != std::errc::operation_not_supported)
          co_return fail(reserved.error());
        co_await ok(partial.truncate(plan.length));
      }
    }
    co_return co_await file::open(std::move(manifest),
                                  open_mode::read_write | open_mode::create_new);
  }

  std::string store_;
  bool direct_;
};
static_assert(upload_target<directory_target>);

}  // namespace penstock
