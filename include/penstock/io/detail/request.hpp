// penstock/io/detail/request.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What a function returns whose result is to be awaited: what is asked for, not yet the awaiter. A
/// temporary of a `co_await` stays in the coroutine's frame beside the awaiter that a scope, `ok`
/// say, makes of it, so it is small; an awaiter of I/O is 150 bytes.

#include <utility>

namespace penstock::detail {

/// Becomes an `Awaiter(subject, arguments)`.
template <class Awaiter, class Subject, class Argument>
class [[nodiscard]] request {
 public:
  request(Subject& s, Argument&& a) noexcept : subject_(&s), argument_(std::move(a)) {}
  Awaiter into_awaiter() && noexcept { return Awaiter(*subject_, std::move(argument_)); }
  Awaiter operator co_await() && noexcept { return Awaiter(*subject_, std::move(argument_)); }

 private:
  Subject* subject_;
  Argument argument_;
};
template <class Awaiter, class Subject>
class [[nodiscard]] request<Awaiter, Subject, void> {
 public:
  explicit request(Subject& s) noexcept : subject_(&s) {}
  Awaiter into_awaiter() && noexcept { return Awaiter(*subject_); }
  Awaiter operator co_await() && noexcept { return Awaiter(*subject_); }

 private:
  Subject* subject_;
};

}  // namespace penstock::detail
