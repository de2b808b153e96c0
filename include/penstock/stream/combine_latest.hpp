// penstock/stream/combine_latest.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The newest items of several streams together, again with each that is new. One of each: zip.hpp.

#include <penstock/stream/zip.hpp>

#include <utility>

namespace penstock {

/// Tuples of the newest item of each stream, from the moment on at which each has one.
///
/// **Shape.** combine_latest(`-a--b-----|`, `--1----2-|`) `--[a1]-[b1]--[b2]--|`;
/// combine_latest(`-a-#`, `--1--2`) `--[a1]#`
/// **Parameters.** `streams` - as for `zip`; their items are copied.
/// **Errors.** those of the streams: the first ends all.
/// **Ordering.** emits when a stream has a new item and each has had one: several at once make one
/// tuple; backpressures with one new item of each, once each has had one; completes when all
/// streams have ended, or one without an item; fails with the first that fails; cancels them.
/// **Complexity.** eager: needs a sink. Copies all items for a tuple; no allocation of its own.
/// **Example.** @snippet tests/stream/merge_test.cpp combine_latest
template <stream... Streams>
requires(sizeof...(Streams) > 0) [[nodiscard]] auto combine_latest(Streams&&... streams) {
  return detail::together<true>(std::forward<Streams>(streams)...);
}

}  // namespace penstock
