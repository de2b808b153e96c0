// tests/io/cancel_files_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/io/file_system.hpp>

#include <penstock/test/cancel_matrix.hpp>

#include <io/scripted_driver.hpp>

#include <array>
#include <memory>
#include <string>
#include <type_traits>

#include <doctest/doctest.h>

using namespace penstock;
using test::cancel_stage;

namespace {
bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

// Made before the loop runs; the operation installs the driver. No system call sees the descriptor
// of `f`; `fd` is a real one, which an open answers.
struct fixture {
  std::unique_ptr<scripted::driver> d = std::make_unique<scripted::driver>();
  std::unique_ptr<file> f = std::make_unique<file>(1'000'000, "/scripted");
  std::unique_ptr<std::array<std::byte, 10>> bytes = std::make_unique<std::array<std::byte, 10>>();
  int fd = -1;

  // False: nothing was asked for.
  bool answer_open() {
    fd = ::open("/", O_PATH | O_CLOEXEC);
    REQUIRE(fd >= 0);
    if (d->complete(fd)) return true;
    ::close(fd);
    return false;
  }
};

// What each operation promises: it is over with its task, and what completed first is delivered.
template <class Outcome>
std::string complaint(fixture& x, const Outcome& outcome, cancel_stage stage) {
  if (x.d->held() != 0) return "in flight after its task";
  if (stage == cancel_stage::before_start && !x.d->seen.empty()) return "a stopped task began one";
  if (stage == cancel_stage::parked && x.d->cancels != 1) return "it was not cancelled";
  if (stage >= cancel_stage::completion_first && !outcome) return "a completed one was lost";
  return outcome && !outcome->has_value() ? outcome->error().message() : "";
}

template <class Operation>
void pass_matrix(operation_kind kind, Operation operation, std::int32_t answer = 0) {
  CAPTURE(to_string(kind));
  test::cancel_matrix([] { return fixture(); },
                      [&](fixture& x) {
                        x.d->install();
                        return operation(x);
                      },
                      [&](fixture& x) {
                        if (kind == operation_kind::stat && x.d->held() != 0)
                          *static_cast<struct ::statx*>(x.d->seen.back().other) = {};
                        x.d->complete(answer);
                      },
                      [&](fixture& x, const auto& outcome, cancel_stage stage) {
                        for (const auto& op : x.d->seen) CHECK(op.kind == kind);
                        return complaint(x, outcome, stage);
                      });
}
}  // namespace

TEST_CASE("reads and writes pass the cancel matrix") {
  pass_matrix(
      operation_kind::read, [](fixture& x) { return x.f->read_at(0, *x.bytes); }, 10);
  pass_matrix(
      operation_kind::read, [](fixture& x) { return x.f->read_some(*x.bytes); }, 3);
  pass_matrix(
      operation_kind::write, [](fixture& x) { return x.f->write_at(0, *x.bytes); }, 10);
}

TEST_CASE("what is done to an open file passes the cancel matrix") {
  pass_matrix(operation_kind::sync, [](fixture& x) { return x.f->fsync(); });
  pass_matrix(operation_kind::sync, [](fixture& x) { return x.f->datasync(); });
  pass_matrix(operation_kind::allocate, [](fixture& x) { return x.f->preallocate(0, 4096); });
  pass_matrix(operation_kind::truncate, [](fixture& x) { return x.f->truncate(4096); });
  pass_matrix(operation_kind::stat, [](fixture& x) { return x.f->stat(); });
  pass_matrix(operation_kind::stat, [](fixture& x) { return x.f->size(); });
}

TEST_CASE("operations on paths pass the cancel matrix") {
  pass_matrix(operation_kind::rename, [](fixture&) { return rename_file("/a", "/b"); });
  pass_matrix(operation_kind::remove, [](fixture&) { return remove_file("/a"); });
  pass_matrix(operation_kind::remove, [](fixture&) { return remove_directory("/a"); });
  pass_matrix(operation_kind::make_directory, [](fixture&) { return make_directory("/a"); });
  pass_matrix(operation_kind::stat, [](fixture&) { return stat_file("/a"); });
}

TEST_CASE("open passes the cancel matrix: a descriptor that nobody took is closed") {
  test::cancel_matrix([] { return fixture(); },
                      [](fixture& x) {
                        x.d->install();
                        return file::open("/a", open_mode::read);
                      },
                      [](fixture& x) { static_cast<void>(x.answer_open()); },
                      [](fixture& x, const auto& outcome, cancel_stage stage) -> std::string {
                        const bool taken = outcome && (*outcome)->native_handle() == x.fd;
                        if (outcome && !taken) return "another file";
                        if (is_open(x.fd) != taken) return taken ? "closed" : "left open";
                        return complaint(x, outcome, stage);
                      });
}

TEST_CASE("sync_directory passes the cancel matrix: its folder is closed") {
  test::cancel_matrix([] { return fixture(); },
                      [](fixture& x) {
                        x.d->install();
                        return sync_directory("/a");
                      },
                      [](fixture& x) {
                        if (x.answer_open()) x.d->at_once = {0, 0};  // fsync, close
                      },
                      [](fixture& x, const auto& outcome, cancel_stage stage) -> std::string {
                        const bool closes = x.d->seen.size() == 3;
                        if (closes) ::close(x.fd);  // the driver only says so
                        if (is_open(x.fd)) return "left open";
                        if (x.d->held() != 0) return "in flight after its task";
                        if (outcome.has_value() != closes) return "not durable, or lost";
                        return stage == cancel_stage::after && !outcome ? "lost" : "";
                      });
}
