// tests/meta/hostile/macros.cpp
// SPDX-License-Identifier: BSL-1.0

// Every header among macros that other people's headers define. The standard and third-party
// headers come first: they are not ours to defend. Built as gnu++20, where `linux` and `unix` are
// macros too.
#include "foreign.hpp"

#undef min
#undef max
#undef I
#undef BLOCK_SIZE
#undef major
#undef minor
#undef ERROR
#undef DELETE
#undef small
#undef interface
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define I 42
#define BLOCK_SIZE 1024
#define major(device) ((device) >> 8)
#define minor(device) ((device)&0xff)
#define ERROR 0
#define DELETE 0x00010000L
#define small char
#define interface struct

#include "all_headers.hpp"
