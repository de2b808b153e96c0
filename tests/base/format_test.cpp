// tests/base/format_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/base/format.hpp>

#include <doctest/doctest.h>

#include <penstock/base/literals.hpp>

using namespace std::chrono_literals;
using namespace penstock::literals;

namespace {

using penstock::duration;
using penstock::errc;
using penstock::error;
using penstock::format_bytes;
using penstock::format_duration;
using penstock::format_throughput;

TEST_CASE("errors format as their sentence, codes as their text") {
  CHECK(fmt::format("{}", error(errc::closed).with("send", "q")) == "send 'q': closed");
  CHECK(fmt::format("[{}] [{}]", error(), error(errc::closed)) == "[Success] [closed]");
  CHECK(fmt::format("{}", errc::timed_out) == "timed out");
}

TEST_CASE("byte counts have three digits") {
  CHECK(format_bytes(0) == "0 B");
  CHECK(format_bytes(999) == "999 B");
  CHECK(format_bytes(1023) == "1023 B");
  CHECK(format_bytes(1_KiB) == "1 KiB");
  CHECK(format_bytes(1_GiB + 512_MiB) == "1.5 GiB");
  CHECK(format_bytes(1_KiB + 1) == "1 KiB");
  CHECK(format_bytes(5_MiB + 300_KiB) == "5.29 MiB");
  CHECK(format_bytes(64_KiB) == "64 KiB");
  CHECK(format_bytes(1_MiB - 1) == "1 MiB");
  CHECK(format_bytes(1_MiB - 600) == "1023 KiB");
  CHECK(format_bytes(812_MiB + 400_KiB) == "812 MiB");
  CHECK(format_bytes(~0ULL) == "16 EiB");
}

TEST_CASE("durations read as people say them") {
  CHECK(format_duration(0ns) == "0 ns");
  CHECK(format_duration(850ns) == "850 ns");
  CHECK(format_duration(1500ns) == "1.5 us");
  CHECK(format_duration(999'499ns) == "999 us");
  CHECK(format_duration(999'500ns) == "1 ms");
  CHECK(format_duration(12'340us) == "12.3 ms");
  CHECK(format_duration(1250ms) == "1.25 s");
  CHECK(format_duration(59'949ms) == "59.9 s");
  CHECK(format_duration(59'950ms) == "1 min");
  CHECK(format_duration(125s) == "2 min 5 s");
  CHECK(format_duration(1h) == "1 h");
  CHECK(format_duration(90min) == "1 h 30 min");
  CHECK(format_duration(76h) == "3 d 4 h");
  CHECK(format_duration(-1500us) == "-1.5 ms");
  CHECK(format_duration(-90min) == "-1 h 30 min");
  CHECK(format_duration(duration::max()) == "106751 d 23 h");
  CHECK(format_duration(duration::min()) == "-106751 d 23 h");
}

TEST_CASE("throughput is bytes a second, and none without time") {
  CHECK(format_throughput(812_MiB, 1s) == "812 MiB/s");
  CHECK(format_throughput(1_GiB, 500ms) == "2 GiB/s");
  CHECK(format_throughput(1_GiB, 0s) == "- B/s");
  CHECK(format_throughput(~0ULL, 1ns) == "15.6 EiB/s");
}

}  // namespace
