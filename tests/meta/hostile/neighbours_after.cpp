// tests/meta/hostile/neighbours_after.cpp
// SPDX-License-Identifier: BSL-1.0

// Every header before the same neighbours, with the names of the namespace in the open.
#include "all_headers.hpp"

#ifdef BLOCK_SIZE
#error "a header leaks the macro BLOCK_SIZE of linux/fs.h"
#endif

using namespace penstock;

#include <error.h>
#include <fcntl.h>
#include <netdb.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <csignal>

#include <doctest/doctest.h>
#if __has_include(<gtest/gtest.h>)
#include <gtest/gtest.h>
#endif
