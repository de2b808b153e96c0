// penstock/upload/upload.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Uploads an object in parallel parts, and goes on where an earlier run was interrupted.

#include <penstock/core/finally.hpp>
#include <penstock/upload/detail/uploader.hpp>

#include <tuple>

namespace penstock {
namespace detail {
// The first of `all` that Is holds for, or `otherwise`.
template <template <class> class Is, class Otherwise>
Otherwise pick(Otherwise otherwise) {
  return otherwise;
}
template <template <class> class Is, class Otherwise, class First, class... Rest>
auto pick(Otherwise otherwise, First& first, Rest&... rest) {
  if constexpr (Is<First>::value)
    return std::move(first);
  else
    return pick<Is>(std::move(otherwise), rest...);
}
template <class T>
struct is_journal : std::bool_constant<upload_journal<T>> {};
template <class T>
struct is_progress : std::bool_constant<is_progress_function<T>> {};
template <class T>
concept upload_extra = is_journal<T>::value || is_progress<T>::value;

template <class Target, class Journal>
task<result<>> run_discard(Target& target, Journal journal) {
  auto state = co_await ok(load_state(journal));
  if (state) {
    auto session = co_await target.resume(state->name, state->plan, state->id);
    if (session) {
      co_await ok(session->abort());
    } else if (session.error() != errc::not_found) {
      co_return fail(session.error());
    }
  }
  co_return co_await journal.remove();
}

template <class Source, class Target, class Journal, class Progress>
task<result<upload_report>> run_upload(Source& source, Target& target, std::string name,
                                       upload_options options, Journal journal, Progress progress) {
  const auto valid = validate(options);
  if (!valid) co_return fail(valid.error().with("upload", name));
  uploader<Source, Target, Journal, Progress> u(source, target, name, options, std::move(journal),
                                                std::move(progress));
  auto leave = [&u] { return u.leave(); };
  auto outcome = co_await finally(u.work(), leave);
  if (outcome) co_return *outcome;
  co_return fail(outcome.error().with("upload", name));
}
}  // namespace detail

/// Uploads `source` as object `name` of `target`.
///
/// **Shape.** plan parts -> begin or resume -> put parts, `concurrency` at a time, each retried ->
/// check that the source is the same -> complete.
/// **Parameters.** `name` - what the target accepts as an object's name. `extras` - in any order:
/// `resume_from(...)` (a journal), `on_progress(fn)`.
/// **Result.** `upload_report`. An object without bytes has no parts.
/// **Errors.** `errc::source_changed` when size, times or inode of the source changed since the
/// journal was begun, or during the upload; `errc::invalid_option` when the journal is of another
/// object, or what is there is no journal: it is left alone; those of source, target and journal,
/// with "upload NAME" in front. Until then the object is absent or, where it existed, the old one;
/// an error of the last step alone may leave it there: its name could not be made durable. With a
/// journal the next call tries that again. What can only not be tidied up behind the last step is
/// no error.
/// **Suspends.** until done, or until nothing is in flight any more.
/// **Cancellation.** and an error: with a journal the upload is *suspended*, finished parts are
/// kept and a later call sends the rest; without one it is aborted, once, after the parts in flight
/// have ended. The last step - complete, remove the journal - is not cut: a stop comes before it,
/// or too late.
/// **Ordering.** parts end in any order; progress never goes back.
/// **Complexity.** memory: at most `memory_budget` for buffers, about 100 bytes a part of the
/// object, 4 bytes a block of each part in flight, one frame a part in flight.
/// **Lifetime.** `source` and `target` must outlive the upload.
template <upload_source Source, upload_target Target, detail::upload_extra... Extras>
[[nodiscard]] task<result<upload_report>> upload(Source& source, Target& target, std::string name,
                                                 upload_options options, Extras... extras) {
  constexpr std::size_t journals = (std::size_t{0} + ... + detail::is_journal<Extras>::value);
  constexpr std::size_t shows = (std::size_t{0} + ... + detail::is_progress<Extras>::value);
  static_assert(journals <= 1, "upload takes one journal: one resume_from(...)");
  static_assert(shows <= 1, "upload takes one progress function: one on_progress(...)");
  return detail::run_upload(source, target, std::move(name), options,
                            detail::pick<detail::is_journal>(detail::no_journal(), extras...),
                            detail::pick<detail::is_progress>(detail::no_progress(), extras...));
}
template <upload_source Source, upload_target Target, detail::upload_extra... Extras>
[[nodiscard]] task<result<upload_report>> upload(Source& source, Target& target, std::string name,
                                                 Extras... extras) {
  return upload(source, target, std::move(name), upload_options(), std::move(extras)...);
}

/// Gives up a suspended upload: what the target has of it is removed, and the journal.
///
/// **Errors.** those of target and journal; without a journal nothing happens. What is no journal
/// is left alone: `errc::invalid_option`.
/// **Suspends.** until both are gone.
/// **Cancellation.** may leave either; call it again.
template <upload_target Target, upload_journal Journal>
[[nodiscard]] task<result<>> discard_upload(Target& target, Journal journal) {
  return detail::run_discard(target, std::move(journal));
}

}  // namespace penstock
