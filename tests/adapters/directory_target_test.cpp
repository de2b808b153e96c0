// tests/adapters/directory_target_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/adapters/file/directory_target.hpp>

#include <penstock/adapters/file.hpp>
#include <penstock/upload.hpp>

#include <fault/upload_fixture.hpp>
#include <support/each_driver.hpp>

#include <doctest/doctest.h>

#include <map>

using namespace upload_fault;

namespace {

std::size_t files_in(const fs::path& store) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(store), {}));
}

// Puts the parts with even numbers, then ends.
task<result<std::string>> begin_half(fs::path source, fs::path store, bool direct,
                                     std::uint64_t part_size) {
  open_mode mode = open_mode::read;
  if (direct) mode |= open_mode::direct;
  file in = co_await ok(file::open(source, mode));
  directory_target target{store, {.direct = direct}};
  const std::uint64_t size = co_await ok(in.size());
  const part_plan plan = co_await ok(plan_parts(size, part_size));
  auto session = co_await ok(target.begin("film", plan));
  buffer_pool buffers{{.buffer_size = 4096, .count = 16}};
  for (std::uint32_t i = 0; i < plan.count; i += 2) {
    co_await ok(session.put_part(in, plan.part(i), buffers));
  }
  co_return session.id();
}

}  // namespace

TEST_CASE("a source that is no file is copied through the loop") {
  support::on_each_driver([](runtime& rt) {
    folder f;
    const std::string bytes = some_bytes(1'000'003, 1);
    auto go = [&]() -> task<result<upload_report>> {
      text_source in{bytes};
      directory_target target{f.store()};
      co_return co_await upload(in, target, "film", small);
    };
    const auto r = rt.run(go());
    REQUIRE(r);
    CHECK(r->parts == 62);
    CHECK(read_all(f.object()) == bytes);
    CHECK(files_in(f.store()) == 1);
  });
}

TEST_CASE("resume lists what is whole, verified, and sends only the rest") {
  support::on_each_driver([](runtime& rt) {
    for (const bool direct : {false, true}) {
      CAPTURE(direct);
      folder f;
      const std::string bytes = some_bytes(8 * 16384 + 5, 2);  // the last of nine parts is odd
      write_all(f.source(), bytes);
      auto id = rt.run(begin_half(f.source(), f.store(), direct, 16384));
      if (!id && direct && id.error() == std::errc::invalid_argument) continue;
      REQUIRE(id);
      CHECK(!fs::exists(f.object()));
      auto go = [&]() -> task<result<>> {
        file in = co_await ok(file::open(f.source(), open_mode::read));
        directory_target target{f.store(), {.direct = direct}};
        const part_plan plan = co_await ok(plan_parts(bytes.size(), 16384));
        auto session = co_await ok(target.resume("film", plan, *id));
        const auto there = co_await ok(session.list());
        CHECK(there.size() == 5);
        auto early = co_await session.complete();
        CHECK(early.error() == errc::corrupt);
        CHECK(!fs::exists(f.object()));
        buffer_pool buffers{{.buffer_size = 4096, .count = 16}};
        for (std::uint32_t i = 1; i < plan.count; i += 2) {
          co_await ok(session.put_part(in, plan.part(i), buffers));
        }
        co_await ok(session.complete());
        co_await ok(session.complete());  // may be repeated
        co_return co_await session.forget();
      };
      const auto done = rt.run(go());
      REQUIRE(done);
      CHECK(read_all(f.object()) == bytes);
      CHECK(files_in(f.store()) == 1);
    }
  });
}

TEST_CASE("a partial file that became shorter has only the parts that are left") {
  support::on_each_driver([](runtime& rt) {
    folder f;
    write_all(f.source(), some_bytes(100'000, 3));
    const auto id = rt.run(begin_half(f.source(), f.store(), false, 16384));
    REQUIRE(id);
    fs::resize_file(f.store() / ".film.partial", 50'000);
    auto go = [&]() -> task<result<std::size_t>> {
      directory_target target{f.store()};
      const part_plan plan = co_await ok(plan_parts(100'000, 16384));
      auto session = co_await ok(target.resume("film", plan, *id));
      const auto there = co_await ok(session.list());
      co_return there.size();
    };
    CHECK(rt.run(go()).value() == 2);  // of 0, 2, 4, 6
  });
}

TEST_CASE("an unknown id, another plan, and nothing at all are not_found") {
  support::on_each_driver([](runtime& rt) {
    folder f;
    write_all(f.source(), some_bytes(100'000, 3));
    const auto id = rt.run(begin_half(f.source(), f.store(), false, 16384));
    REQUIRE(id);
    auto resume = [&](std::string name, std::uint64_t part, std::string which) -> task<result<>> {
      directory_target target{f.store()};
      const part_plan plan = co_await ok(plan_parts(100'000, part));
      co_await ok(target.resume(name, plan, which));
      co_return {};
    };
    CHECK(rt.run(resume("film", 16384, *id)));
    CHECK(rt.run(resume("film", 16384, "0123456789abcdef")).error() == errc::not_found);
    CHECK(rt.run(resume("film", 32768, *id)).error() == errc::not_found);
    CHECK(rt.run(resume("book", 16384, *id)).error() == errc::not_found);
  });
}

TEST_CASE("a name is uploaded once at a time; when that one is gone, the next replaces it") {
  support::on_each_driver([](runtime& rt) {
    folder f;
    const std::string bytes = some_bytes(100'000, 4);
    write_all(f.source(), bytes);
    auto go = [&]() -> task<result<>> {
      directory_target target{f.store()};
      const part_plan plan = co_await ok(plan_parts(bytes.size(), 16384));
      {
        auto first = co_await ok(target.begin("film", plan));
        auto second = co_await target.begin("film", plan);
        CHECK(second.error() == std::errc::device_or_resource_busy);
        auto again = co_await target.resume("film", plan, first.id());
        CHECK(again.error() == std::errc::device_or_resource_busy);
        auto other = co_await target.begin("book", plan);
        CHECK(other);
        co_await ok(other->abort());
      }
      file in = co_await ok(file::open(f.source(), open_mode::read));
      const auto report = co_await ok(upload(in, target, "film", small));
      CHECK(report.parts == 7);
      co_return {};
    };
    CHECK(rt.run(go()));
    CHECK(read_all(f.object()) == bytes);
    CHECK(files_in(f.store()) == 1);
  });
}

TEST_CASE("killed behind the rename: a second run sends nothing and tidies up") {
  support::on_each_driver([](runtime& rt) {
    folder f;
    const std::string bytes = some_bytes(100'000, 5);
    write_all(f.source(), bytes);
    // A journal that outlived its upload, as at that moment.
    auto all_but_end = [&](bool tear) -> task<result<>> {
      file in = co_await ok(file::open(f.source(), open_mode::read));
      const auto s = co_await ok(in.stat());
      directory_target target{f.store()};
      const part_plan plan = co_await ok(plan_parts(s.size, 16384));
      auto session = co_await ok(target.begin("film", plan));
      std::string journal = detail::encode_header({s.size, s.mtime_ns, s.ctime_ns, s.inode}, plan,
                                                  session.id(), "film");
      buffer_pool buffers{{.buffer_size = 4096, .count = 16}};
      for (std::uint32_t i = 0; i < plan.count; ++i) {
        const auto receipt = co_await ok(session.put_part(in, plan.part(i), buffers));
        if (!tear || i < 3) journal += detail::encode_part(receipt);
      }
      write_all(f.journal(), journal);
      co_return co_await session.complete();
    };
    for (const bool tear : {false, true}) {
      CAPTURE(tear);
      REQUIRE(rt.run(all_but_end(tear)));
      CHECK(files_in(f.store()) == 2);
      const auto r = push_now(f.source(), f.store(), "film", f.journal());
      REQUIRE(r);
      CHECK(r->parts_sent == (tear ? 4 : 0));  // those are compared with the source again
      CHECK(read_all(f.object()) == bytes);
      CHECK(files_in(f.store()) == 1);
      CHECK(!fs::exists(f.journal()));
    }
    // The object was replaced in between: it is not what the journal speaks of.
    REQUIRE(rt.run(all_but_end(false)));
    write_all(f.object(), "something else");
    const auto r = push_now(f.source(), f.store(), "film", f.journal());
    REQUIRE(r);
    CHECK(r->parts_sent == 7);
    CHECK(read_all(f.object()) == bytes);
  });
}

TEST_CASE("the longest name is 240 bytes") {
  support::on_each_driver([](runtime& rt) {
    folder f;
    write_all(f.source(), "x");
    auto go = [&](std::size_t length) -> task<result<upload_report>> {
      file in = co_await ok(file::open(f.source(), open_mode::read));
      directory_target target{f.store()};
      co_return co_await upload(in, target, std::string(length, 'n'));
    };
    CHECK(rt.run(go(240)));
    CHECK(fs::exists(f.store() / std::string(240, 'n')));
    const auto refused = rt.run(go(241));
    CHECK(refused.error() == std::errc::invalid_argument);
    CHECK(files_in(f.store()) == 1);
  });
}

TEST_CASE("direct source, cached target, and the other way around") {
  support::on_each_driver([](runtime& rt) {
    for (const bool direct_source : {false, true}) {
      folder f;
      const std::string bytes = some_bytes(100'001, 6);
      write_all(f.source(), bytes);
      auto go = [&]() -> task<result<upload_report>> {
        open_mode mode = open_mode::read;
        if (direct_source) mode |= open_mode::direct;
        file in = co_await ok(file::open(f.source(), mode));
        directory_target target{f.store(), {.direct = !direct_source}};
        co_return co_await upload(in, target, "film", small);
      };
      const auto r = rt.run(go());
      if (!r && r.error() == std::errc::invalid_argument) continue;  // no direct I/O there
      REQUIRE(r);
      CHECK(read_all(f.object()) == bytes);
    }
  });
}

TEST_CASE("stopped at any time, an upload without a journal leaves nothing and no buffer lent") {
  for (int at = 1; at < 40; at += 3) {
    CAPTURE(at);
    folder f;
    write_all(f.source(), some_bytes(400'000, 7));
    runtime rt;
    int shown = 0;
    auto interrupt = [&](const upload_progress&) {
      if (++shown == at) rt.request_stop();
    };
    const auto r = rt.run(push(f.source(), f.store(), "film", {}, interrupt));
    if (r) {
      CHECK(files_in(f.store()) == 1);
    } else {
      CHECK(r.error() == errc::canceled);
      CHECK(files_in(f.store()) == 0);
    }
  }
}
