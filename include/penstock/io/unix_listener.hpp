// penstock/io/unix_listener.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Accepts connections from processes of the same machine.

#include <penstock/io/listening_socket.hpp>
#include <penstock/io/unix_stream.hpp>

#include <sys/stat.h>
#include <unistd.h>
#include <cstdint>

namespace penstock {

/// Options of `unix_listener::bind`.
struct unix_listen_options {
  int backlog = 4096;             ///< connections that the kernel keeps until they are accepted
  bool replace = false;           ///< a socket that is there already is removed; nothing else is
  std::uint32_t permissions = 0;  ///< of the file: who may connect; 0: as the umask says
};
static_assert(std::is_trivially_copyable_v<unix_listen_options>);

/// `errc::invalid_option`, naming the member, when `o` cannot work.
[[nodiscard]] inline result<> validate(const unix_listen_options& o) {
  if (o.backlog < 1) return fail(errc::invalid_option, "listen", "backlog");
  if (o.permissions > 0777) return fail(errc::invalid_option, "listen", "permissions");
  return {};
}

namespace detail {
class unix_accept_awaiter : public leaf<unix_accept_awaiter>, accept_leaf {
 public:
  explicit unix_accept_awaiter(open_socket& s) noexcept : accept_leaf(s) {}
  unix_accept_awaiter(const unix_accept_awaiter& o) noexcept
      : leaf<unix_accept_awaiter>(), accept_leaf(o) {}
  ~unix_accept_awaiter() { end_accept(); }

  suspension start(waiter& w) noexcept { return launch_accept(w); }
  template <class Result = result<unix_stream>>  // as in io_leaf.hpp
  [[nodiscard]] Result await_resume() noexcept;
};
}  // namespace detail

/// Accepts connections at a path.
///
/// **Shape.** bind() -> accept(), one at a time -> close() or the destructor. The file stays: who
/// made it removes it (remove_file()), or replaces it the next time.
/// **Thread-safety.** one loop at a time.
/// **Lifetime.** as `listening_socket`.
/// **Example.** @snippet tests/io/unix_stream_test.cpp listen
/// **See also.** `unix_stream`, `tcp_listener`.
class [[nodiscard]] unix_listener : public listening_socket {
 public:
  /// Does not listen.
  unix_listener() noexcept = default;
  /// Takes over `fd`, a listening socket: of a supervisor, say.
  explicit unix_listener(int fd) noexcept : listening_socket(fd) {}

  /// Listens at `path`; "@name" is a name that is in no file system, open to every user.
  ///
  /// **Errors.** "listen '/run/x': Address already in use"; `errc::invalid_option`.
  template <class Listener = unix_listener>
  [[nodiscard]] static result<Listener> bind(const std::string& path,
                                             unix_listen_options options = {}) {
    Listener made;
    if (error e = made.listen(path, options); e.code()) return fail(std::move(e));
    return made;
  }
  /// Waits for a connection, as `tcp_listener::accept`.
  ///
  /// **Result.** `result<unix_stream>`.
  /// **Suspends.** until there is a connection.
  /// **Cancellation.** loses nothing: a connection that was accepted is delivered, others wait for
  /// the next accept().
  [[nodiscard]] detail::unix_accept_awaiter accept() noexcept {
    return detail::unix_accept_awaiter(socket_);
  }

 private:
  friend detail::unix_accept_awaiter;
  // Code 0: it does.
  error listen(const std::string& path, const unix_listen_options& o);
  // 0, or the negative errno.
  static int prepare(int fd, const std::string& path, const unix_listen_options& o) noexcept;
  static unix_stream accepted(int fd) noexcept { return unix_stream(detail::open_socket(fd)); }
};

template <class Result>
Result detail::unix_accept_awaiter::await_resume() noexcept {
  const int got = take();
  if (got < 0) return fail(why());
  return unix_listener::accepted(got);
}

inline int unix_listener::prepare(int fd, const std::string& path,
                                  const unix_listen_options& o) noexcept {
  if (fd < 0) return -errno;
  detail::unix_address at;
  if (const int r = at.set(path); r < 0) return r;
  const bool is_file = path.front() != '@';
  struct ::stat there {};
  if (is_file && o.replace && ::lstat(path.c_str(), &there) == 0 && S_ISSOCK(there.st_mode) &&
      ::unlink(path.c_str()) != 0)
    return -errno;
  // Before, so that it never lets more in than it should; and after, without the umask.
  const bool limited = is_file && o.permissions != 0;
  const bool good =
      (!limited || ::fchmod(fd, o.permissions) == 0) && ::bind(fd, at.data(), at.size) == 0 &&
      (!limited || ::chmod(path.c_str(), o.permissions) == 0) && ::listen(fd, o.backlog) == 0;
  return good ? 0 : -errno;
}

inline error unix_listener::listen(const std::string& path, const unix_listen_options& o) {
  if (auto valid = validate(o); !valid) return std::move(valid.error());
  socket_ = detail::open_socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int r = prepare(socket_.fd, path, o);
  return r < 0 ? errno_error(-r).with("listen", path) : error();
}

}  // namespace penstock
