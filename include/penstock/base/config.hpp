// penstock/base/config.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What the compiler is and can do. A user may define, the same in every translation unit:
/// PENSTOCK_TRAMPOLINE (how a coroutine hands over to the next), PENSTOCK_NO_ASSERT (assert.hpp),
/// PENSTOCK_SEPARATE (the drivers and other large bodies are compiled once: by the one unit that
/// includes src.hpp).

#if !defined(__GNUC__) || __cplusplus < 202002L
#error "penstock needs C++20 and g++ 12, clang 16 or later"
#endif

// 1: the next coroutine waits in a thread-local for the resumer's loop. g++ makes tail calls at -O2
// without sanitizers only, and no macro tells; clang always does.
#ifndef PENSTOCK_TRAMPOLINE
#ifdef __clang__
#define PENSTOCK_TRAMPOLINE 0
#else
#define PENSTOCK_TRAMPOLINE 1
#endif
#endif

// 1 under the address and the thread sanitizer: g++ has macros, clang has features.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PENSTOCK_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define PENSTOCK_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(PENSTOCK_ASAN)
#define PENSTOCK_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__) && !defined(PENSTOCK_TSAN)
#define PENSTOCK_TSAN 1
#endif
#ifndef PENSTOCK_ASAN
#define PENSTOCK_ASAN 0
#endif
#ifndef PENSTOCK_TSAN
#define PENSTOCK_TSAN 0
#endif

// Before the definitions in headers that src.hpp includes: once in the program, or in each unit.
#ifdef PENSTOCK_SEPARATE
#define PENSTOCK_ONCE
#else
#define PENSTOCK_ONCE inline
#endif

// Keeps a rare path out of its callers.
#define PENSTOCK_NOINLINE __attribute__((noinline))
// For what folds to a few instructions where its argument is a constant.
#define PENSTOCK_ALWAYS_INLINE __attribute__((always_inline))
