// penstock/src.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// For one unit of a program whose units all define PENSTOCK_SEPARATE: the bodies that the others
/// do not compile then, of runtime/ and io/. Without that macro there is nothing to include here.

#ifndef PENSTOCK_SEPARATE
#error \
    "define PENSTOCK_SEPARATE in every unit of the program; one of them includes penstock/src.hpp"
#endif

#include <penstock/io/detail/accept_leaf_impl.hpp>
#include <penstock/io/detail/connect_impl.hpp>
#include <penstock/io/detail/endpoint_impl.hpp>
#include <penstock/io/detail/open_socket_impl.hpp>
#include <penstock/io/detail/tcp_listener_impl.hpp>
#include <penstock/runtime/detail/choose_driver_impl.hpp>
#include <penstock/runtime/detail/cpu_pool_impl.hpp>
#include <penstock/runtime/detail/event_loop_impl.hpp>
#include <penstock/runtime/detail/open_files_impl.hpp>
#include <penstock/runtime/detail/run_crew_impl.hpp>
#include <penstock/runtime/detail/runtime_impl.hpp>
#include <penstock/runtime/detail/signal_stop_impl.hpp>
#include <penstock/runtime/driver/detail/reactor_impl.hpp>
#include <penstock/runtime/driver/detail/uring_impl.hpp>
