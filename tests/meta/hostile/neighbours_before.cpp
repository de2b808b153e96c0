// tests/meta/hostile/neighbours_before.cpp
// SPDX-License-Identifier: BSL-1.0

// Every header after system headers and test frameworks that bring short names and macros.
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

#include "all_headers.hpp"
