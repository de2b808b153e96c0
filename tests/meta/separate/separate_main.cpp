// tests/meta/separate/separate_main.cpp
// SPDX-License-Identifier: BSL-1.0

// A program of three units with PENSTOCK_SEPARATE: this one, separate_echo.cpp, and
// support/separate.cpp, which alone includes src.hpp. It writes a file and talks over TCP on each
// driver, and on two loops.
#include "separate.hpp"

#include <penstock/runtime/submit.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>

using namespace penstock;

namespace {
task<result<std::string>> through_file(std::string path) {
  std::string text = "written and read";
  auto out = co_await ok(file::open(path, open_mode::write | open_mode::create));
  co_await ok(out.write_all(std::as_bytes(std::span(text))));
  co_await ok(out.close());
  auto in = co_await ok(file::open(path, open_mode::read));
  std::array<std::byte, 64> piece;
  const std::size_t n = co_await ok(in.read_some(piece));
  co_await ok(remove_file(path));
  co_return std::string(reinterpret_cast<const char*>(piece.data()), n);
}

// False: this machine has no io_uring.
bool try_driver(driver_kind kind, const char* folder) {
  runtime rt{{.threads = 2, .driver = kind}};
  if (rt.driver_name() == "none") return false;
  const auto expect = [](bool good, const char* what) {
    if (!good) throw std::runtime_error(what);
  };
  const std::string path = std::string(folder) + "/text";
  const auto text = rt.run(through_file(path));
  expect(text && *text == "written and read", "a file");
  const auto echo = rt.run(talk("hello"));
  expect(echo && *echo == "hello", "a connection");
  expect(rt.run_on_each_loop([] { return nothing(); }).has_value(), "each loop");
  std::future<int> later = rt.submit(1, thread_number());
  const int here = rt.run(thread_number());
  expect(later.get() != here, "a submission to the other loop");
  expect(rt.cpu().started() > 0, "the cpu pool");
  std::printf("%s: a file, a connection, two loops\n", std::string(rt.driver_name()).c_str());
  return true;
}
}  // namespace

int main() {
  char folder[] = "/tmp/penstock-separate-XXXXXX";
  if (!::mkdtemp(folder)) return 1;
  int passed = 0, failed = 0, skipped = 0;
  for (const auto kind : {driver_kind::reactor, driver_kind::uring}) {
    try {
      ++(try_driver(kind, folder) ? passed : skipped);
    } catch (const std::exception& e) {
      std::printf("failed: %s\n", e.what());
      ++failed;
    }
  }
  ::rmdir(folder);
  std::printf("[cases] %d passed, %d failed, %d skipped\n", passed, failed, skipped);
  return failed == 0 ? 0 : 1;
}
