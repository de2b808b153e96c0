// core/task.hpp                                                    // expect: head
// SPDX-License-Identifier: BSL-1.0
#pragma once

// A comment.                                                       // expect: head
#define LOCAL 1                                                     // expect: macro
using namespace std;                                                // expect: using-namespace
auto t = std::chrono::steady_clock::now();                          // expect: clock
