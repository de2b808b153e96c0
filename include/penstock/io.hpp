// penstock/io.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Umbrella of io/: files and sockets.

// IWYU pragma: begin_exports
#include <penstock/io/byte_stream.hpp>
#include <penstock/io/descriptor.hpp>
#include <penstock/io/endpoint.hpp>
#include <penstock/io/file.hpp>
#include <penstock/io/file_status.hpp>
#include <penstock/io/file_system.hpp>
#include <penstock/io/listening_socket.hpp>
#include <penstock/io/open_mode.hpp>
#include <penstock/io/read_chunks.hpp>
#include <penstock/io/read_lines.hpp>
#include <penstock/io/stream_socket.hpp>
#include <penstock/io/tcp.hpp>
#include <penstock/io/tcp_listener.hpp>
#include <penstock/io/tcp_stream.hpp>
#include <penstock/io/unix_listener.hpp>
#include <penstock/io/unix_stream.hpp>
#include <penstock/io/write_file.hpp>
#include <penstock/io/write_to.hpp>
// IWYU pragma: end_exports
