// tests/fault/upload_input_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <fault/upload_fixture.hpp>
#include <support/child.hpp>
#include <support/skip.hpp>

#include <sys/mount.h>
#include <unistd.h>

#include <doctest/doctest.h>

using namespace upload_fault;

namespace {
// A file system of its own for a store; needs root.
struct mounted {
  fs::path at;
  bool there;
  mounted(fs::path where, const char* options, unsigned long flags = 0)
      : at(std::move(where)), there(::mount("tmpfs", at.c_str(), "tmpfs", flags, options) == 0) {}
  mounted(const mounted&) = delete;
  mounted& operator=(const mounted&) = delete;
  ~mounted() {
    if (there) ::umount2(at.c_str(), MNT_DETACH);
  }
};
bool says(const result<upload_report>& r, const char* word) {
  return r.error().message().find(word) != std::string::npos;
}
bool opens_directly(runtime& rt, const fs::path& path) {
  auto open = [&]() -> task<result<>> {
    file f = co_await ok(file::open(path, open_mode::read | open_mode::direct));
    co_return co_await f.close();
  };
  return rt.run(open()).has_value();
}
bool nothing_in(const fs::path& store) {
  return fs::directory_iterator(store) == fs::end(fs::directory_iterator());
}
}  // namespace

TEST_CASE("a source that is missing, a directory, or unreadable is one sentence") {
  folder f;
  auto r = push_now(f.root / "no-film", f.store());
  REQUIRE(!r);
  CHECK(r.error() == std::errc::no_such_file_or_directory);
  CHECK(says(r, "no-film"));
  r = push_now(f.store(), f.store());
  REQUIRE(!r);
  CHECK(r.error() == std::errc::is_a_directory);
  CHECK(nothing_in(f.store()));
  write_all(f.source(), "secret");
  fs::permissions(f.source(), fs::perms::none);
  fs::permissions(f.root, fs::perms::all);
  const auto child = support::in_child([&] {
    if (::geteuid() == 0 && ::seteuid(65534) != 0) return 77;
    auto refused = push_now(f.source(), f.store());
    if (refused || refused.error() != std::errc::permission_denied) return 1;
    return says(refused, "film") ? 0 : 2;
  });
  CHECK(child.status == 0);
}

TEST_CASE("a store that is missing, read-only or full is one sentence and leaves nothing") {
  folder f;
  write_all(f.source(), some_bytes(3'000'000, 1));
  auto r = push_now(f.source(), f.root / "no-store");
  REQUIRE(!r);
  CHECK(r.error() == std::errc::no_such_file_or_directory);
  CHECK(says(r, "no-store"));
  {
    mounted ro(f.store(), "size=8m", MS_RDONLY);
    if (!ro.there) return support::skip("cannot mount a tmpfs");
    r = push_now(f.source(), f.store());
    REQUIRE(!r);
    CHECK(r.error() == std::errc::read_only_file_system);
    CHECK(says(r, "store"));
  }
  {
    mounted full(f.store(), "size=1m");
    REQUIRE(full.there);
    r = push_now(f.source(), f.store());
    REQUIRE(!r);
    CHECK(r.error() == std::errc::no_space_on_device);
    CHECK(says(r, "upload 'film'"));
    CHECK(nothing_in(f.store()));
  }
}

TEST_CASE("an object whose name was not made durable is an error, until a later run does it") {
  folder f;
  const std::string bytes = some_bytes(100'000, 8);
  write_all(f.source(), bytes);
  fs::permissions(f.root, fs::perms::all);
  fs::permissions(f.store(), static_cast<fs::perms>(0333));  // a folder that cannot be synced
  const auto child = support::in_child([&] {
    if (::geteuid() == 0 && ::seteuid(65534) != 0) return 77;
    for (int i = 0; i < 2; ++i) {  // the second finds the object renamed by the first
      auto refused = push_now(f.source(), f.store(), "film", f.journal());
      if (refused || refused.error() != std::errc::permission_denied) return 1 + i;
      if (!fs::exists(f.object()) || !fs::exists(f.journal())) return 3 + i;
    }
    return 0;
  });
  CHECK(child.status == 0);
  fs::permissions(f.store(), fs::perms::all);
  const auto r = push_now(f.source(), f.store(), "film", f.journal());
  REQUIRE(r);
  CHECK(r->parts_sent == 0);
  CHECK(read_all(f.object()) == bytes);
  CHECK(!fs::exists(f.journal()));
}

TEST_CASE("a journal that somebody removes while parts are sent is no error") {
  folder f;
  const std::string bytes = some_bytes(1'000'000, 8);
  write_all(f.source(), bytes);
  auto meddle = [&](const upload_progress&) { fs::remove(f.journal()); };
  runtime rt;
  CHECK(rt.run(push(f.source(), f.store(), "film", f.journal(), meddle)));
  CHECK(read_all(f.object()) == bytes);
}

TEST_CASE("a journal that finds no space leaves nothing") {
  folder f;
  write_all(f.source(), some_bytes(1000, 8));
  const fs::path small_disk = f.root / "disk";
  fs::create_directory(small_disk);
  mounted full(small_disk, "size=4k");
  if (!full.there) return support::skip("cannot mount a tmpfs");
  write_all(small_disk / "filler", std::string(4096, 'x'));
  const auto r = push_now(f.source(), f.store(), "film", small_disk / "journal");
  REQUIRE(!r);
  CHECK(r.error() == std::errc::no_space_on_device);
  CHECK(!fs::exists(small_disk / "journal"));
  CHECK(nothing_in(f.store()));
}

TEST_CASE("a journal's path that is another file is named, and the file left alone") {
  folder f;
  write_all(f.source(), "x");
  write_all(f.root / "thesis.txt", "three years of work");
  const auto r = push_now(f.source(), f.store(), "film", f.root / "thesis.txt");
  REQUIRE(!r);
  CHECK(r.error() == errc::invalid_option);
  CHECK(says(r, "thesis.txt"));
  CHECK(says(r, "not a journal"));
  CHECK(read_all(f.root / "thesis.txt") == "three years of work");
  CHECK(nothing_in(f.store()));
}

TEST_CASE("names with separators, dots in front, or nothing in them are refused") {
  folder f;
  write_all(f.source(), "x");
  for (std::string name : {"", ".", "..", "a/b", "../up", "/abs", ".hidden"}) {
    CAPTURE(name);
    const auto r = push_now(f.source(), f.store(), name);
    REQUIRE(!r);
    CHECK(r.error() == std::errc::invalid_argument);
  }
  CHECK(!push_now(f.source(), f.store(), std::string("a\0b", 3)));
  CHECK(!push_now(f.source(), f.store(), std::string(300, 'x')));
  CHECK(nothing_in(f.store()));
  CHECK(fs::directory_iterator(f.root) != fs::end(fs::directory_iterator()));
}

TEST_CASE("a source that is truncated, grown or modified during the upload is found out") {
  for (int how = 0; how < 3; ++how) {
    CAPTURE(how);
    folder f;
    const std::string bytes = some_bytes(1'000'000, 3);
    write_all(f.source(), bytes);
    bool done = false;
    auto meddle = [&](const upload_progress& p) {
      if (done || p.parts_done < 5) return;
      done = true;
      if (how == 0) fs::resize_file(f.source(), 100'000);
      if (how == 1) fs::resize_file(f.source(), 2'000'000);
      if (how == 2) write_all(f.source(), some_bytes(1'000'000, 4));
    };
    runtime rt;
    const auto r = rt.run(push(f.source(), f.store(), "film", {}, meddle));
    REQUIRE(!r);
    CHECK(r.error() == errc::source_changed);
    CHECK(nothing_in(f.store()));
  }
}

TEST_CASE("a source that changed between runs is refused until the journal is discarded") {
  folder f;
  write_all(f.source(), some_bytes(1'000'000, 3));
  int shown = 0;
  runtime rt;
  auto interrupt = [&](const upload_progress&) {
    if (++shown == 5) rt.request_stop();
  };
  REQUIRE(!rt.run(push(f.source(), f.store(), "film", f.journal(), interrupt)));
  REQUIRE(fs::exists(f.journal()));
  std::string other = read_all(f.source());
  other[500'000] = static_cast<char>(other[500'000] ^ 1);
  write_all(f.source(), other);
  const auto r = push_now(f.source(), f.store(), "film", f.journal());
  REQUIRE(!r);
  CHECK(r.error() == errc::source_changed);
  directory_target target{f.store()};
  CHECK(rt.run(discard_upload(target, resume_from(f.journal()))));
  CHECK(nothing_in(f.store()));
  CHECK(push_now(f.source(), f.store(), "film", f.journal()));
  CHECK(read_all(f.object()) == other);
}

TEST_CASE("a damaged part in the store is found by its checksum and sent again") {
  folder f;
  const std::string bytes = some_bytes(1'000'000, 5);
  write_all(f.source(), bytes);
  int shown = 0;
  runtime rt;
  auto interrupt = [&](const upload_progress&) {
    if (++shown == 20) rt.request_stop();
  };
  REQUIRE(!rt.run(push(f.source(), f.store(), "film", f.journal(), interrupt)));
  for (const auto& entry : fs::directory_iterator(f.store())) {
    if (entry.path().extension() != ".partial") continue;
    std::string partial = read_all(entry.path());
    partial[1] = static_cast<char>(partial[1] ^ 1);
    std::fstream(entry.path(), std::ios::in | std::ios::out | std::ios::binary) << partial;
  }
  REQUIRE(push_now(f.source(), f.store(), "film", f.journal()));
  CHECK(read_all(f.object()) == bytes);
}

TEST_CASE("zero bytes and exact multiples of the part size") {
  folder f;
  for (std::size_t size :
       {std::size_t{0}, std::size_t{16384}, std::size_t{163840}, std::size_t{1}}) {
    const std::string bytes = some_bytes(size, 9);
    write_all(f.source(), bytes);
    const auto r = push_now(f.source(), f.store());
    REQUIRE(r);
    CHECK(r->parts == (size + 16383) / 16384);
    CHECK(fs::exists(f.object()));
    CHECK(read_all(f.object()) == bytes);
  }
}

TEST_CASE("direct I/O: odd lengths, and a part size that does not fit is an error") {
  folder f;
  for (std::size_t size : {std::size_t{1}, std::size_t{65536}, std::size_t{300'001}}) {
    const std::string bytes = some_bytes(size, size);
    write_all(f.source(), bytes);
    auto go = [&](std::uint64_t part_size) -> task<result<upload_report>> {
      file in = co_await ok(file::open(f.source(), open_mode::read | open_mode::direct));
      directory_target target{f.store(), {.direct = true}};
      upload_options o = small;
      o.part_size = part_size;
      co_return co_await upload(in, target, "film", o);
    };
    runtime rt;
    const auto r = rt.run(go(65536));
    if (!r && r.error() == std::errc::invalid_argument) {
      return support::skip("no direct I/O on this file system");
    }
    REQUIRE(r);
    CHECK(read_all(f.object()) == bytes);
    if (size > 100'000) CHECK(rt.run(go(70'001)).error() == errc::invalid_option);
  }
}

TEST_CASE(
    "begun through the page cache, off the grid of direct I/O: resuming with it is an error") {
  folder f;
  const std::string bytes = some_bytes(50'000, 10);
  write_all(f.source(), bytes);
  runtime rt;
  auto go = [&](bool direct, bool stop) -> task<result<upload_report>> {
    file in = co_await ok(file::open(f.source(), open_mode::read));
    directory_target target{f.store(), {.direct = direct}};
    upload_options o = small;
    o.part_size = 10'001;
    auto show = [&rt, stop](const upload_progress& p) {
      if (stop && p.parts_done == 2) rt.request_stop();
    };
    co_return co_await upload(in, target, "film", o, resume_from(f.journal()), on_progress(show));
  };
  auto discard = [&]() -> task<result<>> {
    directory_target target{f.store(), {.direct = true}};
    co_return co_await discard_upload(target, resume_from(f.journal()));
  };
  if (!opens_directly(rt, f.source())) return support::skip("no direct I/O on this file system");
  REQUIRE(!rt.run(go(false, true)));
  const auto r = rt.run(go(true, false));
  REQUIRE(!r);
  CHECK(r.error() == errc::invalid_option);
  CHECK(says(r, "10001"));
  CHECK(!fs::exists(f.object()));
  const auto again = rt.run(go(false, false));
  REQUIRE(again);
  CHECK(read_all(f.object()) == bytes);
  REQUIRE(!rt.run(go(false, true)));
  CHECK(rt.run(discard()));
  CHECK(!fs::exists(f.journal()));
}

TEST_CASE("direct I/O of an object that needs larger parts than asked for") {
  folder f;
  const std::string bytes = some_bytes(10'000 * 512 + 1, 11);
  write_all(f.source(), bytes);
  auto go = [&]() -> task<result<upload_report>> {
    file in = co_await ok(file::open(f.source(), open_mode::read | open_mode::direct));
    directory_target target{f.store(), {.direct = true}};
    upload_options o = small;
    o.part_size = 512;
    co_return co_await upload(in, target, "film", o);
  };
  runtime rt;
  if (!opens_directly(rt, f.source())) return support::skip("no direct I/O on this file system");
  const auto r = rt.run(go());
  REQUIRE(r);
  CHECK(read_all(f.object()) == bytes);
}
