// penstock/io/tcp.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// TCP: streams and listeners.

// IWYU pragma: begin_exports
#include <penstock/io/tcp_listener.hpp>
#include <penstock/io/tcp_stream.hpp>
// IWYU pragma: end_exports
