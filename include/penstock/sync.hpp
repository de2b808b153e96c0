// penstock/sync.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Umbrella of sync/: what tasks wait for and pass values through.

// IWYU pragma: begin_exports
#include <penstock/sync/auto_reset_event.hpp>
#include <penstock/sync/barrier.hpp>
#include <penstock/sync/broadcast.hpp>
#include <penstock/sync/channel.hpp>
#include <penstock/sync/channel_slot.hpp>
#include <penstock/sync/condition.hpp>
#include <penstock/sync/event.hpp>
#include <penstock/sync/latch.hpp>
#include <penstock/sync/local.hpp>
#include <penstock/sync/make_oneshot.hpp>
#include <penstock/sync/mutex.hpp>
#include <penstock/sync/mutex_lock.hpp>
#include <penstock/sync/once.hpp>
#include <penstock/sync/oneshot.hpp>
#include <penstock/sync/select.hpp>
#include <penstock/sync/semaphore.hpp>
#include <penstock/sync/semaphore_permit.hpp>
#include <penstock/sync/shared_mutex.hpp>
#include <penstock/sync/single_flight.hpp>
#include <penstock/sync/subscriber.hpp>
#include <penstock/sync/thread_safe.hpp>
#include <penstock/sync/topics.hpp>
#include <penstock/sync/unbounded_channel.hpp>
#include <penstock/sync/watch.hpp>
#include <penstock/sync/weighted_channel.hpp>
// IWYU pragma: end_exports
