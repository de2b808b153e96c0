// Uploads a file into a folder in parallel parts, shows progress, and goes on where it was
// interrupted. Run: chunked_upload FILE STORE [--part-size BYTES[K|M|G]] [--concurrency N]
// [--direct] [--resume] Change first: directory_target, for another place to put objects;
// upload_options in push().
//
// Exit status: 0 done, 1 another error, 2 usage, 3 the source cannot be read, 4 the store cannot be
// written, 5 the source changed, 6 interrupted: --resume goes on, 7 the file's name cannot be an
// object's.
#include <penstock/adapters/file.hpp>
#include <penstock/io.hpp>
#include <penstock/penstock.hpp>
#include <penstock/runtime.hpp>

#include <charconv>
#include <filesystem>
#include <string_view>

#include <fmt/core.h>
#include <unistd.h>

using namespace penstock;
using namespace penstock::literals;

struct arguments {
  std::filesystem::path source, store;
  upload_options upload;
  bool direct = false, resume = false;
};

static std::uint64_t number(std::string_view text) {
  std::uint64_t n = 0;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  std::uint64_t factor = unit.empty() ? 1 : 0;
  if (unit == "K") factor = 1_KiB;
  if (unit == "M") factor = 1_MiB;
  if (unit == "G") factor = 1_GiB;
  if (ec != std::errc() || factor == 0 || n > UINT64_MAX / factor) return 0;
  return n * factor;  // 0 is refused by validate()
}

static std::optional<arguments> parse(int argc, char** argv) {
  arguments a;
  a.upload.part_size = 5_MiB;
  int plain = 0;
  for (int i = 1; i < argc; ++i) {
    std::string_view word = argv[i];
    if (word == "--resume")
      a.resume = true;
    else if (word == "--direct")
      a.direct = true;
    else if (word == "--part-size" && i + 1 < argc)
      a.upload.part_size = number(argv[++i]);
    else if (word == "--concurrency" && i + 1 < argc)
      a.upload.concurrency = number(argv[++i]);
    else if (word.starts_with("--") || plain == 2)
      return std::nullopt;
    else
      (plain++ == 0 ? a.source : a.store) = word;
  }
  if (plain != 2) return std::nullopt;
  return a;
}

// [show]
static bool bar_is_open = false;  // the cursor is behind it

// A bar on a terminal; elsewhere a line for every ten per cent.
static void show(const upload_progress& p) {
  static const bool terminal = ::isatty(STDERR_FILENO) != 0;
  static int shown = -10;
  int percent = static_cast<int>(100 * p.fraction());
  if (terminal && percent != shown) {
    shown = percent;
    bar_is_open = percent != 100;
    std::string bar(static_cast<std::size_t>(percent / 2), '#');
    fmt::print(stderr, "\r[{:50}] {:3} %{}", bar, percent, percent == 100 ? "\n" : "");
  } else if (!terminal && percent >= shown + 10) {
    shown = percent - percent % 10;
    fmt::print(stderr, "{} %, {} of {} parts\n", percent, p.parts_done, p.parts_total);
  }
}
// [/show]

// [push]
static task<result<upload_report>> push(const arguments& a, int& status) {
  status = 3;
  open_mode mode = open_mode::read;
  if (a.direct) mode |= open_mode::direct;
  file in = co_await ok(file::open(a.source, mode));

  status = 4;
  std::string name = a.source.filename().string();
  std::string journal = (a.store / ("." + name + ".journal")).string();  // no object's name
  directory_target target{a.store, {.direct = a.direct}};
  if (!a.resume) co_await ok(discard_upload(target, resume_from(journal)));
  co_return co_await upload(in, target, name, a.upload, resume_from(journal), on_progress(show));
}
// [/push]

static int failed(int status, std::string_view sentence) {
  fmt::print(stderr, "{}{}\n", bar_is_open ? "\n" : "", sentence);
  return status;
}

static int status_of(const error& why, const arguments& a, int status) {
  if (why == errc::source_changed) return 5;
  if (status == 3 || why == std::errc::is_a_directory) return 3;
  for (error e = why; e.code(); e = e.cause()) {
    if (e.operation() == "use object name" || e == std::errc::filename_too_long) return 7;
    const bool ours = e.operation() != "upload";  // that one names the object
    if (ours && e.object() == a.source.native()) return 3;
  }
  return status;
}

int main(int argc, char** argv) {
  auto a = parse(argc, argv);
  if (!a) {
    return failed(2, fmt::format("usage: {} FILE STORE [--part-size BYTES[K|M|G]] "
                                 "[--concurrency N] [--direct] [--resume]",
                                 argv[0]));
  }
  auto valid = validate(a->upload);
  if (!valid) return failed(2, valid.error().message());
  runtime rt;  // SIGINT and SIGTERM request stop
  int status = 1;
  auto report = rt.run(push(*a, status));
  if (report) {
    fmt::print("{}: parts {} sent {} bytes {}\n", a->source.string(), report->parts,
               report->parts_sent, report->bytes);
    return 0;
  }
  if (report.error() == errc::canceled) return failed(6, "interrupted: run it again with --resume");
  return failed(status_of(report.error(), *a, status), report.error().message());
}
