// penstock/stream.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Umbrella of stream/: the stream concept, sources, stages and sinks.

// IWYU pragma: begin_exports
#include <penstock/stream/checksum_into.hpp>
#include <penstock/stream/chunk.hpp>
#include <penstock/stream/chunk_bytes.hpp>
#include <penstock/stream/collect.hpp>
#include <penstock/stream/concat.hpp>
#include <penstock/stream/csv_options.hpp>
#include <penstock/stream/csv_row.hpp>
#include <penstock/stream/csv_rows.hpp>
#include <penstock/stream/distinct_until_changed.hpp>
#include <penstock/stream/drain.hpp>
#include <penstock/stream/empty.hpp>
#include <penstock/stream/filter.hpp>
#include <penstock/stream/flat_map.hpp>
#include <penstock/stream/fold.hpp>
#include <penstock/stream/for_each.hpp>
#include <penstock/stream/from.hpp>
#include <penstock/stream/generate.hpp>
#include <penstock/stream/interval.hpp>
#include <penstock/stream/lines.hpp>
#include <penstock/stream/map.hpp>
#include <penstock/stream/map_concurrent.hpp>
#include <penstock/stream/receive.hpp>
#include <penstock/stream/scan.hpp>
#include <penstock/stream/skip.hpp>
#include <penstock/stream/stream.hpp>
#include <penstock/stream/take.hpp>
#include <penstock/stream/take_while.hpp>
#include <penstock/stream/tap.hpp>
#include <penstock/stream/window.hpp>
// IWYU pragma: end_exports
