// tests/meta/separate/separate.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What the units of the program share; and that they do not see what src.hpp includes.

#include <penstock/io.hpp>
#include <penstock/penstock.hpp>
#include <penstock/runtime.hpp>

#if defined(LIB_URING_H) || defined(LIBURING_UDATA_TIMEOUT) || defined(IORING_FEAT_NODROP)
#error "a unit with PENSTOCK_SEPARATE includes liburing"
#endif
#ifndef PENSTOCK_SEPARATE
#error "this program is built with PENSTOCK_SEPARATE"
#endif

#include <string>

penstock::task<penstock::result<std::string>> talk(std::string text);
penstock::task<penstock::result<>> nothing();
penstock::task<int> thread_number();
