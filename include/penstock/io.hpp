// penstock/io.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Umbrella of io/: files and sockets.

// IWYU pragma: begin_exports
#include <penstock/io/endpoint.hpp>
#include <penstock/io/file.hpp>
#include <penstock/io/file_status.hpp>
#include <penstock/io/file_system.hpp>
#include <penstock/io/open_mode.hpp>
#include <penstock/io/read_chunks.hpp>
#include <penstock/io/stream_socket.hpp>
#include <penstock/io/tcp.hpp>
// IWYU pragma: end_exports
