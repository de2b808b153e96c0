// tests/io/socket_matrix_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/io/stream_socket.hpp>

#include <penstock/io/tcp_stream.hpp>
#include <penstock/io/unix_stream.hpp>
#include <penstock/test.hpp>

#include <io/scripted_driver.hpp>

#include <array>
#include <memory>
#include <span>
#include <string>

#include <doctest/doctest.h>

using namespace penstock;
using test::cancel_stage;

namespace {
// A socket whose descriptor no system call ever sees; the test ends its operations.
constexpr int no_such_fd = 1'000'000;
constexpr std::array<int, 1> fds = {0};

template <class Stream>
struct fixture {
  ~fixture() {
    if (s) static_cast<void>(s->release());
  }
  fixture() = default;
  fixture(fixture&&) = default;
  std::unique_ptr<scripted::driver> d = std::make_unique<scripted::driver>();
  std::unique_ptr<Stream> s = std::make_unique<Stream>(no_such_fd);
  std::unique_ptr<std::array<std::byte, 10>> bytes = std::make_unique<std::array<std::byte, 10>>();
  bool back = false;  // the buffer that was sent
};

// Takes what `op(stream, fixture)` makes through the matrix. It ends with `answer`, and then
// `good(outcome)` says what is wrong with what it gave.
template <class Stream, class Op, class Good>
void through_matrix(std::int32_t answer, Op op, Good good) {
  test::cancel_matrix(
      [] { return fixture<Stream>(); },
      [&](fixture<Stream>& x) {
        x.d->install();
        return op(*x.s, x);
      },
      [&](fixture<Stream>& x) { static_cast<void>(x.d->held() == 0 || x.d->complete(answer)); },
      [&](fixture<Stream>& x, const auto& outcome, cancel_stage stage) {
        if (x.d->held() != 0) return std::string("in flight after its task");
        if (stage >= cancel_stage::completion_first && !outcome)
          return std::string("a result was lost");
        if (outcome && !*outcome) return std::string("an error");
        return outcome ? std::string(good(**outcome, x)) : std::string();
      });
}
template <class Stream, class Op>
void through_matrix(std::int32_t answer, Op op) {
  test::cancel_matrix(
      [] { return fixture<Stream>(); },
      [&](fixture<Stream>& x) {
        x.d->install();
        return op(*x.s, x);
      },
      [&](fixture<Stream>& x) { static_cast<void>(x.d->held() == 0 || x.d->complete(answer)); },
      [&](fixture<Stream>& x, const auto& outcome, cancel_stage stage) {
        if (x.d->held() != 0) return std::string("in flight after its task");
        if (stage >= cancel_stage::completion_first && !outcome)
          return std::string("a result was lost");
        return outcome && !*outcome ? std::string("an error") : std::string();
      });
}
}  // namespace

TEST_CASE("cancel matrix of a read: what was read is delivered") {
  through_matrix<tcp_stream>(
      7, [](tcp_stream& s, auto& x) { return s.read_some(*x.bytes); },
      [](std::size_t n, auto&) { return n == 7 ? "" : "not what was read"; });
  const auto parts = std::make_unique<std::array<std::span<std::byte>, 1>>();
  through_matrix<tcp_stream>(
      7,
      [&](tcp_stream& s, auto& x) {
        (*parts)[0] = *x.bytes;
        return s.read_some(std::span<const std::span<std::byte>>(*parts));
      },
      [](std::size_t n, auto&) { return n == 7 ? "" : "not what was read"; });
}

TEST_CASE("cancel matrix of a write") {
  through_matrix<tcp_stream>(
      10, [](tcp_stream& s, auto& x) { return s.write_all(std::span<const std::byte>(*x.bytes)); });
  const auto parts = std::make_unique<std::array<std::span<const std::byte>, 1>>();
  through_matrix<tcp_stream>(10, [&](tcp_stream& s, auto& x) {
    (*parts)[0] = *x.bytes;
    return s.write_all(std::span<const std::span<const std::byte>>(*parts));
  });
}

TEST_CASE("cancel matrix of a send: the buffer comes back, whatever becomes of it") {
  int lent = 0;
  int back = 0;
  through_matrix<tcp_stream>(10, [&](tcp_stream& s, auto& x) {
    ++lent;
    return s.send(buffer::adopt(*x.bytes, [&back]() noexcept { ++back; }));
  });
  CHECK(lent > 4);
  CHECK(back == lent);
}

TEST_CASE("cancel matrix of send_descriptors") {
  through_matrix<unix_stream>(
      10, [](unix_stream& s, auto& x) { return s.send_descriptors(fds, *x.bytes); });
}

TEST_CASE("cancel matrix of a receive: the socket goes on receiving, and the next one has it") {
  test::cancel_matrix([] { return fixture<tcp_stream>(); },
                      [](fixture<tcp_stream>& x) {
                        x.d->install();
                        return x.s->receive();
                      },
                      [](fixture<tcp_stream>& x) {
                        static_cast<void>(x.d->held() == 0 || x.d->complete(0));  // the end
                      },
                      [](fixture<tcp_stream>& x, const auto& outcome, cancel_stage stage) {
                        if (stage >= cancel_stage::completion_first && !outcome)
                          return std::string("the end was lost");
                        if (outcome && (!*outcome || !(*outcome)->empty()))
                          return std::string("not the end");
                        if (x.d->cancels != 0) return std::string("the receiving was cancelled");
                        while (x.d->held() != 0) x.d->complete(0);  // a later one finds it
                        return std::string();
                      });
}
