// penstock/core.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once
#include <penstock/core/task.hpp>
