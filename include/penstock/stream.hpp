// penstock/stream.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Umbrella of stream/: the stream concept, sources, stages and sinks.

// IWYU pragma: begin_exports
#include <penstock/stream/any_stream.hpp>
#include <penstock/stream/best_of.hpp>
#include <penstock/stream/buffered.hpp>
#include <penstock/stream/checksum_into.hpp>
#include <penstock/stream/chunk.hpp>
#include <penstock/stream/chunk_bytes.hpp>
#include <penstock/stream/chunk_within.hpp>
#include <penstock/stream/codec.hpp>
#include <penstock/stream/codec_core.hpp>
#include <penstock/stream/collect.hpp>
#include <penstock/stream/combine_latest.hpp>
#include <penstock/stream/concat.hpp>
#include <penstock/stream/conflate.hpp>
#include <penstock/stream/csv_options.hpp>
#include <penstock/stream/csv_row.hpp>
#include <penstock/stream/csv_rows.hpp>
#include <penstock/stream/debounce.hpp>
#include <penstock/stream/distinct_until_changed.hpp>
#include <penstock/stream/drain.hpp>
#include <penstock/stream/empty.hpp>
#include <penstock/stream/filter.hpp>
#include <penstock/stream/flat_map.hpp>
#include <penstock/stream/fold.hpp>
#include <penstock/stream/for_each.hpp>
#include <penstock/stream/from.hpp>
#include <penstock/stream/generate.hpp>
#include <penstock/stream/generator.hpp>
#include <penstock/stream/group_by.hpp>
#include <penstock/stream/idle_timeout.hpp>
#include <penstock/stream/interval.hpp>
#include <penstock/stream/is_compressible.hpp>
#include <penstock/stream/lines.hpp>
#include <penstock/stream/map.hpp>
#include <penstock/stream/map_concurrent.hpp>
#include <penstock/stream/map_partitioned.hpp>
#include <penstock/stream/map_unordered.hpp>
#include <penstock/stream/merge.hpp>
#include <penstock/stream/observe.hpp>
#include <penstock/stream/offload_map.hpp>
#include <penstock/stream/paged.hpp>
#include <penstock/stream/receive.hpp>
#include <penstock/stream/recover.hpp>
#include <penstock/stream/retry_source.hpp>
#include <penstock/stream/scan.hpp>
#include <penstock/stream/skip.hpp>
#include <penstock/stream/stream.hpp>
#include <penstock/stream/take.hpp>
#include <penstock/stream/take_while.hpp>
#include <penstock/stream/tap.hpp>
#include <penstock/stream/tee.hpp>
#include <penstock/stream/throttle.hpp>
#include <penstock/stream/to_channel.hpp>
#include <penstock/stream/transcode.hpp>
#include <penstock/stream/upstream_on.hpp>
#include <penstock/stream/window.hpp>
#include <penstock/stream/zip.hpp>
// IWYU pragma: end_exports
