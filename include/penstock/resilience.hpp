// penstock/resilience.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Umbrella of resilience/: policies around operations that may fail.

// IWYU pragma: begin_exports
#include <penstock/resilience/acquire_all.hpp>
#include <penstock/resilience/adaptive_limit.hpp>
#include <penstock/resilience/adaptive_limit_options.hpp>
#include <penstock/resilience/attempt_timeout.hpp>
#include <penstock/resilience/balancer.hpp>
#include <penstock/resilience/balancer_options.hpp>
#include <penstock/resilience/breaker_event.hpp>
#include <penstock/resilience/breaker_permit.hpp>
#include <penstock/resilience/bulkhead.hpp>
#include <penstock/resilience/call_outcome.hpp>
#include <penstock/resilience/circuit_breaker.hpp>
#include <penstock/resilience/circuit_breaker_options.hpp>
#include <penstock/resilience/circuit_breakers.hpp>
#include <penstock/resilience/client_throttle.hpp>
#include <penstock/resilience/fallback.hpp>
#include <penstock/resilience/hedge.hpp>
#include <penstock/resilience/hedge_options.hpp>
#include <penstock/resilience/idempotent.hpp>
#include <penstock/resilience/is_transient.hpp>
#include <penstock/resilience/judged_policy.hpp>
#include <penstock/resilience/keyed_rate_limiter.hpp>
#include <penstock/resilience/keyed_rate_limiter_options.hpp>
#include <penstock/resilience/load_shed.hpp>
#include <penstock/resilience/load_shed_options.hpp>
#include <penstock/resilience/observer.hpp>
#include <penstock/resilience/policy.hpp>
#include <penstock/resilience/policy_operation.hpp>
#include <penstock/resilience/rate_decision.hpp>
#include <penstock/resilience/rate_limiter.hpp>
#include <penstock/resilience/rate_limiter_options.hpp>
#include <penstock/resilience/rate_reservation.hpp>
#include <penstock/resilience/reconnect.hpp>
#include <penstock/resilience/retry.hpp>
#include <penstock/resilience/retry_budget.hpp>
#include <penstock/resilience/retry_event.hpp>
#include <penstock/resilience/retry_options.hpp>
// IWYU pragma: end_exports
