// penstock/core.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Umbrella of core/: tasks, scopes, stop, time. No I/O.

// IWYU pragma: begin_exports
#include <penstock/core/awaitable.hpp>
#include <penstock/core/environment.hpp>
#include <penstock/core/finally.hpp>
#include <penstock/core/frame_allocator.hpp>
#include <penstock/core/from_callback.hpp>
#include <penstock/core/offload.hpp>
#include <penstock/core/ok.hpp>
#include <penstock/core/resume_on.hpp>
#include <penstock/core/root.hpp>
#include <penstock/core/scheduler.hpp>
#include <penstock/core/shield.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/stop_token.hpp>
#include <penstock/core/sync_wait.hpp>
#include <penstock/core/task.hpp>
#include <penstock/core/task_group.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/timer_heap.hpp>
#include <penstock/core/waiter.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/when_any.hpp>
#include <penstock/core/with_group.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/core/yield.hpp>
// IWYU pragma: end_exports
