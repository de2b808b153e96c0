// tests/compile_fail/channel_of_other_items.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: to_channel\(c\) takes items that c can send
#include <penstock/core.hpp>
#include <penstock/stream.hpp>
#include <penstock/sync.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace penstock;

task<result<>> run(std::vector<std::string> v, channel<int>& c) {
#ifdef MUST_FAIL
  co_return co_await (from(std::move(v)) | to_channel(c));
#else
  const auto length = [](const std::string& s) { return static_cast<int>(s.size()); };
  co_return co_await (from(std::move(v)) | map(length) | to_channel(c));
#endif
}
